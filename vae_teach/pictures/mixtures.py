"""Mixtures of Gaussians in pictures: a colour and a marker a component, ellipses, and the staircase of EM."""

import numpy as np

from vae_teach.pictures import colours
from vae_teach.pictures.colours import ENCODER, KL, POSTERIOR, PRIOR

# One colour a component (red, green, blue in [0, 1]) and one marker.
COMPONENTS = np.array([colours.rgb(colours.LABELS[i]) for i in colours.COMPONENTS]) / 255
MARKERS = "o^s"

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 80)), np.sin(np.linspace(0, 2 * np.pi, 80))])


def ellipse(mean, covariance, radius=2.0):
    """The points (2, 80) of a Gaussian's ellipse at `radius` standard deviations."""
    spread = np.linalg.cholesky(np.asarray(covariance))
    return np.asarray(mean)[:, None] + radius * spread @ _CIRCLE


def prior_ellipses(axes, parts=(((0, 0), (1, 1)),)):
    """Draw one and two standard deviations of each part of p(z), given by mean and deviation, (K, 2, 2).

    By default the circles of N(0, I).
    """
    for mean, sd in parts:
        for radius in (1, 2):
            covariance = np.diag(np.square(np.asarray(sd, dtype=float)))
            axes.plot(*ellipse(mean, covariance, radius), "--", color=PRIOR, lw=1.2)


def window(x, margin=0.06):
    """(low, high) of both axes (2,) each, a little wider than points (N, 2)."""
    low, high = np.asarray(x).min(0), np.asarray(x).max(0)
    return low - margin * (high - low), high + margin * (high - low)


def stairs(axes, names, log_p, bound):
    """The staircase on given axes, each half step named where there is room."""
    at = np.arange(len(names))
    axes.vlines(at, bound, log_p, color=KL, lw=4, alpha=0.6, label="gap, KL(q‖p(z|x))")
    axes.plot(at, log_p, "-", color=POSTERIOR, lw=1.8, marker="D", ms=4, label="log p(x)")
    axes.plot(at, bound, "--", color=ENCODER, lw=1.8, marker="o", ms=4, label="ELBO")
    if len(names) < 20:
        axes.set_xticks(at, names, fontsize=9)
    axes.set(xlabel="half step", ylabel="nats a point")
    axes.legend(loc="lower right", fontsize=9)
    axes.grid(alpha=0.3)
