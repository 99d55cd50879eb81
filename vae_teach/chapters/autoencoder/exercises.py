"""Exercises of chapter 01, the autoencoder."""

import math

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import softmax
from torch.distributions import Categorical
from torch.nn import functional as F

from vae_teach.chapters.autoencoder.trials import (
    ends,
    error_by_sklearn,
    logits,
    near_the_bar,
    pca_by_sklearn,
    principal,
    two_batches,
)
from vae_teach.chapters.autoencoder.window_exercise import check_ssim
from vae_teach.exercises import Exercise

__all__ = ["check_error", "check_path", "check_pca", "check_ssim", "check_sure"]


def _squares(x_hat, x):
    return (x_hat - x).square().flatten(1)


check_error = Exercise(
    "Squared error of each image: x_hat, x (B, C, H, W) -> (B,), summed over the pixels.",
    inputs=[
        two_batches(0, 3, 1, 4, 5),
        two_batches(1, 2, 3, 5, 2),
        two_batches(2, 1, 2, 3, 3),
        two_batches(3, 4, 1, 12, 6, linear=True),
    ],
    right=error_by_sklearn,
    mistakes={
        "sum over the pixels; their mean is 784 times smaller on a 28×28 image.": (
            lambda a, x: _squares(a, x).mean(1)
        ),
        "one number an image is needed, you averaged over all pixels of all images (as "
        "`mse_loss` does).": F.mse_loss,
        "one number an image is needed: the mean over images comes later.": (
            lambda a, x: _squares(a, x).sum(1).mean()
        ),
        "one number an image is needed, you summed over images too.": (
            lambda a, x: _squares(a, x).sum()
        ),
        "the differences are not squared, so errors of both signs cancel.": (
            lambda a, x: (a - x).flatten(1).sum(1)
        ),
        "these are absolute differences, the L1 error; square them.": (
            lambda a, x: (a - x).abs().flatten(1).sum(1)
        ),
        "this is the length of the difference; its square is wanted, without the root.": (
            lambda a, x: _squares(a, x).sum(1).sqrt()
        ),
        "square before summing, not after.": lambda a, x: (a - x).flatten(1).sum(1).square(),
        "sum over channels, rows and columns: flatten each image first.": (
            lambda a, x: (a - x).square().sum(1)
        ),
        "sum over the pixels of each image, not over the images.": (
            lambda a, x: (a - x).square().sum(0)
        ),
        "the sign is turned: an error is never negative.": lambda a, x: -_squares(a, x).sum(1),
        "there is no ½ here: it belongs to a Gaussian's density.": (
            lambda a, x: _squares(a, x).sum(1) / 2
        ),
        "square the difference: this is the difference of the squares.": (
            lambda a, x: (a.square() - x.square()).flatten(1).sum(1)
        ),
        "the images are subtracted, not added.": lambda a, x: _squares(a, -x).sum(1),
        "the sum over the channels is missing: (B, C) must become (B,).": (
            lambda a, x: (a - x).square().sum((2, 3))
        ),
        "you summed over the last axis only, a row of pixels.": (
            lambda a, x: (a - x).square().sum(-1)
        ),
        "you averaged over the images; sum over the pixels of each.": (
            lambda a, x: (a - x).square().mean(0)
        ),
        "this is the error of the worst pixel; all pixels count.": (
            lambda a, x: _squares(a, x).amax(1)
        ),
        "this is the root of the mean square; neither root nor mean is wanted.": (
            lambda a, x: _squares(a, x).mean(1).sqrt()
        ),
        "the sum is all: nothing is divided by 784, and images have other sizes, too.": (
            lambda a, x: _squares(a, x).sum(1) / 784
        ),
        "this is the cross-entropy, a density of black and white pixels; square the difference.": (
            lambda a, x: -(x * a.log() + (1 - x) * (1 - a).log()).flatten(1).sum(1)
        ),
        "x alone is squared here: the reconstruction is missing.": (
            lambda a, x: x.square().flatten(1).sum(1)
        ),
    },
    also_right=[
        lambda a, x: torch.stack([((u - v) ** 2).sum() for u, v in zip(a, x, strict=True)]),
        lambda a, x: np.square(a.numpy() - x.numpy()).sum(axis=(1, 2, 3)),
        lambda a, x: torch.linalg.vector_norm((a - x).flatten(1), dim=1) ** 2,
        lambda a, x: cdist(a.flatten(1), x.flatten(1), "sqeuclidean").diagonal(),
        lambda a, x: F.mse_loss(a, x, reduction="none").sum((1, 2, 3)),
        lambda a, x: (a - x).pow(2).sum(dim=(1, 2, 3)),
    ],
)


