"""Answers to the exercises of chapter 03, right and wrong: (check, attempt, what it must say)."""

import math

import torch

from vae_teach.chapters.bayes_elbo import exercises as chapter_03


def posterior(a, b, dz):
    joint = (a + b).exp()
    return joint / (joint.sum(1, keepdim=True) * dz)


def importance(a, b, q):
    return torch.logsumexp(a + b - q, dim=0) - math.log(len(q))


def extra(p, q):
    return (p * (p.log2() - q.log2())).sum()


def kl(m1, s1, m2, s2):
    return torch.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5


def elbo(a, b, q, dz):
    return (q.exp() * (a + b - q)).sum() * dz


RIGHT = [
    (chapter_03.check_posterior, posterior),
    (chapter_03.check_posterior, lambda a, b, dz: torch.softmax(a + b, dim=1) / dz),
    (chapter_03.check_importance, importance),
    (
        chapter_03.check_importance,
        lambda a, b, q: (a + b - q + 900).exp().mean(0).log() - 900,
    ),
    (chapter_03.check_extra_bits, extra),
    (chapter_03.check_kl_gaussians, kl),
    (chapter_03.check_elbo, elbo),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: (q.exp() * b).sum() * dz - (q.exp() * (q - a)).sum() * dz,
    ),
]
WRONG = [
    (chapter_03.check_posterior, lambda a, b, dz: (a + b).exp(), "this is the joint"),
    (
        chapter_03.check_posterior,
        lambda a, b, dz: b.exp() / (b.exp().sum(1, keepdim=True) * dz),
        "prior is missing",
    ),
    (chapter_03.check_posterior, lambda a, b, dz: a.exp().expand(3, -1), "prior again"),
    (chapter_03.check_posterior, lambda a, b, dz: b.exp(), "likelihood alone is no density"),
    (chapter_03.check_posterior, lambda a, b, dz: torch.softmax(a + b, dim=1), "dz is missing"),
    (chapter_03.check_posterior, lambda a, b, dz: posterior(a, b, dz) * dz**2, "once too often"),
    (
        chapter_03.check_posterior,
        lambda a, b, dz: (a + b).exp() / ((a + b).exp().sum(0) * dz),
        "over the observations x",
    ),
    (
        chapter_03.check_posterior,
        lambda a, b, dz: (a + b).exp() / ((a + b).exp().sum() * dz),
        "one evidence for each x",
    ),
    (chapter_03.check_posterior, lambda a, b, dz: posterior(a, b, dz).log(), "is the logarithm"),
    (chapter_03.check_posterior, lambda a, b, dz: (a + b).exp().sum(1) * dz, "the evidence p(x)"),
    (
        chapter_03.check_posterior,
        lambda a, b, dz: (a.exp() + b.exp()) / ((a.exp() + b.exp()).sum(1, keepdim=True) * dz),
        "densities multiply",
    ),
    (
        chapter_03.check_posterior,
        lambda a, b, dz: (a + b) / ((a + b).sum(1, keepdim=True) * dz),
        "exp of the sum of the logs first",
    ),
    (chapter_03.check_posterior, lambda a, b, dz: 1.05 * posterior(a, b, dz), "largest difference"),
    (chapter_03.check_importance, lambda a, b, q: (a + b - q).mean(0), "mean of the logs"),
    (chapter_03.check_importance, lambda a, b, q: (a + b - q).logsumexp(0), "subtract log S"),
    (chapter_03.check_importance, lambda a, b, q: importance(-a, -b, -q), "upside down"),
    (chapter_03.check_importance, lambda a, b, q: importance(0 * a, b, q), "prior is missing"),
    (chapter_03.check_importance, lambda a, b, q: importance(a, b, 0 * q), "q is missing"),
    (chapter_03.check_importance, lambda a, b, q: importance(a, b, -q), "subtract log q"),
    (chapter_03.check_importance, lambda a, b, q: importance(0, b, 0 * q), "are missing"),
    (chapter_03.check_importance, lambda a, b, q: importance(q, b, a), "changed places"),
    (
        chapter_03.check_importance,
        lambda a, b, q: torch.log(torch.mean(torch.exp(a + b - q), 0)),
        "use torch.logsumexp",
    ),
    (
        chapter_03.check_importance,
        lambda a, b, q: (a + b - q).exp().mean(0),
        "p(x) itself",
    ),
    (
        chapter_03.check_importance,
        lambda a, b, q: (a + b - q).logsumexp(1) - math.log(3),
        "not over the images",
    ),
    (
        chapter_03.check_importance,
        lambda a, b, q: (a + b - q).reshape(-1).logsumexp(0) - math.log(24),
        "one number an image",
    ),
    (chapter_03.check_extra_bits, lambda p, q: extra(p, q) * math.log(2), "these are nats"),
    (chapter_03.check_extra_bits, lambda p, q: extra(q, p), "wrong way round"),
    (chapter_03.check_extra_bits, lambda p, q: -(p * q.log2()).sum(), "cross-entropy"),
    (chapter_03.check_extra_bits, lambda p, q: -(p * p.log2()).sum(), "entropy of p"),
    (chapter_03.check_extra_bits, lambda p, q: -extra(p, q), "sign is turned"),
    (
        chapter_03.check_extra_bits,
        lambda p, q: -(q * q.log2()).sum() + (p * p.log2()).sum(),
        "compares the two sources",
    ),
    (chapter_03.check_extra_bits, lambda p, q: -extra(q, p), "weigh the symbols with p"),
    (chapter_03.check_extra_bits, lambda p, q: (p / q).log2().sum(), "counted all symbols alike"),
    (chapter_03.check_extra_bits, lambda p, q: extra(p, q) / 4, "already does the averaging"),
    (chapter_03.check_extra_bits, lambda p, q: p * (p / q).log2(), "one number is asked for"),
    (chapter_03.check_kl_gaussians, lambda a, b, c, d: kl(c, d, a, b), "forward for reverse"),
    (chapter_03.check_kl_gaussians, lambda *a: kl(*a) / math.log(2), "bits"),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: kl(a, b, c, d) + (d / b).log2() - (d / b).log(),
        "natural logarithm",
    ),
    (chapter_03.check_kl_gaussians, lambda *a: 2 * kl(*a), "½ is missing"),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: (d / b).log() + (b**2 + (a - c) ** 2) / d**2 - 0.5,
        "½ of the squares",
    ),
    (chapter_03.check_kl_gaussians, lambda *a: kl(*a) + 0.5, "−½ is missing"),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: kl(a, b, c, d) + 2 * (b / d).log(),
        "wrong sign: it is log(s2 / s1)",
    ),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: kl(a, b.sqrt(), c, d.sqrt()),
        "standard deviations for variances",
    ),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: (d / b).log() + (b**2 + (a - c)) / (2 * d**2) - 0.5,
        "must be squared",
    ),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: torch.log(d / b) + (a - c) ** 2 / (2 * d**2) - 0.5,
        "includes s₁²",
    ),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: torch.log(d / b) + (a - c) ** 2 / (2 * d**2),
        "s₁² and −½ are missing",
    ),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: torch.log(d) - torch.log(b) + (b + (a - c) ** 2) / (2 * d) - 0.5,
        "square the widths",
    ),
    (chapter_03.check_kl_gaussians, lambda a, b, c, d: kl(c, b, c, d), "of the means is missing"),
    (
        chapter_03.check_kl_gaussians,
        lambda a, b, c, d: kl(a, b, c, d) + (b / d).log(),
        "logarithm of the widths is missing",
    ),
    (chapter_03.check_kl_gaussians, lambda *a: -kl(*a), "sign is turned"),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: (a.exp() * (a + b - q)).sum() * dz,
        "prior for q",
    ),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: ((a.exp() * b).sum() - (q.exp() * (q - a)).sum()) * dz,
        "inside the bound z comes from q",
    ),
    (chapter_03.check_elbo, lambda a, b, q, dz: (q.exp() * (a + b)).sum() * dz, "entropy of q"),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: (q.exp() * (b - a + q)).sum() * dz,
        "wrong sign: it is subtracted",
    ),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: ((q.exp() * b).sum() - (a.exp() * (a - q)).sum()) * dz,
        "forward for reverse",
    ),
    (chapter_03.check_elbo, lambda a, b, q, dz: (q.exp() * b).sum() * dz, "KL term is missing"),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: (q.exp() * (a - q)).sum() * dz,
        "reconstruction is missing",
    ),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: ((q.exp() * (a + b - q).exp()).sum() * dz).log(),
        "the log of the mean weight",
    ),
    (chapter_03.check_elbo, lambda a, b, q, dz: -elbo(a, b, q, dz), "−ELBO, the loss"),
    (chapter_03.check_elbo, lambda a, b, q, dz: elbo(a, b, q, 1), "dz is missing"),
    (chapter_03.check_elbo, lambda a, b, q, dz: (q * (a + b - q)).sum() * dz, "exponential of"),
    (chapter_03.check_elbo, lambda a, b, q, dz: (a + b - q).sum() * dz, "with all z alike"),
    (chapter_03.check_elbo, lambda a, b, q, dz: (a + b - q).mean(), "the plain mean over the grid"),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: (q.exp() * (b - q)).sum() * dz,
        "the prior is missing",
    ),
    (
        chapter_03.check_elbo,
        lambda a, b, q, dz: (torch.softmax(a + b, 0) * (a + b - q)).sum(),
        "over the posterior",
    ),
]
