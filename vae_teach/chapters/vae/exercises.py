"""Exercises of chapter 05, the VAE."""

import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _kl(mean, variance):
    """KL(N(mean, variance) || N(0, 1)) of each dimension, (B, d)."""
    return 0.5 * (variance - variance.log() - 1 + mean**2)


def _log_p(logits, x):
    """log p of each pixel, (B, pixels)."""
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1)


def _gaussians(seed, images, dimensions):
    draws = torch.Generator().manual_seed(seed)
    mean = torch.randn(images, dimensions, generator=draws)
    return mean, torch.rand(images, dimensions, generator=draws) + 0.3


check_kl = Exercise(
    "KL(N(mean, diag(variance)) || N(0, I)): (B, d), (B, d) -> (B,) in nats.",
    inputs=[_gaussians(0, 4, 3), _gaussians(1, 2, 5)],
    right=lambda m, v: kl_divergence(Normal(m, v.sqrt()), Normal(0.0, 1.0)).sum(1),
    mistakes={
        "the factor ½ is missing.": lambda m, v: 2 * _kl(m, v).sum(1),
        "the sign is turned: a KL divergence is never negative.": lambda m, v: -_kl(m, v).sum(1),
        "μ² is missing: nothing would pull the means to the origin.": (
            lambda m, v: _kl(0 * m, v).sum(1)
        ),
        "μ must be squared.": lambda m, v: 0.5 * (v - v.log() - 1 + m).sum(1),
        "log v has the wrong sign, so v = 1 is no minimum.": (
            lambda m, v: 0.5 * (v + v.log() - 1 + m**2).sum(1)
        ),
        "the −1 is missing: the divergence of N(0, I) from itself must be 0.": (
            lambda m, v: 0.5 * (v - v.log() + m**2).sum(1)
        ),
        "you squared the variance: v is σ² already.": lambda m, v: _kl(m, v**2).sum(1),
        "you took v for log v: `variance` is given, not its logarithm.": (
            lambda m, v: _kl(m, v.exp()).sum(1)
        ),
        "sum over the latent dimensions; a mean makes the KL term d times too weak.": (
            lambda m, v: _kl(m, v).mean(1)
        ),
        "sum over the dimensions only: one number an image, shape (B,).": (
            lambda m, v: _kl(m, v).sum()
        ),
        "one number an image is needed: the mean over images comes later.": (
            lambda m, v: _kl(m, v).sum(1).mean()
        ),
        "sum over the latent dimensions: (B, d) must become (B,).": _kl,
        "this is KL(N(0, I) || q), the other way round.": (
            lambda m, v: kl_divergence(Normal(0.0, 1.0), Normal(m, v.sqrt())).sum(1)
        ),
    },
    also_right=[
        lambda m, v: 0.5 * (v + m**2 - 1 - v.log()).sum(1),
        lambda m, v: -0.5 * (1 + v.log() - m.pow(2) - v).sum(-1),
    ],
)


def _pixels(draws, *shape):
    """Logits, and images with blank, grey and full ink."""
    logits = 2 * torch.randn(shape, generator=draws)
    return logits, (1.6 * torch.rand(shape, generator=draws) - 0.3).clamp(0, 1)


def _score(logits, x):
    """log p of each pixel by torch, which takes grey ink without validation."""
    return Bernoulli(logits=logits, validate_args=False).log_prob(x)


def _rounded(logits, x):
    return torch.where(x > 0.5, F.logsigmoid(logits), F.logsigmoid(-logits)).flatten(1)


def _two_valued(logits, x):
    return F.logsigmoid(logits * (2 * x - 1)).flatten(1)


def _unlogged(p, x):
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1)


check_reconstruction = Exercise(
    "log p(x|z) of a Bernoulli decoder: logits, x (B, C, H, W), ink in [0, 1] -> (B,) in nats.",
    inputs=[
        _pixels(torch.Generator().manual_seed(0), 3, 1, 4, 4),
        _pixels(torch.Generator().manual_seed(1), 2, 3, 5, 2),
    ],
    right=lambda a, x: _score(a, x).flatten(1).sum(1),
    mistakes={
        "the sign is turned: a log-probability of pixels is never positive.": (
            lambda a, x: -_log_p(a, x).sum(1)
        ),
        "sum over the pixels. The mean makes this term 784 times too weak against the KL "
        "on a 28×28 image, as if β were 784.": lambda a, x: _log_p(a, x).mean(1),
        "the mean over pixels is too weak, and the sign is turned.": (
            lambda a, x: -_log_p(a, x).mean(1)
        ),
        "one number an image is needed, you averaged over all pixels of all images.": (
            lambda a, x: _log_p(a, x).mean()
        ),
        "one number an image is needed, and the sign is turned (this is "
        "`binary_cross_entropy_with_logits` with its default mean).": (
            F.binary_cross_entropy_with_logits
        ),
        "one number an image is needed, you summed over images too.": (
            lambda a, x: _log_p(a, x).sum()
        ),
        "one number an image is needed, you summed over images too, and the sign is turned.": (
            lambda a, x: -_log_p(a, x).sum()
        ),
        "sum over the pixels of each image, not over the images.": (
            lambda a, x: _score(a, x).sum(0)
        ),
        "sum over the pixels: one number an image.": _score,
        "this scores only the inked pixels; blank ones need log(1 − p).": (
            lambda a, x: (x * F.logsigmoid(a)).flatten(1).sum(1)
        ),
        "you passed probabilities where logits belong (a sigmoid too many).": (
            lambda a, x: _log_p(a.sigmoid(), x).sum(1)
        ),
        "logits are not probabilities: a sigmoid is missing.": lambda a, x: _unlogged(a, x).sum(1),
        "this is a squared error: a Gaussian's log-density, up to constants.": (
            lambda a, x: -((a.sigmoid() - x) ** 2).flatten(1).sum(1)
        ),
        "that holds for black and white only; on grey ink it is not x·ℓ − softplus(ℓ).": (
            lambda a, x: _two_valued(a, x).sum(1)
        ),
        "you rounded the ink: a grey pixel counts with its share of log p and log(1 − p).": (
            lambda a, x: _rounded(a, x).sum(1)
        ),
    },
    also_right=[lambda a, x: (x * a - F.softplus(a)).flatten(1).sum(1)],
)


