"""Interpolation: from one image to another through the latent space, and through the pixels."""

import math

import torch
import traitlets
from matplotlib.figure import Figure

from vae_teach import checks
from vae_teach import labels as labelling
from vae_teach.models.interface import as_it_is, has_prior, image_shape_of, latent_dim_of, prior_of
from vae_teach.models.priors import is_standard
from vae_teach.page.networks import Network, network_trait
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import drawable, pixels

CHOICES, STEPS = 12, 9  # images to choose from; pictures of a film strip


class Interpolation(WebExplorer):
    """Two images to choose and a slider t between them, decoded straight and along a sphere.

    Straight: z(t) = (1 - t) a + t b of the codes a, b (means of q(z|x)). Along the sphere: the
    direction turns at an even rate from that of a to that of b, and the norm is interpolated
    (White 2016, arXiv:1609.04468, section 2.1, for codes of equal norm). In d dimensions the prior
    N(0, I) has nearly all of its mass near the radius sqrt(d), so the middle of a straight line has
    too small a norm. Below, for comparison, the blend (1 - t) x + t y of the pixels.

    The decoder travels to the page once, as float16, and is evaluated there. Widget and still picture
    show the model as it was when this was called.

    Args:
        model: a VAE or an Autoencoder, of 1 or 3 channels, or a module of your own with `encode`,
            `decode`, `prior`, a `decoder` that the page can evaluate and a `likelihood`. Without a
            standard normal prior, as for autoencoders, there is no sphere: only the straight line and
            the pixels are shown.
        images: float32 (N, C, H, W) in [0, 1]; the first twelve can be chosen.
        labels: (N,) whole numbers to name the images by, or None.
        classes: the labels' names, a tuple, list or array; or None.

    Attributes:
        first, second: numbers of the two images, from 0.
        t: place on the way from the first (0) to the second (1); `jslink` a slider to it.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    first = traitlets.Int(0, min=0).tag(**BOTH_WAYS)
    second = traitlets.Int(1, min=0).tag(**BOTH_WAYS)
    # An echo from the kernel would pull the slider back under the hand.
    t = traitlets.CFloat(0.5, min=0, max=1).tag(**BOTH_WAYS)
    decoder = network_trait()
    images = traitlets.Bytes().tag(sync=True)  # the choices, a byte a pixel
    codes = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)
    radius = traitlets.Float(0.0).tag(sync=True)  # sqrt(d); 0: no prior, so no sphere

    def __init__(self, model, images, labels=None, classes=None):
        """Check the arguments, encode the images and pack the decoder."""
        names = _checked(model, images, labels, classes)
        first = images[:CHOICES]
        codes, _ = drawable.codes(model, first)
        self._model, self._images = as_it_is(model), first.detach().cpu().float().clone()
        super().__init__(
            decoder=Network.decoder(model),
            images=pixels.to_bytes(first),
            codes=codes.tolist(),
            names=names,
            image_shape=list(image_shape_of(model)),
            radius=_radius(model),
        )

    @traitlets.validate("first", "second")
    def _exists(self, proposal):
        value, last = proposal["value"], len(self.names) - 1
        if value > last:
            name = proposal["trait"].name
            raise traitlets.TraitError(f"{name} is {value}, a number from 0 to {last} is needed.")
        return value

    def still(self):
        """HTML of film strips between the two images."""
        ways = ["straight through the codes", "along the prior's sphere", "through the pixels"]
        ways = ways if self.radius else ways[::2]
        return pixels.still(
            _still_png(self),
            f"{len(ways)} rows of {STEPS} images from {self.names[self.first]} to "
            f"{self.names[self.second]}: {', '.join(ways)}. On the ways through the codes shapes change "
            "into each other, through the pixels one image fades into the other.",
            "Ways from one image to another. Run the cell to choose two and drag between them.",
        )

    def __repr__(self):
        """One line: the two images and the place between them."""
        ends = self.names[self.first], self.names[self.second]
        return f"Interpolation from {ends[0]} to {ends[1]} at t = {self.t:.2f}"


def along_sphere(a, b, t):
    """Codes (T, d) on the way from a to b (d,) at t (T,): directions turn, norms are interpolated.

    The page's `sphere` does the same, and takes a way where this has none: where a code is zero or
    the two are opposite or equal in direction, this goes straight.
    """
    t = t[:, None]
    u, v = a / a.norm().clamp_min(1e-12), b / b.norm().clamp_min(1e-12)
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())
    if not (a.any() and b.any() and 1e-6 < angle < math.pi - 1e-6):
        return (1 - t) * a + t * b
    turned = (torch.sin((1 - t) * angle) * u + torch.sin(t * angle) * v) / torch.sin(angle)
    return ((1 - t) * a.norm() + t * b.norm()) * turned


def _checked(model, images, labels, classes):
    """The names of the first images."""
    drawable.check(model)
    checks.images(images, "images", image_shape_of(model))
    if len(images) < 2:
        raise ValueError("images holds 1 image, at least 2 are needed to go from one to another.")
    names = [f"image {i + 1}" for i in range(min(len(images), CHOICES))]
    if labels is None:
        if classes is not None:
            raise ValueError("classes names labels, and none are given: use labels=..., too.")
        return names
    classes = labelling.names_or_none(classes)
    labels = labelling.checked(labels, len(images), classes=classes)[:CHOICES].tolist()
    kinds = labels if classes is None else [classes[label] for label in labels]
    return [f"{name}, {kind}" for name, kind in zip(names, kinds, strict=True)]


def _radius(model):
    """√d where the prior is N(0, I), whose mass lies near it; else 0."""
    standard = has_prior(model) and is_standard(prior_of(model))
    return math.sqrt(latent_dim_of(model)) if standard else 0.0


def _still_png(explorer):
    model, ends = explorer._model, [explorer.first, explorer.second]
    t = torch.linspace(0, 1, STEPS)
    (a, b), (x, y) = torch.tensor(explorer.codes)[ends], explorer._images[ends]
    shift = t[:, None, None, None]
    rows = {"straight\nthrough z": pixels.mean_images(model, torch.lerp(a, b, t[:, None]))}
    if explorer.radius:
        rows["along the\nsphere"] = pixels.mean_images(model, along_sphere(a, b, t))
    rows["pixels\nblended"] = (1 - shift) * x + shift * y
    height, width = explorer.image_shape[1:]
    figure = Figure(
        figsize=(8, 0.4 + 0.8 * len(rows) * height / width), dpi=96, layout="constrained"
    )
    axes = figure.subplots()
    axes.imshow(
        pixels.to_array(pixels.tile(torch.cat(list(rows.values())), STEPS)),
        cmap="gray", vmin=0, vmax=255, extent=(0, STEPS * width, len(rows) * height, 0),
    )  # fmt: skip
    axes.set_yticks([(i + 0.5) * height for i in range(len(rows))], rows)
    axes.set_xticks([(i + 0.5) * width for i in (0, 4, 8)], ["t = 0", "0.5", "1"])
    return pixels.figure_png(figure)
