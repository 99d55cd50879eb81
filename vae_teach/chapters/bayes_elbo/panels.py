"""Things to drag in chapter 03, first half: Bayes' rule with one latent dimension."""

import numpy as np
from matplotlib.figure import Figure

from vae_teach.page.panel import Panel, wide_slider
from vae_teach.pictures.colours import DECODER, POSTERIOR, PRIOR


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
