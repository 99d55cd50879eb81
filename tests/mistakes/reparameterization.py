"""Answers to the exercises of chapter 04, right and wrong: (check, attempt, what it must say)."""

import torch
from torch.distributions import Normal

from vae_teach.chapters.reparameterization import exercises as chapter_04


def move(z, m, s, n, t):
    return n + (0.5 * t).exp() * (z - m) / (0.5 * s).exp()


def score(v, z, m, s):
    return (v[:, None] * (z - m) / s**2).mean(0)


def path(f, e, s):
    return torch.stack([f.mean(), (f * e).mean() * s.exp()])


def relax(a, u, t):
    return ((a - (-u.log()).log()) / t).softmax(1)


def kl(m, s, n, t):
    return ((t / s).log() + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5).sum(1)


RIGHT = [
    (chapter_04.check_move, move),
    (chapter_04.check_move, lambda z, m, s, n, t: n + (z - m) * ((t - s) / 2).exp()),
    (chapter_04.check_score_function, score),
    (chapter_04.check_pathwise, path),
    (chapter_04.check_relax, relax),
    (chapter_04.check_kl_gaussians, kl),
    (
        chapter_04.check_kl_gaussians,
        lambda m, s, n, t: -0.5 * (1 + 2 * (s / t).log() - (s**2 + (m - n) ** 2) / t**2).sum(-1),
    ),
]
WRONG = [
    (
        chapter_04.check_move,
        lambda z, m, s, n, t: n + t.exp() * (z - m) / s.exp(),
        "is σ², the variance",
    ),
    (chapter_04.check_move, lambda z, m, s, n, t: n + t * (z - m) / s, "you took log σ² for σ"),
    (chapter_04.check_move, lambda z, m, s, n, t: move(z, m, -s, n, -t), "signs of the exponents"),
    (chapter_04.check_move, lambda z, m, s, n, t: move(z, 0, s, n, t), "subtract the old mean"),
    (
        chapter_04.check_move,
        lambda z, m, s, n, t: move(z, m, 2 * s, n, t),
        "the ½ is missing where you divide",
    ),
    (chapter_04.check_move, lambda z, m, s, n, t: move(z, m, 0 * s, n, t), "the old σ stays in"),
    (chapter_04.check_move, lambda z, m, s, n, t: (z - m) / (0.5 * s).exp(), "half the way"),
    (chapter_04.check_move, lambda z, m, s, n, t: move(z, n, t, m, s), "the way back"),
    (chapter_04.check_move, lambda z, m, s, n, t: move(z, m, s, 0, t), "new mean is missing"),
    (chapter_04.check_move, lambda z, m, s, n, t: n + z * (0.5 * t).exp(), "not standard noise"),
    (
        chapter_04.check_score_function,
        lambda v, z, m, s: score(torch.ones_like(v), z, m, s),
        "f is missing",
    ),
    (chapter_04.check_score_function, lambda v, z, m, s: -score(v, z, m, s), "sign is turned"),
    (chapter_04.check_score_function, lambda v, z, m, s: s * score(v, z, m, s), "not by σ"),
    (
        chapter_04.check_score_function,
        lambda v, z, m, s: score(v * Normal(m, s).log_prob(z).sum(1).exp(), z, m, s),
        "logarithm is missing",
    ),
    (chapter_04.check_score_function, lambda v, z, m, s: 6 * score(v, z, m, s), "average over"),
    (
        chapter_04.check_score_function,
        lambda v, z, m, s: v[:, None] * (z - m) / s**2,
        "one number a dimension",
    ),
    (
        chapter_04.check_score_function,
        lambda v, z, m, s: (v[:, None] * Normal(m, s).log_prob(z)).mean(0),
        "differentiate it",
    ),
    (
        chapter_04.check_score_function,
        lambda v, z, m, s: score(v.mean() + 0 * v, z, m, s),
        "not the factors",
    ),
    (
        chapter_04.check_score_function,
        lambda v, z, m, s: score(v - v.mean(), z, m, s),
        "a baseline from the same draws",
    ),
    (chapter_04.check_pathwise, lambda f, e, s: path(f, e, 0 * s), "adds a factor σ"),
    (chapter_04.check_pathwise, lambda f, e, s: path(f, e * 0 + 1, s), "ε is missing"),
    (
        chapter_04.check_pathwise,
        lambda f, e, s: torch.stack([f.mean(), (f * e).mean() * s]),
        "as if it were σ",
    ),
    (
        chapter_04.check_pathwise,
        lambda f, e, s: torch.stack([f.mean(), 0.5 * (f * e).mean() * s.exp()]),
        "that is the gradient for log σ²",
    ),
    (chapter_04.check_pathwise, lambda f, e, s: path(f, e, s / 2), "you took log σ for log σ²"),
    (
        chapter_04.check_pathwise,
        lambda f, e, s: torch.stack([f.mean(), 0.5 * (f * e).mean() * (s / 2).exp()]),
        "no ½ stands in front",
    ),
    (chapter_04.check_pathwise, lambda f, e, s: len(f) * path(f, e, s), "average over the draws"),
    (chapter_04.check_pathwise, lambda f, e, s: -path(f, e, s), "sign is turned"),
    (chapter_04.check_pathwise, lambda f, e, s: path(f, e, s).flip(0), "other way round"),
    (chapter_04.check_relax, lambda a, u, t: ((a + u) / t).softmax(1), "u is uniform"),
    (chapter_04.check_relax, lambda a, u, t: relax(a, 1 - u, t), "use u as given"),
    (chapter_04.check_relax, lambda a, u, t: ((a - u.log()) / t).softmax(1), "exponential noise"),
    (
        chapter_04.check_relax,
        lambda a, u, t: ((a + u.log()) / t).softmax(1),
        "logarithm is missing",
    ),
    (
        chapter_04.check_relax,
        lambda a, u, t: ((a + (-u.log()).log()) / t).softmax(1),
        "sign of the noise",
    ),
    (chapter_04.check_relax, lambda a, u, t: relax(a, u, 1 / t), "you multiplied"),
    (chapter_04.check_relax, lambda a, u, t: relax(a, u, 1), "temperature is missing"),
    (chapter_04.check_relax, lambda a, u, t: relax(a / t, u, 1), "not the logits alone"),
    (chapter_04.check_relax, lambda a, u, t: relax(a.softmax(0), u, t), "not to the probabilities"),
    (
        chapter_04.check_relax,
        lambda a, u, t: ((a - (-u.log()).log()) / t).softmax(0),
        "not over the draws",
    ),
    (chapter_04.check_relax, lambda a, u, t: (a - (-u.log()).log()).argmax(1), "a hard draw"),
    (chapter_04.check_relax, lambda a, u, t: (a - (-u.log()).log()) / t, "softmax is missing"),
    (
        chapter_04.check_kl_gaussians,
        lambda m, s, n, t: ((t / s).log() + (s**2 + (m - n) ** 2) / t**2 - 0.5).sum(1),
        "½ is missing from the squares",
    ),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: 2 * kl(m, s, n, t), "twice the KL"),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: kl(n, t, m, s), "the other way round"),
    (
        chapter_04.check_kl_gaussians,
        lambda m, s, n, t: kl(m, s, n, t) + 2 * (s / t).log().sum(1),
        "the sign is wrong",
    ),
    (
        chapter_04.check_kl_gaussians,
        lambda m, s, n, t: kl(m, s.sqrt(), n, t.sqrt()),
        "for variances",
    ),
    (
        chapter_04.check_kl_gaussians,
        lambda m, s, n, t: ((t / s).log() + (s**2 + (m - n) ** 2) / (2 * t) - 0.5).sum(1),
        "the prior's *variance*",
    ),
    (
        chapter_04.check_kl_gaussians,
        lambda m, s, n, t: ((t / s).log() + (s + (m - n) ** 2) / (2 * t) - 0.5).sum(1),
        "squares are missing",
    ),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: kl(m, s, 0, 1 + 0 * t), "N(0, I)"),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: kl(m, s, n, t) + 1.5, "must be 0"),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: kl(m, s, n, t) + 1.0, "inside the sum"),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: kl(m, s, n, t) / 3, "d times too weak"),
    (chapter_04.check_kl_gaussians, lambda m, s, n, t: -kl(m, s, n, t), "never negative"),
]
