"""Exercises of chapter 03, Bayes and the ELBO."""

import math

import torch
from scipy.special import logsumexp
from scipy.stats import entropy
from torch.distributions import Normal, kl_divergence

from vae_teach.exercises import Exercise


def _three_posteriors():
    """Log prior, log likelihood and dz on a grid, and the densities: z ~ N(½, 1), x ~ N(2z, 0.8²)."""
    z = torch.linspace(-6, 6, 601, dtype=torch.double)
    x = torch.tensor([[-0.4], [0.9], [2.0]], dtype=torch.double)  # (B, 1)
    precision = 1 + 4 / 0.64  # Gaussian prior, linear decoder: Gaussian posterior
    exact = Normal((0.5 + 2 * x / 0.64) / precision, precision**-0.5).log_prob(z).exp()
    return (Normal(0.5, 1.0).log_prob(z), Normal(2 * z, 0.8).log_prob(x), z[1] - z[0]), exact


def _joint(a, b):
    return (a + b).exp()


def _normalised(mass, dz):
    return mass / (mass.sum(1, keepdim=True) * dz)


_on_grid, _densities = _three_posteriors()

check_posterior = Exercise(
    "p(z|x) on a grid: log p(z) (G,), log p(x|z) (B, G), dz () -> densities (B, G).",
    inputs=[_on_grid],
    right=lambda a, b, dz: _densities,
    mistakes={
        "this is the joint p(x, z); divide it by the evidence, its integral over z.": (
            lambda a, b, dz: _joint(a, b)
        ),
        "the prior is missing: this is the likelihood, normalised.": (
            lambda a, b, dz: _normalised(b.exp(), dz)
        ),
        "this is the prior again; multiply it with the likelihood.": (
            lambda a, b, dz: a.exp().expand_as(b)
        ),
        "the likelihood alone is no density of z; multiply with the prior and normalise.": (
            lambda a, b, dz: b.exp()
        ),
        "dz is missing: your numbers sum to 1 over the grid, a density integrates to 1.": (
            lambda a, b, dz: (a + b).softmax(1)
        ),
        "you multiplied by dz where you must divide by it: a factor dz² off.": (
            lambda a, b, dz: (a + b).softmax(1) * dz
        ),
        "normalise over z (the last dimension); you normalised over the observations x.": (
            lambda a, b, dz: (a + b).softmax(0) / dz
        ),
        "one evidence for each x: you divided by the sum over all of them.": (
            lambda a, b, dz: _joint(a, b) / (_joint(a, b).sum() * dz)
        ),
        "this is the logarithm of the posterior; its exponential is asked for.": (
            lambda a, b, dz: (a + b).log_softmax(1) - dz.log()
        ),
        "logarithms add, densities multiply: take exp after the sum of the logs.": (
            lambda a, b, dz: _normalised(a.exp() + b.exp(), dz)
        ),
        "these are still logarithms: take exp of the sum of the logs first.": (
            lambda a, b, dz: _normalised(a + b, dz)
        ),
        "this is the evidence p(x), what the joint is divided by.": (
            lambda a, b, dz: _joint(a, b).sum(1) * dz
        ),
    },
    also_right=[
        lambda a, b, dz: _normalised(_joint(a, b), dz),
        lambda a, b, dz: torch.softmax(a + b, dim=1) / dz,
    ],
)


def _weighed_draws(seed, draws, images):
    """Log prior, log likelihood and log q of draws for images of hundreds of pixels: e⁻⁹⁰⁰ is 0."""
    generator = torch.Generator().manual_seed(seed)
    log_prior, log_q, log_likelihood = (
        torch.randn(draws, images, generator=generator, dtype=torch.double) for _ in range(3)
    )
    return log_prior - 1.5, 2 * log_likelihood - 900, log_q - 1.0


def _log_mean(log_weight):
    return log_weight.logsumexp(0) - math.log(len(log_weight))


check_importance = Exercise(
    "log p(x) by importance sampling: log p(z), log p(x|z), log q(z|x), each (S, B) -> (B,) nats.",
    inputs=[_weighed_draws(0, 8, 3), _weighed_draws(1, 5, 2)],
    right=lambda a, b, q: torch.as_tensor(logsumexp((a + b - q).numpy(), axis=0, b=1 / len(q))),
    mistakes={
        "this is the mean of the logs, an estimate of the ELBO; take the log of the mean.": (
            lambda a, b, q: (a + b - q).mean(0)
        ),
        "the mean is missing: subtract log S.": lambda a, b, q: (a + b - q).logsumexp(0),
        "the weight is upside down: p(x|z) p(z) goes above the line, q below.": (
            lambda a, b, q: _log_mean(q - a - b)
        ),
        "the prior is missing from the weight.": lambda a, b, q: _log_mean(b - q),
        "q is missing: without it, draws from q give no estimate of p(x).": (
            lambda a, b, q: _log_mean(a + b)
        ),
        "q is divided by: subtract log q, you added it.": lambda a, b, q: _log_mean(a + b + q),
        "p(z) and q(z|x) are missing: the mean of p(x|z) is right for draws from the prior.": (
            lambda a, b, q: _log_mean(b)
        ),
        "q(z|x) and p(z) have changed places.": lambda a, b, q: _log_mean(b + q - a),
        "exp of −900 is 0 on a computer, and its log −∞: use torch.logsumexp.": (
            lambda a, b, q: (a + b - q).exp().mean(0).log()
        ),
        "this is p(x) itself, which rounds to 0; its logarithm is asked for.": (
            lambda a, b, q: (a + b - q).exp().mean(0)
        ),
        "average over the draws, the first dimension, not over the images.": (
            lambda a, b, q: _log_mean((a + b - q).T)
        ),
        "one number an image: average over the draws only.": (
            lambda a, b, q: _log_mean((a + b - q).flatten())
        ),
    },
    also_right=[
        lambda a, b, q: torch.logsumexp(a + b - q, dim=0) - math.log(len(q)),
        lambda a, b, q: (a + b - q + 900).exp().mean(0).log() - 900,
    ],
    tolerance=1e-6,
)


