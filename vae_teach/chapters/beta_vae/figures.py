"""Scores of disentanglement over seeds, and which dimension of a code holds which factor."""

import statistics

from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, ENCODER
from vae_teach.pictures.picture import Picture

METRICS = {"mig": "MIG", "disentanglement": "disentanglement (DCI)"}


def scores(records, metrics=None, caption=""):
    """One dot a seed, methods along the axis, a panel for each data set and metric.

    Args:
        records: dict of data set -> list of dicts with method, seed and each metric, as in
            pretrained/disentanglement.json; entries that are no lists are passed over.
        metrics: dict of key -> title; default MIG and the disentanglement of DCI.
        caption: replaces the caption made here.

    Returns:
        Picture. Every panel has a scale of its own, from 0: look at its numbers.
    """
    metrics = METRICS if metrics is None else metrics
    sets = {name: rows for name, rows in records.items() if isinstance(rows, list)}
    figure = Figure(figsize=(9, 2.9 * len(metrics)), layout="constrained")
    grid = figure.subplots(len(metrics), len(sets), squeeze=False)
    described = []
    for i, (key, title) in enumerate(metrics.items()):
        for j, (name, rows) in enumerate(sets.items()):
            described.append(f"{title} on {name}: {_strip(grid[i][j], rows, key)}")
            grid[i][j].set_title(f"{title}, {name}", fontsize=11)
    seeds = len({row["seed"] for row in next(iter(sets.values()))})
    made = (
        f"One dot a seed ({seeds} each, spread sideways by seed), the bar is their mean. Codes of 10 "
        "numbers of the test images; each panel has its own scale."
    )
    alt = f"Dots by method, mean and range over {seeds} seeds. {'; '.join(described)}."
    return Picture(figure, alt, caption or made)


def _strip(axes, rows, key):
    """Draw one panel; returns what it says in words."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    words = []
    for i, method in enumerate(methods):
        values = [
            row[key] for row in sorted(rows, key=lambda r: r["seed"]) if row["method"] == method
        ]
        middle = (len(values) - 1) / 2
        places = [i + 0.11 * (k - middle) for k in range(len(values))]
        mean = statistics.mean(values)
        axes.plot([i - 0.36, i + 0.36], [mean, mean], color=DECODER, lw=3, solid_capstyle="butt")
        axes.plot(places, values, "o", color=ENCODER, ms=6, mec="white", mew=0.7)
        words.append(f"{method} {mean:.3f} ({min(values):.3f} to {max(values):.3f})")
    axes.set_xticks(range(len(methods)), methods, fontsize=11)
    axes.tick_params(axis="y", labelsize=10)
    top = max(row[key] for row in rows) or 1.0
    axes.set(xlim=(-0.6, len(methods) - 0.4), ylim=(-0.05 * top, 1.1 * top))
    axes.grid(axis="y", alpha=0.3)
    return ", ".join(words)


def matrix(table, factors, alt="", caption="", title="", form="{:.2f}"):
    """Heat map with numbers: one row a dimension of the code, one column a factor.

    Args:
        table: (d, K), no number below 0: `Dci.importances`, `Mig.information`, or lists of numbers.
        factors: K names.
        alt: alternative text; made here if empty: the strongest dimension of each factor.
        caption: shown below.
        title: above the table, what the numbers are.
        form: of the numbers.

    Returns:
        Picture.

    Raises:
        ValueError: a table without K columns.
    """
    rows = [[float(value) for value in row] for row in table]
    if any(len(row) != len(factors) for row in rows):
        raise ValueError(
            f"table has rows of {len(rows[0])} numbers for {len(factors)} factors: one for each."
        )
    figure = Figure(
        figsize=(2.2 + 1.05 * len(factors), 1.1 + 0.36 * len(rows)), layout="constrained"
    )
    axes = figure.add_subplot()
    top = max(map(max, rows)) or 1.0
    axes.imshow(rows, cmap="Blues", vmin=0, vmax=1.25 * top, aspect="auto")
    strongest = [max(range(len(rows)), key=lambda i: rows[i][k]) for k in range(len(factors))]
    for i, row in enumerate(rows):
        for k, value in enumerate(row):
            axes.text(
                k, i, form.format(value), ha="center", va="center", fontsize=10,
                color="white" if value > 0.75 * top else "black",
                fontweight="bold" if strongest[k] == i and value > 0 else "normal",
            )  # fmt: skip
    axes.set_xticks(range(len(factors)), factors, fontsize=11)
    axes.set_yticks(range(len(rows)), [f"$z_{{{i + 1}}}$" for i in range(len(rows))], fontsize=11)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=11)
    described = ", ".join(
        f"{name} most in dimension {i + 1} ({form.format(rows[i][k])})"
        for k, (name, i) in enumerate(zip(factors, strongest, strict=True))
    )
    alt = alt or f"Table of {len(rows)} dimensions by {len(factors)} factors: {described}."
    return Picture(figure, alt, caption or "In bold: the dimension that holds most of the factor.")
