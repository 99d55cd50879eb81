"""Answers to the exercises of chapter 00, right and wrong: (check, attempt, what it must say)."""

import math

import torch

from vae_teach.chapters.start_here.exercises import (
    check_bits,
    check_evidence,
    check_mean,
    check_posterior,
)

RIGHT = [
    (check_mean, lambda x: x.mean()),
    (check_mean, lambda x: x.sum() / len(x)),
    (check_evidence, lambda a, b: (a + b).logsumexp(1)),
    (check_evidence, lambda a, b: torch.logsumexp(a + b[None], dim=-1)),
    (check_posterior, lambda a, b: (a + b).softmax(1)),
    (check_posterior, lambda a, b: (a + b - (a + b).logsumexp(1, keepdim=True)).exp()),
    (check_bits, lambda a, n: -a / (n * math.log(2))),
]
WRONG = [
    (check_mean, lambda x: x.sum(), "this is the sum"),
    (check_mean, lambda x: x.sum() / (len(x) - 1), "divide by N, not by N − 1"),
    (check_mean, lambda x: x.median(), "the median"),
    (check_mean, lambda x: x.max(), "largest difference"),
    (check_evidence, lambda a, b: a.logsumexp(-1), "prior is missing"),
    (check_evidence, lambda a, b: a.exp() @ b.exp(), "its logarithm is asked for"),
    (check_evidence, lambda a, b: (a + b).sum(-1), "not of their logarithms"),
    (check_evidence, lambda a, b: (a.exp() @ b.exp()).log(), "use torch.logsumexp"),
    (check_evidence, lambda a, b: (a + b.log()).logsumexp(1), "a logarithm already"),
    (check_evidence, lambda a, b: (a + b).amax(1), "the largest term"),
    (check_evidence, lambda a, b: a.logsumexp(1) - math.log(3), "not 1/K"),
    (check_evidence, lambda a, b: a + b, "sum out the class"),
    (check_posterior, lambda a, b: a.softmax(1), "prior is missing"),
    (check_posterior, lambda a, b: (a + b).softmax(0), "sum to 1 over the classes"),
    (check_posterior, lambda a, b: (a + b).exp(), "divide by p(x)"),
    (check_posterior, lambda a, b: a.exp(), "wrong way round"),
    (check_posterior, lambda a, b: (a * b).softmax(1), "added, not multiplied"),
    (
        check_posterior,
        lambda a, b: (a.exp() * b.exp()) / (a.exp() @ b.exp())[:, None],
        "use torch.softmax",
    ),
    (check_bits, lambda a, n: a / n / math.log(2), "sign is turned"),
    (check_bits, lambda a, n: -a * math.log(2) / n, "divide by ln 2, do not multiply"),
    (check_bits, lambda a, n: -a / n, "nats a pixel"),
    (check_bits, lambda a, n: -torch.log2(a) / n, "do not take log₂ of it"),
    (check_bits, lambda a, n: -torch.log2(a.exp()) / n, "is 0 on a computer"),
    (check_bits, lambda a, n: -a / math.log(2) / 784, "not 784"),
    (check_bits, lambda a, n: -a / math.log(2), "divide by the number of pixels"),
]
