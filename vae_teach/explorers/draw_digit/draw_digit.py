"""Draw a digit: the page encodes it with every stroke, and decodes the mean of q(z|x)."""

import math

import torch
import traitlets as t
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from vae_teach import checks
from vae_teach.models.interface import (
    as_it_is,
    device_of,
    has_prior,
    image_shape_of,
    likelihood_of,
    looks,
    prior_of,
)
from vae_teach.models.priors import is_standard
from vae_teach.page.latent_map import marked, on_map
from vae_teach.page.networks import Network, network_trait
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import drawable, pixels
from vae_teach.pictures.colours import DECODER, ENCODER

CHOICES = 12  # images to choose from


class DrawDigit(WebExplorer):
    """Paper to draw on; q(z|x) and the reconstruction follow every stroke.

    Encoder and decoder travel to the page once, as float16, and are evaluated there. A drawing is
    moved so that its centre of mass lies on pixel (H / 2, W / 2), as MNIST's digits were (LeCun,
    Cortes & Burges, "The MNIST database"); an image chosen below the map is taken as it is, and can
    be drawn on. Widget and still picture show the model as it was when this was called.

    Args:
        model: a VAE with latent_dim 2, one channel and a diagonal Gaussian q(z|x), or a module of your
            own with `encode`, `decode`, `prior`, an `encoder` and a `decoder` that the page can
            evaluate, and a `likelihood`.
        images: float32 (N, 1, H, W) in [0, 1]; the map shows the codes (means of q(z|x)) of at most
            2,000 of them, evenly picked; the first twelve can be chosen.
        labels: (N,) whole numbers from 0 to 35, drawn as 0-9, a-z.
        classes: the labels' names, a tuple, list or array; or None.

    Attributes:
        image: float32 (1, 1, H, W), what the encoder sees; reads and sets what the page shows.
        chosen: number of the chosen image, -1 for a drawing.
        centred: whether a drawing is moved to the middle.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    chosen = t.Int(-1, min=-1).tag(**BOTH_WAYS)
    centred = t.Bool(True).tag(**BOTH_WAYS)
    # What the encoder sees, a byte a pixel. An echo would undo what was drawn in the meantime.
    seen = t.Bytes().tag(from_json=lambda value, _widget: bytes(value), **BOTH_WAYS)
    encoder = network_trait()
    decoder = network_trait()
    points = t.Bytes().tag(sync=True)
    images = t.Bytes().tag(sync=True)  # the choices, a byte a pixel
    names = t.List().tag(sync=True)
    image_shape = t.List().tag(sync=True)
    classes = t.Dict().tag(sync=True)
    limit = t.Float().tag(sync=True)
    tick = t.Float().tag(sync=True)
    box = t.Int(0).tag(sync=True)  # side of the square that most images fill; 0: the whole image
    probable = t.Bool(True).tag(sync=True)  # pixels are probabilities: -log p(x|z), not squares
    usual = t.List().tag(
        sync=True
    )  # means of KL (None: p(z) is not N(0, I)) and error over the map
    prior = t.List().tag(sync=True)  # its parts: mean and standard deviation

    def __init__(self, model, images, labels, classes=None):
        """Check the arguments, encode the images and pack both networks."""
        shown, picked = on_map(model, images, labels, classes)
        labels, classes = marked(labels, classes, len(images))
        if not has_prior(model):
            raise ValueError(
                "DrawDigit shows q(z|x), which an autoencoder does not have: use a VAE."
            )
        shape = image_shape_of(model)
        if shape[0] != 1:
            raise ValueError(f"images have {shape[0]} channels, 1 is needed to draw.")
        means, sds = drawable.codes(model, images[picked])
        first = images[:CHOICES]
        self._model, self._map = as_it_is(model), shown
        super().__init__(
            encoder=Network.encoder(model),
            decoder=Network.decoder(model),
            images=pixels.to_bytes(first),
            names=[
                f"test image {i + 1}, {classes[label] if classes else label}"
                for i, label in enumerate(labels[:CHOICES].tolist())
            ],
            seen=bytes(first[0].numel()),
            image_shape=list(shape),
            box=_box(images[picked]),
            probable=likelihood_of(model).probabilities,
            usual=_usual(model, images[picked], means, sds),
            **shown.traits(),
        )

    @property
    def image(self):
        """float32 (1, 1, H, W): what the encoder sees."""
        ink = torch.frombuffer(bytearray(self.seen), dtype=torch.uint8)
        return ink.reshape(1, *self.image_shape).float() / 255

    @image.setter
    def image(self, x):
        checks.images(x, "image", tuple(self.image_shape))
        with self.hold_sync():
            self.chosen, self.seen = -1, pixels.to_bytes(x[:1])

    @t.validate("chosen")
    def _exists(self, proposal):
        if proposal["value"] >= len(self.names):
            raise t.TraitError(
                f"chosen is {proposal['value']}, at most {len(self.names) - 1} is needed."
            )
        return proposal["value"]

    @t.observe("chosen")
    def _put_on_paper(self, change):
        size = math.prod(self.image_shape)
        if change["new"] >= 0:
            self.seen = self.images[change["new"] * size : (change["new"] + 1) * size]

    def still(self):
        """HTML of a picture of four images, their q(z|x) on the map, and their reconstructions."""
        return pixels.still(
            _still_png(self),
            f"Left: the latent plane with the codes of {len(self._map.means):,} images, each drawn as its "
            "label, and the ellipses of q(z|x) of four images. Right: these images above their "
            "reconstructions.",
            "Images, where the encoder puts them, and what the decoder makes of that. "
            "Run the cell to draw your own.",
        )

    def __repr__(self):
        """One line: images on the map, and what is on the paper."""
        paper = "a drawing" if any(self.seen) else "empty paper"
        paper = self.names[self.chosen] if self.chosen >= 0 else paper
        return f"DrawDigit over a map of {len(self._map.means):,} images: {paper}"


def _box(images):
    """Side of the middle square that the typical image just fills; 0 when that is all of it."""
    ink = images[:, 0] > 0.2
    sides = [ink.any(2), ink.any(1)]  # rows, columns
    longest = max(_extent(side).median().item() for side in sides)
    return 0 if longest > 0.9 * min(ink.shape[1:]) else longest


def _extent(ink):
    """Length (B,) from the first to the last True of each row of (B, L)."""
    first = ink.int().argmax(1)
    last = ink.shape[1] - 1 - ink.flip(1).int().argmax(1)
    return torch.where(ink.any(1), last - first + 1, 0)


@looks
def _usual(model, images, means, sds):
    """Mean KL(q||p) in nats, and mean -log p(x|z) in nats (or squared error) at z = q's mean."""
    kl = 0.5 * (means.square() + sds.square() - 1 - 2 * sds.log()).sum(1)
    device, error = device_of(model), []
    for x, z in zip(images.split(500), means.split(500), strict=True):
        if likelihood_of(model).probabilities:
            error.append(-model.decode(z.to(device)).log_prob(x.to(device)).cpu())
        else:
            error.append((pixels.mean_images(model, z) - x.cpu()).square().flatten(1).sum(1))
    known = is_standard(prior_of(model))
    return [kl.mean().item() if known else None, torch.cat(error).mean().item()]


