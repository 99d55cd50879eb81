"""A thing to drag in chapter 07: a mixture whose variance shrinks."""

import numpy as np
from matplotlib.figure import Figure
from scipy.special import entr

from vae_teach.page.panel import Panel
from vae_teach.page.widgets import Layout, SelectionSlider
from vae_teach.pictures.colours import PRIOR
from vae_teach.pictures.mixtures import COMPONENTS, MARKERS, window


def small_variance_panel(x, fixed_point, centres, caption=""):
    """A slider over the shared σ of a mixture: responsibilities, centres, and k-means' centres.

    Args:
        x: (N, 2) points.
        fixed_point: called once for each σ: returns the means (3, 2) that EM ends at and the
            responsibilities (N, 3).
        centres: (3, 2), k-means' centres.
        caption: shown below the still picture.

    Returns:
        Panel. On the right the mean entropy of the responsibilities over σ, with a moving mark
        and a dotted line at √λ₁, the spread of x along its first axis, beyond which the means are one.
    """
    x = np.asarray(x)
    sigmas = [round(10 ** (k / 12), 3) for k in range(-18, 11)]
    ends = {s: tuple(np.asarray(a) for a in fixed_point(s)) for s in sigmas}
    entropy = {s: entr(r).sum(1).mean() for s, (_, r) in ends.items()}
    figure = Figure(figsize=(8.4, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    dots = _dots(left, x)
    left.plot(*np.asarray(centres).T, ls="none", marker="D", ms=13, mfc="none", mec="black", mew=2)
    (means,) = left.plot([], [], ls="none", marker="X", ms=11, color="black", mec="white",
                         animated=True)  # fmt: skip
    left.set_title("✕ means at this σ,  ◇ k-means", fontsize=10)
    right.plot(sigmas, list(entropy.values()), color=PRIOR, lw=2)
    right.axhline(np.log(3), color="0.5", lw=1, ls="--")
    right.text(sigmas[0], np.log(3) - 0.02, "log 3: no idea", va="top", fontsize=9)
    spread = np.linalg.eigvalsh(np.cov(x.T, bias=True))[-1] ** 0.5
    right.axvline(spread, color="0.5", lw=1.5, ls=":")
    right.text(spread, 0.02, "√λ₁ ", ha="right", fontsize=9)
    right.set(xscale="log", xlabel="σ", ylabel="mean entropy of q(z|x), nats", ylim=(-0.04, 1.2))
    right.grid(alpha=0.3)
    (here,) = right.plot([], [], "ko", ms=9, animated=True)

    def draw(sigma):
        at, q = ends[sigma]
        _colour(dots, x, q)
        means.set_data(*at.T)
        here.set_data([sigma], [entropy[sigma]])
        return figure

    control = SelectionSlider(
        options=[(f"{s:.2f}", s) for s in sigmas],
        value=sigmas[len(sigmas) // 2],
        description="σ",
        layout=Layout(width="460px"),
    )
    return Panel(
        draw,
        {"sigma": control},
        alt="Left: points coloured by responsibility, with the three means as crosses and those of "
        "k-means as diamonds. Right: the responsibilities' mean entropy over σ, from 0 up to log 3 "
        "beyond the dotted line at √λ₁.",
        caption=caption,
    )


def _dots(axes, x):
    low, high = window(x)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set(xlabel="first principal coordinate", ylabel="second")
    axes.grid(alpha=0.3)
    return [axes.scatter([], [], s=14, marker=m, lw=0, animated=True) for m in MARKERS]


def _colour(dots, x, q):
    winner, colours = q.argmax(1), (q @ COMPONENTS).clip(0, 1)
    for k, part in enumerate(dots):
        rows = winner == k
        part.set_offsets(x[rows])
        part.set_facecolor(colours[rows])
