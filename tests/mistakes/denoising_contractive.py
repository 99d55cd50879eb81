"""Answers to the exercises of chapter 02, right and wrong: (check, attempt, what it must say)."""

import torch
from torch.func import jacrev, vmap
from torch.nn import functional as F

from vae_teach.chapters.denoising_contractive import exercises as chapter_02


def mask(x, rate, noise):
    return x * (noise >= rate)


def noisy(x, variance, noise):
    return x + variance.sqrt().reshape(-1, 1, 1, 1) * noise


def loss(r, x, corrupted):
    return (r(corrupted) - x).pow(2).sum((1, 2, 3)).mean()


def score(r, x, sigma):
    return (r(x) - x) / sigma**2


def jacobian(model, x):
    return vmap(jacrev(model.encode))(x)


def penalty(model, x):
    return jacobian(model, x).pow(2).sum((1, 2))


def of_batch(model, x):
    """The Jacobian of the whole batch: (B, d, B, D), zero between images."""
    return jacrev(model.encode)(x).square().sum((1, 2, 3))


RIGHT = [
    (chapter_02.check_mask, mask),
    (chapter_02.check_mask, lambda x, rate, n: torch.where(n < rate, torch.zeros_like(x), x)),
    (chapter_02.check_noise, noisy),
    (chapter_02.check_denoising_loss, loss),
    (chapter_02.check_score, score),
    (chapter_02.check_penalty, penalty),
    (chapter_02.check_penalty, of_batch),
]
WRONG = [
    (chapter_02.check_noise, lambda x, v, n: x + v[0].sqrt() * n, "a variance of its own"),
    (chapter_02.check_mask, lambda x, r, n: x * (n < r), "keep and drop are swapped"),
    (chapter_02.check_mask, lambda x, r, n: mask(x, r, n) / (1 - r), "as dropout does"),
    (chapter_02.check_mask, lambda x, r, n: mask(x, r, n[:, :, :1, :1]), "masks a whole image"),
    (chapter_02.check_mask, lambda x, r, n: x * (n[0, 0, 0, 0] >= r), "masks the whole batch"),
    (chapter_02.check_mask, lambda x, r, n: mask(x, r, n[:1]), "mask of the first"),
    (chapter_02.check_mask, lambda x, r, n: x * n, "by the noise itself"),
    (chapter_02.check_mask, lambda x, r, n: x * n * (n >= r), "it is neither"),
    (chapter_02.check_mask, lambda x, r, n: (n >= r).float(), "multiply x by it"),
    (chapter_02.check_mask, lambda x, r, n: x + (n >= r), "not added"),
    (chapter_02.check_mask, lambda x, r, n: x * (1 - r), "scaled by the mean of m"),
    (chapter_02.check_mask, lambda x, r, n: mask(x, 1 - r, n), "a share 1 − rate"),
    (chapter_02.check_mask, lambda x, r, n: x.masked_fill(n < r, 1), "must be 0"),
    (chapter_02.check_mask, lambda x, r, n: F.dropout(x, r.item()), "Draw nothing"),
    (chapter_02.check_noise, lambda x, v, n: noisy(x, v**2, n), "for the standard deviation"),
    (chapter_02.check_noise, lambda x, v, n: noisy(x, v**4, n), "σ² already"),
    (chapter_02.check_noise, lambda x, v, n: x + n, "not scaled"),
    (chapter_02.check_noise, lambda x, v, n: noisy(x, v, n).clamp(0, 1), "do not clip"),
    (chapter_02.check_noise, lambda x, v, n: noisy(0 * x, v, n), "x is missing"),
    (chapter_02.check_noise, lambda x, v, n: noisy(0 * x, v, n) * x, "does not multiply"),
    (chapter_02.check_noise, lambda x, v, n: x + x * noisy(0 * x, v, n), "x(1 + σε)"),
    (chapter_02.check_noise, lambda x, v, n: noisy(x, v, torch.ones_like(n)), "shifted each image"),
    (chapter_02.check_noise, lambda x, v, n: noisy(x, 1 / v, n), "do not divide"),
    (chapter_02.check_noise, lambda x, v, n: x + v.sqrt() * n, "RuntimeError"),
    (chapter_02.check_denoising_loss, lambda r, x, c: loss(r, c, c), "learn to copy the noise"),
    (chapter_02.check_denoising_loss, lambda r, x, c: loss(r, c, x), "target are swapped"),
    (chapter_02.check_denoising_loss, lambda r, x, c: loss(r, x, x), "ordinary autoencoder's"),
    (chapter_02.check_denoising_loss, lambda r, x, c: loss(r, r(x), c), "target is the clean"),
    (
        chapter_02.check_denoising_loss,
        lambda r, x, c: loss(lambda a: a, x, c),
        "network is missing",
    ),
    (chapter_02.check_denoising_loss, lambda r, x, c: F.mse_loss(r(c), x), "mean over pixels"),
    (chapter_02.check_denoising_loss, lambda r, x, c: 3 * loss(r, x, c), "grows with the batch"),
    (
        chapter_02.check_denoising_loss,
        lambda r, x, c: (r(c) - x).square().sum((1, 2, 3)),
        "one number for the batch",
    ),
    (
        chapter_02.check_denoising_loss,
        lambda r, x, c: (r(c) - x).abs().sum((1, 2, 3)).mean(),
        "absolute ones",
    ),
    (
        chapter_02.check_denoising_loss,
        lambda r, x, c: (r(c) - x).flatten(1).norm(dim=1).mean(),
        "do not take the root",
    ),
    (chapter_02.check_denoising_loss, lambda r, x, c: -loss(r, x, c), "sign is turned"),
    (chapter_02.check_score, lambda r, x, s: r(x) - x, "forgot to divide"),
    (chapter_02.check_score, lambda r, x, s: r(x) / s**2, "subtract x"),
    (chapter_02.check_score, lambda r, x, s: -score(r, x, s), "points from x to the data"),
    (chapter_02.check_score, lambda r, x, s: x - r(x), "and the division"),
    (chapter_02.check_score, lambda r, x, s: (r(x) - x) / s, "not by σ"),
    (chapter_02.check_score, lambda r, x, s: (r(x) - x) * s**2, "do not multiply"),
    (chapter_02.check_score, lambda r, x, s: r(x), "alone"),
    (chapter_02.check_score, lambda r, x, s: r(x) - x / s**2, "before you divide"),
    (chapter_02.check_score, lambda r, x, s: score(r, x, s) / 2, "no ½"),
    (chapter_02.check_score, lambda r, x, s: score(r, x, s) / s, "divided by σ³"),
    (
        chapter_02.check_penalty,
        lambda m, x: jacobian(m, x).sum((1, 2)),
        "square the entries before",
    ),
    (chapter_02.check_penalty, lambda m, x: jacobian(m, x).abs().sum((1, 2)), "absolute values"),
    (chapter_02.check_penalty, lambda m, x: penalty(m, x).sqrt(), "do not take the root"),
    (chapter_02.check_penalty, lambda m, x: penalty(m, x) / 18, "took their mean"),
    (chapter_02.check_penalty, lambda m, x: penalty(m, x).sum(), "not the batch's"),
    (chapter_02.check_penalty, lambda m, x: penalty(m, x).mean(), "comes later"),
    (chapter_02.check_penalty, lambda m, x: jacobian(m, x) ** 2, "both axes"),
    (chapter_02.check_penalty, lambda m, x: (jacobian(m, x) ** 2).sum(-1), "one axis only"),
    (
        chapter_02.check_penalty,
        lambda m, x: jacrev(m.encode)(x).square().sum((1, 2)),
        "without `vmap`",
    ),
    (
        chapter_02.check_penalty,
        lambda m, x: torch.linalg.matrix_norm(jacobian(m, x), 2),
        "spectral norm",
    ),
    (
        chapter_02.check_penalty,
        lambda m, x: torch.linalg.matrix_norm(jacobian(m, x), 2) ** 2,
        "sum the squares of all",
    ),
    (
        chapter_02.check_penalty,
        lambda m, x: torch.linalg.matrix_norm(jacobian(m, x), "nuc"),
        "sum their squares",
    ),
    (
        chapter_02.check_penalty,
        lambda m, x: vmap(jacrev(lambda v: m.decode(m.encode(v))))(x).pow(2).sum((1, 2)),
        "differentiates the reconstruction",
    ),
    (
        chapter_02.check_penalty,
        lambda m, x: m.weight.pow(2).sum().expand(len(x)),
        "slope h(1 − h) is missing",
    ),
]
