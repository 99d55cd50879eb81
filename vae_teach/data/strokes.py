"""`strokes`: digits drawn on this machine by a pen whose every movement is known."""

import math

import numpy as np
import torch

from vae_teach import checks
from vae_teach.data.glyphs import GLYPHS, way
from vae_teach.data.image_set import Factors, ImageSet

FACTORS = (
    "class",
    "style",
    "slant",
    "rotation",
    "width",
    "size",
    "thickness",
    "darkness",
    "wobble",
    "x",
    "y",
)
STYLES = tuple(f"{glyph.digit}, {glyph.style}" for glyph in GLYPHS)
POINTS = 64  # pen positions in one digit
SIDE = 28  # pixels
CHUNK = 500  # digits drawn at a time: bounds the memory, and fixes the order of random numbers


def strokes(train=20_000, test=4_000, seed=0):
    """Draw handwritten-looking digits of which everything is known.

    A digit is a smooth curve through jittered control points (`vae_teach.data.glyphs`), bent,
    slanted, rotated and drawn with a round pen. It then gets the form of MNIST's digits (LeCun et
    al. 1998): scaled to a box of about 20x20 pixels, its centre of mass in the middle of the image.

    The factors, one column each:
        class: 0 to 9.
        style: which way of writing it, an index into `STYLES`.
        slant: horizontal shift per unit of height, positive to the right (tangent of the angle).
        rotation: radians, clockwise.
        width: stretch in x before rotation, 1 is the width in the table of glyphs.
        size: longer side of the ink's box, pixels.
        thickness: of the line at half its darkness, pixels.
        darkness: ink in the middle of a thick line, 0.7 to 1.
        wobble: amplitude of the hand's slow tremor, pixels (root mean square).
        x, y: centre of mass of the pen's line, pixels from the upper left corner of the image.

    Pixel (row i, column j) has its centre at x = j + 0.5, y = i + 0.5.

    Args:
        train: N, number of training images.
        test: M, number of test images, drawn from a random stream of their own.
        seed: whole number >= 0. The same seed gives the same bytes.

    Returns:
        ImageSet "strokes": images float32 (N, 1, 28, 28) in [0, 1], labels int64, and factors with
        the pen's path, float32 (N, 64, 3): x, y in pixels and 1 while the pen touches the paper.

    Raises:
        TypeError: train, test or seed is not a whole number.
        ValueError: train or test is below 1, or seed below 0.
    """
    checks.positive_int(train, "train")
    checks.positive_int(test, "test")
    checks.whole_number(seed, "seed")
    train_part = _draw_all(train, np.random.default_rng([seed, 0]))
    test_part = _draw_all(test, np.random.default_rng([seed, 1]))
    factors = Factors(FACTORS, train_part[2], test_part[2], train_part[3], test_part[3])
    return ImageSet("strokes", *train_part[:2], *test_part[:2], factors)


def _draw_all(count, rng):
    """Images (N, 1, 28, 28), labels (N,), factors (N, F) and pen (N, T, 3) of `count` digits."""
    labels = rng.permutation(np.arange(count) % 10)
    images = np.empty((count, 1, SIDE, SIDE), "f4")
    factors = np.empty((count, len(FACTORS)), "f4")
    pen = np.empty((count, POINTS, 3), "f4")
    table = _table()
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        factors[part] = _draw_factors(labels[part], rng)
        pen[part] = _move_pen(factors[part], table, rng)
        images[part, 0] = _rasterize(pen[part], factors[part], rng)
    return tuple(torch.from_numpy(array) for array in (images, labels, factors, pen))


def _table():
    """Controls (V, K, 2), basis (V, T, K) and pen down (V, T) of all glyphs, padded with zeros."""
    ways = [way(glyph.path, POINTS) for glyph in GLYPHS]
    most = max(len(controls) for controls, _, _ in ways)
    controls = np.stack([np.pad(c, ((0, most - len(c)), (0, 0))) for c, _, _ in ways])
    basis = np.stack([np.pad(b, ((0, 0), (0, most - b.shape[1]))) for _, b, _ in ways])
    return controls, basis, np.stack([down for _, _, down in ways])


def _draw_factors(labels, rng):
    """Factors (B, F) in the order of FACTORS, independent of each other given the labels (B,)."""
    count = len(labels)
    digits = np.array([glyph.digit for glyph in GLYPHS])
    share = np.where(
        digits == np.arange(10)[:, None], [glyph.share for glyph in GLYPHS], 0
    )  # (10, V)
    upto = np.cumsum(share, axis=1) / share.sum(axis=1, keepdims=True)
    style = (rng.random((count, 1)) > upto[labels]).sum(axis=1)
    columns = (
        labels,
        style,
        rng.normal(0.15, 0.22, count).clip(-0.5, 0.8),
        rng.normal(0, 0.09, count).clip(-0.3, 0.3),
        np.exp(rng.normal(0, 0.2, count)).clip(0.6, 1.7),
        rng.normal(19.7, 0.4, count).clip(18, 21),
        np.exp(rng.normal(0.96, 0.26, count)).clip(1.5, 4.5),
        1 - np.abs(rng.normal(0, 0.03, count)).clip(0, 0.3),
        np.abs(rng.normal(0, 0.25, count)).clip(0, 0.7),
        rng.normal(14.5, 0.3, count),
        rng.normal(14.5, 0.3, count),
    )
    return np.stack(columns, axis=1).astype("f4")


