"""Panels of chapter 01: the width of a bottleneck, and the way from one code to another."""

import numpy as np
import torch
from matplotlib.figure import Figure

from vae_teach.page.panel import Panel
from vae_teach.page.widgets import FloatSlider, IntSlider
from vae_teach.pictures import DECODER, pixels


@torch.no_grad()
def bottleneck_panel(family, mean, directions, images, caption="", shown=8):
    """A slider over the width of the bottleneck: an autoencoder's images and errors beside PCA's.

    Args:
        family: an AutoencoderFamily.
        mean: pixels (D,), what PCA subtracts.
        directions: (K, D) orthonormal, PCA's components, K at least the family's widest.
        images: float32 (N, C, H, W) in [0, 1]; the errors are means over them.
        caption: shown below the still picture.
        shown: how many of the images are drawn.

    Returns:
        Panel with one slider, "width".
    """
    widths = range(1, family.widest + 1)
    centred = images.flatten(1) - mean
    scores = centred @ directions.T  # (N, K)
    total = centred.square().sum(1).mean()
    pca_errors = (total - scores.square().mean(0).cumsum(0))[: family.widest]
    errors = [(family(images, k) - images).square().flatten(1).sum(1).mean().item() for k in widths]
    originals = images[:shown]

    figure = Figure(figsize=(9, 3), layout="constrained")
    pictures, axes = figure.subplots(1, 2, width_ratios=(1.6, 1))
    strips = []
    for row, name in enumerate(("original", "autoencoder", "PCA")):
        area = pictures.inset_axes((0.17, 0.69 - 0.34 * row, 0.83, 0.29))
        area.set(xticks=[], yticks=[])
        area.spines[:].set_visible(False)
        area.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
        strips.append(area.imshow(_paper(originals), animated=row > 0, interpolation="nearest"))
    pictures.set_axis_off()
    axes.plot(widths, pca_errors, "--", color="0.35", lw=2, label="PCA")
    axes.plot(widths, errors, "-", color=DECODER, lw=2, label="autoencoder")
    axes.set(xlabel="numbers in the bottleneck", ylabel="squared error an image")
    axes.set(xlim=(0, family.widest + 1), ylim=(0, 1.1 * max(*errors, *pca_errors.tolist())))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize=9)
    line = axes.axvline(1, color="0.4", lw=1, animated=True)
    dots = axes.scatter([1, 1], [0, 0], c=["0.35", DECODER], s=45, zorder=3, animated=True)
    text = axes.text(0.97, 0.66, "", ha="right", transform=axes.transAxes, animated=True)

    @torch.no_grad()
    def draw(width):
        projected = mean + scores[:shown, :width] @ directions[:width]
        strips[1].set_data(_paper(family(originals, width)))
        strips[2].set_data(_paper(projected.reshape_as(originals)))
        line.set_xdata([width, width])
        linear, curved = pca_errors[width - 1].item(), errors[width - 1]
        dots.set_offsets([[width, linear], [width, curved]])
        text.set_text(f"PCA {linear:.1f}, autoencoder {curved:.1f}")
        return figure

    slider = IntSlider(
        8, min=1, max=family.widest, description="numbers in the bottleneck", layout=_WIDE
    )
    alt = (
        "Left: test images and their reconstructions by autoencoder and PCA through the chosen "
        "number of values. Right: squared error against that number, falling for both, the "
        "autoencoder's below PCA's."
    )
    return Panel(draw, {"width": slider}, alt, caption)


@torch.no_grad()
def between_codes_panel(decode, classifier, start, end, ends, caption=""):
    """A slider from one code to another, with what a classifier thinks of the decoded image.

    Args:
        decode: codes (B, d) -> images (B, C, H, W) in [0, 1].
        classifier: images -> logits (B, K).
        start: code (d,) at t = 0.
        end: code (d,) at t = 1.
        ends: the two images (2, C, H, W) themselves, blended pixel by pixel for comparison.
        caption: shown below the still picture.

    Returns:
        Panel with one slider, "t".
    """
    figure = Figure(figsize=(8.5, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.5))
    blank = _paper(torch.zeros_like(ends[:1]))
    pictures = [
        area.imshow(blank, animated=True, interpolation="nearest") for area in (left, middle)
    ]
    for area, title in ((left, "blended codes, decoded"), (middle, "blended pixels")):
        area.set(xticks=[], yticks=[])
        area.spines[:].set_visible(False)
        area.set_title(title, fontsize=10)
    count = classifier(ends).shape[1]
    bars = right.bar(range(count), [1] * count, color=DECODER, animated=True)
    right.axhline(0.9, color="0.4", ls="--", lw=1)
    right.set(xticks=range(count), ylim=(0, 1.02), xlabel="class", ylabel="p(class | left image)")
    right.set_title("the classifier; dashed: sure", fontsize=10)

    @torch.no_grad()
    def draw(t):
        image = decode(torch.lerp(start, end, t)[None])
        pictures[0].set_data(_paper(image))
        pictures[1].set_data(_paper(torch.lerp(ends[:1], ends[1:], t)))
        for bar, p in zip(bars, classifier(image).softmax(1)[0].tolist(), strict=True):
            bar.set_height(p)
        return figure

    slider = FloatSlider(
        0.5, min=0, max=1, step=0.01, description="from one code to the other, t", layout=_WIDE
    )
    alt = (
        "Left: the image decoded from a point on the way between two codes. Middle: the two images "
        "blended pixel by pixel. Right: bars of the classifier's probabilities for the left image."
    )
    return Panel(draw, {"t": slider}, alt, caption)


_WIDE = {"width": "520px"}  # a layout of its own for each slider: closing a panel closes it


def _paper(images):
    """Images (N, 1, H, W) side by side, ink on paper: uint8 (H, N * W, 3), quick to draw."""
    return np.repeat(pixels.to_array(pixels.tile(images, len(images)))[..., None], 3, axis=2)
