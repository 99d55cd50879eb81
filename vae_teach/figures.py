"""Floor 5: still pictures. One function, one picture, always with alternative text.

Every function returns a `Picture`, which a notebook shows by itself. None touches pyplot, so none
can close or draw into somebody else's figure.
"""

import base64
import html
import io

import torch
from matplotlib.collections import EllipseCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from PIL import Image
from torchvision.utils import make_grid

# One colour an object, the same in every chapter (from the colour-blind-safe set of Petroff 2021).
PRIOR, ENCODER, POSTERIOR, DECODER, KL = "#717581", "#3f90da", "#832db6", "#e76300", "#bd1f01"
LABELS = (  # of the ten digits; a digit is always named beside its colour (Tol 2021, adapted)
    *("#332288", "#0072b2", "#117733", "#882255", "#7a7a1f"),
    *("#c2475c", "#aa4499", "#c65200", "#1b8a7a", "#666666"),
)


class Picture:
    """A drawn figure with alternative text and a caption.

    Attributes:
        figure: the matplotlib Figure.
        alt: what a reader who cannot see it needs to know.
        caption: data and settings, shown below.
    """

    def __init__(self, figure, alt, caption=""):
        self.figure, self.alt, self.caption = figure, alt, caption

    def png(self):
        """The picture as PNG bytes, in 128 colours to keep notebooks small."""
        drawn, small = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=100, facecolor="white")
        Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
            small, format="png", optimize=True
        )
        return small.getvalue()

    def _repr_html_(self):
        data = base64.b64encode(self.png()).decode()
        alt, caption = html.escape(self.alt), html.escape(self.caption)
        return (
            f'<figure style="margin:0"><img style="max-width:100%" alt="{alt}" '
            f'src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
        )

    def __repr__(self):
        """The alternative text, for readers of a notebook without pictures."""
        return f"[picture: {self.alt}]"


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
        _show(axes, strip)
        figure.text(
            (label - 0.12) / width, 1 - (r + 0.5) / len(rows), name, ha="right", va="center"
        )
    return Picture(figure, alt, caption)


def image_grid(images, columns, alt, caption="", size=0.42):
    """Images (N, 1, H, W) as a grid with the given number of columns, `size` inches each."""
    grid = make_grid(images.detach().cpu(), nrow=columns, padding=1, pad_value=0.12)[0]
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(size * columns, size * rows))
    _show(figure.add_axes((0, 0, 1, 1)), grid)
    return Picture(figure, alt, caption)


