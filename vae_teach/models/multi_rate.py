"""One VAE for a whole range of β (after Bae et al. 2022, "Multi-Rate VAE", arXiv:2212.03905)."""

import itertools
import math
import numbers

import torch
from torch import nn
from torch.distributions import Independent, Normal
from torch.nn.functional import softplus

from vae_teach import checks
from vae_teach.models.likelihoods import Bernoulli
from vae_teach.models.networks import taken
from vae_teach.models.posteriors import LOG_VARIANCE_LIMIT
from vae_teach.models.priors import StandardNormal

MATRICES = 4  # besides the first one, next to the code on either side


class MultiRateVAE(nn.Module):
    """A fully connected VAE whose encoder and decoder are functions of β.

    `at(beta)` is the VAE for one β: a view that shares all weights with this network. β enters in
    three places, by way of a small network of log β that gives s, t and g:

    - Where a layer of an ordinary VAE computes relu(a), this one computes relu(s(β) a + t(β)), unit
      by unit, and the encoder's 2 d outputs are scaled and shifted alike (FiLM, Perez et al. 2018,
      arXiv:1709.07871; Bae et al. use gates). s starts as 1, t as 0.
    - The two matrices next to the code, which are small, are W + Σ_k g_k(β) W_k; W_k starts as 0.
    - The encoder's variance is β / (β + a) with an output a > 0 of the encoder. With a linear decoder
      of slope w and noise σ the β-ELBO is largest at exactly this variance, with a = (w / σ)², since
      the best q(z|x) is proportional to p(z) p(x|z)^(1/β).

    Args:
        latent_dim: dimensions d of the code z.
        image_shape: (C, H, W).
        hidden: sizes of the hidden layers, from the image's side.
        lowest, highest: the range of β, 0 < lowest < highest.

    Raises:
        TypeError, ValueError: latent_dim is no whole number >= 1, a range that is none, or no hidden layer.
    """

    def __init__(
        self, latent_dim=20, image_shape=(1, 28, 28), hidden=(400,), lowest=0.05, highest=20.0
    ):
        super().__init__()
        checks.positive_int(latent_dim, "latent_dim")
        checks.positive(lowest, "lowest")
        checks.positive(highest, "highest")
        if not lowest < highest:
            raise ValueError(f"lowest is {lowest}, highest {highest}: lowest < highest is needed.")
        self.latent_dim, self.image_shape = latent_dim, checks.image_shape(image_shape)
        self.lowest, self.highest = float(lowest), float(highest)
        pixels, hidden = math.prod(self.image_shape), checks.hidden(hidden)
        if not hidden:
            raise ValueError("hidden is (), at least one layer is needed, such as (400,).")
        self.encoder = _layers([pixels, *hidden, 2 * latent_dim])
        self.decoder = _layers([latent_dim, *reversed(hidden), pixels])
        self.widths = [*hidden, 2 * latent_dim, *reversed(hidden)]
        self.condition = nn.Sequential(nn.Linear(1, 32), nn.Tanh())  # 32 smooth steps in log β
        self.scale_and_shift = _zero(nn.Linear(32, 2 * sum(self.widths)))
        self.shares = nn.Linear(32, MATRICES)  # the g_k
        self.into_code = _zero(nn.Linear(hidden[-1], MATRICES * 2 * latent_dim, bias=False))
        self.out_of_code = _zero(nn.Linear(MATRICES * latent_dim, hidden[-1], bias=False))
        self.prior_part, self.likelihood = StandardNormal(latent_dim), Bernoulli()
        with torch.no_grad():
            self.condition[0].weight.uniform_(-2, 2)
            self.condition[0].bias.uniform_(-2, 2)

    @property
    def prior(self):
        """p(z) = N(0, I); batch shape (), event shape (d,)."""
        return self.prior_part()

    def at(self, beta):
        """The VAE for this β, with `encode`, `decode`, `prior`, `latent_dim` and `image_shape`.

        Args:
            beta: a number in [lowest, highest], or a tensor (B,) of them, one for each image of the
                batches that will be encoded and decoded.

        Raises:
            TypeError, ValueError: beta is no number, has another shape, or lies outside the range.
        """
        return AtBeta(self, self._checked(beta))

    def decoder_blocks(self):
        """All that the decoder at any β is made of: a list of (name, weight, bias or None).

        First the "condition", "shares", the decoder's part of "scale_and_shift" (scales, then shifts)
        and "out_of_code", as above; then each layer of the decoder, called "linear".
        """
        units = sum(layer.out_features for layer in self.decoder[:-1])
        both = self.scale_and_shift  # the encoder's units come first in both halves
        weight, bias = (
            torch.cat([half[-units:] for half in part.chunk(2)])
            for part in (both.weight, both.bias)
        )
        return [
            ("condition", self.condition[0].weight, self.condition[0].bias),
            ("shares", self.shares.weight, self.shares.bias),
            ("scale_and_shift", weight, bias),
            ("out_of_code", self.out_of_code.weight, None),
            *[("linear", layer.weight, layer.bias) for layer in self.decoder],
        ]

    def _checked(self, beta):
        """Beta as a float32 tensor () or (B,), on the network's device."""
        if isinstance(beta, bool) or not isinstance(beta, numbers.Real | torch.Tensor):
            raise TypeError(f"beta is {beta!r}, a number or a tensor (B,) is needed.")
        beta = torch.as_tensor(beta, dtype=torch.float32, device=self.shares.weight.device)
        if beta.dim() > 1 or beta.numel() == 0:
            raise ValueError(
                f"beta has shape {tuple(beta.shape)}, a number or a tensor (B,) is needed."
            )
        # A number from a logarithmic slider may miss an end of the range by a rounding error.
        low, high = self.lowest * (1 - 1e-5), self.highest * (1 + 1e-5)
        outside = ~((beta >= low) & (beta <= high))
        if outside.any():
            raise ValueError(
                f"beta is {beta[outside][0].item():g}: this network knows "
                f"{self.lowest:g} <= beta <= {self.highest:g}."
            )
        return beta


