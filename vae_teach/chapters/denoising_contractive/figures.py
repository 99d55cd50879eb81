"""Pictures of a plane: arrows over a density, and clouds of points."""

import torch
from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, POSTERIOR, PRIOR
from vae_teach.pictures.picture import Picture

# Of the first, second, ... field in a panel: the later ones are thinner and lie on top.
_ARROWS = (
    {"color": DECODER, "width": 0.01, "headwidth": 3.2, "headlength": 3.4, "headaxislength": 3.2},
    {"color": POSTERIOR, "width": 0.0035, "headwidth": 5, "headlength": 6, "headaxislength": 5.5},
)


def lattice(extent, columns):
    """Points of a regular grid inside a rectangle, (rows * columns, 2) float64.

    Args:
        extent: (left, right, bottom, top).
        columns: points across; the rows keep the same spacing.
    """
    left, right, bottom, top = extent
    step = (right - left) / columns
    rows = round((top - bottom) / step)
    across = left + step * (torch.arange(columns, dtype=torch.double) + 0.5)
    up = bottom + (top - bottom) * (torch.arange(rows, dtype=torch.double) + 0.5) / rows
    return torch.stack([across.repeat(rows), up.repeat_interleave(columns)], dim=1)


def density_map(log_density, extent, columns=120):
    """A density on a grid, (rows, columns) float64, the first row at the bottom.

    Args:
        log_density: points (N, 2) -> (N,) in nats.
        extent: (left, right, bottom, top).
        columns: grid points across.
    """
    return log_density(lattice(extent, columns)).exp().reshape(-1, columns)


def vector_fields(panels, points, extent, alt, caption="", length=1.0, width=9.0):
    """Arrows at a grid of points, over a density in grey, one panel beside the other.

    Args:
        panels: dict of title -> (log_density, fields): log_density maps points (N, 2) to (N,); fields
            is a dict of name -> arrows (N, 2), at most two (orange and thick, then purple and thin).
        points: (N, 2), where the arrows start.
        extent: (left, right, bottom, top).
        alt: alternative text.
        caption: shown below.
        length: of an arrow on the page, in its own true length.
        width: inches.

    Returns:
        Picture with one legend for all panels.
    """
    left, right, bottom, top = extent
    size = width / len(panels)
    figure = Figure(
        figsize=(width, size * (top - bottom) / (right - left) + 0.9), layout="constrained"
    )
    for axes, (title, (log_density, fields)) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        show_density(axes, density_map(log_density, extent), extent)
        handles = [
            axes.quiver(
                *points.t().numpy(), *arrows.detach().t().numpy(), angles="xy", scale_units="xy",
                scale=1 / length, label=name, **style,
            )
            for (name, arrows), style in zip(fields.items(), _ARROWS, strict=False)
        ]  # fmt: skip
        axes.set(title=title, xlabel="$x_1$", ylabel="$x_2$")
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return Picture(figure, alt, caption)


def clouds(panels, log_density, extent, alt, caption="", width=9.0):
    """Clouds of points over one density in grey, one panel beside the other.

    Args:
        panels: dict of title -> points (N, 2).
        log_density: points (N, 2) -> (N,).
        extent: (left, right, bottom, top).
        alt: alternative text.
        caption: shown below.
        width: inches.
    """
    left, right, bottom, top = extent
    size = width / len(panels)
    figure = Figure(
        figsize=(width, size * (top - bottom) / (right - left) + 0.5), layout="constrained"
    )
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    density = density_map(log_density, extent)
    for axes, (title, points) in zip(grid, panels.items(), strict=True):
        show_density(axes, density, extent)
        axes.scatter(*points.detach().t().numpy(), s=3, color=POSTERIOR, alpha=0.6, lw=0)
        axes.set(title=title, xlabel="$x_1$")
    grid[0].set(ylabel="$x_2$")
    return Picture(figure, alt, caption)


def show_density(axes, density, extent, **settings):
    """Draw a density (rows, columns) in grey, darkest where it is highest; return the image."""
    image = axes.imshow(
        density.numpy(), cmap="Greys", origin="lower", extent=extent, interpolation="bilinear",
        vmin=0, vmax=1.8 * density.max(), **settings,
    )  # fmt: skip
    left, right, bottom, top = extent
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", facecolor="white")
    axes.tick_params(colors=PRIOR)
    return image
