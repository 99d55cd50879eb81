"""Autoencoders: a code for each image, and nothing random."""

import torch
from torch import nn

from vae_teach import checks
from vae_teach.models.networks import mlp_decoder, mlp_encoder, precision, taken


class Autoencoder(nn.Module):
    """Image -> code -> image (Hinton & Salakhutdinov 2006).

    Args:
        latent_dim: dimensions d of the code z, the bottleneck.
        image_shape: (C, H, W).
        hidden: sizes of the hidden layers of the fully connected networks, from the image's side;
            the decoder ends in a sigmoid.
        encoder: a network images (B, C, H, W) -> (B, d), instead of the fully connected one, for
            example `networks.conv_encoder(latent_dim, image_shape, numbers=1)`.
        decoder: a network codes (B, d) -> images (B, C, H, W), likewise; end it in nn.Sigmoid() to
            keep ink in [0, 1], or not.

    Raises:
        TypeError, ValueError: latent_dim is no whole number >= 1; when called, a network whose
            numbers do not fit.
    """

    def __init__(
        self, latent_dim, image_shape=(1, 28, 28), hidden=(400,), *, encoder=None, decoder=None
    ):
        super().__init__()
        checks.positive_int(latent_dim, "latent_dim")
        checks.networks(encoder=encoder, decoder=decoder)
        self.latent_dim, self.image_shape = latent_dim, checks.image_shape(image_shape)
        self.encoder = encoder or mlp_encoder(latent_dim, self.image_shape, hidden, numbers=1)
        self.decoder = decoder or mlp_decoder(latent_dim, self.image_shape, hidden).append(
            nn.Sigmoid()
        )

    def encode(self, x):
        """Codes (B, d) of float32 images (B, C, H, W) in [0, 1]."""
        codes = self.encoder(taken(self, x))
        checks.outputs(codes, (len(x), self.latent_dim), "encoder")
        return codes

    def decode(self, z):
        """Images (..., C, H, W) of codes (..., d)."""
        checks.codes(z, self.latent_dim)
        codes = z.reshape(-1, self.latent_dim)
        images = self.decoder(codes.to(precision(self)))
        checks.outputs(images, (len(codes), *self.image_shape), "decoder")
        return images.reshape(*z.shape[:-1], *self.image_shape)

    def forward(self, x):
        """Reconstructions (B, C, H, W)."""
        return self.decode(self.encode(x))


class AutoencoderFamily(nn.Module):
    """Autoencoders with bottlenecks of 1, 2, ..., `widest` numbers that share their outer layers.

    Each width has two matrices of its own, into the bottleneck and out of it, so width k passes
    exactly k numbers. One set of weights then serves a slider over the width.

    Args:
        widest: the largest bottleneck.
        image_shape: (C, H, W).
        hidden: size of the shared hidden layers.
    """

    def __init__(self, widest=32, image_shape=(1, 28, 28), hidden=256):
        super().__init__()
        checks.positive_int(widest, "widest")
        checks.positive_int(hidden, "hidden")
        self.widest, self.image_shape = widest, checks.image_shape(image_shape)
        self.encoder = nn.Sequential(*mlp_encoder(hidden, image_shape, (), numbers=1), nn.ReLU())
        self.into = nn.ModuleList(nn.Linear(hidden, k) for k in range(1, widest + 1))
        self.out_of = nn.ModuleList(nn.Linear(k, hidden) for k in range(1, widest + 1))
        self.decoder = nn.Sequential(nn.ReLU(), *mlp_decoder(hidden, image_shape, ()), nn.Sigmoid())

    def encode(self, x, width):
        """Codes (B, width) of images (B, C, H, W)."""
        return self.into[self._index(width)](self.encoder(taken(self, x)))

    def decode(self, z):
        """Images (B, C, H, W) of codes (B, width), any width from 1 to the widest."""
        width = z.shape[-1] if isinstance(z, torch.Tensor) and z.dim() else self.widest
        checks.codes(z, width)
        return self.decoder(self.out_of[self._index(width)](z.to(precision(self))))

    def forward(self, x, width):
        """Reconstructions (B, C, H, W) through a bottleneck of `width` numbers."""
        return self.decode(self.encode(x, width))

    def _index(self, width):
        checks.positive_int(width, "width")
        if width > self.widest:
            raise ValueError(f"width is {width}, a whole number from 1 to {self.widest} is needed.")
        return width - 1


def squared_error(model, x):
    """−Σ over pixels of (x̂ − x)², (B,): an objective for `fit` with any model whose call gives x̂."""
    return -(model(x) - x).square().flatten(1).sum(1)


def family_squared_error(model, x, widths=4):
    """`squared_error` of an `AutoencoderFamily`, averaged over a few widths drawn at random."""
    checks.positive_int(widths, "widths")
    hidden = model.encoder(taken(model, x))
    drawn = (1 + torch.randperm(model.widest)[:widths]).tolist()
    codes = [model.out_of[k - 1](model.into[k - 1](hidden)) for k in drawn]
    errors = (model.decoder(torch.cat(codes)).reshape(len(drawn), *x.shape) - x).square()
    return -errors.flatten(2).sum(2).mean(0)