check_pca = Exercise(
    "PCA's reconstruction: x (B, D), mean (D,), components (d, D), orthonormal rows -> (B, D).",
    inputs=[
        principal(0, 50, 4, 2),
        principal(1, 30, 5, 3, shown=2),
        principal(2, 40, 3, 1, shown=1),
        principal(3, 30, 6, 4, shown=7),
    ],
    right=pca_by_sklearn,
    mistakes={
        "subtract the mean before projecting: the components belong to centred data.": (
            lambda x, m, c: m + x @ c.T @ c
        ),
        "add the mean back: what you return is centred.": lambda x, m, c: (x - m) @ c.T @ c,
        "both times the mean is missing: subtract it first, add it back last.": (
            lambda x, m, c: x @ c.T @ c
        ),
        "these are the codes (B, d): decode them again with the components.": (
            lambda x, m, c: (x - m) @ c.T
        ),
        "this is what the projection leaves out; return what it keeps.": (
            lambda x, m, c: x - m - (x - m) @ c.T @ c
        ),
        "nothing passed the bottleneck: this is x itself.": lambda x, m, c: x,
        "the mean is subtracted where it must be added back.": (
            lambda x, m, c: (x - m) @ c.T @ c - m
        ),
        "the mean is added where it must be subtracted, before projecting.": (
            lambda x, m, c: m + (x + m) @ c.T @ c
        ),
        "these are the codes of points that are not centred; centre first, then decode.": (
            lambda x, m, c: x @ c.T
        ),
        "use the mean that is given, of all data: this is the mean of the points handed over.": (
            lambda x, m, c: x.mean(0) + (x - x.mean(0)) @ c.T @ c
        ),
        "each pixel has its own mean: you took one number for all.": (
            lambda x, m, c: m.mean() + (x - m.mean()) @ c.T @ c
        ),
        "the mean is that of each pixel, not that of each image.": (
            lambda x, m, c: x.mean(1)[:, None] + (x - x.mean(1)[:, None]) @ c.T @ c
        ),
        "the sign of the projection is turned.": lambda x, m, c: m - (x - m) @ c.T @ c,
        "this uses the first component only; use all that are given.": (
            lambda x, m, c: m + (x - m) @ c[:1].T @ c[:1]
        ),
        "one component is left out, the last.": lambda x, m, c: m + (x - m) @ c[:-1].T @ c[:-1],
        "this is the matrix that projects; apply it to the centred points.": (
            lambda x, m, c: c.T @ c
        ),
        "this is the squared error of the reconstruction, which itself is asked for.": (
            lambda x, m, c: (x - m - (x - m) @ c.T @ c).square().sum(1)
        ),
        "one row a point, (B, D): yours is (D, B), transposed.": (
            lambda x, m, c: (m + (x - m) @ c.T @ c).T
        ),
        "do not cut off at 0 and 1: a projection may leave [0, 1].": (
            lambda x, m, c: (m + (x - m) @ c.T @ c).clamp(0, 1)
        ),
        "this is the mean for every point: the codes are missing.": (
            lambda x, m, c: m.expand_as(x)
        ),
    },
    also_right=[
        lambda x, m, c: m + (x - m) @ c.T @ c,
        lambda x, m, c: torch.stack([m + sum(((v - m) @ u) * u for u in c) for v in x]),
        lambda x, m, c: m.numpy() + (x - m).numpy() @ c.numpy().T @ c.numpy(),
        lambda x, m, c: m + torch.einsum("bi,ki,kj->bj", x - m, c, c),
        lambda x, m, c: F.linear(F.linear(x - m, c), c.T, m),
        lambda x, m, c: x - (x - m) @ (torch.eye(len(m)) - c.T @ c),
    ],
)


