"""Floor 4: how good a trained model is: likelihoods in nats for each image, and what its codes hold."""

from vae_teach.evaluation.likelihood import (
    exact_log_likelihood,
    log_likelihood,
    pairwise_log_prob,
    posterior_on_grid,
)

__all__ = ["exact_log_likelihood", "log_likelihood", "pairwise_log_prob", "posterior_on_grid"]
