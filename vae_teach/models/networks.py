"""Encoder and decoder networks: plain `nn.Sequential`s, so that one can read and send them.

A VAE's encoder maps images (B, C, H, W) to the posterior's numbers, for a diagonal Gaussian (B, 2d). An
autoencoder's maps them to the code itself, (B, d): `numbers=1`.
A decoder maps codes (B, d) to the likelihood's numbers: logits or means (B, C, H, W).
"""

import itertools
import math

import torch
from torch import nn

from vae_teach import checks


def precision(module):
    """The dtype of a module's weights, in which it computes; float32 for one without any."""
    return next(module.parameters(), torch.empty(0, dtype=torch.float32)).dtype


def taken(module, x):
    """Images (B, C, H, W) as a module with an `image_shape` computes with them: in its precision.

    Raises:
        TypeError, ValueError: these are no such images, they lie elsewhere than the module's weights, or
            gradients are wanted of what was made without any (torch.inference_mode).
    """
    checks.images(x, "x", module.image_shape)
    home = next(module.parameters(), x).device
    if x.device != home:
        raise ValueError(f'x lies on {x.device}, the model on {home}: use x.to("{home}").')
    checks.differentiable(x, "x")
    return x.to(precision(module))


def mlp_encoder(latent_dim, image_shape=(1, 28, 28), hidden=(400,), numbers=2):
    """Fully connected encoder (B, C, H, W) -> (B, numbers * latent_dim), ReLU between layers.

    Each size in `hidden` is that of a layer; without any, one matrix is left.
    """
    sizes = [math.prod(image_shape), *checks.hidden(hidden), numbers * latent_dim]
    return nn.Sequential(nn.Flatten(), *_linear_layers(sizes))


def mlp_decoder(latent_dim, image_shape=(1, 28, 28), hidden=(400,)):
    """Fully connected decoder (B, latent_dim) -> (B, C, H, W), ReLU between layers.

    `hidden` is read from the image's side, as for the encoder: the decoder is its mirror.
    """
    sizes = [latent_dim, *reversed(checks.hidden(hidden)), math.prod(image_shape)]
    return nn.Sequential(*_linear_layers(sizes), nn.Unflatten(1, image_shape))


def conv_encoder(
    latent_dim, image_shape=(1, 28, 28), channels=(16, 32), downsample="stride", numbers=2
):
    """Convolutional encoder; each stage halves height and width.

    Args:
        latent_dim: dimensions d of the code.
        image_shape: (C, H, W); H and W must be multiples of 2 ** len(channels).
        channels: output channels of each stage.
        downsample: "stride" (convolutions of stride 2) or "pool" (2×2 max-pooling after each).
        numbers: outputs for each dimension of the code.

    Returns:
        nn.Sequential (B, C, H, W) -> (B, numbers * latent_dim).
    """
    image_shape = checks.image_shape(image_shape)
    if downsample not in ("stride", "pool"):
        raise ValueError(f'downsample is {downsample!r}, "stride" or "pool" is needed.')
    layers, sizes = [], [image_shape[0], *channels]
    for before, after in itertools.pairwise(sizes):
        if downsample == "stride":
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        else:
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    features = math.prod(_small_shape(image_shape, channels))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, numbers * latent_dim))


def conv_decoder(latent_dim, image_shape=(1, 28, 28), channels=(16, 32)):
    """Convolutional decoder; each stage doubles height and width by repeating pixels.

    Upsampling before a convolution leaves no chequerboard, which transposed convolutions do
    (Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard Artifacts").

    Args:
        latent_dim: dimensions d of the code.
        image_shape: (C, H, W); H and W must be multiples of 2 ** len(channels).
        channels: as for the encoder, read from the image's side.

    Returns:
        nn.Sequential (B, latent_dim) -> (B, C, H, W).
    """
    image_shape = checks.image_shape(image_shape)
    small = _small_shape(image_shape, channels)
    layers = [nn.Linear(latent_dim, math.prod(small)), nn.ReLU(), nn.Unflatten(1, small)]
    sizes = [*reversed(channels), image_shape[0]]
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _linear_layers(sizes):
    layers = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return layers[:-1]


def _small_shape(image_shape, channels):
    _, height, width = image_shape
    factor = 2 ** len(channels)
    if height % factor or width % factor:
        raise ValueError(
            f"image_shape is {tuple(image_shape)}: {len(channels)} stages of halving need height and "
            f"width to be multiples of {factor}. Use fewer channels or padded images."
        )
    return channels[-1], height // factor, width // factor