def _share(surest):
    return (surest > 0.9).float().mean()


check_sure = Exercise(
    "Share of images with a class above 0.9: logits (B, K) -> ().",
    inputs=[
        logits(0, 40, 5),
        logits(1, 25, 10),
        logits(2, 1, 3),
        near_the_bar(0.99, 0.95, 0.8, classes=12),
        near_the_bar(0.52, 0.86, 0.893, 0.899, 0.901, 0.907, 0.93, 0.97),
        near_the_bar(0.4, 0.88, 0.91, 0.999, 0.92, 0.94, classes=4, shift=120.0),  # exp(120) is inf
    ],
    right=lambda a: _share(Categorical(logits=a).probs.amax(1)),
    mistakes={
        "logits are not probabilities: a softmax over the classes is missing.": (
            lambda a: _share(a.amax(1))
        ),
        "the softmax must run over the classes of each image (dim 1), not over images.": (
            lambda a: _share(a.softmax(0).amax(1))
        ),
        "this is the mean of the largest probability; count the images above 0.9.": (
            lambda a: a.softmax(1).amax(1).mean()
        ),
        "only each image's largest probability counts: your mean runs over classes, too.": (
            lambda a: _share(a.softmax(1))
        ),
        "this is the share of images of which it is *not* sure.": (
            lambda a: 1 - _share(a.softmax(1).amax(1))
        ),
        "this counts images; divide by how many there are.": (
            lambda a: (a.softmax(1).amax(1) > 0.9).sum()
        ),
        "softmax, not sigmoid: one image's class probabilities sum to 1.": (
            lambda a: _share(a.sigmoid().amax(1))
        ),
        "one share for all images: take the mean over them.": (
            lambda a: a.softmax(1).amax(1) > 0.9
        ),
        "exp(120) is infinite on a computer: use torch.softmax.": (
            lambda a: _share((a.exp() / a.exp().sum(1, keepdim=True)).amax(1))
        ),
        "logarithms of probabilities never exceed 0: compare the probabilities.": (
            lambda a: _share(a.log_softmax(1).amax(1))
        ),
        "`argmax` says which class is the likeliest; how likely it is, is asked for.": (
            lambda a: _share(a.argmax(1))
        ),
        "these are percent; a share lies between 0 and 1.": (
            lambda a: 100 * _share(a.softmax(1).amax(1))
        ),
        "the likeliest class may be any: you asked for the first only.": (
            lambda a: _share(a.softmax(1)[:, 0])
        ),
        "sure means above 0.9, not above one half.": (
            lambda a: (a.softmax(1).amax(1) > 0.5).float().mean()
        ),
        "divide by the number of images, not of classes.": (
            lambda a: (a.softmax(1).amax(1) > 0.9).sum() / a.shape[1]
        ),
        "the largest over the classes (dim 1), not over the images.": (
            lambda a: _share(a.softmax(1).amax(0))
        ),
        "compare each image with 0.9 first, then average: this compares the average.": (
            lambda a: a.softmax(1).amax(1).mean() > 0.9
        ),
        "this is the mean probability of the sure images; their share is asked for.": (
            lambda a: a.softmax(1).amax(1)[a.softmax(1).amax(1) > 0.9].mean()
        ),
        "this is the lead over the second class; compare the probability itself.": (
            lambda a: _share(-a.softmax(1).topk(2).values.diff(dim=1)[:, 0])
        ),
        "logits are no probabilities, even when divided by their sum: use torch.softmax.": (
            lambda a: _share((a / a.sum(1, keepdim=True)).amax(1))
        ),
    },
    also_right=[
        lambda a: _share(a.softmax(1).max(1).values),
        lambda a: (a.softmax(1) > 0.9).sum() / len(a),  # no two classes are above 0.9
        lambda a: float(np.mean(softmax(a.numpy(), axis=1).max(axis=1) > 0.9)),
        lambda a: sum(max(row.softmax(0)).item() > 0.9 for row in a) / a.shape[0],
        lambda a: (a.amax(1) - a.logsumexp(1) > math.log(0.9)).double().mean(),
        lambda a: (Categorical(logits=a).probs > 0.9).any(1).float().mean().item(),
    ],
)


