"""Curves: over epochs, and over one number."""

from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, KL, LABELS
from vae_teach.pictures.picture import Picture


def curves(history, alt, caption=""):
    """Reconstruction and KL of a `History` over epochs, each on its own axes; of an objective that has
    no such terms, the bound."""
    names = [name for name in ("reconstruction", "kl") if name in history.train] or ["bound"]
    figure = Figure(figsize=(4.5 * len(names), 3), layout="constrained")
    epochs = range(1, len(history.seconds) + 1)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        sign, unit, colour, title = _TERMS[name]
        for part, style in (("train", "--"), ("validation", "-")):
            values = [sign * value for value in getattr(history, part).get(name, [])]
            if values:
                axes.plot(epochs, values, style, color=colour, marker="o", ms=3, label=part)
                axes.legend()
        axes.set(xlabel="epoch", ylabel=f"{unit} an image", title=title)
        axes.grid(alpha=0.3)
    return Picture(figure, alt, caption)


_TERMS = {  # sign, unit, colour, title
    "reconstruction": (-1, "nats", DECODER, "reconstruction term  $-E_q[\\log p(x|z)]$"),
    "kl": (1, "nats", KL, "KL term  $KL(q(z|x)\\,\\|\\,p(z))$"),
    "bound": (1, "mean of", KL, "objective"),
}


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
