"""Exercises of chapter 02, denoising and contractive autoencoders."""

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.distributions.transforms import AffineTransform
from torch.func import jacrev, vmap
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _to_mask(seed, rate, *shape):
    """Images without a blank pixel, a rate, and uniform noise."""
    draws = torch.Generator().manual_seed(seed)
    x = 0.9 * torch.rand(shape, generator=draws) + 0.1
    return x, torch.tensor(rate), torch.rand(shape, generator=draws)


def _keep(noise, rate):
    return (noise >= rate).float()


check_mask = Exercise(
    "x·m with m = 0 where noise < rate: x (B, C, H, W), rate (), noise like x -> like x.",
    inputs=[_to_mask(0, 0.3, 4, 1, 5, 5), _to_mask(1, 0.6, 2, 3, 4, 6)],
    right=lambda x, rate, n: x.masked_fill(n < rate, 0.0),
    mistakes={
        "keep and drop are swapped: a pixel stays where its noise is not below the rate.": (
            lambda x, rate, n: x * (n < rate)
        ),
        "you divided by 1 − rate, as dropout does; here the kept pixels stay as they are.": (
            lambda x, rate, n: x * _keep(n, rate) / (1 - rate)
        ),
        "one number masks a whole image; each pixel needs an m of its own.": (
            lambda x, rate, n: x * _keep(n[:, :, :1, :1], rate)
        ),
        "one number masks the whole batch; each pixel of each image needs an m of its own.": (
            lambda x, rate, n: x * _keep(n[0, 0, 0, 0], rate)
        ),
        "all images got the mask of the first; each needs its own.": (
            lambda x, rate, n: x * _keep(n[:1], rate)
        ),
        "you multiplied by the noise itself; m is 0 or 1.": lambda x, rate, n: x * n,
        "m is 0 or 1, but where your noise survives it is neither.": (
            lambda x, rate, n: x * n * _keep(n, rate)
        ),
        "this is the mask m; multiply x by it.": lambda x, rate, n: _keep(n, rate),
        "the mask multiplies x, it is not added.": lambda x, rate, n: x + _keep(n, rate),
        "this is x scaled by the mean of m; drop single pixels instead.": (
            lambda x, rate, n: x * (1 - rate)
        ),
        "you dropped a share 1 − rate of the pixels, not a share rate.": (
            lambda x, rate, n: x * _keep(n, 1 - rate)
        ),
        "dropped pixels must be 0, blank paper; yours are ink.": (
            lambda x, rate, n: x.masked_fill(n < rate, 1.0)
        ),
    },
    also_right=[
        lambda x, rate, n: x * (n >= rate),
        lambda x, rate, n: torch.where(n < rate, torch.zeros_like(x), x),
    ],
)


def _to_blur(seed, variances, *shape):
    """Images, a variance for each, and Gaussian noise."""
    draws = torch.Generator().manual_seed(seed)
    shape = len(variances), *shape
    x = torch.rand(shape, generator=draws)
    return x, torch.tensor(variances), torch.randn(shape, generator=draws)


def _column(v):
    return v[:, None, None, None]


def _sigma(v):
    return _column(v.sqrt())


check_noise = Exercise(
    "x + √variance · noise: x (B, C, H, W), variance (B,), noise like x -> like x.",
    inputs=[_to_blur(0, [0.04, 0.25, 0.5, 2.0], 1, 5, 5), _to_blur(1, [0.1, 1.5], 3, 4, 6)],
    right=lambda x, v, n: torch.stack(
        [AffineTransform(a, s)(e) for a, s, e in zip(x, v.sqrt(), n, strict=True)]
    ),
    mistakes={
        "you took the variance for the standard deviation: scale the noise by its root.": (
            lambda x, v, n: x + _column(v) * n
        ),
        "you squared the variance: it is σ² already, and the noise is scaled by σ.": (
            lambda x, v, n: x + _column(v**2) * n
        ),
        "the noise is not scaled.": lambda x, v, n: x + n,
        "every image has a variance of its own; you took the first for all.": (
            lambda x, v, n: x + v[0].sqrt() * n
        ),
        "do not clip: x̃ = x + σε may leave [0, 1], and the theory needs it to.": (
            lambda x, v, n: (x + _sigma(v) * n).clamp(0, 1)
        ),
        "the noise is added to x, it does not multiply it.": lambda x, v, n: x * _sigma(v) * n,
        "noise that grows with the ink, x(1 + σε), was not asked for: add σε.": (
            lambda x, v, n: x * (1 + _sigma(v) * n)
        ),
        "x is missing: this is the noise alone.": lambda x, v, n: _sigma(v) * n,
        "the standard deviation is missing its noise: you shifted each image by σ.": (
            lambda x, v, n: x + _sigma(v)
        ),
        "multiply the noise by σ, do not divide by it.": lambda x, v, n: x + n / _sigma(v),
    },
    also_right=[lambda x, v, n: x + v.sqrt().reshape(-1, 1, 1, 1) * n],
)


