"""Estimators of a gradient, judged: by bias, by variance, by where their noise comes from."""

import torch
from matplotlib.figure import Figure

from vae_teach.pictures.colours import ENCODER, LABELS, PRIOR
from vae_teach.pictures.picture import Picture

SCORE, PATHWISE, OTHER = (
    LABELS[3],
    LABELS[8],
    LABELS[0],
)  # one colour an estimator, in every picture
STYLES = ((SCORE, "o", "-"), (PATHWISE, "^", "-"), (OTHER, "s", "--"), (PRIOR, "D", "-."))


def z_scores(scores, alt, caption="", limit=15.0):
    """Histograms of z-scores beside the standard normal density that an unbiased one nearly follows.

    Args:
        scores: dict of name -> (S,) z-scores, one a repetition.
        alt: alternative text.
        caption: shown below.
        limit: the axis ends at plus and minus this; scores beyond are counted in the outermost bin.
    """
    figure = Figure(figsize=(8, 1.15 * len(scores) + 0.7), layout="constrained")
    rows = figure.subplots(len(scores), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    edges = torch.linspace(-limit, limit, 121)
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(edges).exp()
    for i, (axes, (name, values)) in enumerate(zip(rows, scores.items(), strict=True)):
        values = values.detach().float().clamp(-limit, limit)
        axes.hist(values, bins=edges, density=True, color=STYLES[i % 4][0], alpha=0.75)
        axes.plot(edges, normal, color="black", lw=1.3, ls="--")
        axes.axvline(0, color="black", lw=0.8)
        axes.set(yticks=[], xlim=(-limit, limit), ylim=(0, 0.6))
        axes.set_title(name, loc="left", fontsize=10.5, pad=3)
    rows[-1].set_xlabel("z-score: (mean of the estimates − true gradient) / standard error")
    return Picture(figure, alt, caption)


def scaling(panels, alt, caption=""):
    """Measured values over one number on two logarithmic axes, with lines they should follow.

    Args:
        panels: list of (xlabel, ylabel, x, measured, expected): x is (N,), measured and expected are
            dicts of name -> (N,) values; an expected line has the name of what it belongs to, and
            is dotted.
        alt: alternative text.
        caption: shown below.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (xlabel, ylabel, x, measured, expected) in zip(row, panels, strict=True):
        for (name, values), (colour, marker, dash) in zip(measured.items(), STYLES, strict=False):
            line = None if name in expected else dash
            axes.plot(x, values, color=colour, marker=marker, ms=5, ls=line or "none", label=name)
            if name in expected:
                axes.plot(x, expected[name], color=colour, ls=":", lw=1.5)
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        axes.grid(alpha=0.3)
    row[0].legend(fontsize=9)
    return Picture(figure, alt, caption)


def noise_bars(parts, alt, caption="", ylabel="", titles=("encoder", "decoder")):
    """Stacked bars: noise from drawing z on top of noise from drawing the batch.

    Args:
        parts: dict of setting -> tuple with one (batch, draws) pair of variances for each title.
        alt: alternative text.
        caption: shown below.
        ylabel: of the leftmost axes.
        titles: of the axes, from left to right.
    """
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for i, (axes, title) in enumerate(zip(figure.subplots(1, len(titles)), titles, strict=True)):
        batch, draws = (torch.tensor([p[i][j] for p in parts.values()]).numpy() for j in (0, 1))
        places = range(len(parts))
        axes.bar(places, batch, color=PRIOR, hatch="//", edgecolor="white", label="which images")
        axes.bar(places, draws, bottom=batch, color=ENCODER, label="which z")
        for place, total, part in zip(places, batch + draws, draws, strict=True):
            axes.text(place, total, f"{part / total:.0%}", ha="center", va="bottom", fontsize=9)
        axes.set_xticks(places, parts)
        axes.set(title=title, ylim=(0, 1.12 * (batch + draws).max()))
        if i == 0:
            axes.set_ylabel(ylabel)
            axes.legend(fontsize=9)
    return Picture(figure, alt, caption)
