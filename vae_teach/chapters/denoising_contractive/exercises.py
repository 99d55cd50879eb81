"""Checks of chapter 02, denoising and contractive autoencoders."""

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.distributions.transforms import AffineTransform
from torch.func import jacrev, vmap
from torch.nn import functional as F

from vae_teach.exercises.judge import judge


def check_mask(attempt):
    """x·m with m = 0 where noise < rate: x (B, C, H, W), rate (), noise like x -> like x."""
    draws = torch.Generator().manual_seed(0)
    x = 0.9 * torch.rand(4, 1, 5, 5, generator=draws) + 0.1
    noise = torch.rand(4, 1, 5, 5, generator=draws)

    def keep(n, rate):
        return (n >= rate).float()

    print(
        judge(
            attempt,
            (x, torch.tensor(0.3), noise),
            lambda x, rate, n: x.masked_fill(n < rate, 0.0),
            {
                "keep and drop are swapped: a pixel stays where its noise is not below the rate.": (
                    lambda x, rate, n: x * (n < rate)
                ),
                "you divided by 1 − rate, as dropout does; here the kept pixels stay as they are.": (
                    lambda x, rate, n: x * keep(n, rate) / (1 - rate)
                ),
                "one number masks a whole image; each pixel needs an m of its own.": (
                    lambda x, rate, n: x * keep(n[:, :, :1, :1], rate)
                ),
                "one number masks the whole batch; each pixel of each image needs an m of its own.": (
                    lambda x, rate, n: x * keep(n[:1, :, :1, :1], rate)
                ),
                "all images got the mask of the first; each needs its own.": lambda x, rate, n: (
                    x * keep(n[:1], rate)
                ),
                "you multiplied by the noise itself; m is 0 or 1.": lambda x, rate, n: x * n,
                "m is 0 or 1, but where your noise survives it is neither.": lambda x, rate, n: (
                    x * n * keep(n, rate)
                ),
                "this is the mask m; multiply x by it.": lambda x, rate, n: keep(n, rate),
                "the mask multiplies x, it is not added.": lambda x, rate, n: x + keep(n, rate),
                "this is x scaled by the mean of m; drop single pixels instead.": (
                    lambda x, rate, n: x * (1 - rate)
                ),
                "you dropped a share 1 − rate of the pixels, not a share rate.": (
                    lambda x, rate, n: x * (n >= 1 - rate)
                ),
                "dropped pixels must be 0, blank paper; yours are ink.": lambda x, rate, n: (
                    x.masked_fill(n < rate, 1.0)
                ),
            },
        )
    )


def check_noise(attempt):
    """x + √variance · noise: x (B, C, H, W), variance (B,), noise like x -> like x."""
    draws = torch.Generator().manual_seed(0)
    x = torch.rand(4, 1, 5, 5, generator=draws)
    noise = torch.randn(4, 1, 5, 5, generator=draws)
    variance = torch.tensor([0.04, 0.25, 0.5, 2.0])

    def column(v):
        return v[:, None, None, None]

    print(
        judge(
            attempt,
            (x, variance, noise),
            lambda x, v, n: torch.stack(
                [AffineTransform(a, s)(e) for a, s, e in zip(x, v.sqrt(), n, strict=True)]
            ),
            {
                "you took the variance for the standard deviation: scale the noise by its root.": (
                    lambda x, v, n: x + column(v) * n
                ),
                "you squared the variance: it is σ² already, and the noise is scaled by σ.": (
                    lambda x, v, n: x + column(v) ** 2 * n
                ),
                "the noise is not scaled.": lambda x, v, n: x + n,
                "every image has a variance of its own; you took the first for all.": (
                    lambda x, v, n: x + v[0].sqrt() * n
                ),
                "do not clip: x̃ = x + σε may leave [0, 1], and the theory needs it to.": (
                    lambda x, v, n: (x + column(v).sqrt() * n).clamp(0, 1)
                ),
                "the noise is added to x, it does not multiply it.": lambda x, v, n: (
                    x * column(v).sqrt() * n
                ),
                "noise that grows with the ink, x(1 + σε), was not asked for: add σε.": (
                    lambda x, v, n: x * (1 + column(v).sqrt() * n)
                ),
                "x is missing: this is the noise alone.": lambda x, v, n: column(v).sqrt() * n,
                "the standard deviation is missing its noise: you shifted each image by σ.": (
                    lambda x, v, n: x + column(v).sqrt()
                ),
                "multiply the noise by σ, do not divide by it.": lambda x, v, n: (
                    x + n / column(v).sqrt()
                ),
            },
        )
    )


