"""Exercises of chapter 04, gradients through draws."""

import torch
from torch.distributions import Gumbel, Independent, Normal, kl_divergence
from torch.distributions.transforms import AffineTransform
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _normal(seed, *shape):
    """Independent normal numbers along the first dimension, as a tuple."""
    return tuple(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def _through(z, m, s, n, t):
    """Out of N(m, s²), into N(n, t²)."""
    return AffineTransform(n, t)(AffineTransform(m, s).inv(z))


def _moved(z, m, s, n, t, half=0.5):
    return (z - m) / (half * s).exp() * (0.5 * t).exp() + n


check_move = Exercise(
    "Draws of one Gaussian into draws of another: five (B, d) tensors -> (B, d). They are z, its "
    "mean and log-variance, and the wanted mean and log-variance.",
    inputs=[_normal(0, 5, 4, 3), _normal(1, 5, 2, 5)],
    right=lambda z, m, s, n, t: _through(z, m, s.exp().sqrt(), n, t.exp().sqrt()),
    mistakes={
        "exp(log σ²) is σ², the variance; divide and multiply by σ = exp(½ log σ²).": (
            lambda z, m, s, n, t: _through(z, m, s.exp(), n, t.exp())
        ),
        "you took log σ² for σ: use exp(½ log σ²).": _through,
        "the signs of the exponents are turned: σ = exp(+½ log σ²).": (
            lambda z, m, s, n, t: _moved(z, m, -s, n, -t)
        ),
        "subtract the old mean first: noise has mean 0.": lambda z, m, *a: _moved(z, 0, *a),
        "the ½ is missing where you divide: σ = exp(½ log σ²).": lambda *a: _moved(*a, half=1),
        "the old σ stays in: divide by it, noise has width 1.": lambda *a: _moved(*a, half=0),
        "half the way: this is standard noise. Now scale it and shift it.": (
            lambda z, m, s, n, t: (z - m) / (0.5 * s).exp()
        ),
        "this is the way back, from the new Gaussian to the old one.": (
            lambda z, m, s, n, t: _moved(z, n, t, m, s)
        ),
        "the new mean is missing.": lambda z, m, s, n, t: _moved(z, m, s, 0, t),
        "subtract the mean before you divide by σ, not after.": (
            lambda z, m, s, n, t: (z / (0.5 * s).exp() - m) * (0.5 * t).exp() + n
        ),
        "the old Gaussian, too, counts: z is not standard noise.": (
            lambda z, m, s, n, t: n + z * (0.5 * t).exp()
        ),
    },
    also_right=[
        lambda z, m, s, n, t: n + (0.5 * t).exp() * (z - m) / (0.5 * s).exp(),
        lambda z, m, s, n, t: n + (z - m) * ((t - s) / 2).exp(),
    ],
)


def _valued_draws(seed, count, dimensions):
    """Values of draws, the draws, and the Gaussian's mean and sigma."""
    draws = torch.Generator().manual_seed(seed)
    mean, sigma = (f(dimensions, generator=draws) for f in (torch.randn, torch.rand))
    z = mean + (sigma + 0.5) * torch.randn(count, dimensions, generator=draws)
    return torch.randn(count, generator=draws) + 1, z, mean, sigma + 0.5


def _mean_gradient(values, z, mean, sigma):
    mean = mean.clone().requires_grad_()
    log_q = Independent(Normal(mean, sigma), 1).log_prob(z)
    return torch.autograd.grad((values * log_q).mean(), mean)[0]


def _scores(v, z, m, s):
    """Each draw's value times its score, (N, d)."""
    return v[:, None] * (z - m) / s**2


def _log_q(z, m, s):
    return Normal(m, s).log_prob(z)


check_score_function = Exercise(
    "Score-function gradient for a Gaussian's mean: values (N,), z (N, d), mean, sigma (d,) -> (d,).",
    inputs=[_valued_draws(0, 6, 3), _valued_draws(1, 9, 2)],
    right=_mean_gradient,
    mistakes={
        "f is missing: the score alone averages to zero and says nothing about f.": (
            lambda v, *a: _scores(torch.ones_like(v), *a).mean(0)
        ),
        "the sign is turned: log q rises as μ nears z.": lambda *a: -_scores(*a).mean(0),
        "divide by σ², not by σ.": lambda *a: a[3] * _scores(*a).mean(0),
        "the square is missing, the sign turned.": lambda *a: -a[3] * _scores(*a).mean(0),
        "that is ∇q: the logarithm is missing. Draws from q need no weight.": (
            lambda v, *a: _scores(v * _log_q(*a).sum(1).exp(), *a).mean(0)
        ),
        "that is each dimension's ∇q: the logarithm is missing. Draws from q need no weight.": (
            lambda v, *a: (_scores(v, *a) * _log_q(*a).exp()).mean(0)
        ),
        "average over the draws; a sum grows with them.": lambda *a: _scores(*a).sum(0),
        "average over the draws: one number a dimension, shape (d,).": _scores,
        "keep the dimensions apart: one number a dimension, shape (d,).": (
            lambda *a: _scores(*a).mean()
        ),
        "that is log q, not its gradient: differentiate it with respect to the mean.": (
            lambda v, *a: (v[:, None] * _log_q(*a)).mean(0)
        ),
        "average the products, not the factors: f and the score are drawn together.": (
            lambda v, *a: _scores(v.mean().expand_as(v), *a).mean(0)
        ),
        "a baseline from the same draws changes the answer here; use the values as they are.": (
            lambda v, *a: _scores(v - v.mean(), *a).mean(0)
        ),
        "that is the gradient for σ; the mean's is asked for.": (
            lambda v, z, m, s: (v[:, None] * ((z - m) ** 2 - s**2) / s**3).mean(0)
        ),
    },
    also_right=[lambda v, z, m, s: (v[:, None] * (z - m) / s**2).mean(0)],
)


def _slopes(seed, count, log_sigma):
    """f'(z) and ε of each draw, and log σ."""
    draws = torch.Generator().manual_seed(seed)
    return *(torch.randn(2, count, generator=draws) + 0.5), torch.tensor(log_sigma)


def _path_gradient(slope, epsilon, log_sigma):
    phi = torch.stack([torch.tensor(0.3), log_sigma]).requires_grad_()
    z = phi[0] + phi[1].exp() * epsilon
    return torch.autograd.grad((slope * z).mean(), phi)[0]


def _pair(first, second):
    return torch.stack([first.mean(), second.mean()])


def _along(f, e, s):
    return _pair(f, f * e * s.exp())


check_pathwise = Exercise(
    "Pathwise gradient: slope f'(z) (N,), epsilon (N,), log_sigma () -> (2,), for μ and log σ.",
    inputs=[_slopes(0, 7, -0.7), _slopes(1, 4, 0.4)],
    right=_path_gradient,
    mistakes={
        "the second number is the gradient for σ; for log σ the chain rule adds a factor σ.": (
            lambda f, e, s: _pair(f, f * e)
        ),
        "ε is missing from ∂/∂log σ: ∂z/∂σ = ε.": lambda f, e, s: _pair(f, f * s.exp()),
        "the second number treats log σ as if it were σ: multiply by exp(log σ).": (
            lambda f, e, s: _pair(f, f * e * s)
        ),
        "you took log σ for log σ²: here σ = exp(log σ), without the ½.": (
            lambda f, e, s: _along(f, e, 0.5 * s)
        ),
        "you took log σ for log σ²: here σ = exp(log σ), and no ½ stands in front.": (
            lambda f, e, s: _pair(f, 0.5 * f * e * (0.5 * s).exp())
        ),
        "that is the gradient for log σ²; here log σ is given, without the ½.": (
            lambda f, e, s: _pair(f, 0.5 * f * e * s.exp())
        ),
        "average over the draws; a sum grows with them.": lambda f, *a: len(f) * _along(f, *a),
        "the sign is turned: z = μ + σ ε rises with μ.": lambda *a: -_along(*a),
        "the two numbers are the other way round: μ first.": lambda *a: _along(*a).flip(0),
        "ε belongs to the second number only: ∂z/∂μ = 1.": (
            lambda f, e, s: _pair(f * e, f * e * s.exp())
        ),
        "f' is missing from the second number.": lambda f, e, s: _pair(f, e * s.exp()),
        "average the products: f' and ε belong to the same draw.": (
            lambda f, e, s: _pair(f, f.mean() * e.mean() * s.exp())
        ),
        "average over the draws: two numbers are wanted, shape (2,).": (
            lambda f, e, s: torch.stack([f, f * e * s.exp()])
        ),
    },
    also_right=[lambda f, e, s: torch.stack([f.mean(), (f * e).mean() * s.exp()])],
)


def _to_relax(seed, count, states, temperature):
    """Logits, uniform draws and a temperature."""
    draws = torch.Generator().manual_seed(seed)
    logits = torch.randn(states, generator=draws)
    uniform = torch.rand(count, states, generator=draws) * 0.98 + 0.01
    return logits, uniform, torch.tensor(temperature)


def _soft(numbers):
    return numbers.exp() / numbers.exp().sum(1, keepdim=True)


def _noisy(a, u):
    return a - (-u.log()).log()


check_relax = Exercise(
    "A relaxed draw (Gumbel-softmax): logits (K,), uniform (N, K), temperature () -> (N, K).",
    inputs=[_to_relax(0, 5, 3, 0.6), _to_relax(1, 3, 4, 1.7)],
    right=lambda a, u, t: _soft((a + Gumbel(0.0, 1.0).icdf(u)) / t),
    mistakes={
        "u is uniform; turn it into Gumbel noise, −log(−log u), first.": (
            lambda a, u, t: _soft((a + u) / t)
        ),
        "1 − u is equally good as chance, but use u as given.": (
            lambda a, u, t: _soft(_noisy(a, 1 - u) / t)
        ),
        "a logarithm is missing: −log u is exponential noise; use −log(−log u).": (
            lambda a, u, t: _soft((a - u.log()) / t)
        ),
        "a logarithm is missing: log u is no Gumbel noise, −log(−log u) is.": (
            lambda a, u, t: _soft((a + u.log()) / t)
        ),
        "the sign of the noise is turned: Gumbel noise is −log(−log u).": (
            lambda a, u, t: _soft((a + (-u.log()).log()) / t)
        ),
        "the noise is missing: every draw is the same.": lambda a, u, t: _soft((a + 0 * u) / t),
        "divide by the temperature; you multiplied.": lambda a, u, t: _soft(_noisy(a, u) * t),
        "the temperature is missing.": lambda a, u, t: _soft(_noisy(a, u)),
        "the temperature divides logits and noise, not the logits alone.": (
            lambda a, u, t: _soft(_noisy(a / t, u))
        ),
        "the temperature divides logits and noise, not the noise alone.": (
            lambda a, u, t: _soft(a + _noisy(0, u) / t)
        ),
        "add the noise to the logits, not to the probabilities.": (
            lambda a, u, t: _soft(_noisy(a.softmax(0), u) / t)
        ),
        "softmax over the categories of each draw (dim=1), not over the draws.": (
            lambda a, u, t: (_noisy(a, u) / t).softmax(0)
        ),
        "that is the hard draw: argmax has no slope. Take a softmax.": (
            lambda a, u, t: F.one_hot(_noisy(a, u).argmax(1), len(a))
        ),
        "that is the number of the state, a hard draw. Take a softmax.": (
            lambda a, u, t: _noisy(a, u).argmax(1)
        ),
        "a softmax is missing: each row must sum to 1.": lambda a, u, t: _noisy(a, u) / t,
    },
    also_right=[lambda a, u, t: ((a - (-u.log()).log()) / t).softmax(1)],
)


def _two_gaussians(seed, *shape):
    """Mean, sigma, and the prior's mean and sigma."""
    draws = torch.Generator().manual_seed(seed)
    mean, prior_mean = torch.randn(2, *shape, generator=draws)
    sigma, prior_sigma = torch.rand(2, *shape, generator=draws) + 0.4
    return mean, sigma, prior_mean, prior_sigma


def _each_kl(m, s, n, t):
    return kl_divergence(Normal(m, s), Normal(n, t))


def _kl(*gaussians):
    return _each_kl(*gaussians).sum(1)


def _by_hand(m, s, n, t, log=1.0, half=0.5, one=0.5, own=2, prior=2, apart=2):
    squares = (s**own + (m - n) ** apart) / t**prior
    return (log * (t / s).log() + half * squares - one).sum(1)


check_kl_gaussians = Exercise(
    "KL(N(mean, σ²) || N(prior_mean, prior_σ²)): four (B, d) tensors -> (B,) in nats. They are mean, "
    "sigma, prior_mean and prior_sigma; both sigmas are standard deviations.",
    inputs=[_two_gaussians(0, 4, 3), _two_gaussians(1, 2, 5)],
    right=_kl,
    mistakes={
        "a ½ is missing from the squares: exp(−½ …).": lambda *a: _by_hand(*a, half=1.0),
        "this is twice the KL: a ½ is missing.": lambda *a: 2 * _kl(*a),
        "this is KL(p ‖ q), the other way round: the expectation is under q.": (
            lambda m, s, n, t: _kl(n, t, m, s)
        ),
        "it is log(prior σ / σ): the sign is wrong.": lambda *a: _by_hand(*a, log=-1.0),
        "log(prior σ / σ) is ½ log of the ratio of variances, not the whole.": (
            lambda *a: _by_hand(*a, log=2.0)
        ),
        "you halved the logarithm: σ, not σ², is given.": lambda *a: _by_hand(*a, log=0.5),
        "the constant −½ is missing: KL(q ‖ q) must be 0.": lambda *a: _by_hand(*a, one=0.0),
        "the −½ belongs to every dimension: inside the sum.": (
            lambda *a: _by_hand(*a, one=0.0) - 0.5
        ),
        "you took the standard deviations for variances: square them.": (
            lambda m, s, n, t: _kl(m, s.sqrt(), n, t.sqrt())
        ),
        "divide by 2σ_p², the prior's *variance*.": lambda *a: _by_hand(*a, prior=1),
        "you took σ for σ²: squares are missing.": lambda *a: _by_hand(*a, own=1, prior=1),
        "the distance of the means must be squared.": lambda *a: _by_hand(*a, apart=1),
        "the means are missing.": lambda m, s, n, t: _kl(m, s, m, t),
        "this takes N(0, I) for the prior: use the one that is given.": (
            lambda m, s, n, t: _kl(m, s, torch.zeros_like(n), torch.ones_like(t))
        ),
        "divide the distance of the means by the prior's variance too.": (
            lambda m, s, n, t: _kl(m, s, m, t) + 0.5 * ((m - n) ** 2).sum(1)
        ),
        "sum over the latent dimensions; a mean makes the KL term d times too weak.": (
            lambda *a: _each_kl(*a).mean(1)
        ),
        "sum over the latent dimensions: (B, d) must become (B,).": _each_kl,
        "one number a row: sum over dimensions only.": lambda *a: _kl(*a).sum(),
        "the sign is turned: a KL divergence is never negative.": lambda *a: -_kl(*a),
    },
    also_right=[
        _by_hand,
        lambda m, s, n, t: -0.5 * (1 + 2 * (s / t).log() - (s**2 + (m - n) ** 2) / t**2).sum(-1),
    ],
)
