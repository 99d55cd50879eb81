"""The latent plane: a map of a 2-D latent space that decodes wherever one points."""

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vae_teach import checks
from vae_teach.evaluation.likelihood import log_joint_at, posterior_on_grid
from vae_teach.models.interface import (
    as_it_is,
    device_of,
    has_prior,
    image_shape_of,
    images_for,
    looking,
)
from vae_teach.page.latent_map import on_map
from vae_teach.page.networks import Network, network_trait
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import drawable, pixels

SIDE = 64  # points of the lens in which a true posterior is shown, in each direction


class LatentPlane(WebExplorer):
    """A map of the codes of images; dragging on it shows the image decoded from the point.

    The decoder's weights travel to the page once, as float16 (under half a grey level of 255
    off), and are evaluated there: it answers within a frame, also while the kernel works.
    Widget and still picture show the model as it was when this was called.

    Args:
        model: a VAE or an Autoencoder with latent_dim 2 and 1 or 3 channels, or a module of your own
            with `encode`, `decode`, `prior`, a `decoder` that the page can evaluate and a `likelihood`.
        images: float32 (N, C, H, W) in [0, 1]; the map shows the codes (means of q(z|x)) of at
            most 2,000 of them, evenly picked; the one in a hundred farthest out may lie outside it.
        labels: (N,) whole numbers from 0 to 35, drawn as 0-9, a-z.
        classes: the labels' names for a legend, a tuple, list or array; or None.
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

    z = t.Tuple(t.CFloat(), t.CFloat(), default_value=(0.0, 0.0))
    z1 = t.CFloat(0.0).tag(**BOTH_WAYS)
    z2 = t.CFloat(0.0).tag(**BOTH_WAYS)
    chosen = t.Int(-1, min=-1).tag(**BOTH_WAYS)
    decoder = network_trait()
    points = t.Bytes().tag(sync=True)
    images = t.Bytes().tag(sync=True)  # the choices, a byte a pixel
    gauss = t.List().tag(sync=True)  # of each the mean and standard deviation of q(z|x)
    windows = t.List().tag(sync=True)  # what the lens shows: its middle, and half its side
    posteriors = t.Bytes().tag(sync=True)  # row by row from the top; 255 at the largest
    posterior_side = t.Int(0).tag(sync=True)
    image_shape = t.List().tag(sync=True)
    classes = t.Dict().tag(sync=True)
    limit = t.Float().tag(sync=True)
    tick = t.Float().tag(sync=True)
    prior = t.List().tag(sync=True)  # its parts: mean and standard deviation; [] for autoencoders

    def __init__(self, model, images, labels, classes=None, choices=0, posterior=False):
        """Check the arguments, encode the images and pack the decoder."""
        shown, _ = on_map(model, images, labels, classes)
        _check_choices(choices, len(images), posterior, has_prior(model))
        first = images[:choices]
        mean, sd = drawable.codes(model, first) if choices else (shown.means[:0], shown.means[:0])
        windows, shades = _lenses(model, first, mean, sd, shown.limit, posterior)
        self._model, self._map = as_it_is(model), shown
        super().__init__(
            decoder=Network.decoder(model),
            images=pixels.to_bytes(first),
            gauss=torch.cat([mean, sd], 1).tolist(),
            windows=windows,
            posteriors=shades,
            posterior_side=SIDE if posterior else 0,
            image_shape=list(image_shape_of(model)),
            **shown.traits(),
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
        count = len(self._map.means)
        return pixels.still(
            _still_png(self._model, self._map),
            f"Left: a map of the latent plane, z1 and z2 from {-self.limit:g} to {self.limit:g}, "
            f"with the codes of {count:,} images, each drawn as its label. Right: images decoded "
            f"from a grid of codes over the same square.",
            "The latent plane, and what the decoder draws at each place of it. "
            "Run the cell to drag on it.",
        )

    def __repr__(self):
        """One line: images on the map, and the chosen code."""
        z1, z2 = self.z
        return f"LatentPlane of {len(self._map.means):,} images at z = ({z1:.2f}, {z2:.2f})"


def _check_choices(choices, count, posterior, prior):
    checks.whole_number(choices, "choices")
    if choices > min(24, count):
        raise ValueError(f"choices is {choices!r}, 0 to {min(24, count)} is needed.")
    if (posterior or choices) and not prior:
        raise ValueError(
            "choices and posterior need a VAE: an autoencoder has no q(z|x) or p(z|x)."
        )
    if posterior and not choices:
        raise ValueError("posterior=True needs images to choose from: give choices=8, for example.")


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
        with looking(model):
            log_p = log_joint_at(model, images_for(model, x[None]), z.to(device_of(model)))[0].cpu()
        shades.append((log_p - log_p.max()).exp())
    return windows, pixels.to_bytes(torch.stack(shades))


def _moments(points, log_density):
    """Mean and standard deviation, each (B, 2), of densities on a grid (B, second, first)."""
    share = log_density.exp()
    share = share / share.sum((1, 2), keepdim=True)
    sides = torch.stack([share.sum(1), share.sum(2)], 1)  # (B, 2, G)
    mean = sides @ points
    return mean, (sides @ points**2 - mean**2).clamp(min=0).sqrt()


def _still_png(model, shown, columns=14):
    limit = shown.limit
    ticks = (torch.arange(columns) + 0.5) / columns * 2 * limit - limit
    z2, z1 = torch.meshgrid(-ticks, ticks, indexing="ij")  # rows from the top: z2 falls
    codes = torch.stack([z1, z2], -1).reshape(-1, 2)
    figure = Figure(figsize=(8, 4.2), dpi=96, layout="constrained")
    plane, decoded = figure.subplots(1, 2)
    shown.draw(plane)
    picture = pixels.to_array(pixels.tile(pixels.mean_images(model, codes), columns))
    extent = (-limit, limit, -limit, limit)
    decoded.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
    of = ["", ", prior's 1 and 2 sd", ", 1 and 2 sd of the prior's parts"][min(2, len(shown.prior))]
    plane.set_title(f"codes of images{of}")
    decoded.set_title("mean of p(x|z) on a grid of z" if of else "decoded on a grid of z")
    decoded.set(xlabel="$z_1$", ylabel="$z_2$")
    return pixels.figure_png(figure)
