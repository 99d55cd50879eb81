"""Things to drag in chapter 06: β over a network that holds every β, over a spectrum, and in a loss."""

import numpy as np
import torch
from ipywidgets import Dropdown, FloatLogSlider, IntSlider, Layout
from matplotlib.figure import Figure

from vae_teach.explorers.artists import Bitmap, Words
from vae_teach.explorers.panel import Panel
from vae_teach.explorers.pixels import tile, to_array
from vae_teach.figures.picture import DECODER, ENCODER, KL, PRIOR
from vae_teach.objectives import loss_scale

_SCALE = 2  # screen pixels a pixel
_TRAVERSED = 3  # dimensions
USED = 0.05  # nats; a dimension below it is called unused
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def beta_panel(network, images, betas, kl, distortion, alt, caption=""):
    """Drag β: reconstructions, samples, traversals, KL a dimension and the point (R, D) move together.

    Args:
        network: a `models.MultiRateVAE`.
        images: (N, 1, H, W) in [0, 1], one row of them.
        betas: (K,) rising, where the curve was computed.
        kl: (K, d), mean KL of each dimension at these β, in nats.
        distortion: (K,), in nats an image.
        alt: alternative text.
        caption: shown below the still picture.

    Returns:
        Panel. The traversals move the three most used dimensions from −2 to 2 from the first image's
        code. Bars and point are read off the curve by interpolation in log β.
    """
    betas, kl, distortion = (np.asarray(part, dtype=float) for part in (betas, kl, distortion))
    count, log_beta, rate = len(images), np.log(betas), kl.sum(1)
    torch_noise = torch.Generator().manual_seed(0)
    prior_draws = torch.randn(count, network.latent_dim, generator=torch_noise)
    steps = torch.linspace(-2, 2, count)
    rows, step = 3 + _TRAVERSED, _SCALE * images.shape[-1] + 2 * _SCALE
    left, below, width, height = 124, 14, step * count, step * rows  # screen pixels
    figure = Figure(figsize=((left + width + 400) / 100, (below + height + 14) / 100), dpi=100)
    whole_width, whole_height = figure.get_size_inches() * 100
    labels = []
    for row, name in enumerate(("test image", "reconstruction", "sample", *[""] * _TRAVERSED)):
        middle = round(below + height - (row + 0.5) * step)
        if name:
            figure.text(left - 8, middle, name, ha="right", va="center", transform=None)
        else:
            labels.append(Words(figure, left - 92, middle - 10, 14))
    tiles = Bitmap(left, below)
    figure.add_artist(tiles)

    def axes_at(bottom, top):  # a share of the right side
        box = (left + width + 62, below + bottom * height, 322, (top - bottom) * height)
        whole = np.array([whole_width, whole_height] * 2)
        return figure.add_axes(tuple(np.array(box) / whole))

    bars_axes, plane = axes_at(0.63, 1.0), axes_at(0.08, 0.48)
    bars = bars_axes.bar(np.arange(kl.shape[1]), 1, color=KL, animated=True)
    bars_axes.set(xlim=(-0.7, kl.shape[1] - 0.3), ylim=(0, 1.05 * kl.max()), xticks=[])
    bars_axes.set_xlabel("dimensions, most used first", fontsize=9)
    bars_axes.set_ylabel("KL, nats", fontsize=9)
    facts = Words(figure, *_corner(bars_axes, 250, 22), 13)
    plane.plot(rate, distortion, color=PRIOR, lw=2)
    for mark in (0.05, 0.25, 1, 4, 20):
        at = np.interp(np.log(mark), log_beta, rate), np.interp(np.log(mark), log_beta, distortion)
        plane.plot(*at, "o", color=PRIOR, ms=4)
        across, side = (2, "center") if mark == 0.05 else (4, "left")  # the last one, off the frame
        offset = dict(textcoords="offset points", ha=side, fontsize=9)
        plane.annotate(f"{mark:g}", at, (across, 5), **offset)
    margin = 0.18 * np.ptp(distortion)
    plane.set(xlim=(-0.03 * rate.max(), 1.12 * rate.max()))
    plane.set(ylim=(distortion.min() - margin, distortion.max() + margin))
    plane.set_xlabel("rate R, nats", fontsize=9)
    plane.set_ylabel("distortion D, nats", fontsize=9)
    dot = plane.plot([], [], "D", color=DECODER, ms=9, mec="black", animated=True)[0]
    place = Words(figure, *_corner(plane, 250, 40), 13)

    @torch.no_grad()
    def draw(beta):
        at = np.log(beta)
        shares = np.array([np.interp(at, log_beta, one) for one in kl.T])
        order = shares.argsort()[::-1]
        model = network.at(beta)
        codes = model.encode(images).mean
        moved = codes[:1].repeat(_TRAVERSED, count, 1)
        for row, i in enumerate(order[:_TRAVERSED]):
            moved[row, :, int(i)] = steps
            labels[row].say(f"{f'z{i + 1}'.translate(_SUBSCRIPTS)}, −2 … 2")
        drawn = model.decode(torch.cat([codes, prior_draws, moved.flatten(0, 1)])).mean
        tiles.show(_tiled(torch.cat([images, drawn]), count))
        for bar, share in zip(bars, shares[order], strict=True):
            bar.set_height(share)
        facts.say(f"{(shares > USED).sum()} of {len(shares)} dimensions above {USED:g} nats")
        r, d = shares.sum(), np.interp(at, log_beta, distortion)
        dot.set_data([r], [d])
        place.say(f"β = {beta:.2f}:  R = {r:.1f},  D = {d:.1f}\nR + D = {r + d:.1f} nats")
        return figure

    low, high = np.log10(betas[[0, -1]])
    return Panel(draw, {"beta": _beta_slider(low, high)}, alt, caption)


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
    left.set(yscale="log", ylim=(0.3 * used[-1], 2.5 * used[0]), xlabel="number")
    left.set_ylabel("eigenvalue λ")
    left.set_title("spectrum, and the level βσ²", fontsize=10)
    level = left.axhline(1, color=KL, lw=2, ls="--", animated=True)
    bars = middle.bar(number, 1, color=KL, animated=True)
    middle.set(ylim=(0, 1.05 * terms(10**low)[0].max()), xlabel="dimension", ylabel="nats")
    middle.set_title("KL of each dimension", fontsize=10)
    path = [terms(beta) for beta in np.logspace(low, high, 120)]
    rates, distortions = np.array([kl.sum() for kl, _ in path]), np.array([d for _, d in path])
    right.plot(rates, distortions, color=PRIOR, lw=2)
    right.set(xlim=(-0.03 * rates[0], 1.05 * rates[0]), xlabel="rate R, nats", ylabel="D, nats")
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
    axes.text(sigma * 1.15, 0.72, f"stated {sigma:.2f}", color=ENCODER, fontsize=9)
    dot = axes.plot([], [], "D", color=DECODER, ms=9, mec="black", animated=True)[0]
    shown[0].show(_enlarged(image))

    def draw(reduction, pixel_range, pixels, kl_reduction, beta):
        found = loss_scale(
            reduction, RANGES[pixel_range], pixels, beta, sigma, kl_reduction, latent_dim
        )
        shown[1].show(_enlarged((image + found.sigma * noise).clamp(0, 1)))
        dot.set_data([min(max(found.sigma, 1.3e-4), 7e2)], [0.3])
        verdict.say(
            f"This loss is a −ELBO for a decoder with σ = {found.sigma:.3g} ink.\n"
            f"With σ = {sigma:.2f} as stated, its KL term weighs β = {found.beta:.3g}: {_say(found.beta)}"
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


def _say(beta):
    if beta > 3:
        return "too much, expect unused dimensions."
    if beta < 1 / 3:
        return "too little, almost an autoencoder."
    return "near an ELBO."


def _beta_slider(low, high):
    return FloatLogSlider(
        1.0, min=low, max=high, step=(high - low) / 200, description="β", readout_format=".2f",
        layout=Layout(width="560px"),
    )  # fmt: skip


def _tiled(images, columns):
    """Images (N, 1, H, W) as one grey array, each in a light frame."""
    framed = torch.nn.functional.pad(images, (1, 1, 1, 1), value=0.12)
    return _enlarged(tile(framed, columns), _SCALE)


def _enlarged(image, scale=2 * _SCALE):
    return to_array(image).repeat(scale, 0).repeat(scale, 1)


def _corner(axes, across, up):
    """Place of words, in screen pixels, from the upper right corner of axes."""
    box = axes.get_window_extent()
    return round(box.x1) - across, round(box.y1) - up
