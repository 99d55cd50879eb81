"""The KL term in three parts, weighted apart (Chen et al. 2018, arXiv:1802.04942)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Normal

from vae_teach import checks
from vae_teach.models.interface import decoded, encoded, prior_of


class SplitTerms(NamedTuple):
    """A bound with the KL term in three parts, each (B,), in nats for each image."""

    reconstruction: Tensor
    """log p(x|z) at one draw of z."""
    mutual_information: Tensor
    """log q(z|x) - log q(z)."""
    total_correlation: Tensor
    """log q(z) - Σ_j log q(z_j)."""
    dimensionwise: Tensor
    """Σ_j log q(z_j) - log p(z)."""
    bound: Tensor
    """reconstruction - mutual_information - beta * total_correlation - dimensionwise."""


def beta_tcvae(model, x, beta, data_size):
    """The KL term in three parts, of which only the total correlation weighs beta (Chen et al. 2018).

    The aggregate posterior q(z) is estimated from the batch: the image that z came from counts 1/N,
    the B - 1 others share the rest alike. (The paper's weights, arXiv:1802.04942, app. C.2, are 1/N,
    1 / (B - 1) for all others but one and the remainder for that one. Over random batches both have
    the mean q(z); equal shares single out no image.) Its logarithm and
    hence the single parts are biased: with few images to a code, q(z) of the others is too small
    and total_correlation too high. `evaluation.kl_parts` measures them better. Summed with beta = 1
    the estimates cancel, and the bound is one draw of the ELBO.

    Args:
        model: has `encode` (diagonal Gaussians), `decode` and `prior`.
        x: images (B, C, H, W) in [0, 1], at least 2.
        beta: weight of the total correlation, at least 0.
        data_size: N, number of images in the training set.

    Returns:
        SplitTerms of (B,) tensors in nats, differentiable; needs memory for B² d numbers.

    Raises:
        TypeError, ValueError: x is no batch of images in [0, 1] or of one image only, beta < 0,
            data_size no whole number of at least B.
    """
    checks.non_negative(beta, "beta")
    checks.positive_int(data_size, "data_size")
    checks.images(x, "x", getattr(model, "image_shape", None))
    if not 2 <= len(x) <= data_size:
        raise ValueError(
            f"x holds {len(x)} images: from 2, to estimate q(z) by, to data_size = {data_size} "
            "are needed."
        )
    q = encoded(model, x)
    checks.diagonal_gaussians(q)
    z = q.rsample()
    density = Normal(q.mean, q.stddev, validate_args=False)
    each = density.log_prob(z[:, None])  # (B, B, d)
    share = torch.full((len(x), len(x)), (1 - 1 / data_size) / (len(x) - 1), device=x.device)
    share = share.fill_diagonal_(1 / data_size).log()
    log_joint = (share + each.sum(2)).logsumexp(1)
    log_product = (share[..., None] + each).logsumexp(1).sum(1)
    reconstruction = decoded(model, z).log_prob(x)
    information = q.log_prob(z) - log_joint
    correlation = log_joint - log_product
    dimensionwise = log_product - prior_of(model).log_prob(z)
    bound = reconstruction - information - beta * correlation - dimensionwise
    return SplitTerms(reconstruction, information, correlation, dimensionwise, bound)
