"""Panels of chapter 06: β over a spectrum, and β in a loss (`BetaSlider` is that of a network)."""

import numpy as np
import torch
from matplotlib.figure import Figure

from vae_teach.objectives import loss_scale
from vae_teach.page.panel import Panel
from vae_teach.page.widgets import Dropdown, FloatLogSlider, IntSlider, Layout
from vae_teach.pictures.artists import Bitmap, Words
from vae_teach.pictures.colours import DECODER, ENCODER, KL, PRIOR
from vae_teach.pictures.pixels import to_array

_SCALE = 2  # screen pixels a pixel


def water_level_panel(eigenvalues, sigma, alt, caption="", latent_dim=20):
    """Drag β on a linear VAE with noise σ: which eigenvalues stand above the level βσ².

    Args:
        eigenvalues: (n,) of the data's covariance, falling.
        sigma: of the decoder's noise, in ink.
        alt: alternative text.
        caption: shown below the still picture.
        latent_dim: dimensions of the code.

    Returns:
        Panel, all of it in closed form. Left: spectrum and level. Middle: KL of each dimension,
        ½ log(λ / βσ²) above the level. Right: the curve of (R, D) with its tangent of slope −β.
    """
    spectrum = np.asarray(eigenvalues, dtype=float)
    used, rest = spectrum[:latent_dim], spectrum[latent_dim:].sum()
    low, high = -1.0, np.log10(1.3 * used[0] / sigma**2)

    def terms(beta):
        level = beta * sigma**2
        kl = 0.5 * np.log(np.maximum(used / level, 1))
        return kl, (np.minimum(used, level).sum() + rest) / (2 * sigma**2)

    figure = Figure(figsize=(9, 3.2), dpi=100, layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    number = np.arange(1, latent_dim + 1)
    left.bar(number, used, color=PRIOR)
    left.set(yscale="log", ylim=(0.3 * used[-1], 2.5 * used[0]), xlabel="dimension")
    left.set_ylabel("eigenvalue λ")
    left.set_title("spectrum, and the level βσ²", fontsize=10)
    level = left.axhline(1, color=KL, lw=2, ls="--", animated=True)
    bars = middle.bar(number, 1, color=KL, animated=True)
    middle.set(ylim=(0, 1.05 * terms(10**low)[0].max()), xlabel="dimension", ylabel="nats")
    middle.set_title("KL of each dimension", fontsize=10)
    path = [terms(beta) for beta in np.logspace(low, high, 120)]
    rates, distortions = np.array([kl.sum() for kl, _ in path]), np.array([d for _, d in path])
    right.plot(rates, distortions, color=PRIOR, lw=2)
    right.set(
        xlim=(-0.03 * rates[0], 1.05 * rates[0]),
        xlabel="rate R, nats",
        ylabel="D, nats, up to a constant",
    )
    right.set_ylim(distortions.min() - 0.1 * np.ptp(distortions), 1.1 * distortions.max())
    right.set_title("curve and tangent, slope −β", fontsize=10)
    alive = Words(figure, 470, 258, 13)
    tangent = right.plot([], [], "--", color=KL, lw=1.5, animated=True)[0]
    dot = right.plot([], [], "D", color=DECODER, ms=9, mec="black", animated=True)[0]

    def draw(beta):
        kl, d = terms(beta)
        level.set_ydata([beta * sigma**2] * 2)
        for bar, height in zip(bars, kl, strict=True):
            bar.set_height(height)
        alive.say(f"{(kl > 0).sum()} of {latent_dim} alive")
        r, reach = kl.sum(), np.array([-rates[0], rates[0]])
        tangent.set_data(r + reach, d - beta * reach)
        dot.set_data([r], [d])
        return figure

    return Panel(draw, {"beta": _beta_slider(low, high)}, alt, caption)


RANGES = {"0 to 1": (0, 1), "−1 to 1": (-1, 1), "0 to 255": (0, 255)}


def doctor_panel(image, sigma, alt, caption="", latent_dim=20):
    """The loss-scale doctor: choose how a loss is written, and read σ and β that it stands for.

    Args:
        image: (1, H, W) in [0, 1], shown with the noise that the loss implies.
        sigma: the stated standard deviation, in ink.
        alt: alternative text.
        caption: shown below the still picture.
        latent_dim: d of the KL term.

    Returns:
        Panel with `objectives.loss_scale` behind it.
    """
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    side = image.shape[-1] * 2 * _SCALE
    figure = Figure(figsize=(8.4, 2.15), dpi=100)
    shown = [Bitmap(20 + i * (side + 16), 84) for i in range(2)]
    for bitmap, name in zip(shown, ("x", "x + implied noise"), strict=True):
        figure.add_artist(bitmap)
        figure.text(bitmap.place[0], 66, name, transform=None)
    verdict = Words(figure, 20, 10, 14)
    axes = figure.add_axes((0.40, 0.56, 0.57, 0.23))
    axes.set(xscale="log", xlim=(1e-4, 1e3), yticks=[], ylim=(0, 1))
    axes.set_title("σ of the decoder, in ink (logarithmic)", fontsize=10)
    axes.axvline(sigma, color=ENCODER, ls="--", lw=2)
    axes.text(sigma * 1.15, 0.72, f"stated {sigma:.3f}", color=ENCODER, fontsize=9)
    dot = axes.plot([], [], "D", color=DECODER, ms=9, mec="black", animated=True)[0]
    shown[0].show(_enlarged(image))

    def draw(reduction, pixel_range, pixels, kl_reduction, beta):
        found = loss_scale(
            reduction, RANGES[pixel_range], pixels, beta, sigma, kl_reduction, latent_dim
        )
        shown[1].show(_enlarged((image + found.sigma * noise).clamp(0, 1)))
        dot.set_data([min(max(found.sigma, 1.3e-4), 7e2)], [0.3])
        verdict.say(
            f"This loss is a multiple of a −ELBO for a decoder with σ = {found.sigma:.3g} ink.\n"
            f"With σ = {sigma:.3f} as stated, its KL term weighs β = {found.beta:.3g}: {_say(found)}"
        )
        return figure

    controls = {
        "reduction": Dropdown(
            options=["sum", "half the sum", "mean"], description="squared error over pixels:"
        ),
        "pixel_range": Dropdown(options=list(RANGES), description="pixels lie in:"),
        "pixels": IntSlider(784, min=64, max=12_288, step=16, description="n, numbers an image"),
        "kl_reduction": Dropdown(options=["sum", "mean"], description="KL over dimensions:"),
        "beta": FloatLogSlider(
            1.0, min=-4, max=3, step=0.05, description="β written in the loss",
            layout=Layout(width="460px"),
        ),
    }  # fmt: skip
    return Panel(draw, controls, alt, caption)


def _say(found):
    if found.beta > 3:  # in a linear VAE a dimension dies where λ ≤ βσ², which is the implied σ²
        return f"strong: a linear VAE gives up λ ≤ {found.sigma**2:.2g} ink²."
    if found.beta < 1 / 3:
        return "weak, nearer to an autoencoder."
    return "near an ELBO."


def _beta_slider(low, high):
    return FloatLogSlider(
        4.0, min=low, max=high, step=(high - low) / 200, description="β", readout_format=".2f",
        layout=Layout(width="560px"),
    )  # fmt: skip


def _enlarged(image, scale=2 * _SCALE):
    return to_array(image).repeat(scale, 0).repeat(scale, 1)