def _arc(a, b, t, cosine):
    angle = cosine.arccos()
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


check_path = Exercise(
    "Codes on the way from start (d,) to end (d,) at each t (T,) from 0 to 1 -> (T, d).",
    inputs=[
        ends(0, 3, 0.0, 0.2, 0.7, 1.0),
        ends(1, 2, 0.9, 0.1, 0.4),
        ends(2, 5, 0.3),
        ends(3, 3, 0.6, 0.0, 0.25),
    ],
    right=lambda a, b, t: torch.stack([torch.lerp(a, b, w) for w in t]),
    mistakes={
        "the way runs backwards: t = 0 must give the start.": (
            lambda a, b, t: t[:, None] * a + (1 - t[:, None]) * b
        ),
        "the start must fade as the end comes in: its weight is 1 − t.": (
            lambda a, b, t: a + t[:, None] * b
        ),
        "add t times the *difference* end − start; its sign is turned.": (
            lambda a, b, t: a + t[:, None] * (a - b)
        ),
        "the start is missing: this is only the difference, scaled.": (
            lambda a, b, t: t[:, None] * (b - a)
        ),
        "one row a t, (T, d): yours is (d, T), transposed.": (
            lambda a, b, t: a[:, None] * (1 - t) + b[:, None] * t
        ),
        "one row for each t: this is the half-way point only.": lambda a, b, t: (a + b) / 2,
        "every row is the half-way point: use t.": (
            lambda a, b, t: ((a + b) / 2).expand(len(t), -1)
        ),
        "both weights are t: together they must make 1.": lambda a, b, t: t[:, None] * (a + b),
        "use the t that are given: yours are evenly spaced.": (
            lambda a, b, t: torch.stack([torch.lerp(a, b, w) for w in torch.linspace(0, 1, len(t))])
        ),
        "the end is missing: this only fades the start.": lambda a, b, t: (1 - t[:, None]) * a,
        "the start is missing: this only fades in the end.": lambda a, b, t: torch.outer(t, b),
        "the end's weight t is missing.": lambda a, b, t: (1 - t[:, None]) * a + b,
        "t belongs to the end, and the start fades as t grows: here the end never changes.": (
            lambda a, b, t: t[:, None] * a + b
        ),
        "the end is added, not subtracted.": (
            lambda a, b, t: (1 - t[:, None]) * a - t[:, None] * b
        ),
        "t = 0 must give the start: yours begins at the end and goes beyond it.": (
            lambda a, b, t: b + t[:, None] * (b - a)
        ),
        "this jumps half-way; each t has a place of its own.": (
            lambda a, b, t: torch.where(t[:, None] < 0.5, a, b)
        ),
        "one row for each t: you used the first t only.": lambda a, b, t: torch.lerp(a, b, t[0]),
        "one row is missing: the last t counts, too.": (lambda a, b, t: a + t[:-1, None] * (b - a)),
        "weights √(1 − t) and √t are for independent noise; a straight way has 1 − t and t.": (
            lambda a, b, t: (1 - t[:, None]).sqrt() * a + t[:, None].sqrt() * b
        ),
        "this way is an arc (as `slerp` goes); go straight.": (
            lambda a, b, t: _arc(a, b, t[:, None], (F.normalize(a, dim=0) @ F.normalize(b, dim=0)))
        ),
        "the way is walked evenly: use t, not t².": (lambda a, b, t: a + t[:, None] ** 2 * (b - a)),
    },
    also_right=[
        lambda a, b, t: torch.lerp(a, b, t[:, None]),
        lambda a, b, t: np.array([(1 - w) * a.numpy() + w * b.numpy() for w in t.numpy()]),
        lambda a, b, t: torch.stack([1 - t, t], 1) @ torch.stack([a, b]),
        lambda a, b, t: np.stack(
            [np.interp(t, [0, 1], pair) for pair in torch.stack([a, b], 1)], axis=1
        ),
        lambda a, b, t: a + t[:, None] * (b - a),
        lambda a, b, t: torch.outer(1 - t, a) + torch.outer(t, b),
    ],
)
