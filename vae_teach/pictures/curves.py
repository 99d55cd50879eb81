"""Curves: over epochs, and over one number."""

from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, KL, LABELS
from vae_teach.pictures.picture import Picture


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
