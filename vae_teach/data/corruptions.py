"""Corruptions of images (B, C, H, W), ink in [0, 1], each a function of (images, level).

They raise ValueError or TypeError for a level that the images do not have.
"""

import math

import torch
from torchvision.transforms.functional import gaussian_blur

from vae_teach import checks


def salt_and_pepper(x, rate, noise):
    """Replace each pixel with probability `rate` by 0 or by 1; `noise` is uniform in [0, 1)."""
    checks.images(x, "x")
    _check(x, rate, "rate", at_most=1)
    if not isinstance(noise, torch.Tensor):
        raise TypeError(
            f"noise is {checks.kind(noise)}, a tensor is needed: use torch.rand_like(x)."
        )
    if noise.shape != x.shape:
        raise ValueError(
            f"noise has shape {tuple(noise.shape)}, that of x, {tuple(x.shape)}, is needed: "
            "use torch.rand_like(x)."
        )
    return torch.where(noise < rate / 2, 0.0, torch.where(noise >= 1 - rate / 2, 1.0, x))


def blank_square(x, side):
    """A blank square of this many pixels a side, rounded, in the middle of the images."""
    checks.images(x, "x")
    _check(x, side, "side", at_most=min(x.shape[2:]))
    side, out = round(side), x.clone()
    top, left = (x.shape[2] - side) // 2, (x.shape[3] - side) // 2
    out[:, :, top : top + side, left : left + side] = 0
    return out


def blur(x, sigma):
    """Smooth images by a Gaussian of `sigma` pixels, cut off after three of them."""
    checks.images(x, "x")
    _check(x, sigma, "sigma", at_most=(min(x.shape[2:]) - 1) / 3)  # as far as an edge is mirrored
    return gaussian_blur(x, 2 * math.ceil(3 * sigma) + 1, sigma) if sigma else x


def _check(x, level, name, at_most):
    checks.non_negative(level, name)
    if level > at_most:
        sides = "×".join(map(str, x.shape[2:]))
        raise ValueError(
            f"{name} is {level}, at most {at_most:g} is needed for images of {sides} pixels."
        )
