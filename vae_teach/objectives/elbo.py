"""The evidence lower bound, and the parts of every bound."""

from typing import NamedTuple

from torch import Tensor
from torch.distributions import kl_divergence

from vae_teach import checks
from vae_teach.models.interface import decoded, encoded, prior_of


class Terms(NamedTuple):
    """The parts of a bound, each (B,), in nats for each image."""

    reconstruction: Tensor
    """E_q[log p(x|z)], estimated from samples."""
    kl: Tensor
    """KL(q(z|x) || p(z)): in closed form where torch.distributions knows one; else, as for a mixture
    prior, the mean of log q(z|x) - log p(z) over the draws of z, unbiased, and below zero by chance."""
    bound: Tensor
    """reconstruction - beta * kl; the ELBO where beta is 1."""


def elbo(model, x, beta=1.0, samples=1):
    """Evidence lower bound of each image (Kingma & Welling 2014, eq. 3 and 10).

    Args:
        model: has `encode`, `decode` and `prior`, distributions over whole codes and images.
        x: images (B, C, H, W) in [0, 1].
        beta: weight of the KL term, at least 0 (Higgins et al. 2017, eq. 4). Only beta = 1 bounds
            log p(x).
        samples: draws of z for each image.

    Returns:
        Terms of (B,) tensors in nats, differentiable through the reparameterized draw of z.

    Raises:
        TypeError, ValueError: x is no batch of images in [0, 1], beta < 0 or NaN, samples < 1, or a
            model that returns no such distributions.
    """
    checks.non_negative(beta, "beta")
    checks.positive_int(samples, "samples")
    q = encoded(model, x)
    z = q.rsample((samples,) if samples > 1 else ())
    reconstruction = decoded(model, z).log_prob(x)
    kl = kl_term(q, prior_of(model), z)
    if samples > 1:
        reconstruction, kl = reconstruction.mean(0), kl.reshape(-1, len(x)).mean(0)
    return Terms(reconstruction, kl, reconstruction - beta * kl)


def kl_term(q, prior, z):
    """KL(q || prior), or log q(z) - log p(z), whose mean over z ~ q it is, where there is no closed form.

    Args:
        q: batch shape (B,).
        prior: batch shape ().
        z: draws from q, (..., B, d).

    Returns:
        (B,) in nats, or (..., B).
    """
    try:
        return kl_divergence(q, prior)
    except NotImplementedError:
        return q.log_prob(z) - prior.log_prob(z)
