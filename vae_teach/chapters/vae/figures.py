"""Pictures of a 2-D latent space: what the encoder says, and what is true."""

from matplotlib.collections import EllipseCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse

from vae_teach import labels as labelling
from vae_teach.pictures.colours import ENCODER, LABELS
from vae_teach.pictures.images import show_ink
from vae_teach.pictures.mixtures import prior_ellipses
from vae_teach.pictures.picture import PLATE, Picture


def bubbles(panels, labels, alt, caption="", extent=None):
    """Each q(z|x) of a 2-D model as the ellipse of one standard deviation.

    Args:
        panels: dict of title -> Independent Normal with batch (B,) and event (2,).
        labels: (B,) whole numbers; they give the colours, named in a legend and, where there is room, at
            each label's median.
        alt: alternative text.
        caption: shown below.
        extent: axes from -extent to extent, one for all panels, or a sequence of one a panel;
            None fits each panel to 98 % of its means, and to the circles at least.

    Returns:
        Picture, with the prior's circles of one and two standard deviations in grey. Its caption ends
        with the number of means outside each frame, where there are any.
    """
    count = len(next(iter(panels.values())).mean)
    labels = labelling.checked(labels, count, of="codes", most=len(LABELS) - 1).cpu()
    figure = Figure(figsize=(4.5 * len(panels), 4.6), layout="constrained")
    extents = extent if isinstance(extent, (tuple, list)) else [extent] * len(panels)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    outside = []
    for axes, (title, q), limit in zip(grid, panels.items(), extents, strict=True):
        mean, scale = q.mean.detach().cpu(), q.stddev.detach().cpu()
        colours = [LABELS[y] for y in labels.tolist()]
        widths, heights = (2 * scale.t()).numpy()
        ellipses = EllipseCollection(
            widths, heights, 0 * widths, units="xy", offsets=mean.numpy(), alpha=0.35,
            facecolors=colours, offset_transform=axes.transData,
        )  # fmt: skip
        axes.add_collection(ellipses)
        axes.scatter(*mean.t(), s=2, c=colours)
        prior_ellipses(axes)
        limit = limit or max(2.2, 1.1 * mean.abs().amax(1).quantile(0.98).item())
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$z_1$", ylabel="$z_2$")
        axes.set(title=title, aspect="equal")
        outside.append((mean.abs().amax(1) > limit).sum().item())
        placed = []  # names of the digits at their medians, where there is room
        for y in labels.unique().tolist():
            spot = mean[labels == y].median(0).values
            if all((spot - other).norm() > 0.1 * limit for other in placed):
                axes.text(
                    *spot.tolist(), str(y), weight="bold", ha="center", va="center", bbox=PLATE
                )
                placed.append(spot)
    names = labels.unique().tolist()
    marks = [Line2D([], [], marker="o", ls="", color=LABELS[y], label=str(y)) for y in names]
    figure.legend(handles=marks, loc="outside right center", handletextpad=0.1)
    if any(outside):
        caption += f" Codes outside the frames, from the left: {', '.join(map(str, outside))}."
    return Picture(figure, alt, caption.strip())


def posteriors(points, log_density, q, images, alt, caption="", titles=None):
    """The true posterior of a few images as a purple map, the encoder's ellipse in blue over it.

    Args:
        points: as `evaluation.posterior_on_grid` returns them.
        log_density: likewise.
        q: the encoder's Independent Normal, batch (B,), event (2,).
        images: (B, C, H, W), drawn above.
        alt: alternative text.
        caption: shown below.
        titles: one line an image, or None.

    Returns:
        Picture; ellipses of one and two standard deviations.
    """
    count = len(images)
    figure = Figure(figsize=(3.1 * count, 4.2), layout="constrained")
    grid = figure.subplots(2, count, squeeze=False, height_ratios=(1, 3.4))
    for i, (above, axes) in enumerate(grid.T):
        show_ink(above, images[i])
        above.set_title(titles[i] if titles else "", fontsize=10)
        mean, scale = q.mean[i].tolist(), q.stddev[i].tolist()
        mass = log_density[i].exp().cpu()
        for width, style in ((1, "-"), (2, "--")):
            size = [2 * width * s for s in scale]
            axes.add_patch(Ellipse(mean, *size, fill=False, ec=ENCODER, ls=style, lw=1.8))
        (x_low, x_high), (y_low, y_high) = _window(points, mass, mean, scale)
        axes.imshow(
            mass.numpy(),
            cmap="Purples",
            norm=PowerNorm(0.5, vmin=0),  # a small second mode stays visible
            origin="lower",
            interpolation="bilinear",
            extent=points[[0, -1]].tolist() * 2,
        )
        axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high), aspect="equal")
        axes.set(xlabel="$z_1$", ylabel="$z_2$" if i == 0 else "")
    return Picture(figure, alt, caption)


def _window(points, mass, mean, scale):
    """Square axes limits that hold the posterior's mass and the encoder's ellipse."""
    low, high = [], []
    for axis, marginal in enumerate((mass.sum(0), mass.sum(1))):
        inside = points[marginal > 1e-4 * marginal.max()].cpu()
        low.append(min(inside.min().item(), mean[axis] - 2.5 * scale[axis]))
        high.append(max(inside.max().item(), mean[axis] + 2.5 * scale[axis]))
    half = 0.55 * max(high[0] - low[0], high[1] - low[1])
    return [((a + b) / 2 - half, (a + b) / 2 + half) for a, b in zip(low, high, strict=True)]
