"""Exercises of chapter 00: how exercises work, and Bayes' rule for classes."""

import math
from statistics import fmean

import numpy as np
import torch
from scipy import special
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _samples(*samples):
    return [(torch.tensor(sample),) for sample in samples]


check_mean = Exercise(
    "Mean of a sample: (N,) -> ().",
    inputs=_samples(
        [1.0, 2.5, 6.0, 7.0], [-3.0, 1.0, 4.0], [-2.5], [0.0, 0.0, 1.0, 12.0, -0.25, 0.5, 3.0]
    ),
    right=torch.mean,
    mistakes={
        "this is the sum; divide it by the number of values.": torch.sum,
        "divide by N, not by N − 1 (that is for a sample variance).": (
            lambda x: x.sum() / (len(x) - 1)
        ),
        "there are N values, not N + 1.": lambda x: x.sum() / (len(x) + 1),
        "this is the median, the value in the middle.": torch.median,
        "this is the median, half-way between the two values in the middle; all values count.": (
            lambda x: x.quantile(0.5)
        ),
        "this lies half-way between the smallest and the largest value; all values count.": (
            lambda x: (x.amin() + x.amax()) / 2
        ),
        "`//` drops what is after the decimal point: divide with `/`.": (
            lambda x: x.sum() // len(x)
        ),
        "values below zero keep their sign: take no absolute values.": lambda x: x.abs().mean(),
        "nothing is squared in a mean: this is the mean of the squares.": (
            lambda x: x.square().mean()
        ),
        "this is the root of the mean square; a mean has neither square nor root.": (
            lambda x: x.square().mean().sqrt()
        ),
        "this is the standard deviation, how far the values lie from their mean.": (
            lambda x: x.std(correction=0)
        ),
        "this is how far each value lies from the mean, which itself is asked for.": (
            lambda x: x - x.mean()
        ),
        "one number is needed, not one for each value.": lambda x: x / len(x),
    },
    also_right=[
        lambda x: x.mean(),
        lambda x: x.sum() / len(x),
        lambda x: sum(x) / x.numel(),
        lambda x: np.mean(x.numpy()),
        lambda x: fmean(x.tolist()),
        lambda x: x @ torch.full_like(x, 1 / len(x)),
    ],
)


def _classes(mean, sd, share, x, shift=0.0):
    """log p(x|C) (N, K) of numbers under K Gaussians, and log p(C) (K,).

    A further row is the first again, but shifted: as improbable as images are, or as dense.
    """
    mean, sd, share = torch.tensor(mean), torch.tensor(sd), torch.tensor(share)
    log_likelihood = Normal(mean, sd).log_prob(torch.tensor(x)[:, None])
    if shift:
        log_likelihood = torch.cat([log_likelihood, log_likelihood[:1] + shift])
    return log_likelihood, share.log()


_CLASSES = [
    _classes([-1.0, 0.5, 3.0], [1.0, 0.5, 2.0], [0.5, 0.2, 0.3], [-2.0, -0.5, 1, 2.5, 4], -1000),
    _classes([0.0, 1.0], [1.0, 1.5], [0.9, 0.1], [0.4]),
    _classes([2.0, 0.0, 1, -1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4], [1.8, 0, 0.7], 1500),
    _classes([0.0, 1.0, 2.0], [1.0, 1.0, 0.7], [0.25, 0.75, 0.0], [0.5, -1.0]),  # no third class
]


def _evidence(a, b):
    """By SciPy, which weighs each p(x|C) with p(C)."""
    return torch.as_tensor(special.logsumexp(a.numpy(), b=b.exp().numpy()[None], axis=1))


def _log_joint_by_hand(a, b):
    """The largest term is taken out of the sum first."""
    joint = a + b
    largest = joint.amax(1, keepdim=True)
    return joint - largest, largest


