"""Exercises of chapter 01, the autoencoder."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import mean_squared_error
from torch.distributions import Categorical
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _two_batches(seed, *shape):
    return tuple(torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed)))


def _error_by_sklearn(x_hat, x):
    pairs = zip(x_hat.flatten(1), x.flatten(1), strict=True)
    return torch.tensor([x[0].numel() * mean_squared_error(a, b) for a, b in pairs])


def _squares(x_hat, x):
    return (x_hat - x).square().flatten(1)


check_error = Exercise(
    "Squared error of each image: x_hat, x (B, C, H, W) -> (B,), summed over the pixels.",
    inputs=[_two_batches(0, 3, 1, 4, 5), _two_batches(1, 2, 3, 5, 2)],
    right=_error_by_sklearn,
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
    },
    also_right=[
        lambda a, x: F.mse_loss(a, x, reduction="none").sum((1, 2, 3)),
        lambda a, x: (a - x).pow(2).sum(dim=(1, 2, 3)),
    ],
)


def _principal(seed, points, dimensions, components):
    """Three points, and the mean and components of those that they belong to."""
    draws = torch.Generator().manual_seed(seed)
    mixing = torch.randn(points, dimensions, generator=draws)
    x = mixing @ torch.randn(dimensions, dimensions, generator=draws) + 2
    pca = PCA(components).fit(x.double().numpy())
    return x[:3], *(torch.tensor(v, dtype=torch.float) for v in (pca.mean_, pca.components_))


def _pca_by_sklearn(x, mean, components):
    pca = PCA(len(components))
    pca.mean_, pca.components_ = mean.double().numpy(), components.double().numpy()
    return torch.tensor(pca.inverse_transform(pca.transform(x.double().numpy())))


check_pca = Exercise(
    "PCA's reconstruction: x (B, D), mean (D,), components (d, D), orthonormal rows -> (B, D).",
    inputs=[_principal(0, 50, 4, 2), _principal(1, 30, 5, 3)],
    right=_pca_by_sklearn,
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
    },
    also_right=[lambda x, m, c: m + (x - m) @ c.T @ c],
)


def _windows(seed, windows, pixels):
    """Two sets of windows, faint, so that SSIM's constants count."""
    draws = torch.Generator().manual_seed(seed)
    a = 0.1 + 0.1 * torch.rand(windows, pixels, generator=draws)
    return a, (a + 0.03 * torch.randn(windows, pixels, generator=draws)).clamp(0, 1)


def _ssim_by_skimage(a, b):
    from skimage.metrics import structural_similarity  # slow to import

    side = int(a.shape[1] ** 0.5)  # such images are exactly one window of it
    how = {"win_size": side, "data_range": 1.0, "use_sample_covariance": False}
    pairs = zip(*(v.double().reshape(-1, side, side).numpy() for v in (a, b)), strict=True)
    return torch.tensor(np.array([structural_similarity(u, v, **how) for u, v in pairs]))


_ONE, _TWO = 0.01**2, 0.03**2


def _moments(a, b, correction=0):
    """Both means, both variances and the covariance of each window."""
    covariance = ((a - a.mean(1, keepdim=True)) * (b - b.mean(1, keepdim=True))).sum(1)
    variances = (v.var(1, correction=correction) for v in (a, b))
    return a.mean(1), b.mean(1), *variances, covariance / (a.shape[1] - correction)


def _first(p, q, one=_ONE, two=2):
    return (two * p * q + one) / (p**2 + q**2 + one)


def _second(v, w, c, one=_TWO, two=2):
    return (two * c + one) / (v + w + one)


def _ssim(p, q, v, w, c, one=_ONE, two=_TWO):
    return _first(p, q, one) * _second(v, w, c, two)


def _of_moments(combine):
    return lambda a, b: combine(*_moments(a, b))


check_ssim = Exercise(
    "SSIM of one window: a, b (B, N) pixels of B windows, constants 0.01² and 0.03² -> (B,).",
    inputs=[_windows(0, 4, 49), _windows(1, 3, 25)],
    right=_ssim_by_skimage,
    mistakes={
        "this is 1 − SSIM, the loss; the similarity itself is asked for.": _of_moments(
            lambda *s: 1 - _ssim(*s)
        ),
        "variances and covariance are divided by N, not N − 1, here.": (
            lambda a, b: _ssim(*_moments(a, b, correction=1))
        ),
        "`var` divides by N − 1 unless `correction=0`.": (
            lambda a, b: _ssim(*_moments(a, b, correction=1)[:4], _moments(a, b)[4])
        ),
        "the two small constants are missing: two blank windows would give 0/0.": _of_moments(
            lambda *s: _ssim(*s, one=0, two=0)
        ),
        "the constants are swapped: 0.01² belongs to the means, 0.03² to the variances.": (
            _of_moments(lambda *s: _ssim(*s, one=_TWO, two=_ONE))
        ),
        "the constants are squares: 0.01² and 0.03².": _of_moments(
            lambda *s: _ssim(*s, one=0.01, two=0.03)
        ),
        "standard deviations stand where variances belong.": _of_moments(
            lambda p, q, v, w, c: _ssim(p, q, v.sqrt(), w.sqrt(), c)
        ),
        "a covariance is the mean product less the product of the means.": _of_moments(
            lambda p, q, v, w, c: _ssim(p, q, v, w, c + p * q)
        ),
        "the second factor, of variances and covariance, is missing.": _of_moments(
            lambda p, q, v, w, c: _first(p, q)
        ),
        "the first factor, of the means, is missing.": _of_moments(
            lambda p, q, v, w, c: _second(v, w, c)
        ),
        "the factors 2 in the numerator are missing: two equal windows must give 1.": (
            _of_moments(lambda p, q, v, w, c: _first(p, q, two=1) * _second(v, w, c, two=1))
        ),
        "the factor 2 before the covariance is missing: two equal windows must give 1.": (
            _of_moments(lambda p, q, v, w, c: _first(p, q) * _second(v, w, c, two=1))
        ),
        "the two factors are multiplied, not added.": _of_moments(
            lambda p, q, v, w, c: _first(p, q) + _second(v, w, c)
        ),
    },
    also_right=[
        lambda a, b: _ssim(
            *(a.mean(1), b.mean(1), a.var(1, correction=0), b.var(1, correction=0)),
            (a * b).mean(1) - a.mean(1) * b.mean(1),
        )
    ],
)


def _logits(seed, images, classes):
    return (3 * torch.randn(images, classes, generator=torch.Generator().manual_seed(seed)),)


def _share(surest):
    return (surest > 0.9).float().mean()


check_sure = Exercise(
    "Share of images with a class above 0.9: logits (B, K) -> ().",
    inputs=[_logits(0, 40, 5), _logits(1, 25, 10)],
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
    },
    also_right=[lambda a: _share(a.softmax(1).max(1).values)],
)


def _ends(seed, dimensions, *t):
    ends = torch.randn(2, dimensions, generator=torch.Generator().manual_seed(seed))
    return *ends, torch.tensor(t)


check_path = Exercise(
    "Codes on the way from start (d,) to end (d,) at each t (T,) from 0 to 1 -> (T, d).",
    inputs=[_ends(0, 3, 0.0, 0.2, 0.7, 1.0), _ends(1, 2, 0.9, 0.1, 0.4)],
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
    },
    also_right=[
        lambda a, b, t: a + t[:, None] * (b - a),
        lambda a, b, t: torch.outer(1 - t, a) + torch.outer(t, b),
    ],
)
