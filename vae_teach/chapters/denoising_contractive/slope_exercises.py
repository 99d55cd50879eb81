"""Exercises of chapter 02 on slopes: the score of a density, and the penalty on an encoder's."""

import numpy as np
import torch
from torch.autograd.functional import jacobian as _whole_jacobian
from torch.distributions import Normal
from torch.func import jacrev, vmap
from torch.nn import functional as F

from vae_teach.chapters.denoising_contractive.trials import (
    DeepAutoencoder,
    bumps,
    closed_form,
    jacobian,
    penalty,
    to_contract,
)
from vae_teach.exercises import Exercise


def _slope_of_a_gaussian(r, x, s):
    """The gradient of log N(x; r, σ²) where r stands still."""
    centre, x = r(x), x.clone().requires_grad_()
    return torch.autograd.grad(Normal(centre, s).log_prob(x).sum(), x)[0]


check_score = Exercise(
    "(r(x) − x) / σ² from the best denoiser r: x (N, D), sigma () -> (N, D).",
    inputs=[
        bumps(1, 5, 0.7),
        bumps(2, 3, 1.4),
        bumps(3, 1, 0.3, dimensions=3),
        bumps(4, 4, 2.0, dimensions=1, spread=1.1),
        bumps(5, 3, 0.5, dimensions=3),
    ],
    right=lambda r, x, s: r.score(x),
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
        "σ is given: square it once, you divided by σ⁴.": lambda r, x, s: (r(x) - x) / s**4,
        "σ is given, not σ²: square it, take no root.": lambda r, x, s: (r(x) - x) / s.sqrt(),
        "twice σ is not σ squared.": lambda r, x, s: (r(x) - x) / (2 * s),
        "σ is given, not its logarithm.": lambda r, x, s: (r(x) - x) / (2 * s).exp(),
        "there is no 2: the score is (r(x) − x) / σ².": lambda r, x, s: 2 * (r(x) - x) / s**2,
        "there is no 1 to add: divide by σ² alone.": lambda r, x, s: (r(x) - x) / (1 + s**2),
        "divide by σ², whatever the number of dimensions.": (
            lambda r, x, s: (r(x) - x) / (s**2 * x.shape[1])
        ),
        "the score's length counts: yours all have length 1.": (
            lambda r, x, s: F.normalize(r(x) - x, dim=1)
        ),
        "this is a squared length; the score is an arrow with a number for each dimension.": (
            lambda r, x, s: (r(x) - x).square().sum(1) / s**2
        ),
        "the score is an arrow: do not square its numbers.": (
            lambda r, x, s: (r(x) - x).square() / s**2
        ),
        "keep a number for each dimension: (N, D), not their sum.": (
            lambda r, x, s: ((r(x) - x) / s**2).sum(1)
        ),
        "one arrow for each point, not their mean.": lambda r, x, s: ((r(x) - x) / s**2).mean(0),
        "this is where the arrow ends; its start x does not belong to the score.": (
            lambda r, x, s: x + (r(x) - x) / s**2
        ),
        "r is missing: this is the score of a single Gaussian around 0.": (
            lambda r, x, s: -x / s**2
        ),
        "an arrow may point to either side: take no absolute values.": (
            lambda r, x, s: (r(x) - x).abs() / s**2
        ),
        "the network is applied once: r(x), not r(r(x)).": lambda r, x, s: (r(r(x)) - x) / s**2,
    },
    also_right=[
        lambda r, x, s: (r(x) - x) / s**2,
        lambda r, x, s: torch.stack([(a - b) / s / s for a, b in zip(r(x), x, strict=True)]),
        lambda r, x, s: (r(x).numpy() - x.numpy()) / s.item() ** 2,
        lambda r, x, s: torch.cat([r(x[i : i + 1]) - x[i] for i in range(len(x))]) / s.square(),
        _slope_of_a_gaussian,
    ],
)


def _gradient_by_gradient(m, x):
    x = x.clone().requires_grad_()
    each = m.encode(x).sum(0)  # an image's code depends on no other image
    return sum(torch.autograd.grad(h, x, retain_graph=True)[0].square().sum(1) for h in each)


