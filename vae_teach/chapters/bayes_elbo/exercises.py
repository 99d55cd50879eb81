"""Exercises of chapter 03, Bayes and the ELBO."""

import math

import numpy as np
import torch
from scipy.integrate import trapezoid
from scipy.special import logsumexp, softmax
from torch.distributions import Categorical

from vae_teach.chapters.bayes_elbo.divergence_exercises import check_extra_bits, check_kl_gaussians
from vae_teach.chapters.bayes_elbo.trials import linear_on_grid, quadratic_on_grid, weighed_draws
from vae_teach.exercises import Exercise

__all__ = [
    "check_elbo",
    "check_extra_bits",
    "check_importance",
    "check_kl_gaussians",
    "check_posterior",
]


def _joint(a, b):
    return (a + b).exp()


def _normalised(mass, dz):
    return mass / (mass.sum(1, keepdim=True) * dz)


_LINEAR = [
    linear_on_grid((-6, 6, 601), [-0.4, 0.9, 2.0], prior=(0.5, 1.0), slope=2, sigma=0.8),
    linear_on_grid((-9, 7, 401), [1.5], prior=(-1.0, 1.2), slope=-0.5, sigma=1.5),
    linear_on_grid((-5, 5, 251), [0.0, 3.0], prior=(0.0, 0.7), slope=1, sigma=0.4),
]

check_posterior = Exercise(
    "p(z|x) on a grid: log p(z) (G,), log p(x|z) (B, G), dz () -> densities (B, G).",
    inputs=[given for given, _ in _LINEAR],
    right=lambda a, b, dz: next(exact for _, exact in _LINEAR if exact.shape == b.shape),
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
        "this is the logarithm of the evidence p(x).": (
            lambda a, b, dz: (a + b).logsumexp(1) + dz.log()
        ),
        "the prior multiplies: subtracting its logarithm divides by it.": (
            lambda a, b, dz: _normalised((b - a).exp(), dz)
        ),
        "the prior counts once; you multiplied by it twice.": (
            lambda a, b, dz: _normalised((2 * a + b).exp(), dz)
        ),
        "the prior is missing below the line: the evidence integrates p(x|z) p(z).": (
            lambda a, b, dz: _joint(a, b) / (b.exp().sum(1, keepdim=True) * dz)
        ),
        "an area of 1 is needed, not a height of 1: divide by the integral.": (
            lambda a, b, dz: _joint(a, b) / _joint(a, b).amax(1, keepdim=True)
        ),
        "an integral is the sum times dz, not the mean over the grid.": (
            lambda a, b, dz: _joint(a, b) / _joint(a, b).mean(1, keepdim=True)
        ),
        "the joint times dz is a mass, not yet divided by the evidence.": (
            lambda a, b, dz: _joint(a, b) * dz
        ),
        "one row for each x: yours is (G, B), transposed.": (
            lambda a, b, dz: _normalised(_joint(a, b), dz).T
        ),
        "one density for each x: do not average over the observations.": (
            lambda a, b, dz: _normalised(_joint(a, b), dz).mean(0)
        ),
        "the observations do not share a z: you multiplied all their likelihoods.": (
            lambda a, b, dz: _normalised((a + b.sum(0)).exp().expand_as(b), dz)
        ),
        "this is where each posterior is highest; all its densities are asked for.": (
            lambda a, b, dz: (a + b).argmax(1)
        ),
        "this grows to 1: it is the distribution function, the integral up to z.": (
            lambda a, b, dz: (a + b).softmax(1).cumsum(1)
        ),
    },
    also_right=[
        lambda a, b, dz: _normalised(_joint(a, b), dz),
        lambda a, b, dz: torch.softmax(a + b, dim=1) / dz,
        lambda a, b, dz: softmax(a.numpy() + b.numpy(), axis=1) / dz.item(),
        lambda a, b, dz: torch.stack([_joint(a, c) / (_joint(a, c).sum() * dz) for c in b]),
        lambda a, b, dz: _joint(a, b) / torch.trapezoid(_joint(a, b), dx=dz.item())[:, None],
        lambda a, b, dz: Categorical(logits=a + b).probs / dz,
    ],
)


def _log_mean(log_weight):
    return log_weight.logsumexp(0) - math.log(len(log_weight))


def _log_mean_by_hand(a, b, q):
    """The largest weight is taken out of the mean first."""
    largest = (a + b - q).amax(0)
    return (a + b - q - largest).exp().mean(0).log() + largest


