"""Floor 4: how good a trained model is: likelihoods in nats for each image, and what its codes hold."""

from vae_teach.evaluation.disentanglement import dci, mig
from vae_teach.evaluation.information import (
    USED,
    active_units,
    kl_by_dimension,
    kl_parts,
    total_correlation,
)
from vae_teach.evaluation.likelihood import (
    exact_log_likelihood,
    log_likelihood,
    pairwise_log_prob,
    posterior_on_grid,
)

__all__ = [
    "USED",
    "active_units",
    "dci",
    "exact_log_likelihood",
    "kl_by_dimension",
    "kl_parts",
    "log_likelihood",
    "mig",
    "pairwise_log_prob",
    "posterior_on_grid",
    "total_correlation",
]
