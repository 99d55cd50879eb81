"""`sprites`: one white shape on black, five factors and nothing else."""

import numpy as np
import torch

from vae_teach import checks
from vae_teach.data.image_set import Factors, ImageSet

FACTORS = ("shape", "scale", "rotation", "x", "y")
SHAPES = ("heart", "T", "half disc")
SCALES = (0.16, 0.28)  # shares of the image's side
PLACES = (0.28, 0.72)  # shares of the image's side: every shape stays inside the image
CHUNK = 50  # sprites drawn at a time


def sprites(size=64, train=20_000, test=4_000, seed=0):
    """Draw binary pictures of one shape each, with known and independent factors.

    The idea is that of dSprites (Matthey, Higgins, Hassabis & Lerchner 2017): shape x scale x
    rotation x position, all that a disentangled code has to find. Here the factors are drawn from
    continuous ranges instead of a grid, and the shapes are others: none of them looks the same
    before a full turn, so that the picture tells the rotation (dSprites' square repeats every
    quarter turn and its ellipse every half, its heart alone does not).

    The factors, one column each, uniform and independent:
        shape: 0 heart, 1 T, 2 half disc; as often as each other.
        scale: side of the square with the shape's area, 0.16 to 0.28 of the image's side, pixels.
        rotation: radians in [0, 2π), clockwise. A circle: 0 and 2π are one picture.
        x, y: centre of mass, 0.28 to 0.72 of the image's side, pixels from the upper left corner.

    Pixel (row i, column j) has its centre at x = j + 0.5, y = i + 0.5, and is 1 if that is inside
    the shape.

    Args:
        size: pixels of a side, 64 or 32.
        train: N, number of training images.
        test: M, number of test images, drawn from a random stream of their own.
        seed: whole number >= 0. The same seed gives the same bytes.

    Returns:
        ImageSet "sprites" (64) or "sprites32" (32): images float32 (N, 1, size, size) that are
        exactly 0 or 1, labels int64 (the shape), factors, and the shapes' names as classes.

    Raises:
        TypeError: train, test or seed is not a whole number.
        ValueError: size is neither 64 nor 32, train or test below 1, or seed below 0.
    """
    if size not in (64, 32) or isinstance(size, float):
        raise ValueError(f"size is {size!r}, 64 or 32 is needed.")
    checks.positive_int(train, "train")
    checks.positive_int(test, "test")
    checks.whole_number(seed, "seed")
    train_factors = _draw_factors(train, size, np.random.default_rng([seed, 0]))
    test_factors = _draw_factors(test, size, np.random.default_rng([seed, 1]))
    return ImageSet(
        "sprites" if size == 64 else "sprites32",
        torch.from_numpy(_draw(train_factors, size)),
        torch.from_numpy(train_factors[:, 0].astype("i8")),
        torch.from_numpy(_draw(test_factors, size)),
        torch.from_numpy(test_factors[:, 0].astype("i8")),
        Factors(FACTORS, torch.from_numpy(train_factors), torch.from_numpy(test_factors)),
        SHAPES,
    )


def _draw_factors(count, size, rng):
    """Factors (N, 5) in the order of FACTORS."""
    shape = rng.permutation(np.arange(count) % len(SHAPES))
    scale = size * rng.uniform(*SCALES, count)
    rotation = rng.uniform(0, 2 * np.pi, count)
    x, y = size * rng.uniform(*PLACES, (2, count))
    return np.stack([shape, scale, rotation, x, y], axis=1).astype("f4")


def _draw(factors, size):
    """Images (N, 1, size, size) of sprites with these factors (N, 5)."""
    images = np.empty((len(factors), 1, size, size), "f4")
    pixel = np.arange(size, dtype="f4") + np.float32(0.5)
    for number, name in enumerate(SHAPES):
        u0, v0, side = _measure(name)
        rows = np.flatnonzero(factors[:, 0] == number)
        for start in range(0, len(rows), CHUNK):
            row = rows[start : start + CHUNK]
            _, scale, rotation, x, y = factors[row].T[:, :, None, None]
            dx, dy = pixel - x, pixel[:, None] - y  # (B, 1, size), (B, size, 1)
            cos, sin = np.cos(rotation) / scale * side, np.sin(rotation) / scale * side
            # Turn the paper back under the shape; the shape's own v points up.
            images[row, 0] = _inside(name, cos * dx + (sin * dy + u0), sin * dx + (v0 - cos * dy))
    return images


def _inside(name, u, v):
    """Whether points (u to the right, v up) are inside a shape of half width about 1."""
    if name == "heart":
        circle = u * u + v * v - 1
        return circle * circle * circle < u * u * v * v * v
    if name == "T":
        return (abs(u) < 1) & (v < 1) & (v > np.where(abs(u) < 0.3, -1, 0.4))
    return (u * u + v * v < 1) & (v > 0)


def _measure(name, points=801):
    """Centre of mass (u, v) of a shape, and the side of the square with its area."""
    line = np.linspace(-1.5, 1.5, points)
    u, v = np.meshgrid(line, line)
    inside = _inside(name, u, v)
    side = np.sqrt(inside.sum()) * (line[1] - line[0])
    return np.float32(u[inside].mean()), np.float32(v[inside].mean()), np.float32(side)
