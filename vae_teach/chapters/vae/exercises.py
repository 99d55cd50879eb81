"""Checks of chapter 05, the VAE."""

import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises.judge import judge


def check_kl(attempt):
    """KL(N(mean, diag(variance)) || N(0, I)): (B, d), (B, d) -> (B,) in nats."""
    draws = torch.Generator().manual_seed(0)
    mean = torch.randn(4, 3, generator=draws)
    variance = torch.rand(4, 3, generator=draws) + 0.3
    print(
        judge(
            attempt,
            (mean, variance),
            lambda m, v: kl_divergence(Normal(m, v.sqrt()), Normal(0.0, 1.0)).sum(1),
            {
                "the factor ½ is missing.": lambda m, v: (v - v.log() - 1 + m**2).sum(1),
                "the sign is turned: a KL divergence is never negative.": lambda m, v: -_kl(m, v),
                "μ² is missing: nothing would pull the means to the origin.": lambda m, v: (
                    0.5 * (v - v.log() - 1).sum(1)
                ),
                "μ must be squared.": lambda m, v: 0.5 * (v - v.log() - 1 + m).sum(1),
                "log v has the wrong sign, so v = 1 is no minimum.": lambda m, v: (
                    0.5 * (v + v.log() - 1 + m**2).sum(1)
                ),
                "the −1 is missing: the divergence of N(0, I) from itself must be 0.": lambda m, v: (
                    0.5 * (v - v.log() + m**2).sum(1)
                ),
                "you squared the variance: v is σ² already.": lambda m, v: _kl(m, v**2),
                "you took v for log v: `variance` is given, not its logarithm.": lambda m, v: _kl(
                    m, v.exp()
                ),
                "sum over the latent dimensions; a mean makes the KL term d times too weak.": (
                    lambda m, v: _kl(m, v) / 3
                ),
                "sum over the dimensions only: one number an image, shape (B,).": lambda m, v: _kl(
                    m, v
                ).sum(),
                "one number an image is needed: the mean over images comes later.": (
                    lambda m, v: _kl(m, v).mean()
                ),
                "sum over the latent dimensions: (B, d) must become (B,).": lambda m, v: (
                    0.5 * (v - v.log() - 1 + m**2)
                ),
                "this is KL(N(0, I) || q), the other way round.": lambda m, v: kl_divergence(
                    Normal(0.0, 1.0), Normal(m, v.sqrt())
                ).sum(1),
            },
        )
    )


def check_reconstruction(attempt):
    """log p(x|z) of a Bernoulli decoder: logits (B, C, H, W), x (B, C, H, W) -> (B,) in nats."""
    draws = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3, 1, 4, 4, generator=draws)
    x = (torch.rand(3, 1, 4, 4, generator=draws) < 0.4).float()

    def cross_entropy(first, second):
        return F.binary_cross_entropy_with_logits(first, second, reduction="none").flatten(1)

    def unlogged(probability, x):
        return x * probability.log() + (1 - x) * (1 - probability).log()

    print(
        judge(
            attempt,
            (logits, x),
            lambda a, x: Bernoulli(logits=a).log_prob(x).flatten(1).sum(1),
            {
                "the sign is turned: a log-probability of pixels is never positive.": (
                    lambda a, x: cross_entropy(a, x).sum(1)
                ),
                "sum over the pixels. The mean makes this term 784 times too weak against the KL "
                "on a 28×28 image, as if β were 784.": lambda a, x: -cross_entropy(a, x).mean(1),
                "the mean over pixels is too weak, and the sign is turned.": lambda a, x: (
                    cross_entropy(a, x).mean(1)
                ),
                "one number an image is needed, you averaged over all pixels of all images.": (
                    lambda a, x: -cross_entropy(a, x).mean()
                ),
                "one number an image is needed, and the sign is turned (this is "
                "`binary_cross_entropy_with_logits` with its default mean).": lambda a, x: (
                    cross_entropy(a, x).mean()
                ),
                "one number an image is needed, you summed over images too.": (
                    lambda a, x: -cross_entropy(a, x).sum()
                ),
                "one number an image is needed, you summed over images too, and the sign is turned.": (
                    lambda a, x: cross_entropy(a, x).sum()
                ),
                "sum over the pixels of each image, not over the images.": lambda a, x: (
                    Bernoulli(logits=a).log_prob(x).sum(0)
                ),
                "sum over the pixels: one number an image.": lambda a, x: Bernoulli(
                    logits=a
                ).log_prob(x),
                "this scores only the inked pixels; blank ones need log(1 − p).": lambda a, x: (
                    (x * F.logsigmoid(a)).flatten(1).sum(1)
                ),
                "you passed probabilities where logits belong (a sigmoid too many).": (
                    lambda a, x: -cross_entropy(torch.sigmoid(a), x).sum(1)
                ),
                "logits are not probabilities: a sigmoid is missing.": lambda a, x: (
                    unlogged(a, x).flatten(1).sum(1)
                ),
                "this is a squared error: a Gaussian's log-density, up to constants.": (
                    lambda a, x: -((torch.sigmoid(a) - x) ** 2).flatten(1).sum(1)
                ),
            },
        )
    )