def _sources(*sources):
    return tuple(torch.tensor(shares, dtype=torch.double) for shares in sources)


def _extra(p, q):
    """The extra bits of each symbol, weighed with p."""
    return p * (p / q).log2()


check_extra_bits = Exercise(
    "Expected extra bits a symbol: p (K,), q (K,), the code being made for q -> ().",
    inputs=[
        _sources([0.5, 0.2, 0.2, 0.1], [0.1, 0.3, 0.2, 0.4]),
        _sources([0.6, 0.3, 0.1], [0.25, 0.25, 0.5]),
    ],
    right=lambda p, q: torch.as_tensor(entropy(p.numpy(), q.numpy(), base=2)),
    mistakes={
        "these are nats; bits need the logarithm to base 2.": lambda p, q: (
            p * (p / q).log()
        ).sum(),
        "the wrong way round: symbols come from p, the code was made for q.": (
            lambda p, q: _extra(q, p).sum()
        ),
        "this is the cross-entropy, the whole length; subtract what the right code needs.": (
            lambda p, q: -(p * q.log2()).sum()
        ),
        "this is the entropy of p, the length under the right code.": (
            lambda p, q: -(p * p.log2()).sum()
        ),
        "the sign is turned: a wrong code is never shorter on average.": (
            lambda p, q: -_extra(p, q).sum()
        ),
        "this compares the two sources' entropies; each symbol's length under q must be "
        "weighed with p.": lambda p, q: (p * p.log2()).sum() - (q * q.log2()).sum(),
        "weigh the symbols with p: they come from p, whatever the code was made for.": (
            lambda p, q: -_extra(q, p).sum()
        ),
        "weigh each symbol with its probability p; you counted all symbols alike.": (
            lambda p, q: (p / q).log2().sum()
        ),
        "sum over the symbols: p already does the averaging.": lambda p, q: _extra(p, q).mean(),
        "sum over the symbols: one number is asked for.": _extra,
    },
    also_right=[lambda p, q: (p * (p.log2() - q.log2())).sum()],
)


def _kl(m1, s1, m2, s2):
    return (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5


check_kl_gaussians = Exercise(
    "KL(N(m1, s1²) || N(m2, s2²)): m1, s1, m2, s2, each (B,), s standard deviations -> (B,) nats.",
    inputs=[
        tuple(torch.tensor([[0.0, 1.0, -0.5], [0.5, 1.5, 1.2], [1.0, 0.7, 2.0], [1.0, 2.0, 0.8]])),
        tuple(torch.tensor([[3.0, -1.0], [0.3, 2.5], [2.0, -4.0], [0.6, 1.1]])),
    ],
    right=lambda m1, s1, m2, s2: kl_divergence(Normal(m1, s1), Normal(m2, s2)),
    mistakes={
        "forward for reverse: this is KL of the second from the first.": (
            lambda m1, s1, m2, s2: _kl(m2, s2, m1, s1)
        ),
        "only the logarithm is to base 2, the rest is in nats: use torch.log.": (
            lambda m1, s1, m2, s2: _kl(m1, s1, m2, s2) + (s2 / s1).log2() - (s2 / s1).log()
        ),
        "these are bits: nats · log₂ e.": lambda *a: _kl(*a) / math.log(2),
        "the factor ½ of the squares is missing.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / s2**2 - 0.5
        ),
        "the factor ½ is missing.": lambda *a: 2 * _kl(*a),
        "the −½ is missing: the divergence of a Gaussian from itself must be 0.": (
            lambda *a: _kl(*a) + 0.5
        ),
        "the logarithm has the wrong sign: it is log(s2 / s1).": (
            lambda m1, s1, m2, s2: _kl(m1, s1, m2, s2) - 2 * (s2 / s1).log()
        ),
        "you took standard deviations for variances.": (
            lambda m1, s1, m2, s2: _kl(m1, s1.sqrt(), m2, s2.sqrt())
        ),
        "the distance of the means must be squared.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + (m1 - m2)) / (2 * s2**2) - 0.5
        ),
        "s₁² is missing: E[(z − m₂)²] includes s₁², besides (m₁ − m₂)².": (
            lambda m1, s1, m2, s2: _kl(m1, s1, m2, s2) - s1**2 / (2 * s2**2)
        ),
        "s₁² and −½ are missing: E[(z − m₂)²] includes s₁², and E[(z − m₁)²]/(2s₁²) = ½.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (m1 - m2) ** 2 / (2 * s2**2)
        ),
        "square the widths: the fraction has the variances s₁² and s₂².": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1 + (m1 - m2) ** 2) / (2 * s2) - 0.5
        ),
        "the distance of the means is missing.": lambda m1, s1, m2, s2: _kl(m1, s1, m1, s2),
        "the logarithm of the widths is missing.": (
            lambda m1, s1, m2, s2: _kl(m1, s1, m2, s2) - (s2 / s1).log()
        ),
        "the sign is turned: a KL divergence is never negative.": lambda *a: -_kl(*a),
    },
    also_right=[_kl],
)


