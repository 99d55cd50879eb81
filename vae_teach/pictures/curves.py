"""Curves: over epochs, and over one number."""

import torch
from matplotlib.figure import Figure

from vae_teach import checks
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
        ys: dict of name -> (N,) values, at most 40 of them: colour and dash tell them apart.
        alt: alternative text.
        caption: shown below.
        xlabel: with its unit.
        ylabel: with its unit.
        colours: one a curve, or None.

    Raises:
        TypeError, ValueError: no numbers, another number of them than of x, too many curves, or too few
            colours.
    """
    x, ys = _points(x, ys)
    if colours is not None and len(colours) < len(ys):
        raise ValueError(
            f"colours holds {len(colours)} colours for {len(ys)} curves: one for each."
        )
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for i, (name, y) in enumerate(ys.items()):
        colour, dash = _look(i)
        axes.plot(x, y, dash, color=colour if colours is None else colours[i], label=name, lw=2)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    if len(ys) > len(LABELS):  # a legend of that many would hide the curves
        figure.legend(loc="outside right center", fontsize=8, ncols=-(-len(ys) // 15))
    else:
        axes.legend()
    return Picture(figure, alt, caption)


_DASHES = ("-", "--", ":", "-.")
_MOST = len(LABELS) * len(_DASHES)


def _look(i):
    """Colour and dash of curve i, no two alike up to _MOST: both change from each curve to the next."""
    return LABELS[i % len(LABELS)], _DASHES[(i + i // (_MOST // 2)) % len(_DASHES)]


def _points(x, ys):
    """The same as NumPy arrays."""
    if not isinstance(ys, dict) or not 1 <= len(ys) <= _MOST:
        what = f"holds {len(ys)} curves" if isinstance(ys, dict) else f"is {checks.kind(ys)}"
        raise ValueError(f"ys {what}, a dict of 1 to {_MOST} curves, name -> values, is needed.")
    x = _values(x, "x")
    ys = {name: _values(y, f"ys[{name!r}]") for name, y in ys.items()}
    for name, y in ys.items():
        if y.shape != x.shape or y.ndim != 1:
            raise ValueError(
                f"ys[{name!r}] has shape {y.shape}, x has {x.shape}: one value for each of x is needed."
            )
    return x, ys


def _values(values, name):
    try:
        return torch.as_tensor(values).detach().cpu().numpy()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name} is {checks.kind(values)}, numbers (N,) are needed.") from None