check_evidence = Exercise(
    "log p(x) = log Σ_C p(x|C) p(C): log p(x|C) (N, K), log p(C) (K,) -> (N,).",
    inputs=_CLASSES,
    right=_evidence,
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
            lambda a, b: a.logsumexp(1) - math.log(len(b))
        ),
        "this is log p(x, C); sum out the class.": lambda a, b: a + b,
        "p(x) is the sum over the classes, not their mean: nothing is divided by K.": (
            lambda a, b: (a + b).logsumexp(1) - math.log(a.shape[1])
        ),
        "a small number inside the logarithm hides what is smaller: use torch.logsumexp.": (
            lambda a, b: ((a + b).exp().sum(1) + 1e-10).log()
        ),
        "p(C) was added to a logarithm: only logarithms are added.": (
            lambda a, b: (a + b.exp()).logsumexp(1)
        ),
        "log p(C) is a logarithm: take its exponential before you multiply with p(x|C).": (
            lambda a, b: (a.exp() * b).sum(1).log()
        ),
        "p(C) multiplies p(x|C): its logarithm is added, not subtracted.": (
            lambda a, b: (a - b).logsumexp(1)
        ),
        "the prior counts once; you multiplied by it twice.": (
            lambda a, b: (a + 2 * b).logsumexp(1)
        ),
        "these are bits; nats need the natural logarithm.": (
            lambda a, b: (a + b).logsumexp(1) / math.log(2)
        ),
        "the sign is turned: this is −log p(x).": lambda a, b: -(a + b).logsumexp(1),
        "this is log p(C|x), Bayes' rule already; only what it divides by is asked for.": (
            lambda a, b: (a + b).log_softmax(1)
        ),
        "one number an image: do not add up the images.": lambda a, b: (a + b).logsumexp(1).sum(),
        "one number an image: do not average over the images.": (
            lambda a, b: (a + b).logsumexp(1).mean()
        ),
        "this is the likelihood of the most probable class; all classes count.": (
            lambda a, b: a.gather(1, (a + b).argmax(1, keepdim=True))[:, 0]
        ),
    },
    also_right=[
        lambda a, b: (a + b).logsumexp(1),
        lambda a, b: torch.logsumexp(a + b[None], dim=-1),
        lambda a, b: torch.stack([torch.logsumexp(row + b, 0) for row in a]),
        lambda a, b: np.logaddexp.reduce(a.numpy() + b.numpy(), axis=1),
        lambda a, b: special.logsumexp(a + b, axis=1),
        lambda a, b: sum(_log_joint_by_hand(a, b)).logsumexp(1),
    ],
)

