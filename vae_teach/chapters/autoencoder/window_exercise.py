"""The longest exercise of chapter 01: how alike two windows of pixels look, SSIM."""

import numpy as np
import torch

from vae_teach.chapters.autoencoder.trials import plain_windows, ssim_by_skimage, windows
from vae_teach.exercises import Exercise

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


def _ssim_of_covariance_matrices(a, b):
    values = []
    for u, v in zip(a.numpy(), b.numpy(), strict=True):
        (var_u, covariance), (_, var_v) = np.cov(u, v, bias=True)
        values.append(_ssim(u.mean(), v.mean(), var_u, var_v, covariance))
    return np.array(values)


check_ssim = Exercise(
    "SSIM of one window: a, b (B, N) pixels of B windows, constants 0.01² and 0.03² -> (B,).",
    inputs=[windows(0, 4, 49), windows(1, 3, 25), windows(2, 1, 81), plain_windows()],
    right=ssim_by_skimage,
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
        "the factor 2 before the means is missing: two equal windows must give 1.": _of_moments(
            lambda p, q, v, w, c: _first(p, q, two=1) * _second(v, w, c)
        ),
        "one number a window: do not average over the windows.": _of_moments(
            lambda *s: _ssim(*s).mean()
        ),
        "the moments run over the pixels of a window, not over the windows.": (
            lambda a, b: _ssim(*_moments(a.T, b.T))
        ),
        "a covariance below zero counts as it is: SSIM may be negative.": _of_moments(
            lambda p, q, v, w, c: _ssim(p, q, v, w, c.abs())
        ),
        "this is (1 − SSIM)/2, a loss; the similarity itself is asked for.": _of_moments(
            lambda *s: (1 - _ssim(*s)) / 2
        ),
        "square the means below the line.": _of_moments(
            lambda p, q, v, w, c: (2 * p * q + _ONE) / (p + q + _ONE) * _second(v, w, c)
        ),
        "below the line is the sum of the squared means, not the square of their sum.": (
            _of_moments(
                lambda p, q, v, w, c: (2 * p * q + _ONE) / ((p + q) ** 2 + _ONE) * _second(v, w, c)
            )
        ),
        "this is a correlation: SSIM has the sum of the variances below the line.": (
            _of_moments(lambda p, q, v, w, c: _first(p, q) * (c + _TWO) / ((v * w).sqrt() + _TWO))
        ),
        "the constants are missing above the line: two blank windows must give 1.": _of_moments(
            lambda p, q, v, w, c: 2 * p * q / (p**2 + q**2 + _ONE) * 2 * c / (v + w + _TWO)
        ),
        "these constants are for pixels from 0 to 255; ours lie between 0 and 1.": _of_moments(
            lambda *s: _ssim(*s, one=_ONE * 255**2, two=_TWO * 255**2)
        ),
        "the variance of a counts twice, that of b not at all.": _of_moments(
            lambda p, q, v, w, c: _ssim(p, q, v, v, c)
        ),
        "this is the mean squared error, which takes each pixel for itself.": (
            lambda a, b: (a - b).square().mean(1)
        ),
    },
    also_right=[
        lambda a, b: _ssim(
            *(a.mean(1), b.mean(1), a.var(1, correction=0), b.var(1, correction=0)),
            (a * b).mean(1) - a.mean(1) * b.mean(1),
        ),
        lambda a, b: torch.cat(
            [_ssim(*_moments(a[i : i + 1], b[i : i + 1])) for i in range(len(a))]
        ),
        _ssim_of_covariance_matrices,
        lambda a, b: _ssim(*(v.numpy() for v in _moments(a.double(), b.double()))),
    ],
)
