"""Stills of chapter 07: the staircase of EM, climbs side by side, gaps, and posteriors of a curve."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, ENCODER, LABELS, POSTERIOR, PRIOR
from vae_teach.pictures.mixtures import COMPONENTS, MARKERS, ellipse, stairs, window
from vae_teach.pictures.picture import Picture

_WAYS = ((LABELS[0], "o"), (LABELS[8], "s"), (LABELS[3], "^"), (DECODER, "D"))


def clusters(x, labels, names, responsibilities, means, covariances, alt, caption=""):
    """Points by their known label, and beside them by their responsibilities, with the ellipses.

    Args:
        x: (N, 2).
        labels: (N,) known classes, shown on the left only.
        names: the classes, each drawn as its own character.
        responsibilities: (N, 3).
        means: (3, 2).
        covariances: (3, 2, 2).
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(9, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    x, labels, r = np.asarray(x), np.asarray(labels), np.asarray(responsibilities)
    for name in names:
        at = x[labels == name]
        left.plot(*at.T, ls="none", marker=f"${name}$", ms=6, color="0.25", mew=0.2)
    left.set_title("digits, which EM never sees")
    winner = r.argmax(1)
    for k, marker in enumerate(MARKERS):
        rows = winner == k
        right.scatter(*x[rows].T, s=14, marker=marker, c=(r[rows] @ COMPONENTS).clip(0, 1), lw=0)
        right.plot(*ellipse(means[k], covariances[k]), color=COMPONENTS[k], lw=2)
    right.set_title("components it found")
    for axes in (left, right):
        axes.set(xlabel="first principal coordinate")
        axes.grid(alpha=0.3)
    left.set_ylabel("second")
    return Picture(figure, alt, caption)


def staircase(names, log_p, bound, alt, caption=""):
    """log p(x) and the ELBO after every half step, the gap between them drawn as a bar.

    Args:
        names: "start", "E", "M", "E", ...
        log_p: mean log p(x) after each, nats a point.
        bound: mean ELBO after each.
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(8.5, 3.7), layout="constrained")
    stairs(figure.add_subplot(), names, log_p, bound)
    return Picture(figure, alt, caption)


def climbs(runs, alt, caption="", lowest=None):
    """log p(x) and ELBO of several ways up, against steps and against seconds.

    Args:
        runs: dict of name -> (S, 3): seconds so far, log p(x), ELBO after each step.
        alt: alternative text.
        caption: shown below.
        lowest: where the vertical axis begins, nats a point.
    """
    figure = Figure(figsize=(9, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for (name, run), (colour, marker) in zip(runs.items(), _WAYS, strict=False):
        run = np.asarray(run)
        marks = np.unique(np.geomspace(1, len(run), 8).astype(int)) - 1
        for axes, across in ((left, np.arange(1, len(run) + 1)), (right, run[:, 0])):
            style = {"color": colour, "marker": marker, "ms": 5, "markevery": marks.tolist()}
            axes.plot(across, run[:, 1], "-", lw=1.8, label=name, **style)
            axes.plot(across, run[:, 2], "--", lw=1.2, color=colour)
    for axes, label in ((left, "steps"), (right, "seconds")):
        axes.set(xscale="log", xlabel=label)
        axes.grid(alpha=0.3)
    left.set_ylabel("nats a point")
    left.set_ylim(lowest, None)
    left.plot([], [], "k-", lw=1.8, label="log p(x)")
    left.plot([], [], "k--", lw=1.2, label="ELBO")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9
    )
    return Picture(figure, alt, caption)


def gap_map(x, panels, alt, caption=""):
    """KL(q(z|x) ‖ p(z|x)) over the plane of x, one map an encoder, with the data as dots.

    Args:
        x: (N, 2) data.
        panels: dict of title -> (G, G) nats, rows along the second coordinate; the maps span
            `window(x)`.
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(9, 3.9), layout="constrained")
    low, high = window(x)
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, gap) in zip(row, panels.items(), strict=True):
        image = axes.imshow(
            np.asarray(gap).clip(1e-4, 10), origin="lower", cmap="Reds", aspect="auto",
            extent=(low[0], high[0], low[1], high[1]), norm=LogNorm(1e-4, 10),
        )  # fmt: skip
        axes.plot(*np.asarray(x).T, ls="none", marker=".", ms=2, color="black")
        axes.set(title=title, xlabel="first principal coordinate")
    row[0].set_ylabel("second")
    figure.colorbar(image, ax=row, label="gap, nats")
    return Picture(figure, alt, caption)


def line_and_curve(z, decoders, observed, posteriors, gaussians, alt, caption=""):
    """Decoders of one latent dimension as paths in the plane, and the posteriors of one x.

    Args:
        z: (G,) grid.
        decoders: dict of name -> (G, 2), the mean of x at every z.
        observed: (2,), the x that was seen.
        posteriors: dict of the same names -> (G,) densities.
        gaussians: dict of the same names -> (G,) densities of the same mean and variance.
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    above = figure.subplots(1, 2 * len(decoders), width_ratios=(1, 1.35) * len(decoders))
    z = np.asarray(z)
    for i, (name, path) in enumerate(decoders.items()):
        plane, density = above[2 * i], above[2 * i + 1]
        path, inside = np.asarray(path), np.abs(z) <= 2.5
        plane.plot(*path[inside].T, color=DECODER, lw=2)
        for value in (-2, 0, 2):
            at = path[np.abs(z - value).argmin()]
            plane.plot(*at, "o", color=PRIOR, ms=4)
            plane.annotate(f"z={value}", at, (4, 5), textcoords="offset points", fontsize=8)
        plane.plot(*observed, "kX", ms=9)
        plane.set(title=name, xlabel="$x_1$", ylabel="$x_2$", xlim=(-3.2, 3.9), ylim=(-2.5, 4.5))
        density.plot(z, posteriors[name], color=POSTERIOR, lw=2, label="p(z|x)")
        density.plot(z, gaussians[name], "--", color=ENCODER, lw=1.8, label="Gaussian")
        density.set(xlabel="z", xlim=(-3, 3), ylim=(0, 1.75), yticks=[], title="posterior of ×")
        density.legend(fontsize=8, loc="upper right")
    return Picture(figure, alt, caption)
