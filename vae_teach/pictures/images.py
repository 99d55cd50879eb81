"""Pictures made of images: rows, grids, and what a decoder draws over a plane of codes."""

import torch
from matplotlib.figure import Figure
from torchvision.utils import make_grid

from vae_teach.pictures.picture import Picture
from vae_teach.pictures.pixels import mean_images


def image_rows(rows, alt, caption="", width=9.0):
    """Rows of images, each with a name.

    Args:
        rows: dict of row name -> images (N, 1, H, W) in [0, 1], the same N in every row.
        alt: alternative text.
        caption: shown below.
        width: inches.

    Returns:
        Picture with ink dark on white, on the fixed scale 0..1.
    """
    columns = max(len(images) for images in rows.values())
    label = 0.0 if list(rows) == [""] else 1.5
    size = (width - label) / columns
    figure = Figure(figsize=(width, size * len(rows)))
    for r, (name, images) in enumerate(rows.items()):
        strip = torch.cat([_framed(image) for image in images.detach().cpu()], dim=1)
        axes = figure.add_axes(
            (label / width, 1 - (r + 1) / len(rows), 1 - label / width, 1 / len(rows))
        )
        show_ink(axes, strip)
        figure.text(
            (label - 0.12) / width, 1 - (r + 0.5) / len(rows), name, ha="right", va="center"
        )
    return Picture(figure, alt, caption)


def image_grid(images, columns, alt, caption="", size=0.42):
    """Images (N, 1, H, W) as a grid with the given number of columns, `size` inches each."""
    grid = make_grid(images.detach().cpu(), nrow=columns, padding=1, pad_value=0.12)[0]
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(size * columns, size * rows))
    show_ink(figure.add_axes((0, 0, 1, 1)), grid)
    return Picture(figure, alt, caption)


def manifold(model, alt, caption="", side=16, size=0.36, extent=2.2):
    """What a 2-D model draws at a square grid of codes, z from -extent to extent each way.

    Args:
        model: a VAE or an Autoencoder of latent_dim 2, or a learner's own module.
        alt: alternative text.
        caption: shown below.
        side: images a side.
        size: inches an image.
        extent: the outermost codes; a standard normal prior has 95 % of its mass within 2.45.

    Returns:
        Picture; z1 grows to the right and z2 upwards.
    """
    across = torch.linspace(-extent, extent, side)
    z = torch.stack([across.repeat(side), across.flip(0).repeat_interleave(side)], dim=1)
    images = mean_images(model, z)[:, 0]  # (side², H, W)
    height, width = images.shape[1:]
    canvas = images.reshape(side, side, height, width).transpose(1, 2).reshape(side * height, -1)
    figure = Figure(figsize=(size * side + 0.7, size * side + 0.5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow((1 - canvas).numpy(), cmap="gray", vmin=0, vmax=1, extent=(-extent, extent) * 2)
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
    return Picture(figure, alt, caption)


def _framed(image):
    """One image (1, H, W) with a thin light frame, (H + 2, W + 2)."""
    return torch.nn.functional.pad(image[0], (1, 1, 1, 1), value=0.12)


def show_ink(axes, ink):
    """Draw one image (H, W), ink dark on white on the fixed scale 0..1, without ticks."""
    axes.imshow((1 - ink).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def components(rows, alt, caption="", width=7.5):
    """Rows of signed images, each on a scale of its own: orange above zero, purple below.

    Args:
        rows: dict of row name -> (N, H, W), the same N in every row.
        alt: alternative text.
        caption: shown below.
        width: inches.
    """
    columns = max(len(images) for images in rows.values())
    size = (width - 1.8) / columns
    figure = Figure(figsize=(width, size * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(line, images.detach().cpu(), strict=True):
            reach = image.abs().max().item()
            axes.imshow(image.numpy(), cmap="PuOr_r", vmin=-reach, vmax=reach)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    return Picture(figure, alt, caption)
