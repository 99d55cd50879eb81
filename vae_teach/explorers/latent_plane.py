"""The latent plane: a map of a 2-D latent space that decodes wherever one points."""

import math
import pathlib

import anywidget
import numpy as np
import torch
import traitlets as t
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import nn

from vae_teach import checks
from vae_teach.explorers import pixels
from vae_teach.figures import LABELS  # as in latent_plane.css

POINTS = 2000  # images on the map at most: more only hide each other and weigh the page down
SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"  # one mark a label, as in latent_plane.js
_HERE = pathlib.Path(__file__).parent


def pack(model):
    """Everything a page needs to evaluate p(x|z)'s mean, or an autoencoder's image.

    Args:
        model: a VAE or an Autoencoder whose decoder is an nn.Sequential.

    Returns:
        (layers, weights): a list of [name, ...sizes], and bytes of float16: for each layer with
        weights those, row by row, then its biases.

    Raises:
        ValueError: a decoder, layer or weight that the page cannot evaluate.
    """
    if not isinstance(model.decoder, nn.Sequential):
        raise ValueError(
            f"model.decoder is {type(model.decoder).__name__}, an nn.Sequential is needed: "
            f"the page evaluates it layer by layer."
        )
    layers, numbers = [], []
    for index, layer in enumerate(model.decoder):
        layers.append(_describe(layer, f"model.decoder[{index}]"))
        if isinstance(layer, nn.Linear | nn.Conv2d):
            weight = layer.weight.detach().cpu()
            bias = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach().cpu()
            numbers += [weight.flatten(), bias]
    logits = getattr(model, "likelihood", None) == "bernoulli"
    layers.append(["sigmoid" if logits else "clamp"])
    packed = torch.cat(numbers).to(torch.float16)
    checks.finite(packed, "model.decoder's weights in float16")
    return layers, packed.numpy().astype("<f2").tobytes()


def _describe(layer, name):
    match layer:
        case nn.Linear():
            return ["linear", layer.in_features, layer.out_features]
        case nn.ReLU():
            return ["relu"]
        case nn.LeakyReLU():
            return ["leaky_relu", layer.negative_slope]
        case nn.Tanh():
            return ["tanh"]
        case nn.Sigmoid():
            return ["sigmoid"]
        case nn.Unflatten() if layer.dim in (1, -1):
            return ["unflatten", *layer.unflattened_size]
        case nn.Upsample() if layer.mode == "nearest" and layer.scale_factor in (2, (2, 2)):
            return ["upsample"]
        case nn.Conv2d() if _is_plain(layer):
            return ["conv", layer.in_channels, layer.out_channels]
    raise ValueError(
        f"{name} is {layer}: the page evaluates Linear, ReLU, LeakyReLU, Tanh, Sigmoid, Unflatten, "
        f"Upsample(scale_factor=2) and Conv2d(kernel_size=3, padding=1) only."
    )


def _is_plain(conv):
    return (
        conv.kernel_size == (3, 3)
        and conv.padding in ((1, 1), "same")
        and conv.stride == conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
    )


