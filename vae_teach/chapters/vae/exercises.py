"""Exercises of chapter 05, the VAE."""

import numpy as np
import torch
from scipy import special, stats
from torch.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    Independent,
    Normal,
    kl_divergence,
)
from torch.nn import functional as F

from vae_teach.chapters.vae.answers import (
    batch,
    encoded,
    gaussians,
    images,
    kl,
    learning,
    log_p,
    loss,
    of_terms,
    rounded,
    score,
    std,
    two_valued,
    unlogged,
    with_kl,
    with_log_p,
)
from vae_teach.exercises import Exercise
from vae_teach.exercises.gradients import with_gradients

check_kl = Exercise(
    "KL(N(mean, diag(variance)) || N(0, I)): (B, d), (B, d) -> (B,) in nats.",
    inputs=[
        gaussians(0, 4, 3),
        gaussians(1, 2, 5),
        gaussians(2, 1, 20, scale=2.0),
        gaussians(3, 3, 3, scale=0.4),
        (torch.tensor([[0.0], [-1.5]]), torch.tensor([[1.0], [1.0]])),  # the first is N(0, 1)
    ],
    right=lambda m, v: kl_divergence(Normal(m, v.sqrt()), Normal(0.0, 1.0)).sum(1),
    mistakes={
        "the factor ½ is missing.": lambda m, v: 2 * kl(m, v).sum(1),
        "the sign is turned: a KL divergence is never negative.": lambda m, v: -kl(m, v).sum(1),
        "μ² is missing: nothing would pull the means to the origin.": (
            lambda m, v: kl(0 * m, v).sum(1)
        ),
        "μ must be squared.": lambda m, v: 0.5 * (v - v.log() - 1 + m).sum(1),
        "log v has the wrong sign, so v = 1 is no minimum.": (
            lambda m, v: 0.5 * (v + v.log() - 1 + m**2).sum(1)
        ),
        "the −1 is missing: the divergence of N(0, I) from itself must be 0.": (
            lambda m, v: 0.5 * (v - v.log() + m**2).sum(1)
        ),
        "it is −1, not +1: the divergence of N(0, I) from itself must be 0.": (
            lambda m, v: 0.5 * (v - v.log() + 1 + m**2).sum(1)
        ),
        "the −1 belongs to each dimension: inside the sum.": (
            lambda m, v: 0.5 * ((v - v.log() + m**2).sum(1) - 1)
        ),
        "you squared the variance: v is σ² already.": lambda m, v: kl(m, v**2).sum(1),
        "you took a root: v is σ² already, and σ² is what the formula holds.": (
            lambda m, v: kl(m, v.sqrt()).sum(1)
        ),
        "you took v for log v: `variance` is given, not its logarithm.": (
            lambda m, v: kl(m, v.exp()).sum(1)
        ),
        "log σ² is log v itself: a factor 2 too much.": (
            lambda m, v: 0.5 * (v - 2 * v.log() - 1 + m**2).sum(1)
        ),
        "log v is missing: nothing would keep the widths from 0.": (
            lambda m, v: 0.5 * (v - 1 + m**2).sum(1)
        ),
        "v itself is missing: nothing would keep the widths from growing.": (
            lambda m, v: 0.5 * (m**2 - 1 - v.log()).sum(1)
        ),
        "the ½ belongs to all four terms: set brackets.": (
            lambda m, v: (0.5 * (v + m**2) - 1 - v.log()).sum(1)
        ),
        "square each mean, then sum: not the square of a sum.": (
            lambda m, v: kl(0 * m, v).sum(1) + 0.5 * m.sum(1) ** 2
        ),
        "nats are wanted: the natural logarithm.": lambda m, v: kl(m, v).sum(1) / np.log(2),
        "sum over the latent dimensions; a mean makes the KL term d times too weak.": (
            lambda m, v: kl(m, v).mean(1)
        ),
        "sum over the dimensions only: one number an image, shape (B,).": (
            lambda m, v: kl(m, v).sum()
        ),
        "one number an image is needed: the mean over images comes later.": (
            lambda m, v: kl(m, v).sum(1).mean()
        ),
        "sum over the latent dimensions (dim=1), not over the images.": (
            lambda m, v: kl(m, v).sum(0)
        ),
        "sum over the latent dimensions: (B, d) must become (B,).": kl,
        "this is KL(N(0, I) || q), the other way round.": (
            lambda m, v: kl_divergence(Normal(0.0, 1.0), Normal(m, v.sqrt())).sum(1)
        ),
    },
    also_right=[
        lambda m, v: 0.5 * (v + m**2 - 1 - v.log()).sum(1),
        lambda m, v: -0.5 * (1 + v.log() - m.pow(2) - v).sum(-1),
        lambda m, v: 0.5 * (v.numpy() + m.numpy() ** 2 - 1 - np.log(v.numpy())).sum(1),
        lambda m, v: torch.stack([kl(*row).sum() for row in zip(m, v, strict=True)]),
        # cross-entropy less entropy
        lambda m, v: (
            0.5 * (v + m**2 + np.log(2 * np.pi)).numpy() - stats.norm(m, v.sqrt()).entropy()
        ).sum(1),
    ],
)

