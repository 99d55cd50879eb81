"""Corruptions of images, each a function of (images, level)."""

import math

import torch
from torchvision.transforms.functional import gaussian_blur


def salt_and_pepper(x, rate, noise):
    """Replace each pixel with probability `rate` by 0 or by 1; `noise` is uniform in [0, 1)."""
    return torch.where(noise < rate / 2, 0.0, torch.where(noise >= 1 - rate / 2, 1.0, x))


def blank_square(x, side):
    """A blank square of this many pixels a side, rounded, in the middle of images (B, C, H, W)."""
    side, out = round(side), x.clone()
    top, left = (x.shape[2] - side) // 2, (x.shape[3] - side) // 2
    out[:, :, top : top + side, left : left + side] = 0
    return out


def blur(x, sigma):
    """Images (B, C, H, W) smoothed by a Gaussian of `sigma` pixels, cut off after three of them."""
    return gaussian_blur(x, 2 * math.ceil(3 * sigma) + 1, sigma) if sigma else x
