"""The latent plane: a map of a 2-D latent space that decodes wherever one points."""

import math

import numpy as np
import torch
import traitlets as t
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vae_teach import checks
from vae_teach.evaluation.likelihood import log_joint_at, posterior_on_grid
from vae_teach.explorers import pixels
from vae_teach.explorers.web import Network, WebExplorer, halves, network_trait, script
from vae_teach.figures import LABELS  # as in latent_plane.css

POINTS = 2000  # images on the map at most: more only hide each other and weigh the page down
SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"  # one mark a label, as in latent_plane.js
SIDE = 64  # points of the lens in which a true posterior is shown, in each direction


class LatentPlane(WebExplorer):
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
        choices: how many of the first images can be chosen below the map, at most 24. The encoder's
            ellipses of the chosen one, at 1 and 2 standard deviations, are drawn on the map and,
            enlarged, in a lens beside the images. Not for autoencoders, whose codes are points.
        posterior: shade the true posterior p(z|x) in the lens, by Bayes' rule on a grid.

    Attributes:
        z: the chosen code, a tuple of two floats; reads and sets what the page shows.
        z1: its first number alone (`jslink` a slider's value to it), z2: the second.
        chosen: number of the chosen image, -1 for none.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    _esm = script("network", "common", "plane", "latent_plane")
    z = t.Tuple(t.CFloat(), t.CFloat(), default_value=(0.0, 0.0))
    z1 = t.CFloat(0.0).tag(sync=True)
    z2 = t.CFloat(0.0).tag(sync=True)
    chosen = t.Int(-1, min=-1).tag(sync=True)
    decoder = network_trait()
    points = t.Bytes().tag(sync=True)
    images = t.Bytes().tag(sync=True)  # the choices, a byte a pixel
    gauss = t.List().tag(
        sync=True
    )  # for each of them the mean and the standard deviation of q(z|x)
    windows = t.List().tag(sync=True)  # what the lens shows: its middle, and half its side
    posteriors = t.Bytes().tag(
        sync=True
    )  # in the lens, row by row from the top; 255 at the largest
    posterior_side = t.Int(0).tag(sync=True)
    image_shape = t.List().tag(sync=True)
    classes = t.Dict().tag(sync=True)
    limit = t.Float().tag(sync=True)
    tick = t.Float().tag(sync=True)
    prior = t.Bool(True).tag(sync=True)  # circles, and "mean of p(x|z)": not for autoencoders

    def __init__(self, model, images, labels, classes=None, choices=0, posterior=False):
        """Check the arguments, encode the images and pack the decoder."""
        _check(model, images, labels, classes)
        prior = hasattr(model, "prior")
        _check_choices(choices, len(images), posterior, prior)
        picked = torch.linspace(0, len(images) - 1, min(len(images), POINTS)).round().long()
        means, _ = _codes(model, images[picked])
        checks.finite(means, "the mean of q(z|x)" if prior else "the codes")
        reach = means.abs().amax(1)
        limit = max(3.0 if prior else 0.5, math.ceil(2 * reach.quantile(0.99).item()) / 2)
        means, shown = means[reach <= limit], labels[picked][reach <= limit]
        first = images[:choices]
        mean, sd = _codes(model, first) if choices else (means[:0], means[:0])
        windows, shades = _lenses(model, first, mean, sd, limit, posterior)
        self._model, self._means, self._labels = model, means, shown
        network = Network.decoder(model)
        super().__init__(
            decoder=network,
            points=halves(means, "codes") + shown.numpy().astype("u1").tobytes(),
            images=pixels.to_bytes(first),
            gauss=torch.cat([mean, sd], 1).tolist(),
            windows=windows,
            posteriors=shades,
            posterior_side=SIDE if posterior else 0,
            image_shape=list(model.image_shape),
            classes={str(k): str(classes[k]) for k in shown.unique().tolist()} if classes else {},
            limit=limit,
            tick=_tick(limit),
            prior=prior,
        )
        network.users.add(self)

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


def _check_choices(choices, count, posterior, prior):
    if not isinstance(choices, int) or not 0 <= choices <= min(24, count):
        raise ValueError(f"choices is {choices!r}, 0 to {min(24, count)} is needed.")
    if (posterior or choices) and not prior:
        raise ValueError(
            "choices and posterior need a VAE: an autoencoder has no q(z|x) or p(z|x)."
        )
    if posterior and not choices:
        raise ValueError("posterior=True needs images to choose from: give choices=8, for example.")


@torch.no_grad()
def _codes(model, images):
    """Mean and standard deviation of q(z|x), each (N, 2); an autoencoder's code has no deviation."""
    q = model.encode(images.to(next(model.parameters()).device))
    return pixels.mean_of(q).cpu(), None if isinstance(q, torch.Tensor) else q.stddev.cpu()


def _lenses(model, images, mean, sd, limit, posterior):
    """Windows [z1, z2, half a side] on q(z|x), and with `posterior` on p(z|x), whose shades follow."""
    low, high = mean - 3 * sd, mean + 3 * sd
    if posterior:
        on_map = posterior_on_grid(model, images, 400, max(6.0, limit))  # finds it, if coarsely
        p_mean, p_sd = (m.cpu() for m in _moments(*on_map))
        low, high = low.minimum(p_mean - 3 * p_sd), high.maximum(p_mean + 3 * p_sd)
    middle, half = (low + high) / 2, (high - low).amax(1, keepdim=True) / 2
    windows = torch.cat([middle, half], 1).tolist()
    if not posterior:
        return windows, b""
    steps = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    z2, z1 = torch.meshgrid(-steps, steps, indexing="ij")
    shades = []
    for x, (a, b, size) in zip(images, windows, strict=True):
        z = torch.stack([a + size * z1, b + size * z2], -1).reshape(-1, 2)
        log_p = log_joint_at(model, x[None], z.to(next(model.parameters()).device))[0]
        shades.append((log_p - log_p.max()).exp())
    return windows, pixels.to_bytes(torch.stack(shades))


def _moments(points, log_density):
    """Mean and standard deviation, each (B, 2), of densities on a grid (B, second, first)."""
    share = log_density.exp()
    share = share / share.sum((1, 2), keepdim=True)
    sides = torch.stack([share.sum(1), share.sum(2)], 1)  # (B, 2, G)
    mean = sides @ points
    return mean, (sides @ points**2 - mean**2).clamp(min=0).sqrt()


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
