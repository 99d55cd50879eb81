"""Answers to the exercises of chapter 01, right and wrong: (check, attempt, what it must say)."""

import torch
from torch.nn import functional as F

from vae_teach.chapters.autoencoder import exercises as chapter_01


def error(a, x):
    return F.mse_loss(a, x, reduction="none").sum((1, 2, 3))


def pca(x, mean, components):
    return mean + (x - mean) @ components.T @ components


def ssim(a, b, one=0.01**2, two=0.03**2, correction=0, of_variances=None):
    covariance = ((a * b).mean(1) - a.mean(1) * b.mean(1)) * 49 / (49 - correction)
    correction = correction if of_variances is None else of_variances
    variances = a.var(1, correction=correction) + b.var(1, correction=correction)
    means = (2 * a.mean(1) * b.mean(1) + one) / (a.mean(1) ** 2 + b.mean(1) ** 2 + one)
    return means * (2 * covariance + two) / (variances + two)


def ssim_without_a_2(a, b):  # the 2 before the covariance
    covariance = ((a * b).mean(1) - a.mean(1) * b.mean(1)) + 0.03**2
    return ssim(a, b) * covariance / (2 * covariance - 0.03**2)


def sure(logits):
    return (logits.softmax(1).max(1).values > 0.9).float().mean()


def path(start, end, t):
    return start + t[:, None] * (end - start)


RIGHT = [
    (chapter_01.check_error, error),
    (chapter_01.check_error, lambda a, x: (a - x).pow(2).sum(dim=(1, 2, 3))),
    (chapter_01.check_pca, pca),
    (chapter_01.check_ssim, ssim),
    (chapter_01.check_sure, sure),
    (chapter_01.check_path, path),
    (chapter_01.check_path, lambda a, b, t: torch.outer(1 - t, a) + torch.outer(t, b)),
]
WRONG = [
    (chapter_01.check_error, lambda a, x: error(a, x) / 20, "784 times smaller"),
    (chapter_01.check_error, F.mse_loss, "you averaged over all pixels of all images"),
    (chapter_01.check_error, lambda a, x: error(a, x).mean(), "comes later"),
    (chapter_01.check_error, lambda a, x: F.mse_loss(a, x, reduction="sum"), "summed over images"),
    (chapter_01.check_error, lambda a, x: (a - x).sum((1, 2, 3)), "not squared"),
    (chapter_01.check_error, lambda a, x: (a - x).abs().sum((1, 2, 3)), "L1 error"),
    (chapter_01.check_error, lambda a, x: (a - x).flatten(1).norm(dim=1), "without the root"),
    (chapter_01.check_error, lambda a, x: ((a - x) ** 2).sum(1), "flatten each image"),
    (chapter_01.check_error, lambda a, x: -error(a, x), "sign is turned"),
    (chapter_01.check_error, lambda a, x: error(a, x).item(), "RuntimeError"),
    (chapter_01.check_pca, lambda x, m, c: m + x @ c.T @ c, "subtract the mean before"),
    (chapter_01.check_pca, lambda x, m, c: (x - m) @ c.T @ c, "add the mean back"),
    (chapter_01.check_pca, lambda x, m, c: x @ c.T @ c, "both times"),
    (chapter_01.check_pca, lambda x, m, c: (x - m) @ c.T, "these are the codes"),
    (chapter_01.check_pca, lambda x, m, c: x - pca(x, m, c), "leaves out"),
    (chapter_01.check_pca, lambda x, m, c: m + (x - m) @ c @ c.T, "RuntimeError"),
    (chapter_01.check_ssim, lambda a, b: 1 - ssim(a, b), "the similarity itself"),
    (chapter_01.check_ssim, lambda a, b: ssim(a, b, correction=1), "divided by N"),
    (chapter_01.check_ssim, lambda a, b: ssim(a, b, of_variances=1), "`var` divides by N − 1"),
    (chapter_01.check_ssim, lambda a, b: ssim(a, b, 0, 0), "0/0"),
    (chapter_01.check_ssim, lambda a, b: ssim(a, b, 0.03**2, 0.01**2), "constants are swapped"),
    (chapter_01.check_ssim, lambda a, b: ssim(a, b, 0.01, 0.03), "constants are squares"),
    (
        chapter_01.check_ssim,
        lambda a, b: (2 * a.mean(1) * b.mean(1) + 1e-4) / (a.mean(1) ** 2 + b.mean(1) ** 2 + 1e-4),
        "second factor",
    ),
    (chapter_01.check_ssim, ssim_without_a_2, "factor 2 before the covariance"),
    (chapter_01.check_ssim, lambda a, b: ssim(a, b).mean(), "shape ()"),
    (chapter_01.check_sure, lambda a: (a.amax(1) > 0.9).float().mean(), "not probabilities"),
    (chapter_01.check_sure, lambda a: (a.softmax(0).amax(1) > 0.9).float().mean(), "(dim 1)"),
    (chapter_01.check_sure, lambda a: a.softmax(1).amax(1).mean(), "count the images"),
    (chapter_01.check_sure, lambda a: (a.softmax(1) > 0.9).float().mean(), "runs over classes"),
    (chapter_01.check_sure, lambda a: 1 - sure(a), "*not* sure"),
    (chapter_01.check_sure, lambda a: sure(a) * len(a), "divide by how many"),
    (chapter_01.check_sure, lambda a: (a.sigmoid().amax(1) > 0.9).float().mean(), "not sigmoid"),
    (chapter_01.check_path, lambda a, b, t: path(b, a, t), "runs backwards"),
    (chapter_01.check_path, lambda a, b, t: a + t[:, None] * b, "weight is 1 − t"),
    (chapter_01.check_path, lambda a, b, t: a + t[:, None] * (a - b), "its sign is turned"),
    (chapter_01.check_path, lambda a, b, t: path(a, b, t).T, "transposed"),
    (chapter_01.check_path, lambda a, b, t: (a + b) / 2, "half-way point only"),
    (chapter_01.check_path, lambda a, b, t: t[:, None] * (b - a), "start is missing"),
    (chapter_01.check_path, lambda a, b, t: a + t * (b - a), "RuntimeError"),
]
