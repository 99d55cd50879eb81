"""Answers to the exercises of chapter 06, right and wrong: (check, attempt, what it must say)."""

import torch

from vae_teach.chapters.beta_vae import exercises as chapter_06


def kl(m, v):
    return 0.5 * (v + m**2 - 1 - v.log())


def pair(rate, distortion):
    return torch.stack([rate, distortion])


def both(m, v, p):
    return pair(kl(m, v).sum(1).mean(), -p.mean())


def alive(lam, b, s):
    return 0.5 * (lam / (b * s**2)).log().clamp(min=0)


def tc(c):
    return 0.5 * (c.diag().log().sum() - torch.logdet(c))


def beta(n, d, r, s):
    return n / d / (2 * s**2 * r**2)


def gaps(i):
    best = i.topk(2, dim=0).values
    return best[0] - best[1]


RIGHT = [
    (chapter_06.check_rate_and_distortion, both),
    (chapter_06.check_kl_of_dimension, alive),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: torch.where(lam > b * s**2, 0.5 * (lam.log() - (b * s**2).log()), 0.0),
    ),
    (chapter_06.check_total_correlation, tc),
    (
        chapter_06.check_total_correlation,
        lambda c: -0.5 * torch.logdet(c / c.diag().outer(c.diag()).sqrt()),
    ),
    (chapter_06.check_effective_beta, beta),
    (chapter_06.check_mig, lambda i, h: (gaps(i) / h).mean()),
]
WRONG = [
    (
        chapter_06.check_rate_and_distortion,
        lambda m, v, p: both(m, v, -p),
        "the sign is turned",
    ),
    (
        chapter_06.check_rate_and_distortion,
        lambda m, v, p: both(m, v, p).flip(0),
        "you returned (D, R)",
    ),
    (
        chapter_06.check_rate_and_distortion,
        lambda m, v, p: pair(kl(m, v).mean(), -p.mean()),
        "d times too small",
    ),
    (
        chapter_06.check_rate_and_distortion,
        lambda m, v, p: both(m, v**2, p),
        "σ² already",
    ),
    (
        chapter_06.check_rate_and_distortion,
        lambda m, v, p: pair(kl(m, v).sum(), -p.sum()),
        "you summed",
    ),
    (chapter_06.check_rate_and_distortion, lambda m, v, p: both(m, v, p).sum(), "R + D"),
    (
        chapter_06.check_rate_and_distortion,
        lambda m, v, p: both(m, v.exp(), p),
        "not its logarithm",
    ),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: 0.5 * (lam / (b * s**2)).log(),
        "never negative",
    ),
    (chapter_06.check_kl_of_dimension, lambda lam, b, s: alive(lam, b, s.sqrt()), "βσ²"),
    (chapter_06.check_kl_of_dimension, lambda lam, b, s: alive(lam, 1, s), "β is missing"),
    (chapter_06.check_kl_of_dimension, lambda lam, b, s: alive(lam, b**2, s), "not β²σ²"),
    (chapter_06.check_kl_of_dimension, lambda lam, b, s: 2 * alive(lam, b, s), "½ is missing"),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: 0.5 * (b * s**2 / lam).clamp(min=1).log(),
        "upside down",
    ),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: (lam - b * s**2).clamp(min=0),
        "squared length",
    ),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: (lam / (b * s**2)).log(),
        "½ and the floor",
    ),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: 0.5 * ((lam - b * s**2) / (b * s**2)).log(),
        "no logarithm for a dead",
    ),
    (
        chapter_06.check_kl_of_dimension,
        lambda lam, b, s: 0.5 * ((lam - b * s**2) / (b * s**2)).clamp(min=1).log(),
        "not of (λ − βσ²)",
    ),
    (chapter_06.check_total_correlation, lambda c: -tc(c), "sign is turned"),
    (chapter_06.check_total_correlation, lambda c: 2 * tc(c), "½ is missing"),
    (chapter_06.check_total_correlation, lambda c: -0.5 * torch.logdet(c), "change of unit"),
    (
        chapter_06.check_total_correlation,
        lambda c: -0.5 * torch.logdet(c / c.diag().outer(c.diag())),
        "product of the variances",
    ),
    (
        chapter_06.check_total_correlation,
        lambda c: 0.5 * (c.trace() - 3 - torch.logdet(c)),
        "from N(0, I)",
    ),
    (
        chapter_06.check_total_correlation,
        lambda c: 0.5 * (c.diag().sum() - torch.logdet(c)),
        "take logs of the variances",
    ),
    (chapter_06.check_effective_beta, lambda n, d, r, s: beta(n, 1, 1, s), "are both missing"),
    (
        chapter_06.check_effective_beta,
        lambda n, d, r, s: 1 / beta(n, d, r, s),
        "the whole fraction is upside down",
    ),
    (chapter_06.check_effective_beta, lambda n, d, r, s: 2 * beta(n, d, r, s), "2 of 2σ²"),
    (chapter_06.check_effective_beta, lambda n, d, r, s: r * beta(n, d, r, s), "so the span is"),
    (chapter_06.check_effective_beta, lambda n, d, r, s: beta(n, d, 1, s), "span is missing"),
    (chapter_06.check_effective_beta, lambda n, d, r, s: beta(n, 1, r, s), "kl.mean() divides"),
    (chapter_06.check_effective_beta, lambda n, d, r, s: beta(d, n, r, s), "upside down"),
    (chapter_06.check_effective_beta, lambda n, d, r, s: beta(n, d, r, s) * s, "must be squared"),
    (chapter_06.check_mig, lambda i, h: gaps(i).mean(), "factor's entropy"),
    (chapter_06.check_mig, lambda i, h: (i.amax(0) / h).mean(), "factor twice"),
    (chapter_06.check_mig, lambda i, h: gaps(i).mean() / h.mean(), "then average"),
    (chapter_06.check_mig, lambda i, h: gaps(i.t()).mean(), "between factors"),
    (chapter_06.check_mig, lambda i, h: (gaps(i.t()) / h).mean(), "along dim 0"),
    (
        chapter_06.check_mig,
        lambda i, h: ((i.sort(0).values[0] - i.sort(0).values[1]) / h).mean(),
        "two worst",
    ),
    (chapter_06.check_mig, lambda i, h: -(gaps(i) / h).mean(), "sign is turned"),
    (chapter_06.check_mig, lambda i, h: (gaps(i) / h).sum(), "you summed"),
    (chapter_06.check_mig, lambda i, h: gaps(i) / h, "one number is wanted"),
]
