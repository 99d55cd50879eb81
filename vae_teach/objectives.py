"""Floor 3: what is maximized, in nats for each image. Pure functions of (model, x)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

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


def multi_rate(model, x):
    """β-ELBOs for a `models.MultiRateVAE`, each image at a β of its own (Bae et al. 2022).

    log β is spread evenly over the network's range, on five sixths of the images; a twelfth of them is
    at each end, which would otherwise be learned from one side only. Images come in random order, so
    that β is independent of them. Above 1 the β-ELBO is divided by β^0.15, which keeps large β, whose
    objective has the largest gradients, from taking more than its share of the network.

    Args:
        model: has `at`, `prior`, `lowest` and `highest`.
        x: images (B, C, H, W) in [0, 1].

    Returns:
        Terms of (B,) tensors in nats; bound is (reconstruction - beta * kl) / max(1, beta)^0.15 of
        each image's own beta.

    Raises:
        TypeError, ValueError: x is no batch of images in [0, 1].
    """
    even = (torch.arange(len(x), device=x.device) + torch.rand(len(x), device=x.device)) / len(x)
    even = (1.2 * even - 0.1).clamp(0, 1)
    beta = model.lowest * (model.highest / model.lowest) ** even
    view = model.at(beta)
    q = view.encode(x)
    reconstruction = view.decode(q.rsample()).log_prob(x)
    kl = kl_divergence(q, model.prior)
    return Terms(reconstruction, kl, (reconstruction - beta * kl) / beta.clamp(min=1) ** 0.15)


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
    if not 2 <= len(x) <= data_size:
        raise ValueError(
            f"x holds {len(x)} images: from 2, to estimate q(z) by, to data_size = {data_size} "
            "are needed."
        )
    q = model.encode(x)
    z = q.rsample()
    density = Normal(q.base_dist.loc, q.base_dist.scale, validate_args=False)
    each = density.log_prob(z[:, None])  # (B, B, d)
    share = torch.full((len(x), len(x)), (1 - 1 / data_size) / (len(x) - 1), device=x.device)
    share = share.fill_diagonal_(1 / data_size).log()
    log_joint = (share + each.sum(2)).logsumexp(1)
    log_product = (share[..., None] + each).logsumexp(1).sum(1)
    reconstruction = model.decode(z).log_prob(x)
    information = q.log_prob(z) - log_joint
    correlation = log_joint - log_product
    dimensionwise = log_product - model.prior.log_prob(z)
    bound = reconstruction - information - beta * correlation - dimensionwise
    return SplitTerms(reconstruction, information, correlation, dimensionwise, bound)


class LossScale(NamedTuple):
    """What `loss_scale` answers: the Gaussian decoder that a loss implies."""

    sigma: float
    """Standard deviation of p(x|z), in units of ink, for which the loss is a −ELBO up to a factor."""
    beta: float
    """Weight of the KL term if the decoder is to have the stated standard deviation instead."""


def loss_scale(
    reduction, pixel_range, pixels, beta=1.0, sigma=1.0, kl_reduction="sum", latent_dim=None
):
    """The σ, or the β, that a loss "squared error + beta * KL" stands for.

    Per image and up to a common factor, such a loss is a · Σ_pixels (x - x̂)² + b · KL with x, x̂ in
    ink. −log N(x; x̂, σ²) is Σ (x - x̂)² / 2σ² up to a constant, so the loss is proportional to a −ELBO
    with σ² = b / 2a; for a decoder of any other σ it weighs the KL term with β = b / (2 a σ²). The
    two are one knob (Rybkin et al. 2021, arXiv:2006.13202).

    Args:
        reduction: of the squared error over the pixels of an image: "sum", "half the sum" or "mean".
            Both terms are averaged over images; a sum over images in both changes nothing.
        pixel_range: (low, high) that the loss sees for no ink and full ink, such as (0, 255).
        pixels: D, numbers in an image.
        beta: weight that the loss gives to its KL term, above 0.
        sigma: stated standard deviation of the decoder, in ink.
        kl_reduction: of the KL over the latent dimensions, "sum" or "mean".
        latent_dim: d, needed where the KL is a mean.

    Returns:
        LossScale(sigma, beta).

    Raises:
        TypeError, ValueError: an unknown reduction, an empty range, a number that is not above 0.
    """
    weights = {"sum": 1.0, "half the sum": 0.5, "mean": 1.0}
    if reduction not in weights:
        raise ValueError(f"reduction is {reduction!r}, one of {', '.join(weights)} is needed.")
    if kl_reduction not in ("sum", "mean"):
        raise ValueError(f'kl_reduction is {kl_reduction!r}, "sum" or "mean" is needed.')
    checks.positive_int(pixels, "pixels")
    checks.positive(beta, "beta")
    checks.positive(sigma, "sigma")
    low, high = pixel_range
    checks.positive(high - low, "the width of pixel_range")
    if kl_reduction == "mean":
        checks.positive_int(latent_dim, "latent_dim")
    a = weights[reduction] / (pixels if reduction == "mean" else 1) * (high - low) ** 2
    b = beta / (latent_dim if kl_reduction == "mean" else 1)
    variance = b / (2 * a)
    return LossScale(math.sqrt(variance), variance / sigma**2)
