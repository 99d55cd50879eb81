"""How people write the ten digits: control points of pen strokes, several ways for each digit.

One way of writing is a `Glyph`. Its `path` lists points "x,y" in the order the pen visits them, x
to the right and y down, a digit about 100 high. The pen follows a smooth curve through the points;
a point with "!" is a corner, and "|" lifts the pen. `share` says how often the way is used,
relative to the others of its digit.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Glyph(NamedTuple):
    """One way to write one digit.

    Attributes:
        digit: 0 to 9.
        style: what tells it from the other ways.
        share: relative frequency among the ways to write this digit.
        path: the control points, see the head of the module.
    """

    digit: int
    style: str
    share: float
    path: str


GLYPHS = (
    Glyph(0, "round", 4, "36,2 14,12 3,44 8,80 30,98 54,84 62,48 52,14 32,2"),
    Glyph(0, "narrow", 2, "34,0 18,18 10,50 14,82 28,99 46,82 52,48 46,16 32,1"),
    Glyph(0, "wide", 2, "46,4 14,14 0,52 16,88 48,97 82,82 92,48 76,14 44,4"),
    Glyph(0, "overlapping ends", 2, "46,10 26,3 6,28 4,68 24,97 50,86 62,48 52,12 30,6 18,20"),
    Glyph(0, "clockwise", 1, "10,24 4,64 22,96 48,90 62,52 54,14 32,2 8,18"),
    Glyph(0, "not closed", 1, "22,8 6,34 4,70 22,96 50,90 62,60 56,24 38,4"),
    Glyph(1, "bar", 8, "30,0 30,50 30,100"),
    Glyph(1, "leaning bar", 5, "48,0 30,50 12,100"),
    Glyph(1, "flag", 1, "14,20 24,12 34,0! 34,50 34,100"),
    Glyph(1, "flag and base", 0.7, "10,24 22,16 34,0! 34,50 34,100 | 6,99 34,100 64,98"),
    Glyph(2, "flat base", 3, "5,24 14,6 36,0 55,12 52,36 30,68 3,97! 34,96 70,96"),
    Glyph(2, "loop", 3, "4,20 20,2 44,4 54,22 44,54 22,86 4,94 6,78 24,80 46,94 72,92"),
    Glyph(2, "large loop", 2, "8,16 28,0 52,8 56,32 40,66 18,92 0,92 2,70 22,66 46,86 70,98"),
    Glyph(2, "wavy base", 3, "4,20 26,1 52,10 54,34 34,66 4,95! 22,86 46,96 68,88"),
    Glyph(2, "swan", 1, "6,12 30,0 54,14 50,44 26,76 0,96! 24,92 52,98 86,94"),
    Glyph(2, "angular", 1, "4,8 28,4 58,4! 34,46 2,94! 34,92 68,92"),
    Glyph(2, "small head", 1.5, "18,12 32,0 42,14 30,50 4,96! 42,95 92,90"),
    Glyph(2, "like an a", 1, "8,18 28,0 54,12 54,46 38,80 16,96 2,84 10,68 34,76 66,98"),
    Glyph(3, "round", 4, "6,12 28,0 50,8 50,30 34,44 20,47! 44,52 58,72 44,94 20,99 2,86"),
    Glyph(
        3,
        "loop in the middle",
        2,
        "4,14 26,0 50,10 46,34 26,48 20,42 34,44 56,62 50,88 24,100 2,92",
    ),
    Glyph(3, "flat top", 1, "6,6 30,5 56,4! 42,22 26,40! 50,50 58,72 42,95 4,94"),
    Glyph(3, "open", 2, "10,6 34,2 50,18 38,38 24,44! 44,50 52,70 36,92 4,98"),
    Glyph(3, "hooked", 1, "2,22 8,6 36,2 54,18 40,42 22,48! 52,54 62,78 36,98 6,92 2,76"),
    Glyph(3, "large below", 1, "14,8 34,0 46,14 36,32 24,38! 54,46 64,70 44,96 14,98 0,84"),
    Glyph(3, "no notch", 1.5, "8,8 32,1 50,14 40,36 42,48 54,68 44,92 18,99 2,88"),
    Glyph(3, "wide", 1, "4,14 30,2 64,8 58,30 28,44! 62,50 72,74 44,96 2,90"),
    Glyph(4, "open", 4, "12,4 8,28 4,50! 30,52 62,48 | 54,2 50,50 46,100"),
    Glyph(4, "open and round", 3, "8,4 4,28 12,50 34,52 54,38 58,2! 54,50 50,100"),
    Glyph(4, "closed", 2, "50,2 28,30 4,60! 36,60 72,60 | 50,2 48,50 48,100"),
    Glyph(4, "one stroke", 2, "14,4 6,36 4,52! 30,52 50,46 | 58,4 52,40 46,70 42,100"),
    Glyph(4, "long bar", 1.5, "26,2 14,28 2,54! 40,54 84,48 | 56,4 50,50 42,100"),
    Glyph(4, "sharp", 1.5, "22,2 14,26 4,50! 28,44 56,34 | 60,6 48,44 36,72 28,100"),
    Glyph(
        5, "cap drawn last", 4, "16,4 14,24 10,46! 32,40 54,52 56,74 38,96 6,94 | 16,4 38,4 62,2"
    ),
    Glyph(5, "one stroke", 3, "62,2 38,4 18,6! 14,26 10,44! 34,38 56,54 52,82 28,99 2,90"),
    Glyph(5, "curved", 2, "64,4 34,6 18,22 24,40 44,56 44,84 22,99 0,88"),
    Glyph(5, "long cap", 2, "22,6 18,24 14,40! 34,42 46,58 42,82 24,97 2,92 | 22,6 54,6 88,0"),
    Glyph(5, "large bowl", 1, "14,2 12,16 8,34! 40,30 64,54 52,86 24,99 0,86 | 14,2 34,2 56,0"),
    Glyph(5, "closing bowl", 1, "62,2 24,8! 18,26 10,42! 36,36 52,58 46,86 20,98 2,84 12,72"),
    Glyph(6, "round", 4, "44,0 20,22 4,58 8,88 30,100 52,86 52,64 32,56 10,72"),
    Glyph(6, "straight back", 3, "32,0 14,36 4,74 14,98 38,94 48,74 34,60 8,76"),
    Glyph(6, "curled", 2, "56,6 30,10 8,44 6,80 26,100 50,90 52,68 34,58 14,70 10,84"),
    Glyph(6, "large bowl", 2, "24,0 8,36 2,74 20,98 50,92 60,64 42,44 18,54 6,76"),
    Glyph(6, "small bowl", 1, "40,0 16,34 2,76 12,98 32,94 36,78 22,72 8,84"),
    Glyph(6, "squat", 1.5, "34,0 10,32 4,72 22,98 60,94 74,72 56,54 30,66 20,88"),
    Glyph(6, "upright", 1.5, "14,0 4,40 6,84 24,99 54,88 60,66 40,58 18,74 10,92"),
    Glyph(7, "plain", 4, "2,10 28,8 58,4! 42,46 26,100"),
    Glyph(7, "serif", 2, "4,24 6,8! 30,7 60,4! 44,48 30,100"),
    Glyph(7, "bar", 2, "2,10 28,8 58,4! 42,46 26,100 | 14,52 36,50 58,46"),
    Glyph(7, "round", 3, "2,14 18,4 42,6 56,14 48,38 36,66 30,100"),
    Glyph(7, "wavy top", 1, "2,18 10,4 28,12 58,4! 38,44 30,70 28,100"),
    Glyph(7, "deep serif", 1.5, "4,36 4,20 8,8! 32,7 62,2! 52,46 44,100"),
    Glyph(7, "round with bar", 1, "2,14 18,4 42,6 56,14 48,38 36,66 30,100 | 16,56 38,52 66,48"),
    Glyph(
        8, "one stroke", 4, "54,12 32,0 12,12 18,34 40,54 54,76 38,98 14,94 8,76 26,52 48,30 54,10"
    ),
    Glyph(
        8,
        "two rings",
        2,
        "30,0 12,10 12,34 30,46 50,34 50,12 28,0 | 30,46 8,60 6,86 30,100 54,86 52,60 28,46",
    ),
    Glyph(8, "open top", 2, "58,8 34,0 16,14 22,36 42,56 46,80 28,98 10,88 14,68 36,44 60,22"),
    Glyph(
        8, "clockwise", 2, "10,14 28,0 50,8 44,32 22,54 8,80 22,99 46,92 50,72 32,50 14,32 10,14"
    ),
    Glyph(
        8, "small top", 1, "52,8 30,0 12,14 24,34 46,50 60,74 42,97 12,96 0,76 18,52 46,32 52,10"
    ),
    Glyph(8, "crossed", 3, "58,6 36,0 16,16 28,40 46,62 44,88 26,99 12,86 22,62 44,38 64,10"),
    Glyph(
        8,
        "small ring below",
        1,
        "50,18 34,0 10,10 8,32 30,48 44,64 40,90 28,99 18,88 22,64 44,44 52,20",
    ),
    Glyph(8, "ends far up", 1.5, "54,6 34,2 16,14 22,32 44,52 50,78 32,99 10,90 12,72 36,48 72,10"),
    Glyph(9, "straight tail", 4, "50,12 30,2 8,14 6,36 24,48 44,34 52,8! 50,54 46,100"),
    Glyph(9, "curved tail", 2, "52,14 32,0 8,14 8,40 28,48 48,32 54,12 54,50 46,84 24,99 6,90"),
    Glyph(9, "leaning tail", 3, "54,14 34,0 10,14 4,36 22,46 46,30 56,10 44,54 26,100"),
    Glyph(9, "small ring", 2, "44,6 24,2 8,16 14,32 34,28 48,8! 44,52 38,100"),
    Glyph(9, "open ring", 2, "44,4 16,10 4,32 18,46 40,36 56,6! 50,56 46,100"),
    Glyph(9, "flat ring", 2, "50,8 26,6 4,24 14,38 36,32 54,10! 44,56 34,100"),
    Glyph(9, "closed without corner", 2, "52,24 34,2 12,12 8,36 26,48 48,36 52,20 50,58 48,100"),
    Glyph(9, "large ring", 1, "48,8 22,2 2,24 8,52 32,54 52,30 54,6! 56,54 54,100"),
)


def way(path, points, lift=3):
    """Turn the description of a path into control points and the matrix that draws through them.

    Args:
        path: a `Glyph.path`.
        points: T, how many pen positions to draw, evenly spaced along the path.
        lift: pen positions in the air between two strokes.

    Returns:
        controls float32 (K, 2); basis float32 (T, K), so that basis @ controls is the pen's path
        (uniform Catmull-Rom curves: Catmull & Rom 1974); down float32 (T,), 1 on the paper and 0 in
        the air.
    """
    strokes = [stroke.split() for stroke in path.split("|")]
    controls = np.array(
        [[float(v) for v in point.strip("!").split(",")] for stroke in strokes for point in stroke]
    )
    fine, first = [], 0
    for stroke in strokes:
        # A curve ends at a corner, and the next begins there: the pen turns on the spot.
        cuts = [0, *(i for i, p in enumerate(stroke) if p.endswith("!")), len(stroke) - 1]
        curves = [
            _catmull_rom(range(first + a, first + b + 1), len(controls)) for a, b in pairwise(cuts)
        ]
        fine.append(np.concatenate(curves))
        first += len(stroke)
    lengths = [np.linalg.norm(np.diff(b @ controls, axis=0), axis=1) for b in fine]
    on_paper = points - lift * (len(strokes) - 1)
    ends = np.cumsum([length.sum() for length in lengths])
    counts = np.diff(np.rint(ends / ends[-1] * on_paper).astype(int), prepend=0)
    rows, down = [], []
    for b, length, count in zip(fine, lengths, counts, strict=True):
        if rows:
            share = np.linspace(0, 1, lift + 2)[1:-1, None]
            rows.append((1 - share) * rows[-1][-1] + share * b[0])
            down += [0] * lift
        along = np.concatenate([[0], np.cumsum(length)])
        at = np.interp(np.linspace(0, along[-1], count), along, np.arange(len(b)))
        low = np.minimum(at.astype(int), len(b) - 2)
        part = (at - low)[:, None]
        rows.append((1 - part) * b[low] + part * b[low + 1])
        down += [1] * count
    return controls.astype("f4"), np.concatenate(rows).astype("f4"), np.array(down, "f4")


def _catmull_rom(index, size, steps=16):
    """Matrix (S, size) of a curve through the control points numbered `index`, ends included."""
    index = [index[0], *index, index[-1]]
    u = np.linspace(0, 1, steps, endpoint=False)
    blend = np.stack(
        [
            -u / 2 + u**2 - u**3 / 2,
            1 - 2.5 * u**2 + 1.5 * u**3,
            u / 2 + 2 * u**2 - 1.5 * u**3,
            (u**3 - u**2) / 2,
        ],
        axis=1,
    )  # (steps, 4)
    pieces = len(index) - 3
    matrix = np.zeros((pieces * steps + 1, size))
    for piece in range(pieces):
        for k in range(4):
            matrix[piece * steps : (piece + 1) * steps, index[piece + k]] += blend[:, k]
    matrix[-1, index[-2]] = 1
    return matrix
