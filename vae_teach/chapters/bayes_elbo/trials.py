"""What chapter 03's exercises are tried on, and what is exact there, found without a grid."""

import math

import torch
from torch.distributions import Normal, kl_divergence


def linear_on_grid(grid, xs, prior, slope, sigma):
    """z ~ N(*prior), x ~ N(slope·z, sigma²): what the learner gets, and the posterior's densities."""
    z = torch.linspace(*grid, dtype=torch.double)
    x = torch.tensor(xs, dtype=torch.double)[:, None]  # (B, 1)
    mean, sd = prior
    precision = (
        1 / sd**2 + slope**2 / sigma**2
    )  # Gaussian prior, linear decoder: Gaussian posterior
    exact = Normal((mean / sd**2 + slope * x / sigma**2) / precision, precision**-0.5)
    given = Normal(mean, sd).log_prob(z), Normal(slope * z, sigma).log_prob(x), z[1] - z[0]
    return given, exact.log_prob(z).exp()


def weighed_draws(seed, draws, images, level=-900.0):
    """Log prior, log likelihood and log q of draws for images of hundreds of pixels.

    e⁻⁹⁰⁰ is 0 on a computer, e⁹⁰⁰ infinite.
    """
    generator = torch.Generator().manual_seed(seed)
    log_prior, log_q, log_likelihood = (
        torch.randn(draws, images, generator=generator, dtype=torch.double) for _ in range(3)
    )
    return log_prior - 1.5, 2 * log_likelihood + level, log_q - 1.0


def quadratic_on_grid(grid, q, x, sigma, prior):
    """x ~ N(½z², sigma²), q and prior Gaussians: what the learner gets, and the ELBO by moments."""
    z = torch.linspace(*grid, dtype=torch.double)
    log_likelihood = Normal(0.5 * z**2, sigma).log_prob(torch.tensor(x, dtype=torch.double))
    m, s = q
    second, fourth = m**2 + s**2, m**4 + 6 * m**2 * s**2 + 3 * s**4
    square = x**2 - x * second + fourth / 4  # E[(x − ½z²)²]
    reconstruction = -0.5 * square / sigma**2 - math.log(sigma * math.sqrt(2 * math.pi))
    q, prior = (Normal(*torch.tensor(of, dtype=torch.double)) for of in (q, prior))
    given = prior.log_prob(z), log_likelihood, q.log_prob(z), z[1] - z[0]
    return given, reconstruction - kl_divergence(q, prior)
