"""The codes of images as a map of the latent plane shows them, in the page and in still pictures."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vae_teach import checks
from vae_teach import labels as labelling
from vae_teach.models.interface import has_prior, image_shape_of, latent_dim_of, prior_of
from vae_teach.models.priors import centres
from vae_teach.page.networks import halves
from vae_teach.pictures import drawable
from vae_teach.pictures.colours import LABELS
from vae_teach.pictures.mixtures import prior_ellipses

POINTS = 2000  # images on the map at most: more only hide each other and weigh the page down
SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"  # one mark a label, as in plane.js


class Map(NamedTuple):
    """Codes on a square map [-limit, limit]²."""

    means: Tensor
    """(N, 2): means of q(z|x), or an autoencoder's codes, that lie on the map."""
    labels: Tensor
    """int64 (N,)."""
    limit: float
    names: dict
    """label -> name, for the labels on the map."""
    prior: Tensor
    """(K, 2, 2): mean and standard deviation of each of p(z)'s K parts; K = 0 for autoencoders."""

    def traits(self):
        """What the page's functions `plane`, `marks` and `legend` need."""
        return {
            "points": halves(self.means, "codes") + self.labels.numpy().astype("u1").tobytes(),
            "classes": {str(label): name for label, name in self.names.items()},
            "limit": self.limit,
            "tick": tick(self.limit),
            "prior": self.prior.flatten(1).tolist(),
        }

    def draw(self, axes, prior=True):
        """Draw the map with matplotlib."""
        marks(axes, self.means, self.labels, 22)
        if prior:
            prior_ellipses(axes, self.prior)
        axes.set(xlim=(-self.limit, self.limit), ylim=(-self.limit, self.limit), aspect=1)
        axes.set(xlabel="$z_1$", ylabel="$z_2$")


def on_map(model, images, labels, classes=None):
    """The map of at most 2,000 of the images, evenly picked, and which ones these are.

    The map holds 99 of 100 codes; the others lie outside it and are left out.

    Args:
        model: a VAE, an Autoencoder or a learner's own module; latent_dim 2 and 1 or 3 channels.
        images: float32 (N, C, H, W) in [0, 1].
        labels: (N,) whole numbers from 0 to 35.
        classes: the labels' names, or None.

    Returns:
        (Map, picked): picked are the numbers (M,) of the images that were encoded.

    Raises:
        TypeError, ValueError: what was handed in does not fit.
    """
    drawable.check_plane(model)
    checks.images(images, "images", image_shape_of(model))
    labels, classes = marked(labels, classes, len(images))
    prior = prior_parts(model)
    picked = torch.linspace(0, len(images) - 1, min(len(images), POINTS)).round().long()
    means, _ = drawable.codes(model, images[picked])
    reach = means.abs().amax(1)
    least = (prior[:, 0].abs() + 3 * prior[:, 1]).max().item() if len(prior) else 0.5
    limit = math.ceil(2 * max(least, reach.quantile(0.99).item())) / 2
    shown = labels[picked][reach <= limit]
    names = names_of(shown, classes)
    return Map(means[reach <= limit], shown, limit, names, prior), picked


def prior_parts(model):
    """(K, 2, d): mean and standard deviation of each of p(z)'s K parts; K = 0 for autoencoders."""
    if not has_prior(model):
        return torch.zeros(0, 2, latent_dim_of(model))
    return torch.stack(centres(prior_of(model)), 1).cpu()


def marked(labels, classes, count):
    """Labels (count,) for each of which there is a mark, int64 on the CPU, and the classes' names or None.

    Raises:
        TypeError, ValueError: there is no mark or no name for a label, or other labels than images.
    """
    classes = labelling.names_or_none(classes)
    labels = labelling.checked(labels, count, classes=classes, most=len(SIGNS) - 1)
    return labels.cpu(), classes


def names_of(labels, classes):
    """Dict of label -> name for those that occur; none without classes."""
    return {} if classes is None else {k: classes[k] for k in labels.unique().tolist()}


def tick(limit):
    """Step of 1, 2 or 5 times a power of ten that makes about four ticks on each side."""
    power = 10 ** math.floor(math.log10(limit / 3))
    return float(next(step * power for step in (1, 2, 5, 10) if limit / (step * power) <= 6))


def marks(axes, codes, labels, size):
    """Draw codes (N, 2) as their labels' marks."""
    for label in labels.unique().tolist():
        look = {"marker": f"${SIGNS[label]}$", "c": LABELS[label % 10], "s": size}
        axes.scatter(*codes[labels == label].T, linewidths=0.2, **look)
