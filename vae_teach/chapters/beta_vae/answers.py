"""What this chapter's exercises are asked with, and the formulas their answers are made of."""

import numpy as np
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises.judge import result

TABLE = (
    torch.tensor([[0.9, 0.1, 0.3], [0.2, 0.7, 0.8], [0.05, 0.6, 0.0]]),
    torch.tensor([1.1, 1.6, 0.9]),
)


def batch(seed, images, dimensions):
    """Means, variances and log p(x|z)."""
    draws = torch.Generator().manual_seed(seed)
    mean = torch.randn(images, dimensions, generator=draws)
    variance = torch.rand(images, dimensions, generator=draws) + 0.3
    return mean, variance, -90 - 20 * torch.rand(images, generator=draws)


def kl(mean, variance):
    """KL(N(mean, variance) || N(0, 1)) of each dimension, (B, d)."""
    return 0.5 * (variance - variance.log() - 1 + mean**2)


def rate(mean, variance):
    """The KL of an image, averaged, ()."""
    return kl(mean, variance).sum(1).mean()


def pair(rate, distortion):
    """Two numbers in one tensor, (2,)."""
    return torch.stack([rate, distortion])


def spectrum(beta, sigma, *eigenvalues):
    """Eigenvalues, β and σ."""
    return torch.tensor(eigenvalues), torch.tensor(beta), torch.tensor(sigma)


def by_quadrature(eigenvalue, beta, sigma):
    """The KL at the best w, averaged over x ~ N(0, λ) by Gauss–Hermite quadrature."""
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(40))
    noise = (beta * sigma**2).double()
    w2 = (eigenvalue.double() - noise).clamp(min=0)[:, None]
    x = eigenvalue.double()[:, None].sqrt() * nodes
    q = Normal(w2.sqrt() * x / (w2 + noise), (noise / (w2 + noise)).sqrt())
    return (kl_divergence(q, Normal(0.0, 1.0)) * weights).sum(1) / weights.sum()


def alive(eigenvalue, level, half=0.5):
    """The KL of dimensions above a level, the others 0, (n,)."""
    return half * (eigenvalue / level).clamp(min=1).log()


def covariance(seed, dimensions):
    """A covariance matrix, alone."""
    root = torch.randn(dimensions, dimensions + 1, generator=torch.Generator().manual_seed(seed))
    return (root @ root.t() + 0.5 * torch.eye(dimensions),)


def by_entropies(c):
    """Total correlation by torch's entropies, ()."""
    joint = MultivariateNormal(torch.zeros(len(c)), c)
    return Normal(0.0, c.diag().sqrt()).entropy().sum() - joint.entropy()


def kl_of_covariances(first, second):
    """KL(N(0, first) || N(0, second)), ()."""
    centre = torch.zeros(len(first))
    return kl_divergence(MultivariateNormal(centre, first), MultivariateNormal(centre, second))


def variance_products(c):
    """Σ_ii Σ_jj, (d, d)."""
    return c.diag().outer(c.diag())


def by_autograd(pixels, latent_dim, span, sigma):
    """The weight at which the loss and the β-ELBO have gradients in one ratio."""
    x_hat = torch.zeros(1, int(pixels), requires_grad=True)  # in ink, for a picture full of ink
    kl = torch.ones(1, int(latent_dim), requires_grad=True)
    loss = F.mse_loss(span * x_hat, span * torch.ones_like(x_hat)) + kl.mean()
    per_pixel, per_dimension = torch.autograd.grad(loss, (x_hat, kl))
    log_p = Normal(x_hat, sigma).log_prob(torch.ones_like(x_hat)).sum()
    true_pixel = torch.autograd.grad(-log_p, x_hat)[0]
    return per_dimension[0, 0] * true_pixel[0, 0] / per_pixel[0, 0]


def by_sorting(information, entropy):
    """MIG by sorting each factor's column, ()."""
    gaps = []
    for column, h in zip(information.numpy().T, entropy.numpy(), strict=True):
        second, best = np.sort(column)[-2:]
        gaps.append((best - second) / h)
    return torch.tensor(float(np.mean(gaps)))


def gaps(information, dim=0):
    """The best less the second best, along one dimension of the table."""
    best = information.topk(2, dim=dim).values
    return best.select(dim, 0) - best.select(dim, 1)


def correlations(covariance):
    """Each covariance over the two deviations, (d, d)."""
    return covariance / variance_products(covariance).sqrt()


def table(seed, dimensions, factors):
    """Mutual information, (d, K), and the factors' entropies."""
    draws = torch.Generator().manual_seed(seed)
    information = torch.rand(dimensions, factors, generator=draws)
    return information, 1 + torch.rand(factors, generator=draws)


def of_any_table(answer, information, entropy):
    """What an answer returns; NaN where it fails on a table of unlike sides only.

    A mix-up of dimensions and factors fails there. The square tables, which come first, name it.
    """
    try:
        return result(answer, information, entropy)
    except Exception:
        if len(information) == len(entropy):
            raise
        return torch.tensor(np.nan)