check_reconstruction = Exercise(
    "log p(x|z) of a Bernoulli decoder: logits, x (B, C, H, W), ink in [0, 1] -> (B,) in nats.",
    inputs=[
        images(0, 3, 1, 4, 4),
        images(1, 2, 3, 5, 2),
        images(2, 1, 1, 28, 28),
        images(3, 4, 4, 4, 4),
        (images(4, 2, 1, 3, 6)[0], torch.full((2, 1, 3, 6), 0.5)),
    ],
    right=lambda a, x: score(a, x).flatten(1).sum(1),
    mistakes={
        "the sign is turned: a log-probability of pixels is never positive.": (
            lambda a, x: -log_p(a, x).sum(1)
        ),
        "sum over the pixels. The mean makes this term 784 times too weak against the KL "
        "on a 28×28 image, as if β were 784.": lambda a, x: log_p(a, x).mean(1),
        "the mean over pixels is too weak, and the sign is turned.": (
            lambda a, x: -log_p(a, x).mean(1)
        ),
        "one number an image is needed, you averaged over all pixels of all images.": (
            lambda a, x: log_p(a, x).mean()
        ),
        "one number an image is needed, and the sign is turned (this is "
        "`binary_cross_entropy_with_logits` with its default mean).": (
            F.binary_cross_entropy_with_logits
        ),
        "one number an image is needed, you summed over images too.": (
            lambda a, x: log_p(a, x).sum()
        ),
        "one number an image is needed, you summed over images too, and the sign is turned.": (
            lambda a, x: -log_p(a, x).sum()
        ),
        "one number an image is needed: the mean over images comes later.": (
            lambda a, x: log_p(a, x).sum(1).mean()
        ),
        "sum over the pixels of each image, not over the images.": lambda a, x: score(a, x).sum(0),
        "sum over the channels, too: one number an image.": lambda a, x: score(a, x).sum((2, 3)),
        "sum over height and width, too: one number an image.": lambda a, x: score(a, x).sum(1),
        "sum over the pixels: one number an image.": score,
        "do not divide by the number of images: each has its own log p.": (
            lambda a, x: log_p(a, x).sum(1) / len(x)
        ),
        "this scores only the inked pixels; blank ones need log(1 − p).": (
            lambda a, x: (x * F.logsigmoid(a)).flatten(1).sum(1)
        ),
        "this scores only the blank pixels; inked ones need log p.": (
            lambda a, x: ((1 - x) * F.logsigmoid(-a)).flatten(1).sum(1)
        ),
        "p and 1 − p are swapped: ink counts log p.": lambda a, x: log_p(-a, x).sum(1),
        "softplus(ℓ) is subtracted: log(1 − p) = −softplus(ℓ).": (
            lambda a, x: (x * a + F.softplus(a)).flatten(1).sum(1)
        ),
        "softplus(ℓ) is missing: x·ℓ alone grows without bound.": (
            lambda a, x: (x * a).flatten(1).sum(1)
        ),
        "image and logits are the other way round: the logits are the prediction.": (
            lambda a, x: log_p(x, a.sigmoid()).sum(1)
        ),
        "the logarithms are missing.": (
            lambda a, x: (x * a.sigmoid() + (1 - x) * (-a).sigmoid()).flatten(1).sum(1)
        ),
        "mix the logarithms, not the probabilities: x log p + (1 − x) log(1 − p).": (
            lambda a, x: (x * a.sigmoid() + (1 - x) * (-a).sigmoid()).log().flatten(1).sum(1)
        ),
        "this is p(x|z): its logarithm is asked for.": lambda a, x: log_p(a, x).sum(1).exp(),
        "nats are wanted: the natural logarithm.": lambda a, x: log_p(a, x).sum(1) / np.log(2),
        "you passed probabilities where logits belong (a sigmoid too many).": (
            lambda a, x: log_p(a.sigmoid(), x).sum(1)
        ),
        "logits are not probabilities: a sigmoid is missing.": lambda a, x: unlogged(a, x).sum(1),
        "this is a squared error: a Gaussian's log-density, up to constants.": (
            lambda a, x: -((a.sigmoid() - x) ** 2).flatten(1).sum(1)
        ),
        "this is an absolute error: a Laplace distribution's log-density, up to constants.": (
            lambda a, x: -(a.sigmoid() - x).abs().flatten(1).sum(1)
        ),
        "this is the continuous Bernoulli: leave out its normalizing constant.": (
            lambda a, x: ContinuousBernoulli(logits=a).log_prob(x).flatten(1).sum(1)
        ),
        "that holds for black and white only; on grey ink it is not x·ℓ − softplus(ℓ).": (
            lambda a, x: two_valued(a, x).sum(1)
        ),
        "you rounded the ink: a grey pixel counts with its share of log p and log(1 − p).": (
            lambda a, x: rounded(a, x).sum(1)
        ),
    },
    also_right=[
        lambda a, x: (x * a - F.softplus(a)).flatten(1).sum(1),
        lambda a, x: (x * F.logsigmoid(a) + (1 - x) * F.logsigmoid(-a)).sum((1, 2, 3)),
        lambda a, x: (x * a).numpy().sum((1, 2, 3)) - np.logaddexp(0, a.numpy()).sum((1, 2, 3)),
        lambda a, x: (
            x.numpy() * special.log_expit(a.numpy())
            + (1 - x.numpy()) * special.log_expit(-a.numpy())
        ).sum((1, 2, 3)),
        lambda a, x: unlogged(a.sigmoid(), x).sum(1),
        lambda a, x: Independent(Bernoulli(logits=a, validate_args=False), 3).log_prob(x),
        lambda a, x: np.array(
            [
                -float(F.binary_cross_entropy_with_logits(*one, reduction="sum"))
                for one in zip(a, x, strict=True)
            ]
        ),
    ],
)

