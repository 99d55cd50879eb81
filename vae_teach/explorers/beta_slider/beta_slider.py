"""The β slider: one network at every β, and everything that follows β, in the page."""

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vae_teach import checks
from vae_teach.evaluation import USED, kl_by_dimension
from vae_teach.models import MultiRateVAE
from vae_teach.models.interface import as_it_is
from vae_teach.page.networks import Network, halves, in_order, network_trait
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import drawable, pixels
from vae_teach.pictures.colours import DECODER, PRIOR
from vae_teach.pictures.picture import Picture

SHOWN = 8  # images in a row
STEPS = 101  # of the slider; as they are odd, 1 is among them where the range is [1 / b, b]
MEASURED = 1000  # images for R and D, and at how many β: between them they are interpolated
KNOTS = 25


class BetaSlider(WebExplorer):
    """Drag β, and see all that follows it: images, KL a dimension, rate and distortion.

    Reconstructions, samples (of the same noise at every β) and traversals of the three most used
    dimensions are decoded in the page by the network's decoder at this β; the codes of the test
    images at each step, and R and D, were computed before. Weights travel once, as float16. Widget and
    still picture show the network as it was when this was called.

    Args:
        network: a `models.MultiRateVAE` of images with 1 or 3 channels.
        images: float32 (N, C, H, W) in [0, 1]; the first 8 are shown.
        betas: (K,) rising numbers within the network's range, where `kl` and `distortion` were
            measured; the slider covers their range. None: all three are measured here, at 25 β
            over the whole range and on the first 1,000 images.
        kl: (K, d), mean KL of each dimension at these β, in nats.
        distortion: (K,), mean of −log p(x|z), in nats an image.

    Attributes:
        beta: the chosen β; what is set moves to the nearest step.
        step: its number, from 0 to 100 over log β (`jslink` another slider's value to it).
        chosen: number of the test image where the traversals start; -1: they start at z = 0.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    step = t.CInt(STEPS // 2, min=0, max=STEPS - 1).tag(**BOTH_WAYS)
    chosen = t.Int(0, min=-1).tag(**BOTH_WAYS)
    decoder = network_trait()
    betas = t.List().tag(sync=True)
    kl = t.Bytes().tag(sync=True)  # float32 (STEPS, d)
    distortion = t.List().tag(sync=True)
    codes = t.Bytes().tag(sync=True)  # float32 (STEPS, images, d)
    noise = t.Bytes().tag(sync=True)  # float32 (images, d)
    images = t.Bytes().tag(sync=True)  # a byte a pixel
    image_shape = t.List().tag(sync=True)
    used = t.Float(USED).tag(sync=True)

    def __init__(self, network, images, betas=None, kl=None, distortion=None):
        """Check the arguments, measure what is missing and pack the decoder."""
        if not isinstance(network, MultiRateVAE):
            raise TypeError(f"network is {type(network).__name__}, a MultiRateVAE is needed.")
        checks.images(images, "images", network.image_shape)
        drawable.check_images(images)
        given = [part is not None for part in (betas, kl, distortion)]
        if not any(given):
            betas, kl, distortion = _measure(network, images[:MEASURED])
        elif not all(given):
            raise ValueError(
                "give all of betas, kl and distortion, or none: then they are measured."
            )
        knots, kl, distortion = _checked(network, betas, kl, distortion)
        grid = np.geomspace(knots[0], knots[-1], STEPS)
        at, known = np.log(grid), np.log(knots)
        shown = images[:SHOWN]
        noise = torch.randn(
            len(shown), network.latent_dim, generator=torch.Generator().manual_seed(0)
        )
        sent = Network.shared(network, *pack_decoder(network))
        self._network, self._noise = as_it_is(network), noise
        self._shown = shown.detach().cpu().float().clone()
        self._shares = np.stack([np.interp(at, known, one) for one in kl.T], 1)
        super().__init__(
            decoder=sent,
            betas=[float(f"{beta:.6g}") for beta in grid],
            kl=self._shares.astype("<f4").tobytes(),
            distortion=np.interp(at, known, distortion).round(3).tolist(),
            codes=b"".join(_floats(_mean(network, beta, shown)) for beta in grid),
            noise=_floats(noise),
            images=pixels.to_bytes(shown),
            image_shape=list(network.image_shape),
        )

    @t.validate("chosen")
    def _known(self, proposal):
        if proposal["value"] >= len(self._shown):
            last = len(self._shown) - 1
            raise t.TraitError(f"chosen is {proposal['value']}, -1 to {last} is needed.")
        return proposal["value"]

    @property
    def beta(self):
        """The chosen β."""
        return self.betas[self.step]

    @beta.setter
    def beta(self, value):
        checks.positive(value, "beta")
        self.step = int(np.abs(np.log(self.betas) - np.log(value)).argmin())

    @property
    def rate(self):
        """R in nats an image at the chosen β."""
        return float(self._shares[self.step].sum())

    def still(self):
        """HTML of a picture: images at the smallest, the middle and the largest β, and the curve."""
        steps = (0, STEPS // 2, STEPS - 1)
        betas = [self.betas[step] for step in steps]
        rates = self._shares.sum(1)
        points = [(rates[step], self.distortion[step]) for step in steps]
        measured = "; ".join(
            f"at β = {beta:.2g} R is {r:.0f} and D {d:.0f} nats"
            for beta, (r, d) in zip(betas, points, strict=True)
        )
        return pixels.still(
            self._still_png(betas, points, rates),
            f"Left: test images, and for three values of β their reconstructions and samples from the "
            f"prior. Right: the falling curve of distortion over rate; {measured}.",
            f"One network at every β from {betas[0]:.2g} to {betas[-1]:.2g}. Run the cell to drag β.",
        )

    @torch.no_grad()
    def _still_png(self, betas, points, rates):
        rows, names = [self._shown], ["test images"]
        for beta in betas:
            codes = torch.cat([_mean(self._network, beta, self._shown), self._noise])
            rows.append(pixels.mean_images(self._network.at(beta), codes))
            names += [f"β = {beta:.2g}: reconstructions", "samples"]
        images = torch.nn.functional.pad(torch.cat(rows), (1, 1, 1, 1))
        columns, height = len(self._shown), images.shape[2]
        figure = Figure(figsize=(8.6, 3.7), dpi=100, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        grid = pixels.to_array(pixels.tile(images, columns))
        left.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        left.set_yticks([(row + 0.5) * height for row in range(len(names))], names)
        left.set_xticks([])
        left.tick_params(length=0, labelsize=9)
        left.spines[:].set_visible(False)
        right.plot(rates, self.distortion, color=PRIOR, lw=2)
        for beta, point in zip(betas, points, strict=True):
            right.plot(*point, "D", color=DECODER, mec="black", ms=8)
            offset = {"xytext": (8, 9), "textcoords": "offset points", "ha": "center"}
            right.annotate(f"β = {beta:.2g}", point, **offset)
        right.set(xlabel="rate R, nats", ylabel="distortion D, nats")
        right.margins(x=0.4, y=0.14)
        return Picture(figure, "").png()

    def __repr__(self):
        """One line: the range, and the chosen β with its R and D."""
        return (
            f"BetaSlider from {self.betas[0]:.2f} to {self.betas[-1]:.2f} at β = {self.beta:.2f}: "
            f"R = {self.rate:.1f}, D = {self.distortion[self.step]:.1f} nats"
        )


def pack_decoder(network):
    """What multi_rate.js needs to evaluate the decoder of a `MultiRateVAE` at any β.

    Returns:
        (layers, weights): ["range", lowest, highest], then [name, inputs, outputs] of each of
        `network.decoder_blocks()`, by which the page finds them; and their numbers, bytes of float16.
    """
    blocks = network.decoder_blocks()
    layers = [["range", network.lowest, network.highest]]
    layers += [[name, weight.shape[1], len(weight)] for name, weight, _ in blocks]
    numbers = torch.cat([in_order(weight, bias) for _, weight, bias in blocks])
    return layers, halves(numbers, "the network's weights in float16")


@torch.no_grad()
def _mean(network, beta, images):
    """Mean codes (N, d) of images at this β, on the CPU."""
    return network.at(float(beta)).encode(images.to(network.shares.weight.device)).mean.cpu()


def _floats(numbers):
    return numbers.numpy().astype("<f4").tobytes()


@torch.no_grad()
def _measure(network, images):
    """(betas, kl, distortion) over the network's range, with the same noise at every β."""
    betas = np.geomspace(network.lowest, network.highest, KNOTS)
    images = images.to(network.shares.weight.device)
    seeded = torch.Generator().manual_seed(0)
    noise = torch.randn(len(images), network.latent_dim, generator=seeded).to(images.device)
    kl, distortion = [], []
    for beta in betas:
        model = network.at(float(beta))
        kl.append(kl_by_dimension(model, images).cpu())
        q = model.encode(images)
        drawn = model.decode(q.mean + q.stddev * noise)
        distortion.append(-drawn.log_prob(images).mean().item())
    return betas, torch.stack(kl), distortion


def _checked(network, betas, kl, distortion):
    """The three as float64 arrays of matching shapes."""
    parts = betas, kl, distortion = [
        np.asarray(torch.as_tensor(part).detach().cpu(), dtype=float)
        for part in (betas, kl, distortion)
    ]
    if betas.ndim != 1 or len(betas) < 2 or (np.diff(betas) <= 0).any():
        raise ValueError("betas must be at least two rising numbers.")
    network.at(betas[0]), network.at(betas[-1])  # in its range, or a message that names it
    for name, part, shape in (
        ("kl", kl, (len(betas), network.latent_dim)),
        ("distortion", distortion, (len(betas),)),
    ):
        if part.shape != shape:
            raise ValueError(f"{name} has shape {part.shape}, {shape} is needed.")
        checks.finite(torch.as_tensor(part), name)
    return parts
