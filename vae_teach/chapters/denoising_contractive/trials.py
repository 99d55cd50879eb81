"""What chapter 02's exercises are tried on: images, noise, small networks whose truth is known."""

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.func import jacrev, vmap


def to_mask(seed, rate, *shape, standardized=False):
    """Images without a blank pixel, or standardized ones; a rate, and uniform noise.

    One number of the noise is the rate itself.
    """
    draws = torch.Generator().manual_seed(seed)
    x = 0.9 * torch.rand(shape, generator=draws) + 0.1
    rate, noise = torch.tensor(rate), torch.rand(shape, generator=draws)
    noise[0, 0, 0, 1] = rate
    return 4 * x - 2 if standardized else x, rate, noise


def to_blur(seed, variances, *shape):
    """Images with blank and black pixels, a variance for each, and Gaussian noise."""
    draws = torch.Generator().manual_seed(seed)
    shape = len(variances), *shape
    x = (2 * torch.rand(shape, generator=draws) - 0.5).clamp(0, 1)
    return x, torch.tensor(variances), torch.randn(shape, generator=draws)


def to_denoise(seed, *shape, binary=False):
    """A network, images, and the same corrupted."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=draws)
    x = x.round() if binary else x
    corrupted = x + 0.5 * torch.randn(x.shape, generator=draws)
    weight = 0.5 * torch.randn(x[0].numel(), x[0].numel(), generator=draws)
    return lambda images: (images.flatten(1) @ weight).sigmoid().reshape(images.shape), x, corrupted


class BestDenoiser:
    """E[x | x̃] by Bayes' rule, for data from three bumps and noise of width sigma."""

    def __init__(self, sigma, dimensions, spread):
        draws = torch.Generator().manual_seed(0)
        self.centres = torch.randn(3, dimensions, generator=draws, dtype=torch.double)
        self.width = (spread**2 + sigma**2) ** 0.5  # of a bump, blurred
        self.shrink = spread**2 / self.width**2

    def __call__(self, x):
        """Corrupted points (N, D) -> the mean of the clean ones, like x."""
        near = Normal(x[:, None], self.width).log_prob(self.centres).sum(2)
        means = self.centres + self.shrink * (x[:, None] - self.centres)
        return (near.softmax(1)[:, :, None] * means).sum(1)

    def score(self, x):
        """The gradient of the logarithm of the blurred density, by autograd."""
        bumps = Independent(Normal(self.centres, self.width), 1)
        x = x.clone().requires_grad_()
        log_p = MixtureSameFamily(Categorical(torch.ones(3)), bumps).log_prob(x)
        return torch.autograd.grad(log_p.sum(), x)[0]


def bumps(seed, points, sigma, dimensions=2, spread=0.6):
    """The best denoiser; points; sigma."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(points, dimensions, generator=draws, dtype=torch.double)
    return BestDenoiser(sigma, dimensions, spread), x, torch.tensor(sigma, dtype=torch.double)


class SmallAutoencoder:
    """One sigmoid layer from D numbers to d and back, float64."""

    def __init__(self, seed, d, D):
        draws = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(d, D, generator=draws, dtype=torch.double)

    def encode(self, x):
        """Images (B, D) or (D,) -> codes."""
        return torch.sigmoid(x @ self.weight.t())

    def decode(self, h):
        """Codes -> images."""
        return torch.sigmoid(h @ self.weight)


class DeepAutoencoder(SmallAutoencoder):
    """A second layer, of hyperbolic tangents: what holds for one sigmoid layer does not hold here."""

    def __init__(self, seed, d, D):
        super().__init__(seed, d, D)
        self.turn = self.weight[:, :d] + torch.eye(d)

    def encode(self, x):
        """Images (B, D) or (D,) -> codes."""
        return torch.tanh(super().encode(x) @ self.turn)

    def decode(self, h):
        """Codes -> images."""
        return super().decode(torch.tanh(h @ self.turn.t()))


def to_contract(seed, images, d, D, kind=SmallAutoencoder):
    """A model, and points on both sides of 0."""
    x = torch.randn(
        images, D, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.double
    )
    return kind(seed, d, D), x


def closed_form(model, x):
    """Right where there is one layer only, and its function is the sigmoid."""
    h = model.encode(x)
    return ((h * (1 - h)).square() * model.weight.square().sum(1)).sum(1)


def jacobian(model, x):
    """(B, d, D)."""
    return vmap(jacrev(model.encode))(x)


def penalty(model, x):
    """By autograd; by the closed form where it holds, which is the other source."""
    if type(model) is SmallAutoencoder:
        return closed_form(model, x)
    return jacobian(model, x).square().sum((1, 2))
