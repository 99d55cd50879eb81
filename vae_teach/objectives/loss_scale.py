"""The Gaussian decoder that a loss of squared errors implies (Rybkin et al. 2021, arXiv:2006.13202)."""

import math
from typing import NamedTuple

from vae_teach import checks


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