class LatentPlane(anywidget.AnyWidget):
    """A map of the codes of images; dragging on it shows the image decoded from the point.

    The decoder's weights travel to the page once, as float16 (under half a grey level of 255
    off), and are evaluated there: it answers within a frame, also while the kernel works.
    The widget shows the model as it was when this was called.

    Args:
        model: a VAE or an Autoencoder with latent_dim 2 and 1 or 3 channels; a VAE's likelihood is
            Bernoulli or Gaussian.
        images: float32 (N, C, H, W) in [0, 1]; the map shows the codes (means of q(z|x)) of at
            most 2,000 of them, evenly picked; the one in a hundred farthest out may lie outside it.
        labels: int64 (N,) from 0 to 35, drawn as 0-9, a-z.
        classes: the labels' names for a legend, or None.

    Attributes:
        z: the chosen code, a tuple of two floats; reads and sets what the page shows.
        z1: its first number alone (`jslink` a slider's value to it), z2: the second.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    _esm = _HERE / "latent_plane.js"
    _css = _HERE / "latent_plane.css"
    z = t.Tuple(t.CFloat(), t.CFloat(), default_value=(0.0, 0.0))
    z1 = t.CFloat(0.0).tag(sync=True)
    z2 = t.CFloat(0.0).tag(sync=True)
    layers = t.List().tag(sync=True)
    weights = t.Bytes().tag(sync=True)
    points = t.Bytes().tag(sync=True)
    image_shape = t.List().tag(sync=True)
    classes = t.Dict().tag(sync=True)
    limit = t.Float().tag(sync=True)
    tick = t.Float().tag(sync=True)
    prior = t.Bool(True).tag(sync=True)  # circles, and "mean of p(x|z)": not for autoencoders

    def __init__(self, model, images, labels, classes=None):
        """Check the arguments, encode the images and pack the decoder."""
        _check(model, images, labels, classes)
        chosen = torch.linspace(0, len(images) - 1, min(len(images), POINTS)).round().long()
        device = next(model.parameters()).device
        with torch.no_grad():
            means = pixels.mean_of(model.encode(images[chosen].to(device))).cpu()
        prior = hasattr(model, "prior")
        checks.finite(means, "the mean of q(z|x)" if prior else "the codes")
        reach = means.abs().amax(1)
        limit = max(3.0 if prior else 0.5, math.ceil(2 * reach.quantile(0.99).item()) / 2)
        means, shown = means[reach <= limit], labels[chosen][reach <= limit]
        layers, weights = pack(model)
        self._model, self._means, self._labels = model, means, shown
        super().__init__(
            layers=layers,
            weights=weights,
            points=means.numpy().astype("<f2").tobytes() + shown.numpy().astype("u1").tobytes(),
            image_shape=list(model.image_shape),
            classes={str(k): str(classes[k]) for k in shown.unique().tolist()} if classes else {},
            limit=limit,
            tick=_tick(limit),
            prior=prior,
        )

    @t.validate("z", "z1", "z2")
    def _finite(self, proposal):
        if not np.isfinite(proposal["value"]).all():
            raise t.TraitError(f"z is {proposal['value']}, finite numbers are needed.")
        return proposal["value"]

    @t.observe("z")
    def _part(self, _change):
        with self.hold_sync(), self.hold_trait_notifications():
            self.z1, self.z2 = self.z

    @t.observe("z1", "z2")
    def _join(self, _change):
        self.z = (self.z1, self.z2)

    def still(self):
        """HTML of a picture of the map and of images decoded on a grid over it."""
        count = len(self._means)
        return pixels.still(
            _still_png(self._model, self._means, self._labels, self.limit),
            f"Left: a map of the latent plane, z1 and z2 from {-self.limit:g} to {self.limit:g}, "
            f"with the codes of {count:,} images, each drawn as its label. Right: images decoded "
            f"from a grid of codes over the same square.",
            "The latent plane, and what the decoder draws at each place of it. "
            "Run the cell to drag on it.",
        )

    def _ipython_display_(self):
        pixels.show(self, self.still())

    def __repr__(self):
        """One line: images on the map, and the chosen code."""
        z1, z2 = self.z
        return f"LatentPlane of {len(self._means):,} images at z = ({z1:.2f}, {z2:.2f})"


def _check(model, images, labels, classes):
    if model.latent_dim != 2:
        raise ValueError(
            f"model.latent_dim is {model.latent_dim}, 2 is needed for a map: "
            f"use LatentSliders(model)."
        )
    likelihood = getattr(model, "likelihood", None)
    if likelihood not in ("bernoulli", "gaussian", None):
        raise ValueError(
            f'model.likelihood is {likelihood!r}, "bernoulli" or "gaussian" is needed.'
        )
    if model.image_shape[0] not in (1, 3):
        raise ValueError(f"images have {model.image_shape[0]} channels, 1 or 3 are needed.")
    checks.images(images, "images", model.image_shape)
    checks.labels(labels, len(images))
    low, high = labels.min().item(), labels.max().item()
    if low < 0 or high >= len(SIGNS):
        raise ValueError(f"labels lie in [{low}, {high}], [0, {len(SIGNS) - 1}] is needed.")
    if classes and len(classes) <= high:
        raise ValueError(f"classes has {len(classes)} names, labels go up to {high}.")


def _tick(limit):
    """Step of 1, 2 or 5 times a power of ten that makes about four ticks on each side."""
    power = 10 ** math.floor(math.log10(limit / 3))
    return float(next(step * power for step in (1, 2, 5, 10) if limit / (step * power) <= 6))


def _still_png(model, means, labels, limit, columns=14):
    ticks = (torch.arange(columns) + 0.5) / columns * 2 * limit - limit
    z2, z1 = torch.meshgrid(-ticks, ticks, indexing="ij")  # rows from the top: z2 falls
    codes = torch.stack([z1, z2], -1).reshape(-1, 2)
    figure = Figure(figsize=(8, 4.2), dpi=96, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    plane, decoded = figure.subplots(1, 2)
    for label in labels.unique().tolist():
        mark = {"marker": f"${SIGNS[label]}$", "c": LABELS[label % 10], "s": 22, "linewidths": 0.2}
        plane.scatter(*means[labels == label].T, **mark)
    prior = hasattr(model, "prior")
    for radius in (1, 2) if prior else ():
        angle = torch.linspace(0, 2 * math.pi, 200)
        plane.plot(radius * angle.cos(), radius * angle.sin(), "--", c="gray", lw=1.2)
    picture = pixels.to_array(pixels.tile(pixels.mean_images(model, codes), columns))
    extent = (-limit, limit, -limit, limit)
    decoded.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
    plane.set(xlim=extent[:2], ylim=extent[2:], aspect=1)
    plane.set_title("codes of images" + (", prior's 1 and 2 sd" if prior else ""))
    decoded.set_title("mean of p(x|z) on a grid of z" if prior else "decoded on a grid of z")
    for axes in (plane, decoded):
        axes.set(xlabel="$z_1$", ylabel="$z_2$")
    canvas.draw()
    return pixels.small_png(np.asarray(canvas.buffer_rgba())[..., :3])