def check_denoising_loss(attempt):
    """Mean over images of Σ (r(corrupted) − x)²: r images to images, (B, C, H, W) twice -> ()."""
    draws = torch.Generator().manual_seed(0)
    x = torch.rand(3, 1, 4, 4, generator=draws)
    corrupted = x + 0.5 * torch.randn(3, 1, 4, 4, generator=draws)
    weight = 0.5 * torch.randn(16, 16, generator=draws)

    def r(images):
        return torch.sigmoid(images.flatten(1) @ weight).reshape(images.shape)

    def each(a, b):
        return (a - b).square().flatten(1).sum(1)

    print(
        judge(
            lambda x, c: attempt(r, x, c),
            (x, corrupted),
            lambda x, c: F.mse_loss(r(c), x, reduction="sum") / len(x),
            {
                "you compared with the corrupted image: the network would learn to copy the noise.": (
                    lambda x, c: each(r(c), c).mean()
                ),
                "input and target are swapped: r gets the corrupted image, the clean one is the "
                "target.": lambda x, c: each(r(x), c).mean(),
                "this is an ordinary autoencoder's loss: r must get the corrupted image.": (
                    lambda x, c: each(r(x), x).mean()
                ),
                "you compared r(x̃) with r(x); the target is the clean image itself.": (
                    lambda x, c: each(r(c), r(x)).mean()
                ),
                "the network is missing: this is how far the corruption went.": lambda x, c: each(
                    c, x
                ).mean(),
                "sum over the pixels: this is the mean over pixels and images.": lambda x, c: (
                    F.mse_loss(r(c), x)
                ),
                "average over the images: a sum grows with the batch.": lambda x, c: each(
                    r(c), x
                ).sum(),
                "one number for the batch is needed: average over the images.": lambda x, c: each(
                    r(c), x
                ),
                "square the differences: these are absolute ones.": lambda x, c: (
                    (r(c) - x).abs().flatten(1).sum(1).mean()
                ),
                "do not take the root: the squared distance is asked for.": lambda x, c: (
                    each(r(c), x).sqrt().mean()
                ),
                "the sign is turned: a loss is lowered; only `fit` wants its negative.": (
                    lambda x, c: -each(r(c), x).mean()
                ),
            },
        )
    )


def check_score(attempt):
    """(r(x) − x) / σ² from the best denoiser r: x (N, D), sigma () -> (N, D)."""
    draws = torch.Generator().manual_seed(0)
    centres, spread = torch.randn(3, 2, generator=draws, dtype=torch.double), 0.6
    x = torch.randn(5, 2, generator=draws, dtype=torch.double)
    sigma = torch.tensor(0.7, dtype=torch.double)

    def smoothed():
        bumps = Independent(Normal(centres, (spread**2 + sigma**2).sqrt()), 1)
        return MixtureSameFamily(Categorical(torch.ones(3)), bumps)

    def r(x):  # the best denoiser of this mixture: E[x | x̃], by Bayes' rule for each bump
        near = Normal(x[:, None], (spread**2 + sigma**2).sqrt()).log_prob(centres).sum(2)
        means = centres + spread**2 / (spread**2 + sigma**2) * (x[:, None] - centres)
        return (near.softmax(1)[:, :, None] * means).sum(1)

    def gradient(x, _):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(smoothed().log_prob(x).sum(), x)[0]

    print(
        judge(
            lambda x, s: attempt(r, x, s),
            (x, sigma),
            gradient,
            {
                "you forgot to divide by σ²: this is the arrow r(x) − x.": lambda x, s: r(x) - x,
                "subtract x: r(x) is a place, the score is a direction.": lambda x, s: r(x) / s**2,
                "the sign is turned: the score points from x to the data.": lambda x, s: (
                    (x - r(x)) / s**2
                ),
                "the sign is turned, and the division by σ² is missing.": lambda x, s: x - r(x),
                "divide by the variance σ², not by σ.": lambda x, s: (r(x) - x) / s,
                "divide by σ², do not multiply.": lambda x, s: (r(x) - x) * s**2,
                "this is r(x) alone, the best guess of the clean point.": lambda x, s: r(x),
                "subtract before you divide: (r(x) − x) / σ².": lambda x, s: r(x) - x / s**2,
                "there is no ½: the score is (r(x) − x) / σ².": lambda x, s: (
                    (r(x) - x) / (2 * s**2)
                ),
                "divide by σ² only: you divided by σ³.": (lambda x, s: (r(x) - x) / s**3),
            },
        )
    )


