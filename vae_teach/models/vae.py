"""The variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114; Rezende et al. 2014)."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from vae_teach import checks
from vae_teach.models.networks import networks

LOG_VARIANCE_LIMIT = 20.0  # standard deviations from 4.5e-5 to 2.2e4: no overflow in float32


class VAE(nn.Module):
    """Standard normal prior, diagonal Gaussian encoder, Bernoulli or Gaussian decoder.

    Args:
        latent_dim: dimensions d of the code z.
        image_shape: (C, H, W).
        network: "mlp", "strided" (convolutions of stride 2) or "pooled" (2×2 max-pooling);
            the decoder of both convolutional forms upsamples.
        hidden: sizes of the hidden layers ("mlp"), or channels of the stages, from the image's
            side. Default (400,), or (16, 32).
        likelihood: "bernoulli" (one logit a pixel) or "gaussian" (one mean a pixel).
        sigma: standard deviation of the Gaussian likelihood, in units of ink (the image's range
            is [0, 1]); None learns one number for all pixels.

    Raises:
        TypeError, ValueError: latent_dim is no whole number >= 1, an unknown network or
            likelihood, sigma <= 0, or an image_shape that does not halve evenly.
    """

    def __init__(
        self,
        latent_dim,
        image_shape=(1, 28, 28),
        network="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
    ):
        super().__init__()
        checks.positive_int(latent_dim, "latent_dim")
        if network not in ("mlp", "strided", "pooled"):
            raise ValueError(f'network is {network!r}, "mlp", "strided" or "pooled" is needed.')
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f'likelihood is {likelihood!r}, "bernoulli" or "gaussian" is needed.')
        self.latent_dim, self.image_shape, self.likelihood = (
            latent_dim,
            tuple(image_shape),
            likelihood,
        )
        self.encoder, self.decoder = networks(network, latent_dim, self.image_shape, hidden or None)
        self.register_buffer("prior_mean", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("prior_scale", torch.ones(latent_dim), persistent=False)
        if likelihood == "gaussian":
            if sigma is not None:
                checks.positive(sigma, "sigma")
            log_sigma = torch.tensor(sigma or 0.3).log()
            self.log_sigma = nn.Parameter(log_sigma, requires_grad=sigma is None)

    @property
    def prior(self):
        """p(z) = N(0, I); batch shape (), event shape (d,)."""
        return Independent(Normal(self.prior_mean, self.prior_scale, validate_args=False), 1)

    def encode(self, x):
        """q(z|x), a diagonal Gaussian with batch shape (B,) and event shape (d,).

        Args:
            x: float32 images (B, C, H, W) in [0, 1].

        The log-variance is clamped to [-20, 20], so that no network output overflows.
        """
        checks.images(x, "x", self.image_shape)
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        log_variance = log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)
        return Independent(Normal(mean, (0.5 * log_variance).exp(), validate_args=False), 1)

    def decode(self, z):
        """p(x|z) with batch shape (...) and event shape (C, H, W), for codes z (..., d)."""
        checks.codes(z, self.latent_dim)
        pixels = self.decoder(z.reshape(-1, self.latent_dim))
        pixels = pixels.reshape(*z.shape[:-1], *self.image_shape)
        if self.likelihood == "bernoulli":
            return Independent(Bernoulli(logits=pixels, validate_args=False), 3)
        scale = self.log_sigma.exp().expand_as(pixels)
        return Independent(Normal(pixels, scale, validate_args=False), 3)