def _to_denoise(seed, images, height, width):
    """A network, images, and the same corrupted."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.rand(images, 1, height, width, generator=draws)
    corrupted = x + 0.5 * torch.randn(x.shape, generator=draws)
    weight = 0.5 * torch.randn(height * width, height * width, generator=draws)
    return lambda images: (images.flatten(1) @ weight).sigmoid().reshape(images.shape), x, corrupted


def _each(a, b):
    return (a - b).square().flatten(1).sum(1)


check_denoising_loss = Exercise(
    "Mean over images of Σ (r(corrupted) − x)²: r images to images, (B, C, H, W) twice -> ().",
    inputs=[_to_denoise(0, 3, 4, 4), _to_denoise(1, 2, 3, 5)],
    right=lambda r, x, c: F.mse_loss(r(c), x, reduction="sum") / len(x),
    mistakes={
        "you compared with the corrupted image: the network would learn to copy the noise.": (
            lambda r, x, c: _each(r(c), c).mean()
        ),
        "input and target are swapped: r gets the corrupted image, the clean one is the "
        "target.": lambda r, x, c: _each(r(x), c).mean(),
        "this is an ordinary autoencoder's loss: r must get the corrupted image.": (
            lambda r, x, c: _each(r(x), x).mean()
        ),
        "you compared r(x̃) with r(x); the target is the clean image itself.": (
            lambda r, x, c: _each(r(c), r(x)).mean()
        ),
        "the network is missing: this is how far the corruption went.": (
            lambda r, x, c: _each(c, x).mean()
        ),
        "sum over the pixels: this is the mean over pixels and images.": (
            lambda r, x, c: F.mse_loss(r(c), x)
        ),
        "average over the images: a sum grows with the batch.": (
            lambda r, x, c: _each(r(c), x).sum()
        ),
        "one number for the batch is needed: average over the images.": (
            lambda r, x, c: _each(r(c), x)
        ),
        "square the differences: these are absolute ones.": (
            lambda r, x, c: (r(c) - x).abs().flatten(1).sum(1).mean()
        ),
        "do not take the root: the squared distance is asked for.": (
            lambda r, x, c: _each(r(c), x).sqrt().mean()
        ),
        "the sign is turned: a loss is lowered; only `fit` wants its negative.": (
            lambda r, x, c: -_each(r(c), x).mean()
        ),
    },
    also_right=[lambda r, x, c: (r(c) - x).pow(2).sum((1, 2, 3)).mean()],
)

_CENTRES = torch.randn(3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.double)
_SPREAD = 0.6


def _smoothed(sigma):
    """Three bumps in the plane, blurred with noise of width sigma: a density."""
    bumps = Independent(Normal(_CENTRES, (_SPREAD**2 + sigma**2) ** 0.5), 1)
    return MixtureSameFamily(Categorical(torch.ones(3)), bumps)


def _bumps(seed, points, sigma):
    """The best denoiser of the three bumps, E[x | x̃] by Bayes' rule for each; points; sigma."""
    x = torch.randn(points, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    shrink = _SPREAD**2 / (_SPREAD**2 + sigma**2)

    def r(x):
        near = Normal(x[:, None], (_SPREAD**2 + sigma**2) ** 0.5).log_prob(_CENTRES).sum(2)
        means = _CENTRES + shrink * (x[:, None] - _CENTRES)
        return (near.softmax(1)[:, :, None] * means).sum(1)

    return r, x, torch.tensor(sigma, dtype=torch.double)


def _gradient(r, x, sigma):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(_smoothed(sigma).log_prob(x).sum(), x)[0]


check_score = Exercise(
    "(r(x) − x) / σ² from the best denoiser r: x (N, D), sigma () -> (N, D).",
    inputs=[_bumps(1, 5, 0.7), _bumps(2, 3, 1.4)],
    right=_gradient,
    mistakes={
        "you forgot to divide by σ²: this is the arrow r(x) − x.": lambda r, x, s: r(x) - x,
        "subtract x: r(x) is a place, the score is a direction.": lambda r, x, s: r(x) / s**2,
        "the sign is turned: the score points from x to the data.": (
            lambda r, x, s: (x - r(x)) / s**2
        ),
        "the sign is turned, and the division by σ² is missing.": lambda r, x, s: x - r(x),
        "divide by the variance σ², not by σ.": lambda r, x, s: (r(x) - x) / s,
        "divide by σ², do not multiply.": lambda r, x, s: (r(x) - x) * s**2,
        "this is r(x) alone, the best guess of the clean point.": lambda r, x, s: r(x),
        "subtract before you divide: (r(x) − x) / σ².": lambda r, x, s: r(x) - x / s**2,
        "there is no ½: the score is (r(x) − x) / σ².": lambda r, x, s: (r(x) - x) / (2 * s**2),
        "divide by σ² only: you divided by σ³.": lambda r, x, s: (r(x) - x) / s**3,
    },
    also_right=[lambda r, x, s: (r(x) - x) / s**2],
)


class _SmallAutoencoder:
    """One sigmoid layer from D numbers to d and back, float64."""

    def __init__(self, seed, d, D):
        draws = torch.Generator().manual_seed(seed)
        self.weight = self.last = torch.randn(d, D, generator=draws, dtype=torch.double)

    def encode(self, x):
        return torch.sigmoid(x @ self.weight.t())

    def decode(self, h):
        return torch.sigmoid(h @ self.weight)


class _DeepAutoencoder(_SmallAutoencoder):
    """A second layer, of hyperbolic tangents: what holds for one sigmoid layer does not hold here."""

    def __init__(self, seed, d, D):
        super().__init__(seed, d, D)
        self.last = self.weight.t()

    def encode(self, x):
        return torch.tanh(super().encode(x) @ self.weight)

    def decode(self, h):
        return super().decode(torch.tanh(h @ self.weight.t()))


def _to_contract(seed, images, d, D, kind=_SmallAutoencoder):
    x = torch.rand(images, D, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.double)
    return kind(seed, d, D), x


def _closed_form(model, x):
    """Right where the last layer is the only one, and its function the sigmoid."""
    h = model.encode(x)
    return ((h * (1 - h)).square() * model.last.square().sum(1)).sum(1)


def _jacobian(model, x):
    return vmap(jacrev(model.encode))(x)  # (B, d, D)


def _penalty(model, x):
    """By autograd; by the closed form where it holds, which is the other source."""
    if type(model) is _SmallAutoencoder:
        return _closed_form(model, x)
    return _jacobian(model, x).square().sum((1, 2))


check_penalty = Exercise(
    "‖∂h/∂x‖²_F of each image: model with encode and decode, x (B, D) -> (B,).",
    inputs=[
        _to_contract(0, 3, 3, 6),
        _to_contract(2, 2, 4, 5),
        _to_contract(4, 2, 4, 5, kind=_DeepAutoencoder),
    ],
    right=_penalty,
    mistakes={
        "square the entries before you sum them.": lambda m, x: _jacobian(m, x).sum((1, 2)),
        "these are absolute values: square the entries.": (
            lambda m, x: _jacobian(m, x).abs().sum((1, 2))
        ),
        "do not take the root: the penalty is the squared norm.": (
            lambda m, x: _penalty(m, x).sqrt()
        ),
        "sum over all entries; you took their mean.": (
            lambda m, x: _jacobian(m, x).square().mean((1, 2))
        ),
        "one number an image is needed: sum each image's squares, not the batch's.": (
            lambda m, x: _penalty(m, x).sum()
        ),
        "one number an image is needed: the mean over images comes later.": (
            lambda m, x: _penalty(m, x).mean()
        ),
        "sum the squares over both axes of the Jacobian: (B, d, D) must become (B,).": (
            lambda m, x: _jacobian(m, x).square()
        ),
        "without `vmap`, jacrev differentiates every image's code by every image; with it, sum "
        "over both axes.": lambda m, x: jacrev(m.encode)(x).square().sum((1, 2)),
        "this sums over one axis only; one number an image is needed.": (
            lambda m, x: _jacobian(m, x).square().sum(2)
        ),
        "this is the largest singular value (the spectral norm); all of them count.": (
            lambda m, x: torch.linalg.matrix_norm(_jacobian(m, x), 2)
        ),
        "this is the square of the largest singular value; sum the squares of all.": (
            lambda m, x: torch.linalg.matrix_norm(_jacobian(m, x), 2).square()
        ),
        "this is the sum of the singular values; sum their squares.": (
            lambda m, x: torch.linalg.svdvals(_jacobian(m, x)).sum(1)
        ),
        "this differentiates the reconstruction, ∂x̂/∂x; the penalty is on the code, ∂h/∂x.": (
            lambda m, x: vmap(jacrev(lambda v: m.decode(m.encode(v))))(x).square().sum((1, 2))
        ),
        "the squares of the weights alone: the sigmoid's slope h(1 − h) is missing.": (
            lambda m, x: m.weight.square().sum().expand(len(x))
        ),
        "h(1 − h) and the weights are right for one sigmoid layer only; the encoder may be any.": (
            _closed_form
        ),
    },
    also_right=[
        lambda m, x: _jacobian(m, x).pow(2).sum((1, 2)),
        # The Jacobian of the whole batch, (B, d, B, D), is zero between images.
        lambda m, x: jacrev(m.encode)(x).square().sum((1, 2, 3)),
    ],
    tolerance=1e-6,
)