class AtBeta:
    """A `MultiRateVAE` seen at one β, or at one β for each image: made by `MultiRateVAE.at`."""

    def __init__(self, network, beta):
        self.network, self.beta, self.likelihood = network, beta, network.likelihood
        self.latent_dim, self.image_shape = network.latent_dim, network.image_shape
        middle = 0.5 * math.log(network.lowest * network.highest)
        half = 0.5 * math.log(network.highest / network.lowest)
        features = network.condition((beta.log()[..., None] - middle) / half)
        scales, shifts = network.scale_and_shift(features).chunk(2, dim=-1)
        self._shares = network.shares(features)[..., None]  # (..., MATRICES, 1)
        self._scales = (1 + scales).split(network.widths, dim=-1)
        self._shifts = shifts.split(network.widths, dim=-1)

    @property
    def prior(self):
        """p(z) = N(0, I); batch shape (), event shape (d,)."""
        return self.network.prior

    def encode(self, x):
        """q(z|x), a diagonal Gaussian with batch shape (B,) and event shape (d,).

        Args:
            x: float32 images (B, C, H, W) in [0, 1].
        """
        x = taken(self.network, x)
        self._check_count(len(x), "images")
        *hidden, last = self.network.encoder
        h = x.flatten(1)
        for i, layer in enumerate(hidden):
            h = torch.relu(self._modulated(layer(h), i))
        parts = self.network.into_code(h).unflatten(-1, (MATRICES, -1))
        outputs = last(h) + (self._shares * parts).sum(-2)
        mean, minus_log_a = self._modulated(outputs, len(hidden)).chunk(2, dim=-1)
        log_variance = -softplus(-(minus_log_a + self.beta.log()[..., None]))  # log(β / (β + a))
        log_variance = log_variance.clamp(min=-LOG_VARIANCE_LIMIT)
        return Independent(Normal(mean, (0.5 * log_variance).exp(), validate_args=False), 1)

    def decode(self, z):
        """p(x|z) with batch shape (...) and event shape (C, H, W), for codes z (..., d).

        With one β an image the last batch dimension of z is the images': (..., B, d).
        """
        checks.codes(z, self.latent_dim)
        self._check_count(z.shape[-2] if z.dim() > 1 else 1, "codes")
        *hidden, last = self.network.decoder
        h = z
        for i, layer in enumerate(hidden):
            a = layer(h)
            if i == 0:
                a = a + self.network.out_of_code((self._shares * z[..., None, :]).flatten(-2))
            h = torch.relu(self._modulated(a, len(self.network.encoder) + i))
        pixels = last(h).unflatten(-1, self.image_shape)
        return self.likelihood(pixels)

    def parameters(self):
        """The network's, which this view shares."""
        return self.network.parameters()

    @property
    @torch.no_grad()
    def decoder(self):
        """The decoder as plain layers (B, d) -> logits (B, C, H, W): a copy with this β worked in.

        Raises:
            ValueError: there is one β for each image.
        """
        if self.beta.dim():
            raise ValueError(f"beta has shape ({len(self.beta)},), one number is needed here.")
        layers = []
        for i, given in enumerate(self.network.decoder):
            layer = nn.Linear(given.in_features, given.out_features, device=given.weight.device)
            weight, bias = given.weight, given.bias
            if i == 0:
                small = self.network.out_of_code.weight.unflatten(1, (MATRICES, -1))
                weight = weight + (self._shares * small).sum(1)
            if i < len(self.network.decoder) - 1:
                at = len(self.network.encoder) + i
                weight, bias = self._scales[at][:, None] * weight, self._modulated(bias, at)
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
            layers += [layer, nn.ReLU()]
        return nn.Sequential(*layers[:-1], nn.Unflatten(1, self.image_shape))

    def _modulated(self, a, i):
        return self._scales[i] * a + self._shifts[i]

    def _check_count(self, count, of):
        if self.beta.dim() == 1 and len(self.beta) != count:
            raise ValueError(
                f"beta has shape ({len(self.beta)},) for {count} {of}: one beta for each is needed."
            )


def _layers(sizes):
    return nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))


def _zero(layer):
    """The linear layer, made the constant 0."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
