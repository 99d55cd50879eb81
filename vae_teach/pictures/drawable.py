"""What pictures and pages ask of a model: whether they can draw it, and where it puts images."""

import torch

from vae_teach import checks
from vae_teach.models.interface import (
    encoded,
    has_prior,
    image_shape_of,
    images_for,
    latent_dim_of,
    looks,
)


def check(model):
    """Raise unless the model has images to draw: a VAE, an autoencoder, or a learner's own module.

    Raises:
        TypeError: no model with `encode`, `decode` and a latent_dim or prior.
        ValueError: images of other than 1 or 3 channels.
    """
    if hasattr(model, "at"):
        raise TypeError(f"model is {type(model).__name__}, model.at(beta) of it is needed.")
    latent_dim_of(model)
    for name in ("encode", "decode"):
        if not callable(getattr(model, name, None)):
            raise TypeError(f"model is {type(model).__name__} without {name}, which is needed.")
    _check_channels(image_shape_of(model)[0], "images")


def check_images(images, name="images"):
    """Raise TypeError or ValueError unless these are images (N, C, H, W) in [0, 1] of 1 or 3 channels."""
    checks.images(images, name)
    _check_channels(images.shape[1], name)


def check_plane(model):
    """Raise unless the model has images to draw, and codes of two numbers.

    Raises:
        TypeError, ValueError: as `check`, or another latent_dim.
    """
    check(model)
    if latent_dim_of(model) != 2:
        raise ValueError(
            f"model.latent_dim is {latent_dim_of(model)}, 2 is needed for a map: "
            f"use LatentSliders(model)."
        )


def _check_channels(channels, name):
    if channels not in (1, 3):
        raise ValueError(f"{name} have {channels} channels, 1 or 3 are needed.")


@looks
def codes(model, images):
    """Mean and standard deviation of q(z|x), each (N, d), on the CPU.

    An autoencoder's code has no deviation: None.

    Raises:
        TypeError, ValueError: codes that are no Distribution, or not finite.
    """
    images = images_for(model, images, "images")
    if not has_prior(model) and isinstance(z := model.encode(images), torch.Tensor):
        checks.finite(z, "the codes")
        return z.float().cpu(), None
    q = encoded(model, images)
    checks.finite(q.mean, "the mean of q(z|x)")
    return q.mean.float().cpu(), q.stddev.float().cpu()
