"""Checks of what a learner hands in: one sentence that names the argument, what was seen, what to do.

They raise before anything is changed. `TypeError` is for the wrong kind of object or dtype,
`ValueError` for the right kind with a wrong value.
"""

import math
import numbers

import numpy as np
import torch
from torch.distributions import Distribution, Independent, Normal


def images(x, name="images", shape=None):
    """Check a batch of images.

    Args:
        x: what should be a float32 tensor (N, C, H, W) with N >= 1 and values in [0, 1].
        name: how the message calls it.
        shape: (C, H, W) that each image must have, or None for any.

    Raises:
        TypeError: not a tensor, or not float32.
        ValueError: wrong shape, empty, NaN or infinity, or values outside [0, 1].
    """
    if not isinstance(x, torch.Tensor):
        raise TypeError(
            f"{name} must be a torch.Tensor, got {type(x).__name__}: torch.as_tensor({name}) makes one."
        )
    if x.dtype == torch.uint8:
        raise TypeError(
            f"{name} is uint8 (grey levels 0..255), float32 in [0, 1] is needed: "
            f"use {name}.float() / 255."
        )
    if x.dtype != torch.float32:
        raise TypeError(f"{name} is {x.dtype}, float32 is needed: use {name}.float().")
    wanted = "(N, " + (", ".join(map(str, shape)) if shape else "C, H, W") + ")"
    if x.dim() in (2, 3) and (shape is None or tuple(x.shape) in (tuple(shape), tuple(shape)[-2:])):
        fix = f"{name}[None]" if x.dim() == 3 else f"{name}[None, None]"
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, a batch {wanted} is needed: "
            f"for one image use {fix}."
        )
    if x.dim() != 4 or (shape is not None and tuple(x.shape[1:]) != tuple(shape)):
        raise ValueError(f"{name} has shape {tuple(x.shape)}, a batch {wanted} is needed.")
    if len(x) == 0:
        raise ValueError(f"{name} is empty (shape {tuple(x.shape)}), at least one image is needed.")
    low, high = (value.item() for value in torch.aminmax(x))  # one pass; NaN comes through
    if not (math.isfinite(low) and math.isfinite(high)):
        finite(x, name)
    if low < 0 or high > 1:
        hint = ""
        if low >= 0 and high <= 255 and high > 2:
            hint = f" It looks like 0..255: use {name} / 255."
        elif low >= -1.001 and high <= 1.001:
            hint = f" It looks like [-1, 1]: use ({name} + 1) / 2."
        raise ValueError(f"{name} lies in [{low:.4g}, {high:.4g}], [0, 1] is needed.{hint}")


def finite(x, name):
    """Raise ValueError with the count and the first index if tensor x holds NaN or infinity."""
    bad = ~torch.isfinite(x)
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(
            f"{name} holds {int(bad.sum())} values that are NaN or infinite, the first at index "
            f"{first} ({x[first].item()}): remove or replace them."
        )


def codes(z, latent_dim):
    """Raise ValueError unless the last dimension of tensor z holds codes of latent_dim numbers."""
    if z.dim() == 0 or z.shape[-1] != latent_dim:
        raise ValueError(f"z has shape {tuple(z.shape)}, (..., {latent_dim}) is needed.")


def networks(**given):
    """Raise TypeError unless what is given is a network or None; the message uses the names."""
    for name, network in given.items():
        if not (network is None or isinstance(network, torch.nn.Module)):
            raise TypeError(f"{name} is {network!r}, an nn.Module is needed.")


def outputs(numbers, shape, name):
    """Raise ValueError unless a network's numbers can be read as `shape`, whose first entry is the batch."""
    if len(numbers) != shape[0] or numbers.numel() != math.prod(shape):
        wanted = ", ".join(map(str, shape[1:]))
        raise ValueError(
            f"{name} gives shape {tuple(numbers.shape)} for {shape[0]} of a batch, "
            f"({shape[0]}, {wanted}) is needed."
        )