def _one_elbo():
    """Log p(z), log p(x|z), log q(z) and dz on a grid, and the ELBO by a Gaussian's moments: no grid."""
    z = torch.linspace(-9, 9, 1801, dtype=torch.double)
    m, s, x, sigma, m0, s0 = 0.7, 0.6, 1.5, 0.5, 0.2, 1.3
    log_likelihood = Normal(0.5 * z**2, sigma).log_prob(torch.tensor(x, dtype=torch.double))
    second, fourth = m**2 + s**2, m**4 + 6 * m**2 * s**2 + 3 * s**4
    square = x**2 - x * second + fourth / 4  # E[(x − ½z²)²]
    reconstruction = -0.5 * square / sigma**2 - math.log(sigma * math.sqrt(2 * math.pi))
    exact = reconstruction - kl_divergence(Normal(m, s), Normal(m0, s0)).double()
    return (
        Normal(m0, s0).log_prob(z),
        log_likelihood,
        Normal(m, s).log_prob(z),
        z[1] - z[0],
    ), exact


def _mean(values, log_density, dz):
    return (log_density.exp() * values).sum() * dz


_elbo_on_grid, _elbo = _one_elbo()

check_elbo = Exercise(
    "ELBO on a grid: log p(z), log p(x|z), log q(z), each (G,), dz () -> () in nats.",
    inputs=[_elbo_on_grid],
    right=lambda a, b, q, dz: _elbo,
    mistakes={
        "prior for q: the expectation runs over q, you took it over the prior.": (
            lambda a, b, q, dz: _mean(a + b - q, a, dz)
        ),
        "E[log p(x|z)] is taken over the prior; inside the bound z comes from q.": (
            lambda a, b, q, dz: _mean(b, a, dz) - _mean(q - a, q, dz)
        ),
        "the entropy of q is missing: subtract log q(z) in the expectation.": (
            lambda a, b, q, dz: _mean(a + b, q, dz)
        ),
        "the KL term has the wrong sign: it is subtracted.": (
            lambda a, b, q, dz: _mean(b + q - a, q, dz)
        ),
        "forward for reverse: the KL term is KL(q‖p(z)), averaged over q.": (
            lambda a, b, q, dz: _mean(b, q, dz) - _mean(a - q, a, dz)
        ),
        "the KL term is missing: this is the reconstruction alone.": (
            lambda a, b, q, dz: _mean(b, q, dz)
        ),
        "the reconstruction is missing.": lambda a, b, q, dz: _mean(a - q, q, dz),
        "this is log p(x): the log of the mean weight, not the mean of its log.": (
            lambda a, b, q, dz: ((a + b).exp().sum() * dz).log()
        ),
        "the sign of the whole is turned: this is −ELBO, the loss.": (
            lambda a, b, q, dz: _mean(q - a - b, q, dz)
        ),
        "dz is missing: a sum over the grid is no integral yet.": (
            lambda a, b, q, dz: _mean(a + b - q, q, 1)
        ),
        "weigh with the density q, the exponential of log_q.": (
            lambda a, b, q, dz: (q * (a + b - q)).sum() * dz
        ),
        "q is missing as a weight: this integrates over z with all z alike.": (
            lambda a, b, q, dz: (a + b - q).sum() * dz
        ),
        "the plain mean over the grid counts all z alike: weigh with q(z) dz.": (
            lambda a, b, q, dz: (a + b - q).mean()
        ),
        "the prior is missing: log p(x, z) is log p(x|z) + log p(z).": (
            lambda a, b, q, dz: _mean(b - q, q, dz)
        ),
        "the expectation is taken over the posterior; q is what you are given to average with.": (
            lambda a, b, q, dz: ((a + b).softmax(0) * (a + b - q)).sum()
        ),
    },
    also_right=[
        lambda a, b, q, dz: (q.exp() * (a + b - q)).sum() * dz,
        lambda a, b, q, dz: (q.exp() * b).sum() * dz - (q.exp() * (q - a)).sum() * dz,
    ],
)