check_posterior = Exercise(
    "p(C|x) by Bayes' rule: log p(x|C) (N, K), log p(C) (K,) -> (N, K).",
    inputs=_CLASSES,
    right=lambda a, b: (a + b - _evidence(a, b)[:, None]).exp(),
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
        "the prior is missing above the line.": lambda a, b: (a - _evidence(a, b)[:, None]).exp(),
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
        "p(C) was added to a logarithm: only logarithms are added.": (
            lambda a, b: (a + b.exp()).softmax(1)
        ),
        "log p(C) is given as a logarithm already.": lambda a, b: (a + b.log()).softmax(1),
        "p(C) multiplies p(x|C): its logarithm is added, not subtracted.": (
            lambda a, b: (a - b).softmax(1)
        ),
        "the prior counts once; you multiplied by it twice.": lambda a, b: (a + 2 * b).softmax(1),
        "the prior is missing below the line: divide by p(x), with p(C) in its sum.": (
            lambda a, b: (a + b - a.logsumexp(1, keepdim=True)).exp()
        ),
        "each image has its own p(x): you divided by the sum over all images.": (
            lambda a, b: (a + b).flatten().softmax(0).reshape(a.shape)
        ),
        "divide by the sum over the classes, not by their mean: your rows sum to K.": (
            lambda a, b: (a + b).softmax(1) * a.shape[1]
        ),
        "a small number below the line turns 0/0 into 0: use torch.softmax.": (
            lambda a, b: (a + b).exp() / ((a + b).exp().sum(1, keepdim=True) + 1e-10)
        ),
        "the sign is turned: your least probable class comes out as the most probable.": (
            lambda a, b: (-a - b).softmax(1)
        ),
        "sigmoid looks at each class alone; the classes of an image share 1.": (
            lambda a, b: (a + b).sigmoid()
        ),
        "the most probable class does not get everything: keep the others' probabilities.": (
            lambda a, b: F.one_hot((a + b).argmax(1), a.shape[1])
        ),
        "this is the prior p(C) again: the image has told you nothing.": (
            lambda a, b: b.exp().expand_as(a)
        ),
        "this is log p(x), whose exponential you must divide by.": _evidence,
        "this is the probability of the most probable class; those of all are asked for.": (
            lambda a, b: (a + b).softmax(1).amax(1)
        ),
    },
    also_right=[
        lambda a, b: (a + b).softmax(1),
        lambda a, b: (a + b - (a + b).logsumexp(1, keepdim=True)).exp(),
        lambda a, b: torch.stack([F.softmax(row + b, dim=0) for row in a]),
        lambda a, b: special.softmax(a.numpy() + b.numpy(), axis=1),
        lambda a, b: Categorical(logits=a + b).probs,
        lambda a, b: F.normalize(_log_joint_by_hand(a, b)[0].exp(), p=1, dim=1),
    ],
)

check_bits = Exercise(
    "Bits a pixel from log p(x) in nats: (N,), () pixels -> (N,).",
    inputs=[
        (torch.tensor([-100.0, -60.0, -784.0]), torch.tensor(400.0)),
        (torch.tensor([-2000.0, -3.0]), torch.tensor(49.0)),
        (torch.tensor([-71.5]), torch.tensor(3072.0)),
        (
            torch.tensor([35.0, 0.0, -1.0, -12.5, 250.0]),
            torch.tensor(6.0),
        ),  # a density may exceed 1
    ],
    right=lambda a, n: -a / torch.log(torch.tensor(2.0)) / n,
    mistakes={
        "the sign is turned: the length of a code is −log p(x).": (
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
        "one number an image, not their sum.": lambda a, n: (-a / math.log(2) / n).sum(),
        "a density may exceed 1, and the bits fall below 0: take −log p(x), not its size.": (
            lambda a, n: a.abs() / math.log(2) / n
        ),
        "log p(x) above 0 counts, too: do not cut the bits off at 0.": (
            lambda a, n: (-a).clamp(min=0) / math.log(2) / n
        ),
        "these are nats a pixel, and the sign is turned.": lambda a, n: a / n,
        "you divided by ln 10: a bit is a choice of two, so divide by ln 2.": (
            lambda a, n: -a / math.log(10) / n
        ),
        "a bit is a factor 2 of p(x): divide log p(x) by ln 2, not by 2.": lambda a, n: -a / 2 / n,
        "divide by the number of pixels, do not multiply.": lambda a, n: -a / math.log(2) * n,
        "divide by all the pixels, not by those of one side.": (
            lambda a, n: -a / math.log(2) / n.sqrt()
        ),
        "divide by the number of pixels, not by the number of images.": (
            lambda a, n: -a / math.log(2) / len(a)
        ),
        "these are bytes: a byte has 8 bits.": lambda a, n: -a / math.log(2) / n / 8,
        "this is a probability for each pixel; the length of its code is asked for.": (
            lambda a, n: (a / n).exp()
        ),
    },
    also_right=[
        lambda a, n: -a / (n * math.log(2)),
        lambda a, n: -a * math.log2(math.e) / n,
        lambda a, n: np.array([-nats / np.log(2) / n.item() for nats in a.tolist()]),
        lambda a, n: -(a.double() / n).exp().log2(),
    ],
)