def _move_pen(factors, table, rng):
    """Pen paths (B, T, 3), in pixels, of digits with these factors (B, F)."""
    _, style, slant, rotation, width, size, thickness, _, wobble, x, y = factors.T[:, :, None]
    controls, basis, down = (part[style[:, 0].astype(int)] for part in table)
    # The hand never hits the same point twice, and neighbours along the path miss alike.
    miss = 1.8 * _normal(rng, len(factors), controls.shape[1] + 2, 2)
    controls = controls + miss[:, :-2] + miss[:, 1:-1] + miss[:, 2:]
    path = basis @ controls / 50  # (B, T, 2): a digit is 2 high
    px, py = np.moveaxis(path - path.mean(axis=1, keepdims=True), 2, 0)

    # A smooth bend of the whole paper: parts grow or shrink against others, straight lines curve.
    bend = 0.07 * _normal(rng, 6, len(factors), 1)
    px, py = (
        px + bend[0] * py * py + bend[1] * px * py + bend[2] * px * px,
        py + bend[3] * py * py + bend[4] * px * py + bend[5] * px * px,
    )
    px = px * width - slant * py
    cos, sin = np.cos(rotation), np.sin(rotation)
    px, py = cos * px - sin * py, sin * px + cos * py
    scale = (size - thickness) / np.maximum(_extent(px, down), _extent(py, down))
    path = np.stack([px * scale, py * scale], axis=2)

    # The hand's slow tremor: sinusoids along the path, a period every 40, 20, 13 and 10 pixels.
    length = np.linalg.norm(np.diff(path, axis=1), axis=2).sum(axis=1)[:, None, None]
    time = np.linspace(0, 2 * np.pi, POINTS, dtype="f4")
    order = np.arange(1, 5, dtype="f4")[:, None]
    phase = 2 * np.pi * rng.random((len(factors), 4, 1), dtype="f4")
    waves = np.sin(length / 40 * order * time + phase) / order  # (B, 4, T)
    waves *= np.sqrt(2 / (1 / order**2).sum())  # a root mean square of 1 for all four together
    tremor = _normal(rng, len(factors), 2, 4) @ waves / np.sqrt(2, dtype="f4")  # (B, 2, T)
    path = path + wobble[..., None] * tremor.transpose(0, 2, 1)

    weight = _line_length(path, down)[..., None]
    centre = (path * weight).sum(1, keepdims=True) / weight.sum(1, keepdims=True)
    path = path - centre + np.stack([x, y], axis=2)
    return np.concatenate([path, down[..., None]], axis=2)


def _rasterize(pen, factors, rng):
    """Ink (B, 28, 28) in [0, 1] left by pens (B, T, 3)."""
    thickness, darkness = (
        factors[:, FACTORS.index(name), None] for name in ("thickness", "darkness")
    )
    # At distance d from its middle a line has ink 1 - exp(-dose exp(-d²/2s²)): flat inside, and
    # grey at the edge. The dose makes it half as dark at d = thickness / 2.
    spread = 0.25 + 0.1 * thickness  # s, pixels
    dose = math.log(2) * np.exp((thickness / 2 / spread) ** 2 / 2)
    # The pen presses harder here than there.
    time = np.linspace(0, 2 * np.pi, POINTS, dtype="f4")
    phase, periods = rng.random((2, len(pen), 1), dtype="f4")
    dose = dose * np.exp(0.4 * np.sin(2 * np.pi * phase + 2 * periods * time))  # (B, T)
    dose = dose * _line_length(pen[..., :2], pen[..., 2]) / (math.sqrt(2 * math.pi) * spread)
    # The ink on a pixel is a sum over pen positions of a Gaussian in x times one in y: a product of
    # matrices. Exponents stop at -30, because denormal numbers are slow.
    pixel = np.arange(SIDE, dtype="f4") + np.float32(0.5)
    factor = -0.5 / spread[..., None] ** 2
    across = np.exp(np.maximum(factor * (pen[:, :, None, 0] - pixel) ** 2, -30))  # (B, T, 28)
    along = np.exp(np.maximum(factor * (pen[:, None, :, 1] - pixel[:, None]) ** 2, -30))
    ink = (along * dose[:, None]) @ across
    return darkness[..., None] * (1 - np.exp(-ink))


def _line_length(path, down):
    """Length of line (B, T) that each position of paths (B, T, 2) stands for, 0 in the air."""
    step = np.linalg.norm(np.diff(path, axis=1), axis=2) * down[:, 1:] * down[:, :-1] / 2
    return np.pad(step, ((0, 0), (1, 0))) + np.pad(step, ((0, 0), (0, 1)))


def _extent(values, down):
    """Largest minus smallest of values (B, T) with the pen down, (B, 1)."""
    far = 1e6 * (1 - down)
    return (values - far).max(axis=1, keepdims=True) - (values + far).min(axis=1, keepdims=True)


def _normal(rng, *shape):
    return rng.standard_normal(shape, dtype="f4")
