"""Answers as numbers: in which form they are compared, when they are equal, what they are called."""

import numbers
from fractions import Fraction

import numpy as np
import torch


def plain(answer):
    """An answer as it is compared: a string, numbers in double precision, a tuple; else None."""
    if isinstance(answer, str):
        return answer.strip().casefold()
    if isinstance(answer, tuple | list):
        return tuple(plain(part) for part in answer)
    try:
        if isinstance(answer, torch.Tensor):
            if answer.is_nested or answer.is_complex():
                return None
            dense = answer.detach().cpu().to_dense().double().clone()
            return dense.as_subclass(torch.Tensor)
        if isinstance(answer, numbers.Rational):  # of any size, and fractions
            answer = float(Fraction(answer))
        array = np.array(answer, order="C")
        return None if array.dtype.kind not in "biuf" else torch.tensor(array.astype(np.float64))
    except Exception:  # whatever it is, it is no array of numbers
        return None


def fitted(answer, right):
    """A plain answer in the right one's form: a list as an array, without further axes of length 1.

    Args:
        answer, right: as `plain` gives them.

    Returns:
        The answer, and its shape if that was another one with more axes of length 1; else None.
    """
    if isinstance(right, tuple) and isinstance(answer, tuple) and len(answer) == len(right):
        pairs = [fitted(*pair) for pair in zip(answer, right, strict=True)]
        shapes = [shape for _, shape in pairs if shape is not None]
        return tuple(part for part, _ in pairs), (shapes or [None])[0]
    if not isinstance(right, torch.Tensor):
        return answer, None
    if isinstance(answer, tuple):
        stacked = _stacked(answer)
        answer = answer if stacked is None else stacked
    if not isinstance(answer, torch.Tensor) or answer.ndim <= right.ndim:
        return answer, None
    if [n for n in answer.shape if n != 1] != [n for n in right.shape if n != 1]:
        return answer, None
    return answer.reshape(right.shape), tuple(answer.shape)


def _stacked(parts):
    """A tuple of numbers, or of rows, as one tensor; None where it is none."""
    parts = [_stacked(part) if isinstance(part, tuple) else part for part in parts]
    if not parts or not all(isinstance(part, torch.Tensor) for part in parts):
        return None
    return torch.stack(parts) if len({part.shape for part in parts}) == 1 else None


def equal(a, b, tolerance):
    """Whether two plain answers are equal, numbers within a tolerance, NaN and NaN, too."""
    if isinstance(b, torch.Tensor) and isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.allclose(
            a, b, rtol=tolerance, atol=tolerance, equal_nan=True
        )
    if isinstance(b, tuple) and isinstance(a, tuple):
        return len(a) == len(b) and all(equal(*pair, tolerance) for pair in zip(a, b, strict=True))
    return isinstance(b, str) and isinstance(a, str) and a == b


def named(answer):
    """What kind of thing an answer is, with its article."""
    name = type(answer).__name__
    number = f" of {len(answer)}" if isinstance(answer, tuple | list) else ""
    return f"a{'n' * (name[0].lower() in 'aeiou')} {name}{number}"
