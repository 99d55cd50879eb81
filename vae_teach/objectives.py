"""Floor 3: what is maximized, in nats for each image. Pure functions of (model, x)."""

from typing import NamedTuple

from torch import Tensor
from torch.distributions import kl_divergence

from vae_teach import checks


class Terms(NamedTuple):
    """The parts of a bound, each (B,), in nats for each image."""

    reconstruction: Tensor
    """E_q[log p(x|z)], estimated from samples."""
    kl: Tensor
    """KL(q(z|x) || p(z))."""
    bound: Tensor
    """reconstruction - beta * kl; the ELBO where beta is 1."""


def elbo(model, x, beta=1.0, samples=1):
    """Evidence lower bound of each image (Kingma & Welling 2014, eq. 3 and 10).

    Args:
        model: has `encode`, `decode` and `prior`.
        x: images (B, C, H, W) in [0, 1].
        beta: weight of the KL term, at least 0 (Higgins et al. 2017, eq. 4). Only beta = 1 bounds
            log p(x).
        samples: draws of z for each image.

    Returns:
        Terms of (B,) tensors in nats, differentiable through the reparameterized draw of z.

    Raises:
        TypeError, ValueError: x is no batch of images in [0, 1], beta < 0 or NaN, samples < 1.
    """
    checks.non_negative(beta, "beta")
    checks.positive_int(samples, "samples")
    q = model.encode(x)
    if samples == 1:
        reconstruction = model.decode(q.rsample()).log_prob(x)
    else:
        reconstruction = model.decode(q.rsample((samples,))).log_prob(x).mean(0)
    kl = kl_divergence(q, model.prior)
    return Terms(reconstruction, kl, reconstruction - beta * kl)