def _encoded(seed, *shape):
    """A mean, a log-variance and noise."""
    draws = torch.Generator().manual_seed(seed)
    mean, noise = torch.randn(2, *shape, generator=draws)
    return mean, torch.randn(shape, generator=draws), noise


check_draw = Exercise(
    "z = mean + std * noise from the encoder's numbers: mean, log_variance, noise (B, d) -> (B, d).",
    inputs=[_encoded(0, 4, 3), _encoded(1, 2, 5)],
    right=lambda m, s, e: m + torch.sqrt(torch.exp(s)) * e,
    mistakes={
        "exp(log v) is the variance; the noise is scaled by its square root.": (
            lambda m, s, e: m + s.exp() * e
        ),
        "the log-variance itself scales nothing: take exp(½ log v).": lambda m, s, e: m + s * e,
        "the noise is not scaled.": lambda m, s, e: m + e,
        "the noise is missing: this is the mean, an ordinary autoencoder's code.": (
            lambda m, s, e: m
        ),
        "√(log v) is no standard deviation: take exp(½ log v).": lambda m, s, e: m + s.sqrt() * e,
        "the mean is missing: every image would get the same cloud.": (
            lambda m, s, e: (0.5 * s).exp() * e
        ),
        "the deviation must be exp(+½ log v): the sign is turned.": (
            lambda m, s, e: m + (-0.5 * s).exp() * e
        ),
    },
    also_right=[lambda m, s, e: m + (0.5 * s).exp() * e],
)


def _batch(seed, images, dimensions, *pixels):
    draws = torch.Generator().manual_seed(seed)
    codes = torch.randn(2, images, dimensions, generator=draws)
    return *codes, *_pixels(draws, images, *pixels)


def _of_terms(combine):
    """A loss from log p of each pixel (B, pixels) and the KL of each dimension (B, d)."""
    return lambda m, s, a, x: combine(_log_p(a, x), _kl(m, s.exp()))


check_loss = Exercise(
    "−ELBO of a batch, averaged: mean, log_variance (B, d), logits, x (B, C, H, W) in [0, 1] -> ().",
    inputs=[_batch(0, 3, 5, 1, 4, 4), _batch(1, 2, 3, 1, 5, 2)],
    right=lambda m, s, a, x: (
        kl_divergence(Normal(m, (0.5 * s).exp()), Normal(0.0, 1.0)).sum(1).mean()
        - _score(a, x).flatten(1).sum(1).mean()
    ),
    mistakes={
        "this is the ELBO; training lowers its negative.": _of_terms(
            lambda r, k: (r.sum(1) - k.sum(1)).mean()
        ),
        "the KL term has the wrong sign: it is a cost, added to −reconstruction.": _of_terms(
            lambda r, k: (-r.sum(1) - k.sum(1)).mean()
        ),
        "the reconstruction has the wrong sign: log p(x|z) is to grow.": _of_terms(
            lambda r, k: (r.sum(1) + k.sum(1)).mean()
        ),
        "average over the images; a sum grows with the batch.": _of_terms(
            lambda r, k: k.sum() - r.sum()
        ),
        "one number for the batch is needed: average over the images.": _of_terms(
            lambda r, k: k.sum(1) - r.sum(1)
        ),
        "the KL term is missing.": _of_terms(lambda r, k: -r.sum(1).mean()),
        "the reconstruction is missing.": _of_terms(lambda r, k: k.sum(1).mean()),
        "sum over the pixels; their mean makes the KL term 784 times too strong on a "
        "28×28 image.": _of_terms(lambda r, k: (k.sum(1) - r.mean(1)).mean()),
        "sum over the latent dimensions; their mean makes the KL term d times too weak.": (
            _of_terms(lambda r, k: (k.mean(1) - r.sum(1)).mean())
        ),
        "means over pixels and dimensions: sums are needed, or the two terms lose their "
        "common unit.": _of_terms(lambda r, k: k.mean() - r.mean()),
        "the ½ of the KL term is missing.": _of_terms(
            lambda r, k: (2 * k.sum(1) - r.sum(1)).mean()
        ),
        "log σ(ℓ(2x − 1)) is log p of a black or white pixel only; these are grey, too.": (
            lambda m, s, a, x: (_kl(m, s.exp()).sum(1) - _two_valued(a, x).sum(1)).mean()
        ),
        "you rounded the ink, which is grey, too.": (
            lambda m, s, a, x: (_kl(m, s.exp()).sum(1) - _rounded(a, x).sum(1)).mean()
        ),
    },
    also_right=[
        lambda m, s, a, x: (
            0.5 * (s.exp() + m**2 - 1 - s).sum(1) - (x * a - F.softplus(a)).flatten(1).sum(1)
        ).mean()
    ],
)
