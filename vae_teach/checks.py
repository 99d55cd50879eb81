"""Checks of what a learner hands in: one sentence that names the argument, what was seen, what to do.

They raise before anything is changed. `TypeError` is for the wrong kind of object or dtype,
`ValueError` for the right kind with a wrong value.
"""

import math
import numbers

import numpy as np
import torch
from torch.distributions import Distribution, Independent, Normal
from torch.utils.data import DataLoader, Dataset, TensorDataset

ROUNDING = 1e-5  # beyond [0, 1] is no reason to refuse an image


def images(x, name="images", shape=None):
    """Check a batch of images.

    Args:
        x: what should be a float32 or float64 tensor (N, C, H, W) with N >= 1 and values in [0, 1].
        name: how the message calls it.
        shape: (C, H, W) that each image must have, or None for any.

    Raises:
        TypeError: not a tensor, or not one of these dtypes.
        ValueError: wrong shape, empty, NaN or infinity, or values outside [0, 1].
    """
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {kind(x)}: use {_as_tensor(x, name)}.")
    if x.layout != torch.strided:
        raise TypeError(f"{name} is sparse, a dense tensor is needed: use {name}.to_dense().")
    if x.is_meta:
        raise ValueError(
            f"{name} lies on the meta device, which holds no numbers: images on another one are needed."
        )
    if x.dtype not in (torch.float32, torch.float64):
        dtype = str(x.dtype).removeprefix("torch.")
        raise TypeError(
            f"{name} is {dtype}, float32 in [0, 1] is needed: use {_as_float(x, name)}."
        )
    wanted = "(N, " + (", ".join(map(str, shape)) if shape else "C, H, W") + ")"
    fits = x.dim() == 4 and (
        tuple(x.shape[1:]) == tuple(shape) if shape else not _channels_last(x.shape)
    )
    if not fits:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, a batch {wanted} is needed{_as_batch(x, name, shape)}."
        )
    if len(x) == 0:
        raise ValueError(f"{name} is empty (shape {tuple(x.shape)}), at least one image is needed.")
    low, high = (value.item() for value in torch.aminmax(x))  # one pass; NaN comes through
    if not (math.isfinite(low) and math.isfinite(high)):
        finite(x, name)
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ValueError(
            f"{name} lies in [{low:.4g}, {high:.4g}], [0, 1] is needed: {_as_ink(low, high, name)}."
        )


def kind(x):
    """What a message calls an object."""
    return "None" if x is None else type(x).__name__


def _as_tensor(x, name):
    """What makes a tensor of x, in its order."""
    if isinstance(x, DataLoader):
        return _from_set(x.dataset, f"{name}.dataset")
    if isinstance(x, Dataset):
        return _from_set(x, name)
    if _is_pair(x):
        return f"{name}[0]"
    if isinstance(x, list | tuple) and x and all(isinstance(part, torch.Tensor) for part in x):
        return f"torch.stack(list({name}))"
    if isinstance(x, np.ndarray) and x.dtype.kind in "biuf":
        plain = x.dtype.isnative and x.dtype.itemsize < 8 and all(step >= 0 for step in x.strides)
        plain = plain and x.dtype not in (np.uint16, np.uint32) and x.flags.writeable
        return f"torch.as_tensor({name})" if plain else f'torch.as_tensor({name}.astype("float32"))'
    if hasattr(x, "train_images"):
        return f"{name}.train_images"
    try:
        numbers = np.asarray(x).dtype.kind in "biuf"
    except (TypeError, ValueError):
        numbers = False
    if numbers and np.ndim(x) and not isinstance(x, str | bytes):
        return f"torch.as_tensor(numpy.array({name}))"
    return _OURS


_OURS = "images such as data.course_set().train_images"


def _is_pair(x):
    """Whether these are images, or one image, and then labels or the like."""
    try:
        return isinstance(x, tuple | list) and np.ndim(x[0]) > max(1, np.ndim(x[1]))
    except (IndexError, ValueError):
        return False


def _from_set(data, name):
    """What makes a tensor of a Dataset's images."""
    if isinstance(data, TensorDataset):
        return f"{name}.tensors[0]"
    try:
        first = data[0]
    except (LookupError, NotImplementedError):  # an empty one, or one without indices
        return _OURS
    pair = isinstance(first, tuple | list)
    is_tensor = isinstance(first[0] if pair else first, torch.Tensor)
    value = "x" if is_tensor else "torch.as_tensor(numpy.array(x))"
    return f"torch.stack([{value} for {'x, *_' if pair else 'x'} in {name}])"


def _as_float(x, name):
    """What makes float32 of another dtype: grey levels become [0, 1], zeros and ones stay."""
    if x.dtype.is_complex:
        return f"{name}.abs()"
    if x.dtype.is_floating_point or x.dtype == torch.bool or not x.numel():
        return f"{name}.float()"
    low, high = x.min().item(), x.max().item()
    if low < 0 or high <= 1:
        return f"{name}.float()"
    return f"{name}.float() / {_white(high, name)}"


def _white(high, name):
    """The value of full ink among grey levels of which the largest here is `high`."""
    return "255" if 16 < high <= 255 else f"{name}.max()"


