"""Answers to the exercises of chapter 05, right and wrong: (check, attempt, what it must say)."""

import torch
from torch.distributions import Bernoulli
from torch.nn import functional as F

from vae_teach.chapters.vae import exercises as chapter_05


def kl(m, v):
    return 0.5 * (v + m**2 - 1 - v.log()).sum(1)


def log_p(a, x):
    return (x * a - F.softplus(a)).flatten(1).sum(1)


def loss(m, s, a, x):
    return (kl(m, s.exp()) - log_p(a, x)).mean()


RIGHT = [
    (chapter_05.check_loss, loss),
    (chapter_05.check_kl, kl),
    (chapter_05.check_kl, lambda m, v: -0.5 * (1 + v.log() - m.pow(2) - v).sum(-1)),
    (chapter_05.check_reconstruction, log_p),
    (chapter_05.check_draw, lambda m, s, e: m + (0.5 * s).exp() * e),
]
WRONG = [
    (chapter_05.check_kl, lambda m, v: 2 * kl(m, v), "½ is missing"),
    (chapter_05.check_kl, lambda m, v: -kl(m, v), "sign is turned"),
    (chapter_05.check_kl, lambda m, v: kl(m, v) / 3, "sum over the latent dimensions"),
    (chapter_05.check_kl, lambda m, v: kl(m, v).sum(), "one number an image"),
    (chapter_05.check_kl, lambda m, v: kl(m, v.sqrt()), "largest difference"),
    (chapter_05.check_kl, lambda m, v: kl(m, v**2), "σ² already"),
    (chapter_05.check_kl, lambda m, v: kl(torch.zeros_like(m), v), "μ² is missing"),
    (chapter_05.check_kl, lambda m, v: m @ v, "RuntimeError"),
    (chapter_05.check_kl, lambda m, v: 3.0, "returned a float"),
    (chapter_05.check_reconstruction, lambda a, x: -log_p(a, x), "sign is turned"),
    (chapter_05.check_reconstruction, lambda a, x: log_p(a, x) / 16, "784 times too weak"),
    (chapter_05.check_reconstruction, lambda a, x: log_p(a.sigmoid(), x), "sigmoid too many"),
    (
        chapter_05.check_reconstruction,
        lambda a, x: F.binary_cross_entropy_with_logits(a, x),
        "default mean",
    ),
    (chapter_05.check_draw, lambda m, s, e: m + s.exp() * e, "square root"),
    (chapter_05.check_draw, lambda m, s, e: m + e, "not scaled"),
    (chapter_05.check_draw, lambda m, s, e: m, "noise is missing"),
    (chapter_05.check_draw, lambda m, s, e: m + s.sqrt() * e, "√(log v) is no"),
    (chapter_05.check_draw, lambda m, s, e: m + s.exp() * torch.randn_like(m), "Draw nothing"),
    (chapter_05.check_reconstruction, lambda a, x: Bernoulli(a).log_prob(x), "raised ValueError"),
    (
        chapter_05.check_reconstruction,
        lambda a, x: (x * a.log() + (1 - x) * (1 - a).log()).flatten(1).sum(1),
        "logits are not probabilities",
    ),
    (chapter_05.check_loss, lambda m, s, a, x: -loss(m, s, a, x), "training lowers its negative"),
    (chapter_05.check_loss, lambda m, s, a, x: 3 * loss(m, s, a, x), "average over the images"),
    (chapter_05.check_loss, lambda m, s, a, x: -log_p(a, x).mean(), "KL term is missing"),
    (
        chapter_05.check_loss,
        lambda m, s, a, x: (2 * kl(m, s.exp()) - log_p(a, x)).mean(),
        "½ of the KL term",
    ),
    (
        chapter_05.check_loss,
        lambda m, s, a, x: kl(m, s.exp()).mean() + F.binary_cross_entropy_with_logits(a, x),
        "784 times too strong",
    ),
]
