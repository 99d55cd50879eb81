"""What this chapter's exercises are asked with, and the formulas their answers are made of."""

import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.distributions.transforms import AffineTransform
from torch.nn import functional as F


def normal(seed, *shape):
    """Independent normal numbers along the first dimension, as a tuple."""
    return tuple(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def through(z, m, s, n, t):
    """Out of N(m, s²), into N(n, t²)."""
    return AffineTransform(n, t)(AffineTransform(m, s).inv(z))


def moved(z, m, s, n, t, half=0.5):
    """The same with parts to change, (B, d)."""
    return (z - m) / (half * s).exp() * (0.5 * t).exp() + n


def valued_draws(seed, count, dimensions):
    """Values of draws, the draws, and the Gaussian's mean and sigma."""
    draws = torch.Generator().manual_seed(seed)
    mean, sigma = (f(dimensions, generator=draws) for f in (torch.randn, torch.rand))
    z = mean + (sigma + 0.5) * torch.randn(count, dimensions, generator=draws)
    return torch.randn(count, generator=draws) + 1, z, mean, sigma + 0.5


def mean_gradient(values, z, mean, sigma):
    """The score-function gradient by autograd, (d,)."""
    mean = mean.clone().requires_grad_()
    log_q = Independent(Normal(mean, sigma), 1).log_prob(z)
    return torch.autograd.grad((values * log_q).mean(), mean)[0]


def scores(v, z, m, s):
    """Each draw's value times its score, (N, d)."""
    return v[:, None] * (z - m) / s**2


def log_q(z, m, s):
    """log q of each draw and dimension, (N, d)."""
    return Normal(m, s).log_prob(z)


def slopes(seed, count, log_sigma, mean=0.5):
    """f'(z) and ε of each draw, and log σ."""
    draws = torch.Generator().manual_seed(seed)
    slope, epsilon = torch.randn(2, count, generator=draws)
    return slope + mean, epsilon + 0.5, torch.tensor(log_sigma)


def path_gradient(slope, epsilon, log_sigma):
    """The pathwise gradient by autograd, (2,)."""
    phi = torch.stack([torch.tensor(0.3), log_sigma]).requires_grad_()
    z = phi[0] + phi[1].exp() * epsilon
    return torch.autograd.grad((slope * z).mean(), phi)[0]


def pair(first, second):
    """Two averages in one tensor, (2,)."""
    return torch.stack([first.mean(), second.mean()])


def along(f, e, s):
    """The pathwise gradient by hand, (2,)."""
    return pair(f, f * e * s.exp())


def to_relax(seed, count, states, temperature):
    """Logits, uniform draws and a temperature."""
    draws = torch.Generator().manual_seed(seed)
    logits = torch.randn(states, generator=draws)
    uniform = torch.rand(count, states, generator=draws) * 0.98 + 0.01
    return logits, uniform, torch.tensor(temperature)


def soft(numbers):
    """Each row's exp over its sum, (N, K)."""
    return numbers.exp() / numbers.exp().sum(1, keepdim=True)


def noisy(a, u):
    """Logits and the Gumbel noise of uniform draws, (N, K)."""
    return a - (-u.log()).log()


def two_gaussians(seed, *shape):
    """Mean, sigma, and the prior's mean and sigma."""
    draws = torch.Generator().manual_seed(seed)
    mean, prior_mean = torch.randn(2, *shape, generator=draws)
    sigma, prior_sigma = torch.rand(2, *shape, generator=draws) + 0.4
    return mean, sigma, prior_mean, prior_sigma


def each_kl(m, s, n, t):
    """KL of each dimension, (B, d)."""
    return kl_divergence(Normal(m, s), Normal(n, t))


def kl(*gaussians):
    """KL of each row, (B,)."""
    return each_kl(*gaussians).sum(1)


def by_hand(m, s, n, t, log=1.0, half=0.5, one=0.5, own=2, prior=2, apart=2):
    """KL of each row by its formula, with parts to change, (B,)."""
    squares = (s**own + (m - n) ** apart) / t**prior
    return (log * (t / s).log() + half * squares - one).sum(1)


def straight_through(soft_draw):
    """The hard draw, with the soft one's gradient."""
    hard = F.one_hot(soft_draw.argmax(1), soft_draw.shape[1])
    return hard + soft_draw - soft_draw.detach()


def learning(logits, *others):
    """A trial in which the logits' gradient is asked for."""
    return logits.requires_grad_(), *others
