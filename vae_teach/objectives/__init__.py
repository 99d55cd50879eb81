"""Floor 3: what is maximized, in nats for each image. Pure functions of (model, x), one family a file."""

from vae_teach.objectives.beta_tcvae import SplitTerms, beta_tcvae
from vae_teach.objectives.elbo import Terms, elbo, kl_term
from vae_teach.objectives.loss_scale import LossScale, loss_scale
from vae_teach.objectives.multi_rate import multi_rate

__all__ = [
    "LossScale",
    "SplitTerms",
    "Terms",
    "beta_tcvae",
    "elbo",
    "kl_term",
    "loss_scale",
    "multi_rate",
]
