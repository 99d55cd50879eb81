"""Exercises of chapter 06, what β trades."""

import numpy as np
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _batch(seed, images, dimensions):
    """Means, variances and log p(x|z)."""
    draws = torch.Generator().manual_seed(seed)
    mean = torch.randn(images, dimensions, generator=draws)
    variance = torch.rand(images, dimensions, generator=draws) + 0.3
    return mean, variance, -90 - 20 * torch.rand(images, generator=draws)


def _kl(mean, variance):
    """KL(N(mean, variance) || N(0, 1)) of each dimension, (B, d)."""
    return 0.5 * (variance - variance.log() - 1 + mean**2)


def _rate(mean, variance):
    return _kl(mean, variance).sum(1).mean()


def _pair(rate, distortion):
    return torch.stack([rate, distortion])


check_rate_and_distortion = Exercise(
    "(R, D) of a batch: mean, variance (B, d), log_p = log p(x|z) (B,) -> (2,) in nats an image.",
    inputs=[_batch(0, 4, 3), _batch(1, 3, 5)],
    right=lambda m, v, p: _pair(
        kl_divergence(Normal(m, v.sqrt()), Normal(0.0, 1.0)).sum(1).mean(), -p.mean()
    ),
    mistakes={
        "distortion is −log p(x|z): the sign is turned.": lambda m, v, p: _pair(
            _rate(m, v), p.mean()
        ),
        "the rate has the wrong sign: a KL divergence is never negative.": (
            lambda m, v, p: _pair(-_rate(m, v), -p.mean())
        ),
        "the order is (R, D), you returned (D, R).": lambda m, v, p: _pair(-p.mean(), _rate(m, v)),
        "sum the KL over the latent dimensions; their mean is d times too small.": (
            lambda m, v, p: _pair(_kl(m, v).mean(), -p.mean())
        ),
        "average over the images, you summed over them.": (
            lambda m, v, p: _pair(_kl(m, v).sum(), -p.sum())
        ),
        "average the rate over the images, too.": (
            lambda m, v, p: _pair(_kl(m, v).sum(), -p.mean())
        ),
        "the ½ of the KL is missing.": lambda m, v, p: _pair(2 * _rate(m, v), -p.mean()),
        "μ² is missing from the KL.": lambda m, v, p: _pair(_rate(0 * m, v), -p.mean()),
        "you squared the variance: v is σ² already.": (
            lambda m, v, p: _pair(_rate(m, v**2), -p.mean())
        ),
        "v is the variance, not its logarithm.": (
            lambda m, v, p: _pair(_rate(m, v.exp()), -p.mean())
        ),
        "one number each is needed, averaged over the images.": (
            lambda m, v, p: _pair(_kl(m, v).sum(1), -p)
        ),
        "this is R + D; the two are wanted apart.": lambda m, v, p: _rate(m, v) - p.mean(),
    },
    also_right=[lambda m, v, p: _pair((0.5 * (v + m**2 - 1 - v.log())).sum(1).mean(), -p.mean())],
)


def _spectrum(beta, sigma, *eigenvalues):
    return torch.tensor(eigenvalues), torch.tensor(beta), torch.tensor(sigma)


def _by_quadrature(eigenvalue, beta, sigma):
    """The KL at the best w, averaged over x ~ N(0, λ) by Gauss–Hermite quadrature."""
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(40))
    noise = (beta * sigma**2).double()
    w2 = (eigenvalue.double() - noise).clamp(min=0)[:, None]
    x = eigenvalue.double()[:, None].sqrt() * nodes
    q = Normal(w2.sqrt() * x / (w2 + noise), (noise / (w2 + noise)).sqrt())
    return (kl_divergence(q, Normal(0.0, 1.0)) * weights).sum(1) / weights.sum()


def _alive(eigenvalue, level, half=0.5):
    return half * (eigenvalue / level).clamp(min=1).log()


