"""Answers to the exercises of chapter 07, right and wrong: (check, attempt, what it must say)."""

import torch
from torch.nn import functional as F

from vae_teach.chapters.em import exercises as chapter_07


def softly(w, a):
    return (w.log() + a).softmax(1)


def means(x, r):
    return r.T @ x / r.sum(0)[:, None]


def spread(x, r, m, counts):
    offsets = x[:, None] - m
    return torch.einsum("nk,nki,nkj->kij", r, offsets, offsets) / counts[:, None, None]


def covariances(x, r):
    return spread(x, r, means(x, r), r.sum(0))


def elbo(r, a):
    return (r * a + torch.special.entr(r)).sum(1)


def mean(x, W, s):
    return x @ W @ torch.linalg.inv(W.T @ W + s * torch.eye(W.shape[1], dtype=W.dtype))


def all_points(r):
    return torch.full_like(r[0], len(r))


RIGHT = [
    (chapter_07.check_responsibilities, softly),
    (
        chapter_07.check_responsibilities,
        lambda w, a: (w.log() + a - (w.log() + a).logsumexp(1, keepdim=True)).exp(),
    ),
    (chapter_07.check_covariances, covariances),
    (
        chapter_07.check_covariances,
        lambda x, r: (
            torch.einsum("nk,ni,nj->kij", r, x, x) / r.sum(0)[:, None, None]
            - means(x, r)[:, :, None] * means(x, r)[:, None]
        ),
    ),
    (chapter_07.check_elbo, elbo),
    (chapter_07.check_elbo, lambda r, a: (r * a - torch.xlogy(r, r)).sum(1)),
    (chapter_07.check_posterior_mean, mean),
    (
        chapter_07.check_posterior_mean,  # Woodbury's other form
        lambda x, W, s: x @ torch.linalg.inv(W @ W.T + s * torch.eye(len(W), dtype=W.dtype)) @ W,
    ),
]
WRONG = [
    (chapter_07.check_responsibilities, lambda w, a: a.softmax(1), "weights are missing"),
    (
        chapter_07.check_responsibilities,
        lambda w, a: softly(w, a) * 0 + (w.log() + a).softmax(0),
        "over the points",
    ),
    (
        chapter_07.check_responsibilities,
        lambda w, a: w * a.exp() / (w * a.exp()).sum(1, keepdim=True),
        "0/0 is NaN",
    ),
    (chapter_07.check_responsibilities, lambda w, a: (w + a).softmax(1), "log π, not π"),
    (chapter_07.check_responsibilities, lambda w, a: w * a.softmax(1), "before you normalize"),
    (chapter_07.check_responsibilities, lambda w, a: (w * a).softmax(1), "times π"),
    (chapter_07.check_responsibilities, lambda w, a: softly(w, a).log(), "their logarithms"),
    (chapter_07.check_responsibilities, lambda w, a: w * a.exp(), "this is the joint"),
    (chapter_07.check_responsibilities, lambda w, a: w.log() + a, "a softmax is missing"),
    (
        chapter_07.check_responsibilities,
        lambda w, a: F.one_hot(softly(w, a).argmax(1), 3).double(),
        "k-means' hard choice",
    ),
    (
        chapter_07.check_responsibilities,
        lambda w, a: (w.log() + a).logsumexp(1),
        "this is log p(x)",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r, means(x, r), all_points(r)),
        "not by the number of points",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r, x.mean(0), r.sum(0)),
        "own new mean",
    ),
    (chapter_07.check_covariances, lambda x, r: spread(x, r, 0, r.sum(0)), "second moments"),
    (
        chapter_07.check_covariances,
        lambda x, r: covariances(x, r) * r.sum(0)[:, None, None],
        "this is the sum",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r**2, means(x, r), r.sum(0)),
        "squared the responsibilities",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: torch.cov(x.T, correction=0).repeat(3, 1, 1),
        "every component gets the same points",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, torch.ones_like(r), means(x, r), all_points(r)),
        "count all alike",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: covariances(x, F.one_hot(r.argmax(1), 3).double()),
        "likeliest component",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r, means(x, r), r.sum(0) - 1),
        "no −1 here",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r, r.T @ x / len(x), r.sum(0)),
        "the means are off",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: covariances(x, r) * torch.eye(2),
        "correlations are missing",
    ),
    (chapter_07.check_elbo, lambda r, a: (r * (a - r.log())).sum(1), "0 log 0"),
    (chapter_07.check_elbo, lambda r, a: (r * a).sum(1), "entropy of q is missing"),
    (chapter_07.check_elbo, lambda r, a: (r * a - torch.special.entr(r)).sum(1), "wrong sign"),
    (chapter_07.check_elbo, lambda r, a: -elbo(r, a), "−ELBO"),
    (chapter_07.check_elbo, lambda r, a: a.logsumexp(1), "best encoder"),
    (chapter_07.check_elbo, lambda r, a: a.logsumexp(1) - elbo(r, a), "this is the gap"),
    (chapter_07.check_elbo, lambda r, a: (a + torch.special.entr(r)).sum(1), "weigh log p(x, z)"),
    (
        chapter_07.check_elbo,
        lambda r, a: (r * a.exp()).sum(1).log() + torch.special.entr(r).sum(1),
        "goes inside",
    ),
    (chapter_07.check_elbo, lambda r, a: torch.special.entr(r).sum(1), "only the entropy"),
    (
        chapter_07.check_elbo,
        lambda r, a: (r * a + torch.special.entr(r)).mean(1),
        "weights of a mean",
    ),
    (chapter_07.check_elbo, lambda r, a: elbo(r, a).mean(), "one number a point"),
    (chapter_07.check_elbo, lambda r, a: r * a + torch.special.entr(r), "(N, K) must become"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, 0), "σ² is missing"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, 1), "add σ² I, not I"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, s**2), "σ² already"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, s**0.5), "not σ."),
    (chapter_07.check_posterior_mean, lambda x, W, s: x @ W, "M⁻¹ is missing"),
    (chapter_07.check_posterior_mean, lambda x, W, s: s * mean(x, W, s), "factor"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, s) / s, "once too often"),
    (
        chapter_07.check_posterior_mean,
        lambda x, W, s: x @ W @ (W.T @ W + s * torch.eye(2)).double(),
        "not by M",
    ),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, -s), "added to WᵀW"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, s).T, "one row a point"),
    (chapter_07.check_posterior_mean, lambda x, W, s: mean(x, W, s) @ W.T, "reconstruction"),
    (
        chapter_07.check_posterior_mean,
        lambda x, W, s: x @ torch.linalg.inv(W @ W.T + s * torch.eye(4)),
        "between Wᵀ and x",
    ),
    (
        chapter_07.check_responsibilities,
        lambda w, a: w.log() + a.log_softmax(1),
        "take exp at the end",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r, r.T @ x / len(x), all_points(r)),
        "in the means and in the covariances",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, torch.ones_like(r), means(x, r), r.sum(0)),
        "squares by r, too",
    ),
    (
        chapter_07.check_covariances,
        lambda x, r: spread(x, r, r.T @ x, r.sum(0)),
        "sums, not means",
    ),
    (chapter_07.check_elbo, lambda r, a: (r * a - r.log()).sum(1), "entropy is weighed"),
    (
        chapter_07.check_posterior_mean,
        lambda x, W, s: x @ W @ torch.linalg.inv(W.T @ W + s),
        "diagonal only",
    ),
]
