"""What this chapter's exercises are asked with, and the terms their answers are made of."""

import torch
from torch.distributions import Bernoulli
from torch.nn import functional as F


def kl(mean, variance):
    """KL(N(mean, variance) || N(0, 1)) of each dimension, (B, d)."""
    return 0.5 * (variance - variance.log() - 1 + mean**2)


def log_p(logits, x):
    """log p of each pixel, (B, pixels)."""
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1)


def score(logits, x):
    """log p of each pixel by torch, which takes grey ink without validation."""
    return Bernoulli(logits=logits, validate_args=False).log_prob(x)


def rounded(logits, x):
    """A mistake: log p of each pixel with its ink rounded, (B, pixels)."""
    return torch.where(x > 0.5, F.logsigmoid(logits), F.logsigmoid(-logits)).flatten(1)


def two_valued(logits, x):
    """A mistake: log p of each pixel, true for black and white, (B, pixels)."""
    return F.logsigmoid(logits * (2 * x - 1)).flatten(1)


def unlogged(p, x):
    """The log p of each pixel from probabilities, (B, pixels)."""
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1)


def gaussians(seed, images, dimensions, scale=1.0):
    """A mean and a variance, (B, d) both."""
    draws = torch.Generator().manual_seed(seed)
    mean = scale * torch.randn(images, dimensions, generator=draws)
    return mean, scale * (torch.rand(images, dimensions, generator=draws) + 0.3)


def pixels(draws, *shape):
    """Logits, and images with blank, grey and full ink."""
    logits = 2 * torch.randn(shape, generator=draws)
    return logits, (1.6 * torch.rand(shape, generator=draws) - 0.3).clamp(0, 1)


def images(seed, *shape):
    """Logits and images of this shape."""
    return pixels(torch.Generator().manual_seed(seed), *shape)


def encoded(seed, *shape):
    """A mean, a log-variance and noise."""
    draws = torch.Generator().manual_seed(seed)
    mean, noise = torch.randn(2, *shape, generator=draws)
    return mean, torch.randn(shape, generator=draws), noise


def batch(seed, images, dimensions, *size):
    """A mean, a log-variance, logits and an image's ink."""
    draws = torch.Generator().manual_seed(seed)
    codes = torch.randn(2, images, dimensions, generator=draws)
    return *codes, *pixels(draws, images, *size)


def learning(*tensors):
    """A trial in which gradients are asked for."""
    return tuple(tensor.clone().requires_grad_() for tensor in tensors)


def std(log_variance):
    """The standard deviation."""
    return (0.5 * log_variance).exp()


def of_terms(combine):
    """A loss from log p of each pixel (B, pixels) and the KL of each dimension (B, d)."""
    return lambda m, s, a, x: combine(log_p(a, x), kl(m, s.exp()))


def with_kl(term):
    """The loss with another KL term of each image."""
    return lambda m, s, a, x: (term(m, s) - log_p(a, x).sum(1)).mean()


def with_log_p(term):
    """The loss with another reconstruction of each pixel."""
    return lambda m, s, a, x: (kl(m, s.exp()).sum(1) - term(a, x).flatten(1).sum(1)).mean()


def loss(m, s, a, x):
    """The negative ELBO, averaged, ()."""
    reconstruction = (x * a - F.softplus(a)).flatten(1).sum(1)
    return (0.5 * (s.exp() + m**2 - 1 - s).sum(1) - reconstruction).mean()
