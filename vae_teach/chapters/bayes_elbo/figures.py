"""Stills of chapter 03: Bayes' rule, the cost of its integral, and bounds on it."""

import numpy as np
from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, ENCODER, KL, POSTERIOR, PRIOR, tint
from vae_teach.pictures.images import show_ink
from vae_teach.pictures.picture import PLATE, Picture

YEAR = 365.25 * 24 * 3600  # seconds


def sum_beside_integral(states, masses, z, densities, alt, caption=""):
    """Prior and posterior over a few states as bars, and over all z as curves.

    Args:
        states: K names.
        masses: (prior, posterior), each (K,), summing to 1.
        z: (G,) grid.
        densities: (prior, posterior), each (G,).
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(8.5, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    at = np.arange(len(states))
    left.bar(
        at - 0.2, np.asarray(masses[0]), 0.38, color=PRIOR, hatch="//", ec="white", label="prior"
    )
    left.bar(at + 0.2, np.asarray(masses[1]), 0.38, color=POSTERIOR, label="posterior")
    left.set_xticks(at, states)
    left.set(ylabel="probability", title="discrete z: a sum", ylim=(0, 1))
    right.plot(z, densities[0], "--", color=PRIOR, lw=2, label="prior p(z)")
    right.plot(z, densities[1], "-", color=POSTERIOR, lw=2, label="posterior p(z|x)")
    right.set(xlabel="z", ylabel="density", title="real z: an integral", xlim=(-4, 4), ylim=(0, 1))
    for axes in (left, right):
        axes.legend(loc="upper left")
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    return Picture(figure, alt, caption)


def grid_cost(dimensions, seconds, side, alt, caption="", upto=14):
    """Measured time of a grid against dimension, and the line that side**d predicts beyond.

    Args:
        dimensions: list of d that were measured.
        seconds: list of their times.
        side: grid points a side.
        alt: alternative text.
        caption: shown below.
        upto: the last dimension of the prediction.
    """
    figure = Figure(figsize=(7, 3.3), layout="constrained")
    axes = figure.add_subplot()
    last = dimensions[-1]
    beyond = np.arange(last, upto + 1)
    axes.semilogy(
        beyond, seconds[-1] * float(side) ** (beyond - last), "--", color=DECODER,
        label=f"each dimension costs {side} times more",
    )  # fmt: skip
    axes.semilogy(dimensions, seconds, "o", color=DECODER, ms=7, label="measured")
    for height, name in (
        (1, "a second"),
        (86400, "a day"),
        (YEAR, "a year"),
        (1e3 * YEAR, "1,000 years"),
    ):
        axes.axhline(height, color="0.6", lw=0.8)
        axes.text(0.6, height * 1.25, name, va="bottom", ha="left", color="0.35", fontsize=9)
    axes.set(xlabel="dimensions of z", ylabel="seconds", xlim=(0.4, upto + 0.5))
    axes.set_ylim(1e-5, 1e15)
    axes.set_xticks(range(1, upto + 1))
    axes.legend(loc="lower right")
    return Picture(figure, alt, caption)


def estimates(dimensions, errors, alt, caption=""):
    """Repeated estimates of log p(x) against dimension, one panel an estimator.

    Args:
        dimensions: list of D numbers.
        errors: dict of name -> (D, R) estimates minus truth, in nats.
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(8.5, 3.2), layout="constrained")
    panels = figure.subplots(1, len(errors), sharey=True)
    for axes, (name, values), colour in zip(panels, errors.items(), (PRIOR, ENCODER), strict=True):
        values = np.asarray(values)
        across = np.broadcast_to(np.asarray(dimensions)[:, None], values.shape)
        axes.plot(across.ravel(), values.ravel(), "o", color=colour, alpha=0.4, ms=5)
        axes.axhline(0, color="black", lw=1.2)
        axes.set(xlabel="dimensions of z", title=name)
        axes.set_xticks(dimensions)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("estimate − truth, nats")
    panels[0].text(dimensions[-1], 0.5, "truth", va="bottom", ha="right", fontsize=9)
    return Picture(figure, alt, caption)