check_draw = Exercise(
    "z = mean + std * noise from the encoder's numbers: mean, log_variance, noise (B, d) -> (B, d).",
    inputs=[
        encoded(0, 4, 3),
        encoded(1, 2, 5),
        encoded(2, 1, 20),
        encoded(3, 3, 3),
        learning(*encoded(4, 3, 2)),
    ],
    ask=with_gradients,
    right=lambda m, s, e: m + torch.sqrt(torch.exp(s)) * e,
    mistakes={
        "exp(log v) is the variance; the noise is scaled by its square root.": (
            lambda m, s, e: m + s.exp() * e
        ),
        "the log-variance itself scales nothing: take exp(½ log v).": lambda m, s, e: m + s * e,
        "exp is missing: ½ log v is the logarithm of the deviation.": (
            lambda m, s, e: m + 0.5 * s * e
        ),
        "the noise is not scaled.": lambda m, s, e: m + e,
        "the noise is missing: this is the mean, an ordinary autoencoder's code.": (
            lambda m, s, e: m
        ),
        "the noise is missing: this is one deviation from the mean, at every draw.": (
            lambda m, s, e: m + std(s)
        ),
        "√(log v) is no standard deviation: take exp(½ log v).": lambda m, s, e: m + s.sqrt() * e,
        "the mean is missing: every image would get the same cloud.": lambda m, s, e: std(s) * e,
        "the deviation must be exp(+½ log v): the sign is turned.": (
            lambda m, s, e: m + std(-s) * e
        ),
        "−noise is equally good as chance, but use it as given.": lambda m, s, e: m - std(s) * e,
        "add the mean, do not multiply by it.": lambda m, s, e: m * std(s) * e,
        "scale the noise alone, not the mean.": lambda m, s, e: std(s) * (m + e),
        "the mean has the wrong sign.": lambda m, s, e: std(s) * e - m,
        "half of the logarithm, not twice: exp(½ log v).": lambda m, s, e: m + (2 * s).exp() * e,
        "the base is e: exp(½ log v), not a power of 2.": lambda m, s, e: m + 2 ** (0.5 * s) * e,
        "the noise keeps its sign: codes lie on both sides of the mean.": (
            lambda m, s, e: m + std(s) * e.abs()
        ),
        "the noise is squared: it belongs in as it is.": lambda m, s, e: m + std(s) * e**2,
        "the numbers are right, but no gradient gets through: `.detach()`, `.item()`, `.data` or NumPy "
        "cut it, and the encoder learns nothing.": lambda m, s, e: (m + std(s) * e).detach(),
        "the numbers are right, but no gradient reaches the log-variance.": (
            lambda m, s, e: m + std(s).detach() * e
        ),
        "the numbers are right, but no gradient reaches the mean.": (
            lambda m, s, e: m.detach() + std(s) * e
        ),
    },
    also_right=[
        lambda m, s, e: m + (0.5 * s).exp() * e,
        lambda m, s, e: torch.addcmul(m, s.exp() ** 0.5, e),
        lambda m, s, e: torch.stack(
            [a + (b / 2).exp() * c for a, b, c in zip(m, s, e, strict=True)]
        ),
        lambda m, s, e: Normal(m, std(s)).icdf(Normal(0.0, 1.0).cdf(e.double())),
        lambda m, s, e: m + torch.einsum("bij,bj->bi", std(s).diag_embed(), e),
    ],
)

