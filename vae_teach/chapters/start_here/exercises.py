"""Exercises of chapter 00: how exercises work, and Bayes' rule for classes."""

import math

import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from vae_teach.exercises import Exercise

check_mean = Exercise(
    "Mean of a sample: (N,) -> ().",
    inputs=[(torch.tensor([1.0, 2.0, 6.0, 7.0]),), (torch.tensor([-3.0, 1.0, 4.0]),)],
    right=torch.mean,
    mistakes={
        "this is the sum; divide it by the number of values.": torch.sum,
        "divide by N, not by N − 1 (that is for a sample variance).": (
            lambda x: x.sum() / (len(x) - 1)
        ),
        "this is the median, the value in the middle.": torch.median,
        "one number is needed, not one for each value.": lambda x: x / len(x),
    },
    also_right=[lambda x: x.mean(), lambda x: x.sum() / len(x)],
)


def _classes():
    """log p(x|C) of six images under three classes (6, 3), log p(C) (3,), and log p(x) (6,).

    Five are numbers under three Gaussians; the last is one of them again, but as improbable as
    images are.
    """
    mean, sd = torch.tensor([-1.0, 0.5, 3.0]), torch.tensor([1.0, 0.5, 2.0])
    share, x = torch.tensor([0.5, 0.2, 0.3]), torch.linspace(-2, 4, 5)
    mixture = MixtureSameFamily(Categorical(share), Normal(mean, sd))
    log_likelihood, evidence = Normal(mean, sd).log_prob(x[:, None]), mixture.log_prob(x)
    log_likelihood = torch.cat([log_likelihood, log_likelihood[:1] - 1000])
    return log_likelihood, share.log(), torch.cat([evidence, evidence[:1] - 1000])


_log_likelihood, _log_prior, _evidence = _classes()

check_evidence = Exercise(
    "log p(x) = log Σ_C p(x|C) p(C): log p(x|C) (N, K), log p(C) (K,) -> (N,).",
    inputs=[(_log_likelihood, _log_prior)],
    right=lambda a, b: _evidence,
    mistakes={
        "the prior is missing: each class counts with its share p(C).": lambda a, b: a.logsumexp(1),
        "this is p(x); its logarithm is asked for.": lambda a, b: (a + b).exp().sum(1),
        "right in principle, but exp(−1000) is 0 on a computer: use torch.logsumexp.": (
            lambda a, b: (a + b).exp().sum(1).log()
        ),
        "log p(C) is given as a logarithm already.": lambda a, b: (a + b.log()).logsumexp(1),
        "the sum over classes must be of probabilities, not of their logarithms.": (
            lambda a, b: (a + b).sum(1)
        ),
        "this is the largest term; p(x) is the sum over all classes.": (
            lambda a, b: (a + b).amax(1)
        ),
        "log p(x|C) and log p(C) are added, not multiplied.": lambda a, b: (a * b).logsumexp(1),
        "you summed over the images; sum over the classes, the second dimension.": (
            lambda a, b: (a + b).logsumexp(0)
        ),
        "the classes do not count alike: p(C) is a weight, not 1/K.": (
            lambda a, b: a.logsumexp(1) - math.log(a.shape[1])
        ),
        "this is log p(x, C); sum out the class.": lambda a, b: a + b,
    },
    also_right=[
        lambda a, b: (a + b).logsumexp(1),
        lambda a, b: torch.logsumexp(a + b[None], dim=-1),
    ],
)

check_posterior = Exercise(
    "p(C|x) by Bayes' rule: log p(x|C) (N, K), log p(C) (K,) -> (N, K).",
    inputs=[(_log_likelihood, _log_prior)],
    right=lambda a, b: (a + b - _evidence[:, None]).exp(),
    mistakes={
        "the prior is missing: this would be right for equally common classes.": (
            lambda a, b: a.softmax(1)
        ),
        "you normalized over the images; each row must sum to 1 over the classes.": (
            lambda a, b: (a + b).softmax(0)
        ),
        "right in principle, but exp(−1000) is 0 on a computer: use torch.softmax.": (
            lambda a, b: (a + b).exp() / (a + b).exp().sum(1, keepdim=True)
        ),
        "log p(x|C) and log p(C) are added, not multiplied.": lambda a, b: (a * b).softmax(1),
        "the prior is missing above the line.": lambda a, b: (a - _evidence[:, None]).exp(),
        "divide by p(x): this is the joint p(x, C), whose rows do not sum to 1.": (
            lambda a, b: (a + b).exp()
        ),
        "this is the logarithm of the right answer.": lambda a, b: (a + b).log_softmax(1),
        "this is the likelihood p(x|C), the condition the wrong way round.": lambda a, b: a.exp(),
        "this is the most probable class; its probabilities are asked for.": (
            lambda a, b: (a + b).argmax(1)
        ),
        "normalize probabilities, not their logarithms.": (
            lambda a, b: (a + b) / (a + b).sum(1, keepdim=True)
        ),
    },
    also_right=[
        lambda a, b: (a + b).softmax(1),
        lambda a, b: (a + b - (a + b).logsumexp(1, keepdim=True)).exp(),
    ],
)

check_bits = Exercise(
    "Bits a pixel from log p(x) in nats: (N,), () pixels -> (N,).",
    inputs=[
        (torch.tensor([-100.0, -60.0, -784.0]), torch.tensor(400.0)),
        (torch.tensor([-2000.0, -3.0]), torch.tensor(49.0)),
    ],
    right=lambda a, n: -a / torch.log(torch.tensor(2.0)) / n,
    mistakes={
        "the sign is turned: −log p(x) is the length of a code, above zero here.": (
            lambda a, n: a / math.log(2) / n
        ),
        "a nat is 1/ln 2 = 1.44 bits: divide by ln 2, do not multiply.": (
            lambda a, n: -a * math.log(2) / n
        ),
        "these are nats a pixel: divide by ln 2 as well.": lambda a, n: -a / n,
        "these are bits an image: divide by the number of pixels.": lambda a, n: -a / math.log(2),
        "log p(x) is a logarithm already: change its base, do not take log₂ of it.": (
            lambda a, n: -a.log2() / n
        ),
        "log p(x) is a logarithm already, and negative: change its base.": (
            lambda a, n: -(-a).log2() / n
        ),
        "exp(log p(x)) is 0 on a computer: divide log p(x) by ln 2 instead.": (
            lambda a, n: -a.exp().log2() / n
        ),
        "images have their own number of pixels, which is given: not 784.": (
            lambda a, n: -a / math.log(2) / 784
        ),
        "one number an image, not their mean.": lambda a, n: (-a / math.log(2) / n).mean(),
    },
    also_right=[lambda a, n: -a / (n * math.log(2))],
)
