"""Pictures made of images: rows, grids, and what a decoder draws over a plane of codes."""

import torch
from matplotlib.figure import Figure
from torchvision.utils import make_grid

from vae_teach import checks
from vae_teach.pictures import drawable
from vae_teach.pictures.picture import Picture
from vae_teach.pictures.pixels import mean_images, tile, to_array

FRAME = 0.12  # ink


def image_rows(rows, alt, caption="", width=9.0):
    """Rows of images, each with a name.

    Args:
        rows: dict of row name -> images (N, C, H, W) in [0, 1], the same N in every row, of 1 or 3 channels.
        alt: alternative text.
        caption: shown below.
        width: inches.

    Returns:
        Picture with ink dark on white, on the fixed scale 0..1; three channels are red, green, blue.

    Raises:
        TypeError, ValueError: rows of no such images, or of another number.
    """
    columns = check_rows(rows)
    label = 0.0 if list(rows) == [""] else 1.5
    size = (width - label) / columns
    figure = Figure(figsize=(width, size * len(rows)))
    for r, (name, images) in enumerate(rows.items()):
        strip = tile(torch.nn.functional.pad(_drawn(images), (1, 1, 1, 1), value=FRAME), columns)
        axes = figure.add_axes(
            (label / width, 1 - (r + 1) / len(rows), 1 - label / width, 1 / len(rows))
        )
        show_ink(axes, strip)
        figure.text(
            (label - 0.12) / width, 1 - (r + 0.5) / len(rows), name, ha="right", va="center"
        )
    return Picture(figure, alt, caption)


def image_grid(images, columns, alt, caption="", size=0.42):
    """Images (N, C, H, W) in [0, 1] as a grid with the given number of columns, `size` inches each.

    Raises:
        TypeError, ValueError: no such images, of 1 or 3 channels, or columns below 1.
    """
    drawable.check_images(images)
    checks.positive_int(columns, "columns")
    grid = make_grid(_drawn(images), nrow=columns, padding=1, pad_value=FRAME)[: images.shape[1]]
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

    Raises:
        TypeError, ValueError: another latent_dim, side below 1, or extent not above 0.
    """
    drawable.check_plane(model)
    checks.positive_int(side, "side")
    checks.positive(extent, "extent")
    across = torch.linspace(-extent, extent, side)
    z = torch.stack([across.repeat(side), across.flip(0).repeat_interleave(side)], dim=1)
    canvas = to_array(tile(mean_images(model, z), side))
    figure = Figure(figsize=(size * side + 0.7, size * side + 0.5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, extent=(-extent, extent) * 2)
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
    return Picture(figure, alt, caption)


def check_rows(rows):
    """The number of images in each row of a dict of name -> images (N, C, H, W) in [0, 1].

    Raises:
        TypeError, ValueError: no such rows, of the same number of images with 1 or 3 channels.
    """
    if not isinstance(rows, dict) or not rows:
        raise TypeError(f"rows is {rows!r:.60}, a dict of row name -> images is needed.")
    first = next(iter(rows.values()))
    for name, images in rows.items():
        drawable.check_images(images, f"rows[{name!r}]")
        if len(images) != len(first):
            raise ValueError(
                f"rows[{name!r}] holds {len(images)} images, the first row {len(first)}: the same number "
                "is needed in every row."
            )
    return len(first)


def _drawn(images):
    return images.detach().cpu().float()


def show_ink(axes, image):
    """Draw one image (C, H, W), ink dark on white on the fixed scale 0..1, without ticks."""
    axes.imshow(to_array(image), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
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

    Raises:
        TypeError, ValueError: rows of something else.
    """
    _check_signed(rows)
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


def _check_signed(rows):
    shapes = [tuple(getattr(images, "shape", ())) for images in rows.values()]
    for (name, images), shape in zip(rows.items(), shapes, strict=True):
        if not isinstance(images, torch.Tensor):
            raise TypeError(
                f"rows[{name!r}] is {checks.kind(images)}, a tensor (N, H, W) is needed."
            )
        if len(shape) != 3 or len(images) != shapes[0][0]:
            raise ValueError(
                f"rows[{name!r}] has shape {shape}, (N, H, W) is needed, with the same N in every row."
            )
        checks.finite(images, f"rows[{name!r}]")
