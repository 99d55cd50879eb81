"""The graphical model of a latent-variable model with its encoder: circles, arrows, a plate."""

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from vae_teach.pictures.colours import DECODER, ENCODER, PRIOR
from vae_teach.pictures.picture import Picture

EDGE = 25  # points from a circle's centre to just outside of it


def graphical_model(alt, caption=""):
    """Draw z → x with θ (prior and decoder, solid) and φ (encoder, dashed); a plate over N images.

    Args:
        alt: alternative text.
        caption: shown below.

    Returns:
        Picture; the observed x is shaded, parameters are dots outside of the plate.
    """
    figure = Figure(figsize=(7, 3.3))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 7), ylim=(0, 3.3), aspect="equal")
    axes.axis("off")
    axes.add_patch(
        FancyBboxPatch(
            (2.6, 0.3), 1.8, 2.75, boxstyle="round,pad=0,rounding_size=0.12", fill=False, ec="0.4"
        )
    )
    axes.text(4.3, 0.4, "N images", ha="right", va="bottom", fontsize=10, color="0.3")
    z, x = (3.5, 2.45), (3.5, 1.0)
    for (across, up), name, fill in ((z, "$z$", "white"), (x, "$x$", "0.85")):
        axes.add_patch(Circle((across, up), 0.34, fc=fill, ec="black", lw=1.5, zorder=3))
        axes.text(across, up, name, ha="center", va="center", fontsize=16, zorder=4)
    theta, phi = (0.9, 1.72), (6.1, 1.72)
    for (across, up), name, below in (
        (theta, r"$\theta$", "parameters of\nprior and decoder"),
        (phi, r"$\phi$", "parameters of\nthe encoder"),
    ):
        axes.add_patch(Circle((across, up), 0.06, fc="black", zorder=3))
        axes.text(across, up + 0.15, name, ha="center", va="bottom", fontsize=16)
        axes.text(across, up - 0.2, below, ha="center", va="top", fontsize=9, color="0.3")
    _arrow(axes, theta, z, PRIOR, "-", gap=6)
    _arrow(axes, theta, x, DECODER, "-", gap=6)
    _arrow(axes, (z[0] - 0.14, z[1]), (x[0] - 0.14, x[1]), DECODER, "-")
    _arrow(axes, (x[0] + 0.14, x[1]), (z[0] + 0.14, z[1]), ENCODER, "--")
    _arrow(axes, phi, z, ENCODER, "--", gap=6)
    for at, text, colour in (
        ((1.75, 2.35), "prior\n$p_\\theta(z)$", PRIOR),
        ((2.0, 0.8), "decoder\n$p_\\theta(x\\mid z)$", DECODER),
        ((5.2, 2.45), "encoder\n$q_\\phi(z\\mid x)$", ENCODER),
    ):
        axes.text(*at, text, color=colour, ha="center", va="center", fontsize=11)
    return Picture(figure, alt, caption)


def _arrow(axes, start, end, colour, style, gap=EDGE):
    axes.add_patch(
        FancyArrowPatch(
            start, end, color=colour, ls=style, lw=1.8, arrowstyle="-|>", mutation_scale=16,
            shrinkA=gap, shrinkB=EDGE,
        )
    )  # fmt: skip