_REMEDIES = {
    "encode": "return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)",
    "decode": "return Independent(Bernoulli(logits=logits), 3) for logits (..., C, H, W)",
    "prior": "make it Independent(Normal(torch.zeros(d), torch.ones(d)), 1)",
    "prior()": "return Independent(Normal(torch.zeros(d), torch.ones(d)), 1)",
}


def distribution(value, name, dims):
    """Check what a model's `encode`, `decode` or `prior` gave, and return it.

    Args:
        value: what should be a Distribution whose event is a whole code or image.
        name: "encode", "decode", "prior", or "prior()" for a part.
        dims: dimensions of the event: 1 for a code (d,), 3 for an image (C, H, W).

    Raises:
        TypeError: not a Distribution.
        ValueError: one with single numbers, or something else, as its event.
    """
    said = f"{name} is" if name == "prior" else f"{name} returned"
    if not isinstance(value, Distribution):
        if isinstance(value, tuple | list) and all(isinstance(v, torch.Tensor) for v in value):
            what = f"a {type(value).__name__} of {len(value)} tensors"
        else:
            what = "a tensor" if isinstance(value, torch.Tensor) else type(value).__name__
        raise TypeError(f"{said} {what}, a Distribution is needed: {_REMEDIES[name]}.")
    if len(value.event_shape) != dims:
        shapes = (
            f"batch shape {tuple(value.batch_shape)} and event shape {tuple(value.event_shape)}"
        )
        event = "(d,)" if dims == 1 else "(C, H, W)"
        raise ValueError(
            f"{said} {type(value).__name__} with {shapes}, a whole {event} as the event is needed: "
            f"{_REMEDIES[name]}."
        )
    return value


def diagonal_gaussians(q):
    """Raise TypeError unless q is a batch (N,) of diagonal Gaussians over codes (d,)."""
    diagonal = isinstance(q, Independent) and isinstance(q.base_dist, Normal)
    if not (diagonal and len(q.batch_shape) == len(q.event_shape) == 1):
        raise TypeError(f"q is {q!r}, a batch of diagonal Gaussians, model.encode(x), is needed.")


def positive_int(value, name):
    """Raise TypeError or ValueError unless value is a whole number >= 1."""
    whole_number(value, name, least=1)


def whole_number(value, name, least=0):
    """Raise TypeError or ValueError unless value is a whole number >= least."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}, a whole number of at least {least} is needed.")
    if value < least:
        raise ValueError(f"{name} is {value}, a whole number of at least {least} is needed.")


def non_negative(value, name):
    """Raise TypeError or ValueError unless value is a finite number >= 0."""
    _number(value, name)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} is {value}, a finite number of at least 0 is needed.")


def positive(value, name):
    """Raise TypeError or ValueError unless value is a finite number > 0."""
    _number(value, name)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}, a finite number above 0 is needed.")


def labels(y, count, name="labels", of="images"):
    """Raise unless y is an int64 tensor (count,): one label for each image."""
    if not isinstance(y, torch.Tensor) or y.dtype != torch.int64:
        kind = y.dtype if isinstance(y, torch.Tensor) else type(y).__name__
        raise TypeError(f"{name} is {kind}, an int64 tensor is needed: use {_as_labels(y, name)}.")
    if y.shape != (count,):
        hint = ""
        if y.dim() == 2 and len(y) == count:
            hint = (
                f", {name}.flatten()" if y.shape[1] == 1 else f", for one-hot rows {name}.argmax(1)"
            )
        raise ValueError(
            f"{name} has shape {tuple(y.shape)} for {count} {of}, shape ({count},) is needed: "
            f"one label an image{hint}."
        )


def _as_labels(y, name):
    """What makes an int64 tensor of y: numbers stay what they are, all else is numbered."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "biuf":
        return f'torch.as_tensor({name}.astype("int64"))'  # for any byte order and direction
    try:
        torch.as_tensor(y).long()
    except (TypeError, ValueError, RuntimeError):
        return f"torch.as_tensor(numpy.unique({name}, return_inverse=True)[1])"
    return f"torch.as_tensor({name}).long()"


def _number(value, name):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {value!r}, a number is needed.")