check_kl_of_dimension = Exercise(
    "KL of each dimension of a linear VAE at its optimum: eigenvalue (n,), beta, sigma () -> (n,).",
    inputs=[
        _spectrum(4.0, 0.35, 3.0, 1.2, 0.6, 0.45, 0.3, 0.05),
        _spectrum(0.5, 0.8, 5.0, 0.7, 0.3, 0.1),
    ],
    right=_by_quadrature,
    mistakes={
        "a dimension below the level is dead: its KL is 0, never negative.": (
            lambda lam, b, s: 0.5 * (lam / (b * s**2)).log()
        ),
        "σ is a standard deviation: the level is βσ².": lambda lam, b, s: _alive(lam, b * s),
        "β is missing: the level is βσ².": lambda lam, b, s: _alive(lam, s**2),
        "β belongs to the level as it is: βσ², not β²σ².": (
            lambda lam, b, s: _alive(lam, (b * s) ** 2)
        ),
        "β raises the level: βσ², not σ²/β.": lambda lam, b, s: _alive(lam, s**2 / b),
        "the ½ is missing.": lambda lam, b, s: _alive(lam, b * s**2, half=1.0),
        "½ and the floor at 0 are missing.": lambda lam, b, s: (lam / (b * s**2)).log(),
        "the logarithm is of λ / βσ², not of (λ − βσ²) / βσ².": (
            lambda lam, b, s: _alive(lam - b * s**2, b * s**2)
        ),
        "λ / βσ², not (λ − βσ²) / βσ²: that one has no logarithm for a dead dimension.": (
            lambda lam, b, s: 0.5 * (lam / (b * s**2) - 1).log()
        ),
        "nats are wanted: the natural logarithm.": (
            lambda lam, b, s: _alive(lam, b * s**2) / np.log(2)
        ),
        "the fraction is upside down: a larger eigenvalue carries more.": (
            lambda lam, b, s: _alive(b * s**2, lam)
        ),
        "λ − βσ² is the squared length of the column, not its KL.": (
            lambda lam, b, s: (lam - b * s**2).clamp(min=0)
        ),
        "the logarithm is of λ / βσ²; ½ log(1 + λ / βσ²) never dies.": (
            lambda lam, b, s: 0.5 * (1 + lam / (b * s**2)).log()
        ),
    },
    also_right=[
        lambda lam, b, s: 0.5 * (lam / (b * s**2)).log().clamp(min=0),
        lambda lam, b, s: torch.where(lam > b * s**2, 0.5 * (lam.log() - (b * s**2).log()), 0.0),
    ],
)


def _covariance(seed, dimensions):
    root = torch.randn(dimensions, dimensions + 1, generator=torch.Generator().manual_seed(seed))
    return (root @ root.t() + 0.5 * torch.eye(dimensions),)


def _by_entropies(c):
    joint = MultivariateNormal(torch.zeros(len(c)), c)
    return Normal(0.0, c.diag().sqrt()).entropy().sum() - joint.entropy()


def _kl_of_covariances(first, second):
    centre = torch.zeros(len(first))
    return kl_divergence(MultivariateNormal(centre, first), MultivariateNormal(centre, second))


def _variance_products(c):
    return c.diag().outer(c.diag())


check_total_correlation = Exercise(
    "KL(N(0, Σ) || product of its marginals), in nats: covariance (d, d) -> ().",
    inputs=[_covariance(0, 3), _covariance(1, 4)],
    right=_by_entropies,
    mistakes={
        "the sign is turned: a KL divergence is never negative.": lambda c: -_by_entropies(c),
        "the ½ is missing.": lambda c: 2 * _by_entropies(c),
        "this is −½ log det Σ: divide by the variances first, or a mere change of unit "
        "would count as correlation.": lambda c: -0.5 * torch.logdet(c),
        "divide Σ_ij by √(Σ_ii Σ_jj); you divided by the product of the variances.": (
            lambda c: -0.5 * torch.logdet(c / _variance_products(c))
        ),
        "take logs of the variances: ½ (Σ_j log Σ_jj − log det Σ).": (
            lambda c: 0.5 * (c.trace() - torch.logdet(c))
        ),
        "this is the KL from N(0, I): it also counts variances other than 1.": (
            lambda c: _kl_of_covariances(c, torch.eye(len(c)))
        ),
        "the largest correlation is no total: take the determinant.": (
            lambda c: (c / _variance_products(c).sqrt() - torch.eye(len(c))).abs().max()
        ),
        "that is the other way round, KL(product of marginals ‖ joint).": (
            lambda c: _kl_of_covariances(c.diag().diag(), c)
        ),
        "nats are wanted: the natural logarithm.": lambda c: _by_entropies(c) / np.log(2),
    },
    also_right=[
        lambda c: 0.5 * (c.diag().log().sum() - torch.logdet(c)),
        lambda c: -0.5 * torch.logdet(c / _variance_products(c).sqrt()),
    ],
)


def _by_autograd(pixels, latent_dim, span, sigma):
    """The weight at which the loss and the β-ELBO have gradients in one ratio."""
    x_hat = torch.zeros(1, int(pixels), requires_grad=True)  # in ink, for a picture full of ink
    kl = torch.ones(1, int(latent_dim), requires_grad=True)
    loss = F.mse_loss(span * x_hat, span * torch.ones_like(x_hat)) + kl.mean()
    per_pixel, per_dimension = torch.autograd.grad(loss, (x_hat, kl))
    log_p = Normal(x_hat, sigma).log_prob(torch.ones_like(x_hat)).sum()
    true_pixel = torch.autograd.grad(-log_p, x_hat)[0]
    return per_dimension[0, 0] * true_pixel[0, 0] / per_pixel[0, 0]