check_loss = Exercise(
    "−ELBO of a batch, averaged: mean, log_variance (B, d), logits, x (B, C, H, W) in [0, 1] -> ().",
    inputs=[
        batch(0, 3, 5, 1, 4, 4),
        batch(1, 2, 3, 1, 5, 2),
        batch(2, 1, 20, 1, 28, 28),
        batch(3, 4, 4, 3, 2, 2),
        (*learning(*batch(4, 2, 3, 1, 3, 3)[:3]), batch(4, 2, 3, 1, 3, 3)[3]),
    ],
    ask=with_gradients,
    right=lambda m, s, a, x: (
        kl_divergence(Normal(m, (0.5 * s).exp()), Normal(0.0, 1.0)).sum(1).mean()
        - score(a, x).flatten(1).sum(1).mean()
    ),
    mistakes={
        "this is the ELBO; training lowers its negative.": of_terms(
            lambda r, k: (r.sum(1) - k.sum(1)).mean()
        ),
        "the KL term has the wrong sign: it is a cost, added to −reconstruction.": of_terms(
            lambda r, k: (-r.sum(1) - k.sum(1)).mean()
        ),
        "the reconstruction has the wrong sign: log p(x|z) is to grow.": of_terms(
            lambda r, k: (r.sum(1) + k.sum(1)).mean()
        ),
        "average over the images; a sum grows with the batch.": of_terms(
            lambda r, k: k.sum() - r.sum()
        ),
        "average the reconstruction over the images, too.": of_terms(
            lambda r, k: k.sum(1).mean() - r.sum()
        ),
        "average the KL term over the images, too.": of_terms(
            lambda r, k: k.sum() - r.sum(1).mean()
        ),
        "one number for the batch is needed: average over the images.": of_terms(
            lambda r, k: k.sum(1) - r.sum(1)
        ),
        "the KL term is missing.": of_terms(lambda r, k: -r.sum(1).mean()),
        "the reconstruction is missing.": of_terms(lambda r, k: k.sum(1).mean()),
        "sum over the pixels; their mean makes the KL term 784 times too strong on a "
        "28×28 image.": of_terms(lambda r, k: (k.sum(1) - r.mean(1)).mean()),
        "sum over the latent dimensions; their mean makes the KL term d times too weak.": (
            of_terms(lambda r, k: (k.mean(1) - r.sum(1)).mean())
        ),
        "means over pixels and dimensions: sums are needed, or the two terms lose their "
        "common unit.": of_terms(lambda r, k: k.mean() - r.mean()),
        "the ½ of the KL term is missing.": of_terms(lambda r, k: (2 * k.sum(1) - r.sum(1)).mean()),
        "a ½ too much: the KL term holds it already.": of_terms(
            lambda r, k: (0.5 * k.sum(1) - r.sum(1)).mean()
        ),
        "nats are wanted: the natural logarithm.": of_terms(
            lambda r, k: (k.sum(1) - r.sum(1)).mean() / np.log(2)
        ),
        "the numbers are right, but no gradient gets through: `.detach()`, `.item()` or NumPy cut it, "
        "and nothing learns.": lambda *a: loss(*a).detach(),
        "the numbers are right, but no gradient of the KL term reaches the encoder.": of_terms(
            lambda r, k: (k.sum(1).detach() - r.sum(1)).mean()
        ),
        "the numbers are right, but no gradient of the reconstruction reaches the decoder.": (
            of_terms(lambda r, k: (k.sum(1) - r.sum(1).detach()).mean())
        ),
        "the KL term needs exp(log v), the variance: you gave log v for it.": with_kl(
            lambda m, s: kl(m, s).sum(1)
        ),
        "the KL term holds the variance exp(log v), not its root.": with_kl(
            lambda m, s: kl(m, (0.5 * s).exp()).sum(1)
        ),
        "μ² is missing from the KL term.": with_kl(lambda m, s: kl(0 * m, s.exp()).sum(1)),
        "μ must be squared in the KL term.": with_kl(
            lambda m, s: 0.5 * (s.exp() - s - 1 + m).sum(1)
        ),
        "the −1 is missing from the KL term.": with_kl(
            lambda m, s: 0.5 * (s.exp() - s + m**2).sum(1)
        ),
        "log v has the wrong sign in the KL term.": with_kl(
            lambda m, s: 0.5 * (s.exp() + s - 1 + m**2).sum(1)
        ),
        "exp is missing: log v stands where v belongs in the KL term.": with_kl(
            lambda m, s: 0.5 * (m**2 - 1).sum(1)
        ),
        "the KL term is KL(N(0, I) || q), the other way round.": with_kl(
            lambda m, s: kl_divergence(Normal(0.0, 1.0), Normal(m, (0.5 * s).exp())).sum(1)
        ),
        "only inked pixels are scored; blank ones need log(1 − p).": with_log_p(
            lambda a, x: x * F.logsigmoid(a)
        ),
        "you passed probabilities where logits belong (a sigmoid too many).": with_log_p(
            lambda a, x: log_p(a.sigmoid(), x)
        ),
        "the squared error is no Bernoulli's log p.": with_log_p(
            lambda a, x: -((a.sigmoid() - x) ** 2)
        ),
        "log σ(ℓ(2x − 1)) is log p of a black or white pixel only; these are grey, too.": (
            with_log_p(two_valued)
        ),
        "you rounded the ink, which is grey, too.": with_log_p(rounded),
    },
    also_right=[
        loss,
        lambda m, s, a, x: (
            (
                F.binary_cross_entropy_with_logits(a, x, reduction="sum")
                - 0.5 * (1 + s - m**2 - s.exp()).sum()
            )
            / len(x)
        ),
        lambda m, s, a, x: (
            sum(kl(m[i], s[i].exp()).sum() - score(a[i], x[i]).sum() for i in range(len(x)))
            / len(x)
        ),
        lambda m, s, a, x: (
            kl_divergence(
                Independent(Normal(m, s.exp().sqrt()), 1),
                Independent(Normal(torch.zeros_like(m), torch.ones_like(m)), 1),
            )
            - Independent(Bernoulli(logits=a, validate_args=False), 3).log_prob(x)
        ).mean(),
    ],
)