check_importance = Exercise(
    "log p(x) by importance sampling: log p(z), log p(x|z), log q(z|x), each (S, B) -> (B,) nats.",
    inputs=[
        weighed_draws(0, 8, 3),
        weighed_draws(1, 5, 2),
        weighed_draws(2, 6, 1, level=900.0),
        weighed_draws(3, 1, 4, level=-40.0),
    ],
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
        "one number an image: do not average over the images afterwards.": (
            lambda a, b, q: _log_mean(a + b - q).mean()
        ),
        "log S is subtracted, not added.": (
            lambda a, b, q: (a + b - q).logsumexp(0) + math.log(len(q))
        ),
        "a mean inside the logarithm: subtract log S, do not divide by S.": (
            lambda a, b, q: (a + b - q).logsumexp(0) / len(q)
        ),
        "there are S draws, the first dimension: you divided by the number of images.": (
            lambda a, b, q: (a + b - q).logsumexp(0) - math.log(q.shape[1])
        ),
        "divide by the number of draws S, not by S + 1.": (
            lambda a, b, q: (a + b - q).logsumexp(0) - math.log(len(q) + 1)
        ),
        "this is the largest weight alone; the mean is over all draws.": (
            lambda a, b, q: (a + b - q).amax(0)
        ),
        "these are the weights, made to sum to 1; the log of their mean is asked for.": (
            lambda a, b, q: (a + b - q).softmax(0)
        ),
        "these are the logarithms of the weights; take the log of their mean.": (
            lambda a, b, q: a + b - q
        ),
        "this is E_q[log p(x|z)], the reconstruction term.": lambda a, b, q: b.mean(0),
        "log p(z) and log p(x|z) are added, not multiplied.": (
            lambda a, b, q: _log_mean(a * b - q)
        ),
        "log q(z|x) is given as a logarithm already.": lambda a, b, q: _log_mean(a + b - q.exp()),
        "the likelihood is missing from the weight.": lambda a, b, q: _log_mean(a - q),
        "these are bits; nats need the natural logarithm.": (
            lambda a, b, q: _log_mean(a + b - q) / math.log(2)
        ),
        "the sign is turned: this is −log p(x).": lambda a, b, q: -_log_mean(a + b - q),
        "a small number inside the logarithm hides e⁻⁹⁰⁰: use torch.logsumexp.": (
            lambda a, b, q: ((a + b - q).exp().mean(0) + 1e-10).log()
        ),
    },
    also_right=[
        lambda a, b, q: torch.logsumexp(a + b - q, dim=0) - math.log(len(q)),
        lambda a, b, q: torch.logsumexp(a + b - q - math.log(a.shape[0]), dim=0),
        lambda a, b, q: logsumexp(a + b - q, axis=0) - np.log(len(q)),
        lambda a, b, q: np.logaddexp.reduce((a + b - q).numpy()) - np.log(len(q)),
        lambda a, b, q: torch.stack([_log_mean(w) for w in (a + b - q).T]),
        _log_mean_by_hand,
    ],
    tolerance=1e-6,
)


def _mean(values, log_density, dz):
    return (log_density.exp() * values).sum() * dz


_QUADRATIC = [
    quadratic_on_grid((-9, 9, 1801), q=(0.7, 0.6), x=1.5, sigma=0.5, prior=(0.2, 1.3)),
    quadratic_on_grid((-6, 4, 501), q=(-1.2, 0.4), x=-0.5, sigma=1.6, prior=(-0.5, 0.9)),
    quadratic_on_grid((-14, 16, 901), q=(1.0, 1.7), x=2.0, sigma=2.5, prior=(0.0, 1.0)),
]

check_elbo = Exercise(
    "ELBO on a grid: log p(z), log p(x|z), log q(z), each (G,), dz () -> () in nats.",
    inputs=[given for given, _ in _QUADRATIC],
    right=lambda a, b, q, dz: next(elbo for given, elbo in _QUADRATIC if len(given[0]) == len(a)),
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
        "the mean over the grid is no integral: it is the sum times dz.": (
            lambda a, b, q, dz: (q.exp() * (a + b - q)).mean()
        ),
        "dz is squared: it counts once in an integral.": (
            lambda a, b, q, dz: _mean(a + b - q, q, dz**2)
        ),
        "you divided by dz where you must multiply by it.": (
            lambda a, b, q, dz: _mean(a + b - q, q, 1 / dz)
        ),
        "sum over the grid: one number is asked for.": (
            lambda a, b, q, dz: q.exp() * (a + b - q) * dz
        ),
        "the entropy of q has the wrong sign: log q(z) is subtracted.": (
            lambda a, b, q, dz: _mean(a + b + q, q, dz)
        ),
        "the prior has the wrong sign: log p(z) is added.": (
            lambda a, b, q, dz: _mean(b - a - q, q, dz)
        ),
        "log p(x|z) and log p(z) are added, not multiplied.": (
            lambda a, b, q, dz: _mean(a * b - q, q, dz)
        ),
        "the expectation of the log, not the log of the expectation, for p(x|z).": (
            lambda a, b, q, dz: _mean(b.exp(), q, dz).log() - _mean(q - a, q, dz)
        ),
        "this is the KL term alone.": lambda a, b, q, dz: _mean(q - a, q, dz),
        "this is the entropy of q alone.": lambda a, b, q, dz: -_mean(q, q, dz),
        "this is the gap, log p(x) less the ELBO.": (
            lambda a, b, q, dz: ((a + b).exp().sum() * dz).log() - _mean(a + b - q, q, dz)
        ),
        "the KL term counts once; yours counts twice.": (
            lambda a, b, q, dz: _mean(b + 2 * a - 2 * q, q, dz)
        ),
        "these are bits; nats need the natural logarithm.": (
            lambda a, b, q, dz: _mean(a + b - q, q, dz) / math.log(2)
        ),
        "this is p(x), the mean weight; the ELBO is the mean of its logarithm.": (
            lambda a, b, q, dz: _mean((a + b - q).exp(), q, dz)
        ),
        "this is the value at q's peak; take the expectation over all of q.": (
            lambda a, b, q, dz: (a + b - q)[q.argmax()]
        ),
    },
    also_right=[
        lambda a, b, q, dz: torch.trapezoid(q.exp() * (a + b - q), dx=dz.item()),
        lambda a, b, q, dz: trapezoid((q.exp() * (a + b - q)).numpy(), dx=dz.item()),
        lambda a, b, q, dz: np.dot(np.exp(q.numpy()), (a + b - q).numpy()) * dz.item(),
        lambda a, b, q, dz: (Categorical(logits=q).probs * (a + b - q)).sum(),
        lambda a, b, q, dz: sum(
            w.exp() * (u + v - w) * dz for u, v, w in zip(a, b, q, strict=True)
        ),
        lambda a, b, q, dz: (q.exp() * (a + b - q)).sum() * dz,
        lambda a, b, q, dz: (q.exp() * b).sum() * dz - (q.exp() * (q - a)).sum() * dz,
    ],
)