def prior_draws(points, log_density, draws, inside, image, alt, caption=""):
    """An image, its true posterior over two latent dimensions, and draws from the prior as dots.

    Args:
        points: (G,) as `evaluation.posterior_on_grid` returns them.
        log_density: (G, G), the image's.
        draws: (N, 2) codes.
        inside: (N,) bool, the draws to be shown as hits.
        image: (C, H, W).
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    left, axes = figure.subplots(1, 2, width_ratios=(1, 2))
    show_ink(left, image)
    left.set_title("image x")
    extent = (float(points[0]), float(points[-1])) * 2
    axes.scatter(*draws[~inside].t(), s=4, color=PRIOR, zorder=4, label="draws from the prior")
    axes.scatter(*draws[inside].t(), s=8, color="black", zorder=5, label="those that hit")
    peak = log_density.max()
    axes.contourf(
        points, points, log_density - peak, levels=[-8, -4.5, -2, -0.5, 0], zorder=3,
        colors=[tint(POSTERIOR, share) for share in (0.28, 0.57, 0.83, 1)],
    )  # fmt: skip
    axes.plot([], [], "s", color=POSTERIOR, label="posterior p(z|x)")
    axes.set(xlim=extent[:2], ylim=extent[2:], xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    figure.legend(loc="lower left", fontsize=9, markerscale=1.5)
    return Picture(figure, alt, caption)


def jensen(weights, alt, caption=""):
    """The logarithm over draws of a positive number: the mean of logs lies below the log of the mean.

    Args:
        weights: (N,) positive numbers; the first 200 are drawn.
        alt: alternative text.
        caption: shown below, and after it which share of all the weights lies outside the frame.
    """
    w = np.asarray(weights)
    mean, low = w.mean(), np.log(w).mean()
    figure = Figure(figsize=(6.5, 3.4), layout="constrained")
    axes = figure.add_subplot()
    right = 3 * mean
    bottom = low - 1.5 * (np.log(mean) - low)
    axis = np.linspace(np.exp(bottom), right, 400)
    axes.plot(axis, np.log(axis), color="black", lw=1.5, label="log w")
    shown = w[:200]
    axes.plot(shown, np.log(shown), "o", ms=4, alpha=0.35, color=ENCODER, label="draws, z ~ q")
    axes.plot([mean, mean], [low, np.log(mean)], color=KL, lw=3, label="the gap, KL(q‖p(z|x))")
    axes.plot(mean, np.log(mean), "D", color=POSTERIOR, ms=8, label="log of the mean: log p(x)")
    axes.plot(mean, low, "s", color=ENCODER, ms=8, label="mean of the logs: ELBO")
    axes.set(xlabel="w = p(x, z) / q(z)", ylabel="nats", xlim=(0, right))
    axes.set_ylim(bottom, np.log(right) + 0.3)
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    below, beyond = (np.log(w) < bottom).mean(), (w > right).mean()
    outside = f"Of all draws {below:.1%} lie below the frame, {beyond:.1%} right of it."
    return Picture(figure, alt, f"{caption} {outside}")


def bound_and_truth(parameter, bound, truth, marks, xlabel, alt, caption=""):
    """log p(x) and the ELBO over one of the model's parameters, the gap between them shaded.

    Args:
        parameter: (N,) values.
        bound: (N,) ELBO, nats.
        truth: (N,) log p(x), nats.
        marks: dict of name -> parameter value, drawn as vertical lines.
        xlabel: the parameter's name.
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(7, 3.3), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(
        parameter, bound, truth, color=KL, alpha=0.18, lw=0, label="gap, KL(q‖p(z|x))"
    )
    axes.plot(parameter, truth, "-", color=POSTERIOR, lw=2, label="log p(x)")
    axes.plot(parameter, bound, "--", color=ENCODER, lw=2, label="ELBO, q held fixed")
    top = float(np.max(np.asarray(truth)))
    for name, value in marks.items():
        axes.axvline(value, color="0.4", lw=1, ls=":")
        axes.text(value, top + 0.06, name, ha="center", va="bottom", fontsize=9, bbox=PLATE)
    axes.set(xlabel=xlabel, ylabel="nats")
    axes.set_ylim(float(np.min(np.asarray(bound))) - 0.05, top + 0.3)
    axes.legend(loc="lower right", fontsize=9)
    axes.grid(alpha=0.3)
    return Picture(figure, alt, caption)