def _as_batch(x, name, shape):
    """What makes a batch (N, C, H, W) of a tensor of another shape; nothing where that is unclear."""
    seen = tuple(x.shape)
    wanted = tuple(shape) if shape else None
    if len(seen) == 4:  # channels last?
        moved = (seen[3], *seen[1:3])
        usual = moved == wanted if wanted else _channels_last(seen)
        return f": use {name}.permute(0, 3, 1, 2)" if usual else ""
    if len(seen) == 3:
        one = seen == wanted if wanted else seen[0] in (1, 3)
        if one:
            return f": for one image use {name}[None]"
        moved = (seen[2], *seen[:2])
        if moved == wanted if wanted else seen[2] in (1, 3):
            return f": for one image use {name}.permute(2, 0, 1)[None]"
        if wanted is None or (wanted[0] == 1 and seen[1:] == wanted[1:]):
            return f": use {name}[:, None]"
    if len(seen) == 2:
        if seen == wanted[1:] and wanted[0] == 1 if wanted else seen[0] == seen[1]:
            return f": for one image use {name}[None, None]"
        if wanted and seen[1] == math.prod(wanted):
            return f": use {name}.reshape(-1, {', '.join(map(str, wanted))})"
    if len(seen) == 1 and wanted and len(x) == math.prod(wanted):
        return f": for one image use {name}.reshape(1, {', '.join(map(str, wanted))})"
    return ""


def _channels_last(shape):
    """Whether (N, ., ., .) can hardly be but (N, H, W, C)."""
    return shape[3] in (1, 3) and min(shape[1:3]) > 4


def _as_ink(low, high, name):
    """What brings values into [0, 1]."""
    if low == high:
        return f"use {name}.clamp(0, 1)"
    if low >= -ROUNDING and high > 2:
        white = _white(high, name)
        looks = "it looks like 0..255: " if white == "255" else ""
        return f"{looks}use {name if low >= 0 else f'{name}.clamp(0)'} / {white}"
    if abs(low + 0.4242) < 1e-3 and abs(high - 2.8215) < 1e-3:
        return f"it looks normalized as MNIST often is: use ({name} * 0.3081 + 0.1307).clamp(0, 1)"
    if -1 - ROUNDING <= low < 0 and high <= 1 + ROUNDING:
        return f"it looks like [-1, 1]: use ({name} + 1) / 2"
    return f"use ({name} - {name}.min()) / ({name}.max() - {name}.min())"


def finite(x, name):
    """Raise ValueError with the count and the first index if tensor x holds NaN or infinity."""
    bad = ~torch.isfinite(x)
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(
            f"{name} holds {int(bad.sum())} values that are NaN or infinite, the first at index "
            f"{first} ({x[first].item()}): remove or replace them."
        )


def differentiable(x, name):
    """Raise ValueError where gradients are wanted of a tensor that was made to have none."""
    if x.is_inference() and torch.is_grad_enabled():
        raise ValueError(
            f"{name} was made in torch.inference_mode, where nothing can be trained: use {name}.clone()."
        )


def codes(z, latent_dim, least=0, name="z"):
    """Raise TypeError or ValueError unless z is a tensor of `least` codes or more, (..., latent_dim)."""
    if not isinstance(z, torch.Tensor):
        array = isinstance(z, np.ndarray | list | tuple)
        remedy = f": use torch.as_tensor({name})" if array else ""
        raise TypeError(f"{name} is {kind(z)}, a tensor (..., {latent_dim}) is needed{remedy}.")
    if z.dim() == 0 or z.shape[-1] != latent_dim:
        raise ValueError(f"{name} has shape {tuple(z.shape)}, (..., {latent_dim}) is needed.")
    if z.numel() < least * latent_dim:
        raise ValueError(
            f"{name} has shape {tuple(z.shape)}, without a code: at least {least} is needed."
        )


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


def seed(value, most=2**63 - 1):
    """Raise TypeError or ValueError unless value is a whole number that seeds random numbers."""
    whole_number(value, "seed")
    if value > most:
        raise ValueError(f"seed is {value}, a whole number from 0 to {most} is needed.")


def image_shape(shape):
    """A tuple (C, H, W) of whole numbers >= 1.

    Raises:
        ValueError: something else.
    """
    sizes = tuple(shape) if isinstance(shape, tuple | list) else ()
    if len(sizes) != 3 or not all(map(_is_size, sizes)):
        like = f": use (1, {sizes[0]}, {sizes[1]})" if len(sizes) == 2 else ", such as (1, 28, 28)"
        raise ValueError(f"image_shape is {shape!r}, (C, H, W) is needed{like}.")
    return sizes


def hidden(sizes):
    """A tuple of the sizes of hidden layers, whole numbers >= 1; () has none.

    Raises:
        TypeError: something else.
    """
    if _is_size(sizes):
        raise TypeError(f"hidden is {sizes}, a size for each layer is needed: use ({sizes},).")
    if not isinstance(sizes, tuple | list) or not all(map(_is_size, sizes)):
        raise TypeError(
            f"hidden is {sizes!r}, a whole number of at least 1 for each layer is needed, "
            "such as (400,)."
        )
    return tuple(sizes)


def _is_size(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 1


def width(value, name):
    """Raise TypeError or ValueError unless value is a number that float32 can square, and invert."""
    positive(value, name)
    if not 1e-6 <= value <= 1e6:
        raise ValueError(f"{name} is {value}, a number from 1e-6 to 1e6 is needed.")


def _number(value, name):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {value!r}, a number is needed.")
