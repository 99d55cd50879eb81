"""Checks of labels and of the classes' names, which come in many forms: all are brought into one.

They raise before anything is changed, as `checks` do.
"""

import numpy as np
import torch

from vae_teach.checks import kind


def checked(y, count, name="labels", of="images", classes=None, most=None):
    """One label for each image, as an int64 tensor (count,) where y lies.

    Args:
        y: whole numbers in a tensor, a NumPy array or a list, of whatever dtype.
        count: how many are needed.
        name: how messages call y.
        of: and what has labels.
        classes: a name for each label, as `names` returns them, or None for labels without names.
        most: the largest label there may be, counted from 0; None for any.

    Raises:
        TypeError: no numbers.
        ValueError: numbers that are not whole, of another shape, or without a name.
    """
    found = _integers(y, name)
    itself = name if hasattr(y, "argmax") else f"torch.as_tensor({name})"
    if found.shape != (count,):
        hint = ""
        if found.dim() == 2 and len(found) == count:
            column = found.shape[1] == 1
            hint = f", {itself}.flatten()" if column else f", for one-hot rows {itself}.argmax(1)"
        raise ValueError(
            f"{name} has shape {tuple(found.shape)} for {count} {of}, shape ({count},) is needed: "
            f"one label an image{hint}."
        )
    if classes is not None or most is not None:
        _check_range(found, name, itself, classes, most)
    return found


def _check_range(found, name, itself, classes, most):
    low, high = found.min().item(), found.max().item()
    if low < 0:
        raise ValueError(
            f"{name} lie in [{low}, {high}], they count from 0: use {itself} - {itself}.min()."
        )
    if classes is not None and high >= len(classes):
        raise ValueError(
            f"{name} holds {high}, classes has {len(classes)} names, one for each label from 0 on "
            f"is needed: use classes=tuple(map(str, range({high + 1})))."
        )
    if most is not None and high > most:
        raise ValueError(
            f"{name} lie in [{low}, {high}], [0, {most}] is needed: to number the classes anew, "
            f"use torch.unique({itself}, return_inverse=True)[1]."
        )


def _integers(y, name):
    """An int64 tensor of what holds whole numbers."""
    if not isinstance(y, torch.Tensor):
        y = torch.from_numpy(_array(y, name))
    if y.is_complex() or y.is_meta:
        raise TypeError(f"{name} holds no whole numbers, one an image is needed.")
    y = y.detach()
    found = y.long()
    if y.is_floating_point() and not torch.equal(found.to(y.dtype), y):
        odd = y[found.to(y.dtype) != y][0].item()
        raise ValueError(f"{name} holds {odd:g}, whole numbers are needed, one an image.")
    return found


def _array(y, name):
    """A NumPy array of numbers, as PyTorch takes it."""
    try:
        array = np.asarray(y)
    except (TypeError, ValueError, RuntimeError):  # rows of unequal length
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf":
        words = array.dtype.kind in "US" and array.ndim
        fix = f": use torch.as_tensor(numpy.unique({name}, return_inverse=True)[1])"
        raise TypeError(
            f"{name} is {kind(y)}{' of words' if words else ''}, whole numbers are needed, one an "
            f"image{fix if words else ''}."
        )
    return array.astype("f8" if array.dtype.kind == "f" else "i8")


def names(classes):
    """The classes' names, the k-th that of label k, as a tuple of str.

    Args:
        classes: a name for each label in a tuple, a list, a range, a NumPy array or a tensor.

    Raises:
        TypeError: something else, or none at all.
    """
    try:
        found = () if isinstance(classes, str | bytes | dict | set) else tuple(classes)
    except TypeError:
        found = ()
    if not found:
        fix = 'tuple("0123456789"), or leave classes out, for digits'
        fix = "tuple(classes.values())" if isinstance(classes, dict) and classes else fix
        raise TypeError(
            f"classes is {classes!r}, a tuple with a name (a str) for each label is needed: use {fix}."
        )
    return tuple(str(name.item() if isinstance(name, torch.Tensor) else name) for name in found)


def names_or_none(classes):
    """The same, and None for None."""
    return None if classes is None else names(classes)
