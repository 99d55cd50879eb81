"""Two classes on a line: the joint p(x, C), which knows how common an x is, over p(C|x), which does not."""

import math

import torch
from matplotlib.figure import Figure

from vae_teach.page.panel import Panel
from vae_teach.page.widgets import FloatSlider
from vae_teach.pictures import LABELS

_X = torch.linspace(-6, 12, 400)
_COLOURS, _DASHES = (LABELS[1], LABELS[5]), ("-", "--")


def log_joint(x, share, means=(0.0, 2.0), sd=1.0):
    """log p(x, C) = log p(C) + log N(x; means[C], sd²) in nats, shape (..., 2), for x (...)."""
    log_prior = torch.tensor([share, 1 - share]).log()
    distance = (x[..., None] - torch.tensor(means)) / sd
    return log_prior - 0.5 * distance**2 - math.log(sd * math.sqrt(2 * math.pi))


def two_classes_panel(x=1.0, share=0.5):
    """A Panel: drag x and the share of class A, see p(x, C), p(x) and p(C|x).

    Class A is N(0, 1), class B is N(2, 1).

    Args:
        x: where the first picture looks.
        share: p(C = A) of the first picture, in (0, 1).
    """
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    joint, posterior = (
        [
            axes.plot(
                _X.numpy(), 0 * _X.numpy(), dash, color=colour, lw=2, animated=True,
                label=label.format(name),
            )[0]
            for name, colour, dash in zip("AB", _COLOURS, _DASHES, strict=True)
        ]
        for axes, label in ((above, "p(x, {})"), (below, "p({} | x)"))
    )  # fmt: skip
    marks = [axes.axvline(0, color="black", lw=1, animated=True) for axes in (above, below)]
    words = above.text(
        0.74, 0.93, "", transform=above.transAxes, va="top", animated=True, family="monospace",
        bbox={"fc": "white", "ec": "0.8"},
    )  # fmt: skip
    above.set(ylim=(0, 0.42), ylabel="joint density", title="generative: p(x, C)", xlim=(-6, 12))
    below.set(
        ylim=(-0.04, 1.04), ylabel="probability", xlabel="x", title="discriminative: p(C | x)"
    )
    above.legend(loc="upper left")
    below.legend(loc="center left")
    for axes in (above, below):
        axes.grid(alpha=0.3)

    def draw(x, share):
        log_p = log_joint(_X, share)
        for c in range(2):
            joint[c].set_ydata(log_p[:, c].exp().numpy())
            posterior[c].set_ydata(log_p.softmax(1)[:, c].numpy())
            marks[c].set_xdata([x, x])
        here = log_joint(torch.tensor(x), share)
        sure = here.softmax(0)
        words.set_text(
            f"p(A | x) = {sure[0]:.4f}\np(B | x) = {sure[1]:.4f}\np(x)     = {here.exp().sum():.1e}"
        )
        return figure

    controls = {
        "x": FloatSlider(x, min=-6, max=12, step=0.05, description="observed x"),
        "share": FloatSlider(share, min=0.05, max=0.95, step=0.01, description="share of class A"),
    }
    return Panel(
        draw,
        controls,
        alt="Upper plot: two bells, the joint densities of classes A and B, with a line at the "
        "observed x. Lower plot: the probability of each class given x, two S-shaped curves that "
        "cross between the bells and stay close to 0 and 1 far away from both.",
        caption="Class A is N(0, 1), class B is N(2, 1). Far to the right p(B | x) is nearly 1, and "
        "p(x) says that such an x hardly ever occurs.",
    )