def manifold(model, alt, caption="", side=16, size=0.36, extent=2.2):
    """What a 2-D model draws at a square grid of codes, z from -extent to extent each way.

    Args:
        model: latent_dim 2.
        alt: alternative text.
        caption: shown below.
        side: images a side.
        size: inches an image.
        extent: the outermost codes, in prior standard deviations.

    Returns:
        Picture; z1 grows to the right and z2 upwards.
    """
    across = torch.linspace(-extent, extent, side)
    z = torch.stack([across.repeat(side), across.flip(0).repeat_interleave(side)], dim=1)
    with torch.no_grad():
        images = model.decode(z).mean.cpu()[:, 0]  # (side², H, W)
    height, width = images.shape[1:]
    canvas = images.reshape(side, side, height, width).transpose(1, 2).reshape(side * height, -1)
    figure = Figure(figsize=(size * side + 0.7, size * side + 0.5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(1 - canvas, cmap="gray", vmin=0, vmax=1, extent=(-extent, extent) * 2)
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
    return Picture(figure, alt, caption)


def curves(history, alt, caption=""):
    """Reconstruction and KL of a `History` over epochs, each on its own axes."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(history.seconds) + 1)
    signs = {"reconstruction": -1, "kl": 1}
    for axes, name, colour in ((left, "reconstruction", DECODER), (right, "kl", KL)):
        for part, style in (("train", "--"), ("validation", "-")):
            values = [signs[name] * v for v in getattr(history, part).get(name, [])]
            if values:
                axes.plot(epochs, values, style, color=colour, marker="o", ms=3, label=part)
        axes.set(xlabel="epoch", ylabel="nats an image")
        axes.grid(alpha=0.3)
        axes.legend()
    left.set_title("reconstruction term  $-E_q[\\log p(x|z)]$")
    right.set_title("KL term  $KL(q(z|x)\\,\\|\\,p(z))$")
    return Picture(figure, alt, caption)


def bubbles(panels, labels, alt, caption="", extent=None):
    """Each q(z|x) of a 2-D model as the ellipse of one standard deviation.

    Args:
        panels: dict of title -> Independent Normal with batch (B,) and event (2,).
        labels: int64 (B,); they give the colours, named in a legend and, where there is room, at
            each label's median.
        alt: alternative text.
        caption: shown below.
        extent: axes from -extent to extent, one for all panels, or a sequence of one a panel;
            None fits each panel to 98 % of its means, and to the circles at least.

    Returns:
        Picture, with the prior's circles of one and two standard deviations in grey.
    """
    figure = Figure(figsize=(4.5 * len(panels), 4.6), layout="constrained")
    extents = extent if isinstance(extent, (tuple, list)) else [extent] * len(panels)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, q), limit in zip(grid, panels.items(), extents, strict=True):
        mean, scale = q.base_dist.loc.detach().cpu(), q.base_dist.scale.detach().cpu()
        colours = [LABELS[y % 10] for y in labels.tolist()]
        widths, heights = (2 * scale.t()).numpy()
        ellipses = EllipseCollection(
            widths, heights, 0 * widths, units="xy", offsets=mean.numpy(), alpha=0.35,
            facecolors=colours, offset_transform=axes.transData,
        )  # fmt: skip
        axes.add_collection(ellipses)
        axes.scatter(*mean.t(), s=2, c=colours)
        _prior_circles(axes)
        limit = limit or max(2.2, 1.1 * mean.abs().amax(1).quantile(0.98).item())
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$z_1$", ylabel="$z_2$")
        axes.set(title=title, aspect="equal")
        placed = []  # names of the digits at their medians, where there is room
        for y in labels.unique().tolist():
            spot = mean[labels == y].median(0).values
            if all((spot - other).norm() > 0.1 * limit for other in placed):
                axes.text(
                    *spot.tolist(), str(y), weight="bold", ha="center", va="center", bbox=_PLATE
                )
                placed.append(spot)
    names = labels.unique().tolist()
    marks = [Line2D([], [], marker="o", ls="", color=LABELS[y % 10], label=str(y)) for y in names]
    figure.legend(handles=marks, loc="outside right center", handletextpad=0.1)
    return Picture(figure, alt, caption)


def posteriors(points, log_density, q, images, alt, caption="", titles=None):
    """The true posterior of a few images as a purple map, the encoder's ellipse in blue over it.

    Args:
        points: as `evaluation.posterior_on_grid` returns them.
        log_density: likewise.
        q: the encoder's Independent Normal, batch (B,), event (2,).
        images: (B, 1, H, W), drawn in a corner.
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
        _show(above, images[i, 0])
        above.set_title(titles[i] if titles else "", fontsize=10)
        mean, scale = q.base_dist.loc[i].tolist(), q.base_dist.scale[i].tolist()
        mass = log_density[i].exp().cpu()
        for width, style in ((1, "-"), (2, "--")):
            size = [2 * width * s for s in scale]
            axes.add_patch(Ellipse(mean, *size, fill=False, ec=ENCODER, ls=style, lw=1.8))
        (x_low, x_high), (y_low, y_high) = _window(points, mass, mean, scale)
        axes.imshow(
            mass,
            cmap="Purples",
            norm=PowerNorm(0.5, vmin=0),  # a small second mode stays visible
            origin="lower",
            interpolation="bilinear",
            extent=(points[0], points[-1]) * 2,
        )
        axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high), aspect="equal")
        axes.set(xlabel="$z_1$", ylabel="$z_2$" if i == 0 else "")
    return Picture(figure, alt, caption)


def lines(x, ys, alt, caption="", xlabel="", ylabel="", colours=None):
    """Curves over one axis, each with a name and its own dash.

    Args:
        x: (N,) values.
        ys: dict of name -> (N,) values.
        alt: alternative text.
        caption: shown below.
        xlabel: with its unit.
        ylabel: with its unit.
        colours: one a curve, or None.
    """
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    dashes = ("-", "--", ":", "-.")
    for i, (name, y) in enumerate(ys.items()):
        axes.plot(x, y, dashes[i % 4], color=colours[i] if colours else LABELS[i], label=name, lw=2)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.legend()
    return Picture(figure, alt, caption)


_PLATE = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}


def _framed(image):
    """One image (1, H, W) with a thin light frame, (H + 2, W + 2)."""
    return torch.nn.functional.pad(image[0], (1, 1, 1, 1), value=0.12)


def _show(axes, ink):
    axes.imshow(1 - ink, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _prior_circles(axes):
    for radius in (1, 2):
        axes.add_patch(
            Ellipse((0, 0), 2 * radius, 2 * radius, fill=False, ec=PRIOR, lw=1.2, ls="--")
        )


def _window(points, mass, mean, scale):
    """Square axes limits that hold the posterior's mass and the encoder's ellipse."""
    low, high = [], []
    for axis, marginal in enumerate((mass.sum(0), mass.sum(1))):
        inside = points[marginal > 1e-4 * marginal.max()].cpu()
        low.append(min(inside.min().item(), mean[axis] - 2.5 * scale[axis]))
        high.append(max(inside.max().item(), mean[axis] + 2.5 * scale[axis]))
    half = 0.55 * max(high[0] - low[0], high[1] - low[1])
    return [((a + b) / 2 - half, (a + b) / 2 + half) for a, b in zip(low, high, strict=True)]
