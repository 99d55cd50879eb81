"""Panels: Bayes' rule with one latent dimension; one Gaussian for two bumps, in both directions of the KL."""

import numpy as np
from matplotlib.figure import Figure

from vae_teach.page.panel import Panel, wide_slider
from vae_teach.pictures.colours import DECODER, ENCODER, KL, POSTERIOR, PRIOR, tint
from vae_teach.pictures.picture import PLATE

MEANS, WIDTHS = np.linspace(-4, 4, 65), np.linspace(0.2, 3, 36)  # of the maps behind the dot
STEPS = np.array(
    [0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 1e6]
)  # nats above a map's minimum


def bayes_rule_panel(z, bayes, decoder, alt, caption=""):
    """Sliders for prior, noise and observation over the curves that follow from them.

    Args:
        z: (G,) grid of codes.
        bayes: called as bayes(prior_mean, prior_width, sigma, x); returns prior (G,), likelihood
            (G,), posterior (G,) and the evidence p(x).
        decoder: codes (G,) -> what they predict for x, (G,).
        alt: alternative text.
        caption: shown below the still picture.

    Returns:
        Panel. Above: the decoder over z, one sigma on both sides, and the observed x. Below, over
        the same z: prior, likelihood and posterior. The evidence is printed as a number.
    """
    z, predicted = np.asarray(z), np.asarray(decoder(z))  # matplotlib walks through tensors slowly
    figure = Figure(figsize=(8, 4.9), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.3))
    above.plot(z, predicted, color=DECODER, lw=2, label="what the decoder predicts, ± σ")
    edges = [above.plot(z, z, color=DECODER, lw=1, ls=":", animated=True)[0] for _ in range(2)]
    seen = above.axhline(0, color="black", lw=1.5, animated=True)
    name = above.text(-3.95, 0, "observed x", va="bottom", animated=True)
    above.set(ylabel="x", ylim=(-1.5, 6), xlim=(-4, 4))
    above.legend(loc="upper center", fontsize=9)
    looks = (
        ("prior p(z)", PRIOR, "--"),
        ("likelihood p(x|z), no density of z", DECODER, "-."),
        ("posterior p(z|x)", POSTERIOR, "-"),
    )
    curves = []
    for label, colour, style in looks:
        below.plot([], [], style, color=colour, lw=2, label=label)  # stays still, for the legend
        curves += below.plot(z, 0 * z, style, color=colour, lw=2.2, animated=True)
    below.set(xlabel="z", ylabel="density", ylim=(0, 1.7))
    below.legend(loc="upper right", fontsize=9)
    number = below.text(-3.9, 1.6, "", fontsize=12, va="top", animated=True)

    def draw(prior_mean, prior_width, sigma, x):
        *densities, evidence = bayes(prior_mean, prior_width, sigma, x)
        for curve, density in zip(curves, densities, strict=True):
            curve.set_ydata(np.asarray(density))
        for edge, sign in zip(edges, (-1, 1), strict=True):
            edge.set_ydata(predicted + sign * sigma)
        seen.set_ydata([x, x])
        name.set_y(x)
        number.set_text(f"evidence p(x) = {float(evidence):.4f}")
        return figure

    controls = {
        "x": wide_slider(1.2, -1, 5, 0.05, "observed x"),
        "sigma": wide_slider(0.5, 0.3, 2, 0.05, "σ of the likelihood"),
        "prior_mean": wide_slider(0.5, -3, 3, 0.05, "mean of the prior"),
        "prior_width": wide_slider(1.5, 0.3, 3, 0.05, "width of the prior"),
    }
    return Panel(draw, controls, alt, caption)


def two_directions_panel(z, p, divergences, minima, alt, caption=""):
    """Drag one Gaussian q over a fixed density p and read both divergences.

    Args:
        z: (G,) grid.
        p: (G,) density.
        divergences: called as divergences(mean, width); returns q (G,), KL(q‖p) and KL(p‖q).
        minima: pair of lists of (mean, width), for KL(q‖p) and KL(p‖q): drawn as stars.
        alt: alternative text.
        caption: shown below the still picture.

    Returns:
        Panel. Left: p and q. Right: each divergence as a map over mean and width, with its
        minima and a dot where q is.
    """
    z, p = np.asarray(z), np.asarray(p)  # matplotlib walks through tensors slowly
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, *maps = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    left.plot(z, p, color=POSTERIOR, lw=2, label="p, fixed")
    left.plot([], [], "--", color=ENCODER, lw=2, label="q, yours")
    (curve,) = left.plot(z, p, "--", color=ENCODER, lw=2.2, animated=True)
    left.set(xlabel="z", ylabel="density", xlim=(-4, 4), ylim=(0, 1.5))
    left.legend(loc="upper right")
    values = np.array([[divergences(m, w)[1:] for m in MEANS] for w in WIDTHS])  # (36, 65, 2)
    names = ("KL(q‖p), reverse", "KL(p‖q), forward")
    dots, numbers = [], []
    for i, (axes, name) in enumerate(zip(maps, names, strict=True)):
        levels = values[:, :, i].min() + STEPS
        bands = axes.contourf(MEANS, WIDTHS, values[:, :, i], levels, colors=_reds(len(levels) - 1))
        axes.plot(*zip(*minima[i], strict=True), "*", color="white", mec="black", ms=13)
        dots += axes.plot([0], [1], "o", color=ENCODER, mec="white", ms=9, animated=True)
        axes.set(xlabel="mean of q", title=name, ylim=(0.2, 3))
        numbers.append(
            axes.text(0, 2.85, "", ha="center", va="top", fontsize=12, animated=True, bbox=PLATE)
        )
    maps[0].set_ylabel("width of q")
    scale = figure.colorbar(bands, ax=maps, spacing="uniform", label="nats above the map's lowest")
    scale.set_ticks(levels[:-1], labels=[f"{step:g}" for step in STEPS[:-1]])

    def draw(mean, width):
        q, *both = divergences(mean, width)
        curve.set_ydata(np.asarray(q))
        for dot, number, value in zip(dots, numbers, both, strict=True):
            dot.set_data([mean], [width])
            number.set_text(f"{float(value):.3f} nats")
        return figure

    controls = {
        "mean": wide_slider(0.0, -4, 4, 0.01, "mean of q"),
        "width": wide_slider(1.0, 0.2, 3, 0.01, "width of q"),
    }
    return Panel(draw, controls, alt, caption)


def _reds(count):
    """Pale to dark, from white to the colour of KL divergences."""
    return [tint(KL, share) for share in np.linspace(0.03, 1, count)]
