"""Exercises of chapter 03 on KL: as extra bits of a code, and of two Gaussians."""

import math

import numpy as np
import torch
from scipy.special import rel_entr
from scipy.stats import entropy
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises import Exercise


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
        _sources([0.9, 0.1], [0.7, 0.3]),
        _sources([0.3, 0.25, 0.2, 0.15, 0.1], [0.3, 0.25, 0.2, 0.15, 0.1]),  # the right code
        _sources([0.05, 0.5, 0.02, 0.13, 0.2, 0.1], [0.3, 0.05, 0.25, 0.2, 0.1, 0.1]),
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
        "you divided by ln 10: a bit is a choice of two, use log₂.": (
            lambda p, q: (p * (p / q).log10()).sum()
        ),
        "this is the cross-entropy, and in nats.": lambda p, q: -(p * q.log()).sum(),
        "this is the entropy of q, of a source that suits the code.": (
            lambda p, q: -(q * q.log2()).sum()
        ),
        "subtract what the right code needs: you added it.": (
            lambda p, q: -(p * (p * q).log2()).sum()
        ),
        "one direction only: you added the extra bits of symbols from q.": (
            lambda p, q: (_extra(p, q) + _extra(q, p)).sum()
        ),
        "one direction only: this is the mean of both.": (
            lambda p, q: (_extra(p, q) + _extra(q, p)).sum() / 2
        ),
        "some symbols get shorter, and that counts: take no absolute values.": (
            lambda p, q: _extra(p, q).abs().sum()
        ),
        "some symbols get shorter, and that counts: do not cut off at 0.": (
            lambda p, q: _extra(p, q).clamp(min=0).sum()
        ),
        "the expectation of a logarithm, not the logarithm of an expectation.": (
            lambda p, q: (p * p / q).sum().log2()
        ),
        "the logarithm is missing: a length is −log₂ q, not 1/q.": (
            lambda p, q: (p * (p / q)).sum()
        ),
        "this is the worst symbol's; weigh all symbols with p.": (
            lambda p, q: (p / q).log2().amax()
        ),
        "lengths −log₂ q need not be whole numbers here: do not round up.": (
            lambda p, q: (p * ((-q.log2()).ceil() - (-p.log2()).ceil())).sum()
        ),
        "the probabilities' differences are not lengths: take log₂ of p and q first.": (
            lambda p, q: (p - q).abs().sum()
        ),
    },
    also_right=[
        lambda p, q: (p * (p.log2() - q.log2())).sum(),
        lambda p, q: sum(a * math.log2(a / b) for a, b in zip(p.tolist(), q.tolist(), strict=True)),
        lambda p, q: np.sum(p.numpy() * np.log2(p.numpy() / q.numpy())),
        lambda p, q: kl_divergence(Categorical(p), Categorical(q)) / math.log(2),
        lambda p, q: F.kl_div(q.log(), p, reduction="sum") / math.log(2),
        lambda p, q: rel_entr(p.numpy(), q.numpy()).sum() / math.log(2),
        lambda p, q: p @ (-q.log2()) - p @ (-p.log2()),
    ],
)


def _kl(m1, s1, m2, s2):
    return (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5


check_kl_gaussians = Exercise(
    "KL(N(m1, s1²) || N(m2, s2²)): m1, s1, m2, s2, each (B,), s standard deviations -> (B,) nats.",
    inputs=[
        tuple(torch.tensor([[0.0, 1.0, -0.5], [0.5, 1.5, 1.2], [1.0, 0.7, 2.0], [1.0, 2.0, 0.8]])),
        tuple(torch.tensor([[3.0, -1.0], [0.3, 2.5], [2.0, -4.0], [0.6, 1.1]])),
        tuple(torch.tensor([[-2.0], [0.1], [1.5], [3.0]])),
        tuple(
            torch.tensor([[0.5, 0.5, 7, -3], [1.3, 0.6, 2, 4], [0.5, 0, 7, 2], [1.3, 0.6, 5, 1]])
        ),
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
        "s is a standard deviation, not the logarithm of a variance.": (
            lambda m1, s1, m2, s2: _kl(m1, (s1 / 2).exp(), m2, (s2 / 2).exp())
        ),
        "s is a standard deviation, not a precision.": (
            lambda m1, s1, m2, s2: _kl(m1, s1**-0.5, m2, s2**-0.5)
        ),
        "below the line is the variance s₂² of the second, not s₁².": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s1**2) - 0.5
        ),
        "below the line is s₂²: you did not square s₂.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2) - 0.5
        ),
        "below the line stands 2s₂²: the 2 is not squared.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2) ** 2 - 0.5
        ),
        "above the line s₁ is squared, too.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5
        ),
        "the logarithm of a ratio of variances needs the factor ½, too.": (
            lambda m1, s1, m2, s2: _kl(m1, s1, m2, s2) + (s2 / s1).log()
        ),
        "the factor ½ is for a ratio of variances; log(s2 / s1) has none.": (
            lambda m1, s1, m2, s2: _kl(m1, s1, m2, s2) - (s2 / s1).log() / 2
        ),
        "½ is subtracted, not added: the divergence of a Gaussian from itself must be 0.": (
            lambda *a: _kl(*a) + 1
        ),
        "½ is subtracted, not 1: the divergence of a Gaussian from itself must be 0.": (
            lambda *a: _kl(*a) - 0.5
        ),
        "the means are subtracted, not added.": lambda m1, s1, m2, s2: _kl(m1, s1, -m2, s2),
        "the square of the difference, not the difference of the squares.": (
            lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + m1**2 - m2**2) / (2 * s2**2) - 0.5
        ),
        "the second Gaussian is given: yours is always N(0, 1).": (
            lambda m1, s1, m2, s2: _kl(m1, s1, torch.zeros_like(m2), torch.ones_like(s2))
        ),
        "this is the cross-entropy: subtract the entropy of the first.": (
            lambda m1, s1, m2, s2: -Normal(m2, s2).log_prob(m1) + s1**2 / (2 * s2**2)
        ),
        "one direction is asked for: this is the mean of both.": (
            lambda m1, s1, m2, s2: (_kl(m1, s1, m2, s2) + _kl(m2, s2, m1, s1)) / 2
        ),
        "one number for each pair: do not sum over the batch.": lambda *a: _kl(*a).sum(),
        "one number for each pair: do not average over the batch.": lambda *a: _kl(*a).mean(),
    },
    also_right=[
        _kl,
        lambda m1, s1, m2, s2: (
            ((s1 / s2) ** 2 + ((m2 - m1) / s2) ** 2 - 1 - (s1 / s2).square().log()) / 2
        ),
        lambda *a: torch.stack([_kl(*four) for four in zip(*a, strict=True)]),
        lambda *a: kl_divergence(*(Normal(*of) for of in (a[:2], a[2:]))).numpy(),
        lambda m1, s1, m2, s2: (
            -Normal(m2, s2).log_prob(m1) + s1**2 / (2 * s2**2) - Normal(m1, s1).entropy()
        ),
    ],
)