def _still_png(explorer):
    model, count = explorer._model, min(4, len(explorer.names))
    size = math.prod(explorer.image_shape)
    first = torch.frombuffer(bytearray(explorer.images[: count * size]), dtype=torch.uint8)
    images = first.reshape(count, *explorer.image_shape).float() / 255
    means, sds = drawable.codes(model, images)
    figure = Figure(figsize=(8, 4.2), dpi=96, layout="constrained")
    plane, right = figure.subplots(1, 2)
    explorer._map.draw(plane, prior=False)
    for number, (mean, sd) in enumerate(zip(means.tolist(), sds.tolist(), strict=True), start=1):
        for radius in (2, 4):  # width and height are diameters: 1 and 2 standard deviations
            shape = mean, radius * sd[0], radius * sd[1]
            plane.add_patch(Ellipse(*shape, fill=False, ec="white", lw=4))
            plane.add_patch(Ellipse(*shape, fill=False, ec=ENCODER, lw=2, ls="--"))
        plane.annotate(
            str(number), mean, xytext=(14, 14), textcoords="offset points", color=ENCODER, weight="bold",
            size=14, arrowprops={"arrowstyle": "-", "color": ENCODER},
            bbox={"boxstyle": "circle", "fc": "white", "ec": ENCODER},
        )  # fmt: skip
    plane.set_title("q(z|x) of four images: 1 and 2 sd")
    rows = torch.cat([images, pixels.mean_images(model, means)])
    height, width = explorer.image_shape[1:]
    right.imshow(
        pixels.to_array(pixels.tile(rows, count)), cmap="gray", vmin=0, vmax=255,
        extent=(0, count * width, 2 * height, 0),
    )  # fmt: skip
    right.set_xticks([(i + 0.5) * width for i in range(count)], [str(i + 1) for i in range(count)])
    right.set_yticks([height / 2, 1.5 * height], ["x", "mean of\np(x|z)"])
    right.get_yticklabels()[1].set_color(DECODER)
    right.set_title("images, and their reconstructions")
    return pixels.figure_png(figure)
