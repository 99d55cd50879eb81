"""Corruption on a slider: of images, and of a density in the plane."""

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from vae_teach.chapters.denoising_contractive.figures import density_map, lattice
from vae_teach.page.panel import Panel
from vae_teach.page.widgets import FloatLogSlider, FloatSlider, IntSlider, ToggleButtons
from vae_teach.pictures import drawable
from vae_teach.pictures.artists import Bitmap
from vae_teach.pictures.colours import DECODER
from vae_teach.pictures.pixels import to_array

_SCALE = 2  # screen pixels a pixel


def corruption_panel(images, kinds, outputs, alt, caption=""):
    """Original, corrupted and restored images, while kind and level of the corruption are chosen.

    Args:
        images: (N, 1, H, W) in [0, 1], one row of them.
        kinds: dict of name -> (corrupt, highest level, how to write a level, such as "σ = {:.2f}");
            corrupt is called as corrupt(images, level) and should keep its noise from call to call,
            so that dragging changes the level alone.
        outputs: dict of row name -> function from corrupted images to restored ones.
        alt: alternative text.
        caption: shown below the still picture.

    Returns:
        Panel. Its level is a share of each kind's highest. Beside each row stands the mean over the
        images of Σ over pixels of (row − original)².
    """
    drawable.check_images(images)
    if images.shape[1] != 1:
        raise ValueError(f"images have {images.shape[1]} channels, 1 is needed here.")
    names = ["original", "", *outputs]
    height, width = (_SCALE * n for n in _strip(images).shape)
    left, right, top, step = 115, 95, 24, height + 4  # screen pixels
    figure = Figure(
        figsize=((left + width + right) / 100, (top + step * len(names)) / 100), dpi=100
    )
    labels, scores, settings = [], [], {"va": "center", "transform": None}
    for i, name in enumerate(names):
        middle, changes = step * (len(names) - 1 - i) + height / 2, i == 1
        label = figure.text(left - 8, middle, name, ha="right", animated=changes, **settings)
        labels.append(label)
        if i > 0:
            scores.append(figure.text(left + width + 8, middle, "", animated=True, **settings))
    figure.text(
        left + width + 8, step * len(names) + 4, "squared error", fontsize=8, transform=None
    )
    strips = Bitmap(left, 0)
    figure.add_artist(strips)

    @torch.no_grad()
    def draw(kind, level):
        corrupt, highest, text = kinds[kind]
        corrupted = corrupt(images, level * highest)
        labels[1].set_text(f"{kind}\n{text.format(level * highest)}")
        rows = [corrupted, *(restore(corrupted) for restore in outputs.values())]
        ink = torch.cat([nn.functional.pad(_strip(row), (0, 0, 0, 2)) for row in (images, *rows)])
        strips.show(to_array(ink[None]).repeat(_SCALE, 0).repeat(_SCALE, 1))
        for row, score in zip(rows, scores, strict=True):
            score.set_text(f"{(row - images).square().flatten(1).sum(1).mean():.1f}")
        return figure

    controls = {
        "kind": ToggleButtons(options=list(kinds), description="corruption"),
        "level": FloatSlider(
            0.75, min=0, max=1, step=0.01, description="level", readout_format=".0%"
        ),
    }
    return Panel(draw, controls, alt, caption)


def field_panel(smoothed, starts, extent, alt, caption="", steps=0, columns=13):
    """A density p_σ with the arrows σ²∇log p_σ, and points that follow them, while σ is dragged.

    Args:
        smoothed: σ -> torch Distribution p_σ over the plane, event shape (2,).
        starts: (N, 2), where the points begin; with n steps each is moved n times by its arrow.
        extent: (left, right, bottom, top).
        alt: alternative text.
        caption: shown below the still picture.
        steps: where that slider begins.
        columns: arrows across.
    """
    left, right, bottom, top = extent
    across, up = 520, round(520 * (top - bottom) / (right - left))  # screen pixels of the axes
    figure = Figure(figsize=((across + 70) / 100, (up + 55) / 100), dpi=100)
    axes = figure.add_axes(
        (55 / (across + 70), 45 / (up + 55), across / (across + 70), up / (up + 55))
    )
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="$x_1$", ylabel="$x_2$")
    points = lattice(extent, columns).float()
    shades = Bitmap(57, 47)
    figure.add_artist(shades)
    arrows = axes.quiver(
        *points.t().numpy(), *torch.zeros_like(points).t().numpy(), color=DECODER, angles="xy",
        scale_units="xy", scale=1, width=0.0028, animated=True,
    )  # fmt: skip
    paths = axes.add_collection(
        LineCollection([], colors="#111111", lw=1.8, ls="--", animated=True)
    )
    ends = axes.scatter([], [], s=34, color="#111111", edgecolors="white", zorder=3, animated=True)

    def draw(sigma, steps):
        p = smoothed(sigma)
        density = density_map(p.log_prob, extent, 52).float().numpy()[::-1]
        fine = Image.fromarray(density).resize((across - 3, up - 3), Image.Resampling.BILINEAR)
        # In bands: they show the height's lines, and compress in a fraction of a gradient's time.
        bands = np.floor(8 * np.asarray(fine) / density.max())
        shades.show(np.uint8(255 - 16 * bands))
        arrows.set_UVC(*(sigma**2 * _score(p, points)).t().numpy())
        way = [starts.float()]
        for _ in range(steps):
            way.append(way[-1] + sigma**2 * _score(p, way[-1]))
        way = torch.stack(way, dim=1)  # (N, steps + 1, 2)
        paths.set_segments(list(way.numpy()))
        ends.set_offsets(way[:, -1].numpy())
        return figure

    controls = {
        "sigma": FloatLogSlider(
            0.4, min=-1, max=-0.1, step=0.02, description="σ of the noise", readout_format=".2f"
        ),
        "steps": IntSlider(steps, min=0, max=6, description="denoising steps"),
    }
    return Panel(draw, controls, alt, caption)


def _strip(images):
    """Images (N, 1, H, W) side by side, (H, N * W)."""
    return torch.cat(list(images[:, 0]), dim=1)


def _score(p, x):
    """∇ log p(x), (N, 2)."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(p.log_prob(x).sum(), x)[0]
