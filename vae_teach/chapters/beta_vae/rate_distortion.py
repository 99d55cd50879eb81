"""The rate–distortion plane (Alemi et al. 2018, "Fixing a Broken ELBO", arXiv:1711.00464)."""

import math

from matplotlib.figure import Figure

from vae_teach.pictures.colours import DECODER, ENCODER, POSTERIOR, PRIOR
from vae_teach.pictures.picture import Picture


def plane(records_of_set, points=None, nll=None, name="", caption=""):
    """Rate R = KL(q(z|x) || p(z)) to the right, distortion D = −E_q[log p(x|z)] upwards, in nats.

    A model of decoder p(x|z) and prior p(z) gives images the probability p̂(x) = E_p(z)[p(x|z)]. Its
    ELBO is −(R + D) and bounds log p̂(x) from below, so on average R + D ≥ −log p̂(x): whatever
    encoder this model is given, it lies on or above the line R + D = −log p̂(x). The distance above
    it is the mean KL(q(z|x) || p(z|x)). The line belongs to one decoder; another one, such as that of
    another β, has a line of its own. Thin grey lines join points of equal R + D = −ELBO.

    Args:
        records_of_set: dict with "single" and "multi", each a list of dicts with beta, seed, rate
            and distortion, as in pretrained/rate_distortion.json.
        points: dict of name -> (rate, distortion), further models to mark.
        nll: mean −log p̂(x) of one model, in nats, the first of `points` if there are any; the region
            below its line is hatched.
        name: of the data set, for the caption.
        caption: replaces the caption made here.

    Returns:
        Picture.
    """
    figure = Figure(figsize=(7.5, 5.2), layout="constrained")
    axes = figure.add_subplot()
    draw_plane(axes, records_of_set)
    if nll is not None:
        _bound(axes, nll, next(iter(points or {}), "one model"))
    for i, (label, (rate, distortion)) in enumerate((points or {}).items()):
        marker = "D^vsP"[i % 5]
        axes.plot(
            rate, distortion, marker, color=DECODER, ms=10, mec="black", label=label, zorder=4
        )
    axes.legend(loc="upper right", fontsize=10)
    single = [r for r in records_of_set["single"] if r["seed"] == 0]
    low, high = (f(single, key=lambda r: r["beta"]) for f in (min, max))
    alt = (
        f"Rate–distortion plane. As β grows from {low['beta']:g} to {high['beta']:g}, separately "
        f"trained VAEs move from rate {low['rate']:.0f} and distortion {low['distortion']:.0f} nats, "
        f"at the right, up to rate {high['rate']:.1f} and distortion {high['distortion']:.0f}, at "
        f"the left. The one network for all β draws one curve past them{_ends(records_of_set)}."
    )
    if nll is not None:
        alt += f" The region R + D < {nll:.1f} nats, which one model cannot reach, is hatched."
    if points:
        alt += f" Marked besides: {', '.join(points)}."
    made = f"Test images{' of ' + name if name else ''}, nats an image; MLP-VAEs, 20 dimensions."
    return Picture(figure, alt, caption or made)


def _ends(records_of_set):
    """In words: where the one network's curve begins and ends."""
    curve = sorted((r for r in records_of_set["multi"] if r["seed"] == 0), key=lambda r: r["beta"])
    if not curve:
        return ""
    first, last = curve[0], curve[-1]
    return (
        f", from rate {first['rate']:.0f} and distortion {first['distortion']:.0f} at "
        f"β = {first['beta']:g} to rate {last['rate']:.1f} and distortion "
        f"{last['distortion']:.0f} at β = {last['beta']:g}"
    )


def draw_plane(axes, records_of_set):
    """The separate VAEs, the one network's curve and lines of equal ELBO, on axes that exist.

    Limits are fixed, so that a live point may be moved over it.
    """
    single = sorted(records_of_set["single"], key=lambda r: (r["beta"], r["seed"]))
    multi = sorted(records_of_set["multi"], key=lambda r: r["beta"])
    every = single + multi
    right = 1.1 * max(r["rate"] for r in every)
    bottom, top = (f(r["distortion"] for r in every) for f in (min, max))
    margin = 0.12 * (top - bottom)
    axes.set(xlim=(-0.03 * right, right), ylim=(bottom - margin, top + margin))
    _equal_elbo(axes)
    for seed in sorted({r["seed"] for r in multi}):
        curve = [r for r in multi if r["seed"] == seed]
        axes.plot(
            [r["rate"] for r in curve],
            [r["distortion"] for r in curve],
            color=POSTERIOR,
            lw=2 if seed == 0 else 0.8,
            label="one network, every β" if seed == 0 else None,
        )
    axes.plot(
        [r["rate"] for r in single],
        [r["distortion"] for r in single],
        "o",
        color=ENCODER,
        ms=7,
        mec="white",
        label="separate VAEs",
        zorder=3,
    )
    for record in single:
        if record["seed"] == 0:
            axes.annotate(
                f"β = {record['beta']:g}" if record is single[0] else f"{record['beta']:g}",
                (record["rate"], record["distortion"]),
                (0, 8) if record is single[0] else (5, 5),
                ha="center" if record is single[0] else "left",
                textcoords="offset points",
                fontsize=11,
                color=ENCODER,
            )
    axes.set_xlabel("rate  $R = KL(q(z|x)\\,\\|\\,p(z))$, nats an image", fontsize=11)
    axes.set_ylabel("distortion  $D = -E_q[\\log p(x|z)]$, nats an image", fontsize=11)


def _equal_elbo(axes, step=20):
    """Thin lines of slope −1 on which R + D is a multiple of `step`."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for k in range(math.ceil((left + bottom) / step), math.ceil((right + top) / step)):
        total = k * step
        axes.plot(
            [left, right],
            [total - left, total - right],
            ":",
            color=PRIOR,
            lw=0.8,
            zorder=0,
            label=None
            if axes.get_legend_handles_labels()[1]
            else f"equal R + D, every {step} nats",
        )


def _bound(axes, nll, model):
    (left, right), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    axes.plot(
        [left, right],
        [nll - left, nll - right],
        "--",
        color="black",
        lw=1.2,
        label=f"$R + D = -\\log\\hat{{p}}(x) = {nll:.1f}$ of {model}",
    )
    axes.fill_between(
        [left, right],
        [nll - left, nll - right],
        min(bottom, nll - right),
        facecolor="none",
        edgecolor=PRIOR,
        hatch="//",
        lw=0,
        alpha=0.4,
        zorder=0,
    )