check_penalty = Exercise(
    "‖∂h/∂x‖²_F of each image: model with encode and decode, x (B, D) -> (B,).",
    inputs=[
        to_contract(0, 3, 3, 6),
        to_contract(2, 2, 4, 5),
        to_contract(4, 2, 4, 5, kind=DeepAutoencoder),
        to_contract(6, 1, 2, 3),
        to_contract(8, 3, 3, 3, kind=DeepAutoencoder),
    ],
    right=penalty,
    mistakes={
        "square the entries before you sum them.": lambda m, x: jacobian(m, x).sum((1, 2)),
        "these are absolute values: square the entries.": (
            lambda m, x: jacobian(m, x).abs().sum((1, 2))
        ),
        "do not take the root: the penalty is the squared norm.": (
            lambda m, x: penalty(m, x).sqrt()
        ),
        "sum over all entries; you took their mean.": (
            lambda m, x: jacobian(m, x).square().mean((1, 2))
        ),
        "one number an image is needed: sum each image's squares, not the batch's.": (
            lambda m, x: penalty(m, x).sum()
        ),
        "one number an image is needed: the mean over images comes later.": (
            lambda m, x: penalty(m, x).mean()
        ),
        "sum the squares over both axes of the Jacobian: (B, d, D) must become (B,).": (
            lambda m, x: jacobian(m, x).square()
        ),
        "without `vmap`, jacrev differentiates every image's code by every image; with it, sum "
        "over both axes.": lambda m, x: jacrev(m.encode)(x).square().sum((1, 2)),
        "this sums over one axis only; one number an image is needed.": (
            lambda m, x: jacobian(m, x).square().sum(2)
        ),
        "this is the largest singular value (the spectral norm); all of them count.": (
            lambda m, x: torch.linalg.matrix_norm(jacobian(m, x), 2)
        ),
        "this is the square of the largest singular value; sum the squares of all.": (
            lambda m, x: torch.linalg.matrix_norm(jacobian(m, x), 2).square()
        ),
        "this is the sum of the singular values; sum their squares.": (
            lambda m, x: torch.linalg.svdvals(jacobian(m, x)).sum(1)
        ),
        "this differentiates the reconstruction, ∂x̂/∂x; the penalty is on the code, ∂h/∂x.": (
            lambda m, x: vmap(jacrev(lambda v: m.decode(m.encode(v))))(x).square().sum((1, 2))
        ),
        "the squares of the weights alone: the sigmoid's slope h(1 − h) is missing.": (
            lambda m, x: m.weight.square().sum().expand(len(x))
        ),
        "h(1 − h) and the weights are right for one sigmoid layer only; the encoder may be any.": (
            closed_form
        ),
        "there is no ½ in this penalty.": lambda m, x: penalty(m, x) / 2,
        "square the entries before you sum them, not after.": (
            lambda m, x: jacobian(m, x).sum((1, 2)).square()
        ),
        "sum over the code, too: you took the mean over it.": (
            lambda m, x: jacobian(m, x).square().sum(2).mean(1)
        ),
        "sum over the pixels, too: you took the mean over them.": (
            lambda m, x: jacobian(m, x).square().sum(1).mean(1)
        ),
        "this differentiates the sum of the code: squares of its parts must not mix.": (
            lambda m, x: jacobian(m, x).sum(1).square().sum(1)
        ),
        "square, sum, and no root: you summed the lengths of the code's gradients.": (
            lambda m, x: jacobian(m, x).norm(dim=2).sum(1)
        ),
        "this is the largest entry's square; all entries count.": (
            lambda m, x: jacobian(m, x).square().amax((1, 2))
        ),
        "this differentiates the decoder, ∂x̂/∂h; the penalty is on the encoder, ∂h/∂x.": (
            lambda m, x: vmap(jacrev(m.decode))(m.encode(x)).square().sum((1, 2))
        ),
        "this is the size of the code; the penalty is on how fast it changes.": (
            lambda m, x: m.encode(x).square().sum(1)
        ),
        "this is the Jacobian itself, (B, d, D).": jacobian,
        "the sigmoid's slope h(1 − h) is squared as well as the weights.": (
            lambda m, x: (m.encode(x) * (1 - m.encode(x))) @ m.weight.square().sum(1)
        ),
        "1 − h² is the slope of tanh, and of one layer only; the encoder may be any.": (
            lambda m, x: (1 - m.encode(x).square()).square() @ m.weight.square().sum(1)
        ),
        "the sign is turned: a squared norm is never negative.": lambda m, x: -penalty(m, x),
    },
    also_right=[
        lambda m, x: jacobian(m, x).pow(2).sum((1, 2)),
        # The Jacobian of the whole batch, (B, d, B, D), is zero between images.
        lambda m, x: jacrev(m.encode)(x).square().sum((1, 2, 3)),
        lambda m, x: _whole_jacobian(m.encode, x).square().sum((0, 1, 3)),
        lambda m, x: torch.stack([jacrev(m.encode)(image).norm() ** 2 for image in x]),
        lambda m, x: (torch.linalg.svdvals(jacobian(m, x)) ** 2).sum(1),
        lambda m, x: np.linalg.norm(jacobian(m, x).numpy(), axis=(1, 2)) ** 2,
        _gradient_by_gradient,
    ],
    tolerance=1e-6,
)