check_effective_beta = Exercise(
    "Effective beta of F.mse_loss(x_hat, x) + kl.mean(): pixels, latent_dim, span, sigma () -> ().",
    inputs=[tuple(torch.tensor([784.0, 20.0, 3.0, 0.15])), tuple(torch.tensor([100, 7, 0.5, 1.2]))],
    right=_by_autograd,
    mistakes={
        "the 2 of 2σ² is missing.": lambda n, d, r, s: n / d / (s * r) ** 2,
        "the error is squared, so the span is, too.": lambda n, d, r, s: n / d / (2 * s**2 * r),
        "the span is missing.": lambda n, d, r, s: n / d / (2 * s**2),
        "a wider span makes the error larger, so β smaller.": (
            lambda n, d, r, s: n / d * r**2 / (2 * s**2)
        ),
        "σ must be squared.": lambda n, d, r, s: n / d / (2 * s * r**2),
        "σ is stated: divide by 2σ².": lambda n, d, r, s: n / d / r**2,
        "kl.mean() divides by the batch and by d as well.": (
            lambda n, d, r, s: n / (2 * s**2 * r**2)
        ),
        "F.mse_loss divides the error by n, too: that makes β larger.": (
            lambda n, d, r, s: 1 / d / (2 * s**2 * r**2)
        ),
        "upside down: dividing the error by n makes the KL weigh more.": (
            lambda n, d, r, s: d / n / (2 * s**2 * r**2)
        ),
        "span and kl.mean() are both missing.": lambda n, d, r, s: n / (2 * s**2),
        "the whole fraction is upside down: σ² and the span belong below.": (
            lambda n, d, r, s: 2 * s**2 * r**2 * d / n
        ),
        "this is σ², the variance implied at β = 1; divide by the stated σ².": (
            lambda n, d, r, s: n / d / (2 * r**2)
        ),
    },
    also_right=[lambda n, d, r, s: n / d / (2 * s**2 * r**2)],
)


def _by_sorting(information, entropy):
    gaps = []
    for column, h in zip(information.numpy().T, entropy.numpy(), strict=True):
        second, best = np.sort(column)[-2:]
        gaps.append((best - second) / h)
    return torch.tensor(float(np.mean(gaps)))


def _gaps(information, dim=0):
    best = information.topk(2, dim=dim).values
    return best.select(dim, 0) - best.select(dim, 1)


check_mig = Exercise(
    "Mutual information gap: information (d, K), entropy (K,), nats -> ().",
    # As many dimensions as factors, so that a mix-up of the two has a message of its own.
    inputs=[
        (
            torch.tensor([[0.9, 0.1, 0.3], [0.2, 0.7, 0.8], [0.05, 0.6, 0.0]]),
            torch.tensor([1.1, 1.6, 0.9]),
        )
    ],
    right=_by_sorting,
    mistakes={
        "divide each gap by its factor's entropy.": lambda i, h: _gaps(i).mean(),
        "this is the best dimension's information without the second best: a code that "
        "holds a factor twice would score as well.": lambda i, h: (i.amax(0) / h).mean(),
        "divide each gap by its own entropy, then average.": (
            lambda i, h: _gaps(i).mean() / h.mean()
        ),
        "the gap is between dimensions, for each factor; you took it between factors.": (
            lambda i, h: _gaps(i, dim=1).mean()
        ),
        "the gap is between dimensions: the two best along dim 0, for each factor.": (
            lambda i, h: (_gaps(i, dim=1) / h).mean()
        ),
        "sorted ascending: these are the two worst.": (lambda i, h: (-_gaps(-i) / h).mean()),
        "the sign is turned: the best less the second best.": lambda i, h: -(_gaps(i) / h).mean(),
        "average over the factors: one number is wanted.": lambda i, h: _gaps(i) / h,
        "average over the factors, you summed.": lambda i, h: (_gaps(i) / h).sum(),
        "subtract the second best, not the mean over dimensions.": (
            lambda i, h: ((i.amax(0) - i.mean(0)) / h).mean()
        ),
        "subtract the second best, not the worst.": (
            lambda i, h: ((i.amax(0) - i.amin(0)) / h).mean()
        ),
    },
    also_right=[lambda i, h: (_gaps(i) / h).mean()],
)