def check_penalty(attempt):
    """‖∂h/∂x‖²_F of each image: model with encode and decode, x (B, D) -> (B,)."""
    model = _SmallAutoencoder()
    x = torch.rand(3, 6, generator=torch.Generator().manual_seed(1), dtype=torch.double)

    def closed_form(x):
        h = model.encode(x)
        return ((h * (1 - h)).square() * model.weight.square().sum(1)).sum(1)

    def of_jacobian(reduce, function=model.encode):
        return lambda x: reduce(vmap(jacrev(function))(x))

    def whole(x):
        return model.decode(model.encode(x))

    print(
        judge(
            lambda x: attempt(model, x),
            (x,),
            closed_form,
            {
                "square the entries before you sum them.": of_jacobian(lambda j: j.sum((1, 2))),
                "these are absolute values: square the entries.": of_jacobian(
                    lambda j: j.abs().sum((1, 2))
                ),
                "do not take the root: the penalty is the squared norm.": of_jacobian(
                    lambda j: j.square().sum((1, 2)).sqrt()
                ),
                "sum over all entries; you took their mean.": of_jacobian(
                    lambda j: j.square().mean((1, 2))
                ),
                "one number an image is needed: sum each image's squares, not the batch's.": (
                    of_jacobian(lambda j: j.square().sum())
                ),
                "one number an image is needed: the mean over images comes later.": of_jacobian(
                    lambda j: j.square().sum((1, 2)).mean()
                ),
                "sum the squares over both axes of the Jacobian: (B, d, D) must become (B,).": (
                    of_jacobian(lambda j: j.square())
                ),
                "without `vmap`, jacrev differentiates every image's code by every image; with it, sum "
                "over both axes.": lambda x: jacrev(model.encode)(x).square().sum((1, 2)),
                "this sums over one axis only; one number an image is needed.": of_jacobian(
                    lambda j: j.square().sum(2)
                ),
                "this is the largest singular value (the spectral norm); all of them count.": (
                    of_jacobian(lambda j: torch.linalg.matrix_norm(j, 2))
                ),
                "this is the square of the largest singular value; sum the squares of all.": (
                    of_jacobian(lambda j: torch.linalg.matrix_norm(j, 2).square())
                ),
                "this is the sum of the singular values; sum their squares.": of_jacobian(
                    lambda j: torch.linalg.svdvals(j).sum(1)
                ),
                "this differentiates the reconstruction, ∂x̂/∂x; the penalty is on the code, ∂h/∂x.": (
                    of_jacobian(lambda j: j.square().sum((1, 2)), whole)
                ),
                "the squares of the weights alone: the sigmoid's slope h(1 − h) is missing.": (
                    lambda x: model.weight.square().sum().expand(len(x))
                ),
            },
            tolerance=1e-6,
        )
    )


class _SmallAutoencoder:
    """One sigmoid layer from 6 numbers to 3 and back, float64."""

    weight = torch.randn(3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.double)

    def encode(self, x):
        return torch.sigmoid(x @ self.weight.t())

    def decode(self, h):
        return torch.sigmoid(h @ self.weight)
