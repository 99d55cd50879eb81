"""Exercises of chapter 02, denoising and contractive autoencoders."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch.distributions.transforms import AffineTransform
from torch.nn import functional as F

from vae_teach.chapters.denoising_contractive.slope_exercises import check_penalty, check_score
from vae_teach.chapters.denoising_contractive.trials import (
    to_blur,
    to_denoise,
    to_mask,
)
from vae_teach.exercises import Exercise

__all__ = ["check_denoising_loss", "check_mask", "check_noise", "check_penalty", "check_score"]


def _keep(noise, rate):
    return (noise >= rate).float()


check_mask = Exercise(
    "x·m with m = 0 where noise < rate: x (B, C, H, W), rate (), noise like x -> like x.",
    inputs=[
        to_mask(0, 0.3, 4, 1, 5, 5),
        to_mask(1, 0.6, 2, 3, 4, 6),
        to_mask(2, 0.8, 1, 1, 3, 7, standardized=True),
        to_mask(3, 0.0, 2, 2, 2, 2),  # all stay
    ],
    right=lambda x, rate, n: x.masked_fill(n < rate, 0.0),
    mistakes={
        "keep and drop are swapped: a pixel stays where its noise is not below the rate.": (
            lambda x, rate, n: x * (n < rate)
        ),
        "you divided by 1 − rate, as dropout does; here the kept pixels stay as they are.": (
            lambda x, rate, n: x * _keep(n, rate) / (1 - rate)
        ),
        "one number masks a whole image; each pixel needs an m of its own.": (
            lambda x, rate, n: x * _keep(n[:, :, :1, :1], rate)
        ),
        "one number masks the whole batch; each pixel of each image needs an m of its own.": (
            lambda x, rate, n: x * _keep(n[0, 0, 0, 0], rate)
        ),
        "all images got the mask of the first; each needs its own.": (
            lambda x, rate, n: x * _keep(n[:1], rate)
        ),
        "you multiplied by the noise itself; m is 0 or 1.": lambda x, rate, n: x * n,
        "m is 0 or 1, but where your noise survives it is neither.": (
            lambda x, rate, n: x * n * _keep(n, rate)
        ),
        "this is the mask m; multiply x by it.": lambda x, rate, n: _keep(n, rate),
        "the mask multiplies x, it is not added.": lambda x, rate, n: x + _keep(n, rate),
        "this is x scaled by the mean of m; drop single pixels instead.": (
            lambda x, rate, n: x * (1 - rate)
        ),
        "you dropped a share 1 − rate of the pixels, not a share rate.": (
            lambda x, rate, n: x * _keep(n, 1 - rate)
        ),
        "dropped pixels must be 0, blank paper; yours are ink.": (
            lambda x, rate, n: x.masked_fill(n < rate, 1.0)
        ),
        "dropped pixels must be 0, not grey.": lambda x, rate, n: x.masked_fill(n < rate, 0.5),
        "dropped pixels must be 0, not NaN.": lambda x, rate, n: x.masked_fill(n < rate, torch.nan),
        "dropped pixels must be 0; yours got the noise instead.": (
            lambda x, rate, n: torch.where(n < rate, n, x)
        ),
        "dropped is where noise < rate: where it is the rate itself, the pixel stays.": (
            lambda x, rate, n: x * (n > rate)
        ),
        "you compared the pixels with the rate; the noise decides.": (
            lambda x, rate, n: x * (x >= rate)
        ),
        "compare the noise with the rate that is given, not with ½.": (
            lambda x, rate, n: x * _keep(n, 0.5)
        ),
        "one number masks a whole row; each pixel needs an m of its own.": (
            lambda x, rate, n: x * _keep(n[..., :1], rate)
        ),
        "one number masks a whole column; each pixel needs an m of its own.": (
            lambda x, rate, n: x * _keep(n[..., :1, :], rate)
        ),
        "one mask serves all channels; the noise has a number for each.": (
            lambda x, rate, n: x * _keep(n[:, :1], rate)
        ),
        "this is where pixels are dropped, true or false; the spoilt images are asked for.": (
            lambda x, rate, n: n < rate
        ),
        "this is x scaled by the rate; drop single pixels instead.": lambda x, rate, n: x * rate,
        "the kept pixels stand in one row, their places are lost: multiply x by m.": (
            lambda x, rate, n: x[n >= rate]
        ),
        "nothing is dropped: this is x itself.": lambda x, rate, n: x,
    },
    also_right=[
        lambda x, rate, n: np.where(n.numpy() < rate.item(), 0, x.numpy()),
        lambda x, rate, n: x - x * (n < rate).float(),
        lambda x, rate, n: x * (1 - torch.lt(n, rate).int()),
        lambda x, rate, n: torch.stack(
            [a * (e >= rate) for a, e in zip(x.flatten(), n.flatten(), strict=True)]
        ).reshape(x.shape),
        lambda x, rate, n: x * (n >= rate),
        lambda x, rate, n: torch.where(n < rate, torch.zeros_like(x), x),
    ],
)


def _column(v):
    return v[:, None, None, None]


def _sigma(v):
    return _column(v.sqrt())


check_noise = Exercise(
    "x + √variance · noise: x (B, C, H, W), variance (B,), noise like x -> like x.",
    inputs=[
        to_blur(0, [0.04, 0.25, 0.5, 2.0], 1, 5, 5),
        to_blur(1, [0.1, 1.5], 3, 4, 6),
        to_blur(2, [3.0], 1, 2, 3),
        to_blur(3, [0.7, 0.0, 0.2], 3, 3, 3),
    ],
    right=lambda x, v, n: torch.stack(
        [AffineTransform(a, s)(e) for a, s, e in zip(x, v.sqrt(), n, strict=True)]
    ),
    mistakes={
        "you took the variance for the standard deviation: scale the noise by its root.": (
            lambda x, v, n: x + _column(v) * n
        ),
        "you squared the variance: it is σ² already, and the noise is scaled by σ.": (
            lambda x, v, n: x + _column(v**2) * n
        ),
        "the noise is not scaled.": lambda x, v, n: x + n,
        "every image has a variance of its own; you took the first for all.": (
            lambda x, v, n: x + v[0].sqrt() * n
        ),
        "do not clip: x̃ = x + σε may leave [0, 1], and the theory needs it to.": (
            lambda x, v, n: (x + _sigma(v) * n).clamp(0, 1)
        ),
        "the noise is added to x, it does not multiply it.": lambda x, v, n: x * _sigma(v) * n,
        "noise that grows with the ink, x(1 + σε), was not asked for: add σε.": (
            lambda x, v, n: x * (1 + _sigma(v) * n)
        ),
        "x is missing: this is the noise alone.": lambda x, v, n: _sigma(v) * n,
        "the standard deviation is missing its noise: you shifted each image by σ.": (
            lambda x, v, n: x + _sigma(v)
        ),
        "multiply the noise by σ, do not divide by it.": lambda x, v, n: x + n / _sigma(v),
        "multiply the noise by σ; you divided it by σ².": lambda x, v, n: x + n / _column(v),
        "the variance is given itself, not its logarithm.": (
            lambda x, v, n: x + _column((v / 2).exp()) * n
        ),
        "the noise is added with the sign it has.": lambda x, v, n: x - _sigma(v) * n,
        "every image has a variance of its own; you took their mean for all.": (
            lambda x, v, n: x + v.mean().sqrt() * n
        ),
        "σ scales the noise, not the image.": lambda x, v, n: _sigma(v) * x + n,
        "σ multiplies the noise, it is not added to it.": lambda x, v, n: x + _sigma(v) + n,
        "x keeps its weight: √(1 − σ²) before it belongs to another noise, of diffusion.": (
            lambda x, v, n: (1 - _column(v)).sqrt() * x + _sigma(v) * n
        ),
        "x keeps its weight, it does not fade as the noise comes in.": (
            lambda x, v, n: (1 - _sigma(v)) * x + _sigma(v) * n
        ),
        "noise of both signs is added: take no absolute values.": (
            lambda x, v, n: x + (_sigma(v) * n).abs()
        ),
        "do not cut off at 0: x̃ may be negative.": lambda x, v, n: (x + _sigma(v) * n).clamp(min=0),
        "all images got the noise of the first; each has its own.": (
            lambda x, v, n: x + _sigma(v) * n[:1]
        ),
        "one number is added to a whole image; each pixel has noise of its own.": (
            lambda x, v, n: x + _sigma(v) * n[:, :1, :1, :1]
        ),
        "the noise is missing: this is x itself.": lambda x, v, n: x,
    },
    also_right=[
        lambda x, v, n: x + v.sqrt().reshape(-1, 1, 1, 1) * n,
        lambda x, v, n: x + torch.einsum("b,bchw->bchw", v**0.5, n),
        lambda x, v, n: torch.stack([x[i] + v[i].sqrt() * n[i] for i in range(len(x))]),
        lambda x, v, n: x.numpy() + np.sqrt(v.numpy()).reshape(-1, 1, 1, 1) * n.numpy(),
        lambda x, v, n: torch.addcmul(x, _sigma(v), n),
        lambda x, v, n: x.addcmul((_column(v) * n.square()).sqrt(), n.sign()),
    ],
)


def _each(a, b):
    return (a - b).square().flatten(1).sum(1)


check_denoising_loss = Exercise(
    "Mean over images of Σ (r(corrupted) − x)²: r images to images, (B, C, H, W) twice -> ().",
    inputs=[
        to_denoise(0, 3, 1, 4, 4),
        to_denoise(1, 2, 1, 3, 5),
        to_denoise(2, 1, 3, 2, 3),
        to_denoise(3, 4, 2, 3, 2, binary=True),
    ],
    right=lambda r, x, c: F.mse_loss(r(c), x, reduction="sum") / len(x),
    mistakes={
        "you compared with the corrupted image: the network would learn to copy the noise.": (
            lambda r, x, c: _each(r(c), c).mean()
        ),
        "input and target are swapped: r gets the corrupted image, the clean one is the "
        "target.": lambda r, x, c: _each(r(x), c).mean(),
        "this is an ordinary autoencoder's loss: r must get the corrupted image.": (
            lambda r, x, c: _each(r(x), x).mean()
        ),
        "you compared r(x̃) with r(x); the target is the clean image itself.": (
            lambda r, x, c: _each(r(c), r(x)).mean()
        ),
        "the network is missing: this is how far the corruption went.": (
            lambda r, x, c: _each(c, x).mean()
        ),
        "sum over the pixels: this is the mean over pixels and images.": (
            lambda r, x, c: F.mse_loss(r(c), x)
        ),
        "average over the images: a sum grows with the batch.": (
            lambda r, x, c: _each(r(c), x).sum()
        ),
        "one number for the batch is needed: average over the images.": (
            lambda r, x, c: _each(r(c), x)
        ),
        "square the differences: these are absolute ones.": (
            lambda r, x, c: (r(c) - x).abs().flatten(1).sum(1).mean()
        ),
        "do not take the root: the squared distance is asked for.": (
            lambda r, x, c: _each(r(c), x).sqrt().mean()
        ),
        "the sign is turned: a loss is lowered; only `fit` wants its negative.": (
            lambda r, x, c: -_each(r(c), x).mean()
        ),
        "there is no ½ in this loss.": lambda r, x, c: _each(r(c), x).mean() / 2,
        "the differences are not squared, so errors of both signs cancel.": (
            lambda r, x, c: (r(c) - x).flatten(1).sum(1).mean()
        ),
        "square before summing, not after.": (
            lambda r, x, c: (r(c) - x).flatten(1).sum(1).square().mean()
        ),
        "square the difference: this is the difference of the squares.": (
            lambda r, x, c: (r(c).square() - x.square()).flatten(1).sum(1).mean()
        ),
        "the other way round: sum over the pixels, average over the images.": (
            lambda r, x, c: F.mse_loss(r(c), x) * len(x)
        ),
        "sum over channels, rows and columns before you average over the images.": (
            lambda r, x, c: (r(c) - x).square().sum((2, 3)).mean()
        ),
        "sum over rows and columns, too, before you average: flatten each image first.": (
            lambda r, x, c: (r(c) - x).square().sum(1).mean()
        ),
        "this is the middle image's error; average over all images.": (
            lambda r, x, c: _each(r(c), x).median()
        ),
        "divide by the number of images; you divided by 784, too.": (
            lambda r, x, c: _each(r(c), x).mean() / 784
        ),
        "r gives the clean image, not the noise: compare with x.": (
            lambda r, x, c: _each(r(c), c - x).mean()
        ),
        "r gives the clean image, not a correction to be added to the corrupted one.": (
            lambda r, x, c: _each(c + r(c), x).mean()
        ),
        "r gets the corrupted image, not the noise alone.": (
            lambda r, x, c: _each(r(c - x), x).mean()
        ),
        "the network is applied once; yours repairs twice.": (
            lambda r, x, c: _each(r(r(c)), x).mean()
        ),
        "this is the cross-entropy; the squared error is asked for.": (
            lambda r, x, c: F.binary_cross_entropy(r(c), x, reduction="sum") / len(x)
        ),
    },
    also_right=[
        lambda r, x, c: (r(c) - x).pow(2).sum((1, 2, 3)).mean(),
        lambda r, x, c: (
            sum((r(c[i : i + 1]) - x[i]).square().sum() for i in range(len(x))) / len(x)
        ),
        lambda r, x, c: ((r(c) - x).numpy() ** 2).sum() / len(x),
        lambda r, x, c: (r(c) - x).square().mean(0).sum().item(),
        lambda r, x, c: np.trace(cdist(r(c).flatten(1), x.flatten(1), "sqeuclidean")) / len(x),
        lambda r, x, c: (torch.cdist(r(c).flatten(1), x.flatten(1)).diagonal() ** 2).mean(),
    ],
)