def check_draw(attempt):
    """z = mean + std * noise from the encoder's numbers: mean, log_variance, noise (B, d) -> (B, d)."""
    draws = torch.Generator().manual_seed(0)
    mean, noise = torch.randn(2, 4, 3, generator=draws)
    log_variance = torch.randn(4, 3, generator=draws)
    print(
        judge(
            attempt,
            (mean, log_variance, noise),
            lambda m, s, e: m + torch.sqrt(torch.exp(s)) * e,
            {
                "exp(log v) is the variance; the noise is scaled by its square root.": (
                    lambda m, s, e: m + s.exp() * e
                ),
                "the log-variance itself scales nothing: take exp(½ log v).": lambda m, s, e: (
                    m + s * e
                ),
                "the noise is not scaled.": lambda m, s, e: m + e,
                "the noise is missing: this is the mean, an ordinary autoencoder's code.": (
                    lambda m, s, e: m
                ),
                "√(log v) is no standard deviation: take exp(½ log v).": (
                    lambda m, s, e: m + s.sqrt() * e
                ),
                "the mean is missing: every image would get the same cloud.": lambda m, s, e: (
                    (0.5 * s).exp() * e
                ),
                "the deviation must be exp(+½ log v): the sign is turned.": lambda m, s, e: (
                    m + (-0.5 * s).exp() * e
                ),
            },
        )
    )


def check_loss(attempt):
    """−ELBO averaged over a batch: mean, log_variance (B, d), logits, x (B, C, H, W) -> ()."""
    draws = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 3, 5, generator=draws)
    logits = 2 * torch.randn(3, 1, 4, 4, generator=draws)
    x = (torch.rand(3, 1, 4, 4, generator=draws) < 0.4).float()

    def terms(m, s, a, x):
        log_p = Bernoulli(logits=a).log_prob(x).flatten(1).sum(1)
        return log_p, kl_divergence(Normal(m, (0.5 * s).exp()), Normal(0.0, 1.0)).sum(1)

    def combined(combine):
        return lambda *arguments: combine(*terms(*arguments))

    print(
        judge(
            attempt,
            (mean, log_variance, logits, x),
            combined(lambda r, k: (k - r).mean()),
            {
                "this is the ELBO; training lowers its negative.": combined(
                    lambda r, k: (r - k).mean()
                ),
                "the KL term has the wrong sign: it is a cost, added to −reconstruction.": combined(
                    lambda r, k: (-r - k).mean()
                ),
                "the reconstruction has the wrong sign: log p(x|z) is to grow.": combined(
                    lambda r, k: (r + k).mean()
                ),
                "average over the images; a sum grows with the batch.": combined(
                    lambda r, k: (k - r).sum()
                ),
                "one number for the batch is needed: average over the images.": combined(
                    lambda r, k: k - r
                ),
                "the KL term is missing.": combined(lambda r, k: -r.mean()),
                "the reconstruction is missing.": combined(lambda r, k: k.mean()),
                "sum over the pixels; their mean makes the KL term 784 times too strong on a "
                "28×28 image.": combined(lambda r, k: (k - r / 16).mean()),
                "sum over the latent dimensions; their mean makes the KL term d times too weak.": (
                    combined(lambda r, k: (k / 5 - r).mean())
                ),
                "means over pixels and dimensions: sums are needed, or the two terms lose their "
                "common unit.": combined(lambda r, k: (k / 5 - r / 16).mean()),
                "the ½ of the KL term is missing.": combined(lambda r, k: (2 * k - r).mean()),
            },
        )
    )


def _kl(mean, variance):
    return 0.5 * (variance - variance.log() - 1 + mean**2).sum(1)
