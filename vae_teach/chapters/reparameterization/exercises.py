"""Checks of chapter 04, gradients through draws."""

import torch
from torch.distributions import Gumbel, Independent, Normal, kl_divergence
from torch.distributions.transforms import AffineTransform

from vae_teach.exercises.judge import judge


def check_move(attempt):
    """Draws of one Gaussian into draws of another: five (B, d) tensors -> (B, d).

    The arguments are z, its mean and log-variance, and the wanted mean and log-variance.
    """
    draws = torch.Generator().manual_seed(0)
    z, mean, log_variance, new_mean, new_log_variance = torch.randn(5, 4, 3, generator=draws)

    def through(z, m, s, n, t):
        return AffineTransform(n, t)(AffineTransform(m, s).inv(z))

    def by_hand(z, m, s, n, t, half=0.5):
        return (z - m) / (half * s).exp() * (0.5 * t).exp() + n

    print(
        judge(
            attempt,
            (z, mean, log_variance, new_mean, new_log_variance),
            lambda z, m, s, n, t: through(z, m, s.exp().sqrt(), n, t.exp().sqrt()),
            {
                "exp(log σ²) is σ², the variance; divide and multiply by σ = exp(½ log σ²).": (
                    lambda z, m, s, n, t: through(z, m, s.exp(), n, t.exp())
                ),
                "you took log σ² for σ: use exp(½ log σ²).": through,
                "the signs of the exponents are turned: σ = exp(+½ log σ²).": (
                    lambda z, m, s, n, t: through(z, m, (-0.5 * s).exp(), n, (-0.5 * t).exp())
                ),
                "subtract the old mean first: noise has mean 0.": lambda z, m, *a: by_hand(
                    z, 0, *a
                ),
                "the ½ is missing where you divide: σ = exp(½ log σ²).": lambda *a: by_hand(*a, 1),
                "the old σ stays in: divide by it, noise has width 1.": lambda *a: by_hand(*a, 0),
                "half the way: this is standard noise. Now scale it and shift it.": (
                    lambda z, m, s, n, t: (z - m) / (0.5 * s).exp()
                ),
                "this is the way back, from the new Gaussian to the old one.": (
                    lambda z, m, s, n, t: through(z, n, (0.5 * t).exp(), m, (0.5 * s).exp())
                ),
                "the new mean is missing.": lambda z, m, s, n, t: (z - m) * (0.5 * (t - s)).exp(),
                "subtract the mean before you divide by σ, not after.": lambda z, m, s, n, t: (
                    (z / (0.5 * s).exp() - m) * (0.5 * t).exp() + n
                ),
                "the old Gaussian, too, counts: z is not standard noise.": (
                    lambda z, m, s, n, t: n + z * (0.5 * t).exp()
                ),
            },
        )
    )


def check_score_function(attempt):
    """Score-function gradient for a Gaussian's mean: values (N,), z (N, d), mean, sigma (d,) -> (d,)."""
    draws = torch.Generator().manual_seed(0)
    mean, sigma = torch.randn(3, generator=draws), torch.rand(3, generator=draws) + 0.5
    z = mean + sigma * torch.randn(6, 3, generator=draws)
    values = torch.randn(6, generator=draws) + 1

    def autograd(values, z, mean, sigma):
        mean = mean.clone().requires_grad_()
        log_q = Independent(Normal(mean, sigma), 1).log_prob(z)
        return torch.autograd.grad((values * log_q).mean(), mean)[0]

    def each(v, z, m, s):
        return v[:, None] * (z - m) / s**2

    def weight(z, m, s):
        return Normal(m, s).log_prob(z).exp()

    print(
        judge(
            attempt,
            (values, z, mean, sigma),
            autograd,
            {
                "f is missing: the score alone averages to zero and says nothing about f.": (
                    lambda v, z, m, s: each(torch.ones_like(v), z, m, s).mean(0)
                ),
                "the sign is turned: log q rises as μ nears z.": lambda *a: -each(*a).mean(0),
                "divide by σ², not by σ.": lambda *a: (a[3] * each(*a)).mean(0),
                "the square is missing, the sign turned.": lambda *a: -(a[3] * each(*a)).mean(0),
                "that is ∇q: the logarithm is missing. Draws from q need no weight.": (
                    lambda v, z, m, s: each(v * weight(z, m, s).prod(1), z, m, s).mean(0)
                ),
                "that is each dimension's ∇q: the logarithm is missing. Draws from q need no weight.": (
                    lambda v, *a: (each(v, *a) * weight(*a)).mean(0)
                ),
                "average over the draws; a sum grows with them.": lambda *a: each(*a).sum(0),
                "average over the draws: one number a dimension, shape (d,).": each,
                "keep the dimensions apart: one number a dimension, shape (d,).": (
                    lambda v, z, m, s: each(v, z, m, s).mean()
                ),
                "that is log q, not its gradient: differentiate it with respect to the mean.": (
                    lambda v, z, m, s: (v[:, None] * Normal(m, s).log_prob(z)).mean(0)
                ),
                "average the products, not the factors: f and the score are drawn together.": (
                    lambda v, z, m, s: v.mean() * each(torch.ones_like(v), z, m, s).mean(0)
                ),
                "a baseline from the same draws changes the answer here; use the values as they are.": (
                    lambda v, *a: each(v - v.mean(), *a).mean(0)
                ),
                "that is the gradient for σ; the mean's is asked for.": lambda v, z, m, s: (
                    v[:, None] * ((z - m) ** 2 - s**2) / s**3
                ).mean(0),
            },
        )
    )


def check_pathwise(attempt):
    """Pathwise gradient: slope f'(z) (N,), epsilon (N,), log_sigma () -> (2,), for μ and log σ."""
    draws = torch.Generator().manual_seed(0)
    slope, epsilon = torch.randn(2, 7, generator=draws) + 0.5
    log_sigma = torch.tensor(-0.7)

    def autograd(slope, epsilon, log_sigma):
        phi = torch.stack([torch.tensor(0.3), log_sigma]).requires_grad_()
        z = phi[0] + phi[1].exp() * epsilon
        return torch.autograd.grad((slope * z).mean(), phi)[0]

    def pair(first, second):
        return torch.stack([first.mean(), second.mean()])

    def exact(f, e, s):
        return pair(f, f * e * s.exp())

    print(
        judge(
            attempt,
            (slope, epsilon, log_sigma),
            autograd,
            {
                "the second number is the gradient for σ; for log σ the chain rule adds a factor σ.": (
                    lambda f, e, s: pair(f, f * e)
                ),
                "ε is missing from ∂/∂log σ: ∂z/∂σ = ε.": lambda f, e, s: pair(f, f * s.exp()),
                "the second number treats log σ as if it were σ: multiply by exp(log σ).": (
                    lambda f, e, s: pair(f, f * e * s)
                ),
                "you took log σ for log σ²: here σ = exp(log σ), without the ½.": (
                    lambda f, e, s: exact(f, e, 0.5 * s)
                ),
                "you took log σ for log σ²: here σ = exp(log σ), and no ½ stands in front.": (
                    lambda f, e, s: pair(f, 0.5 * f * e * (0.5 * s).exp())
                ),
                "that is the gradient for log σ²; here log σ is given, without the ½.": (
                    lambda f, e, s: pair(f, 0.5 * f * e * s.exp())
                ),
                "average over the draws; a sum grows with them.": lambda *a: 7 * exact(*a),
                "the sign is turned: z = μ + σ ε rises with μ.": lambda *a: -exact(*a),
                "the two numbers are the other way round: μ first.": lambda *a: exact(*a).flip(0),
                "ε belongs to the second number only: ∂z/∂μ = 1.": (
                    lambda f, e, s: pair(f * e, f * e * s.exp())
                ),
                "f' is missing from the second number.": lambda f, e, s: pair(f, e * s.exp()),
                "average the products: f' and ε belong to the same draw.": (
                    lambda f, e, s: pair(f, f.mean() * e.mean() * s.exp())
                ),
                "average over the draws: two numbers are wanted, shape (2,).": (
                    lambda f, e, s: torch.stack([f, f * e * s.exp()])
                ),
            },
        )
    )


def check_relax(attempt):
    """A relaxed draw (Gumbel-softmax): logits (K,), uniform (N, K), temperature () -> (N, K)."""
    draws = torch.Generator().manual_seed(0)
    logits = torch.randn(3, generator=draws)
    uniform = torch.rand(5, 3, generator=draws) * 0.98 + 0.01
    temperature = torch.tensor(0.6)

    def soft(numbers):
        return numbers.exp() / numbers.exp().sum(1, keepdim=True)

    def noisy(a, u):
        return a - (-u.log()).log()

    print(
        judge(
            attempt,
            (logits, uniform, temperature),
            lambda a, u, t: soft((a + Gumbel(0.0, 1.0).icdf(u)) / t),
            {
                "u is uniform; turn it into Gumbel noise, −log(−log u), first.": (
                    lambda a, u, t: soft((a + u) / t)
                ),
                "1 − u is equally good as chance, but use u as given.": (
                    lambda a, u, t: soft(noisy(a, 1 - u) / t)
                ),
                "a logarithm is missing: −log u is exponential noise; use −log(−log u).": (
                    lambda a, u, t: soft((a - u.log()) / t)
                ),
                "a logarithm is missing: log u is no Gumbel noise, −log(−log u) is.": (
                    lambda a, u, t: soft((a + u.log()) / t)
                ),
                "the sign of the noise is turned: Gumbel noise is −log(−log u).": (
                    lambda a, u, t: soft((a + (-u.log()).log()) / t)
                ),
                "the noise is missing: every draw is the same.": (
                    lambda a, u, t: soft((a + 0 * u) / t)
                ),
                "divide by the temperature; you multiplied.": lambda a, u, t: soft(noisy(a, u) * t),
                "the temperature is missing.": lambda a, u, t: soft(noisy(a, u)),
                "the temperature divides logits and noise, not the logits alone.": (
                    lambda a, u, t: soft(noisy(a / t, u))
                ),
                "the temperature divides logits and noise, not the noise alone.": (
                    lambda a, u, t: soft(a + noisy(0, u) / t)
                ),
                "add the noise to the logits, not to the probabilities.": (
                    lambda a, u, t: soft(noisy(a.softmax(0), u) / t)
                ),
                "softmax over the categories of each draw (dim=1), not over the draws.": (
                    lambda a, u, t: (noisy(a, u) / t).softmax(0)
                ),
                "that is the hard draw: argmax has no slope. Take a softmax.": (
                    lambda a, u, t: torch.nn.functional.one_hot(noisy(a, u).argmax(1), len(a))
                ),
                "that is the number of the state, a hard draw. Take a softmax.": (
                    lambda a, u, t: noisy(a, u).argmax(1)
                ),
                "a softmax is missing: each row must sum to 1.": lambda a, u, t: noisy(a, u) / t,
            },
        )
    )


def check_kl_gaussians(attempt):
    """KL(N(mean, σ²) || N(prior_mean, prior_σ²)): four (B, d) tensors -> (B,) in nats.

    The arguments are mean, sigma, prior_mean and prior_sigma; both sigmas are standard deviations.
    """
    draws = torch.Generator().manual_seed(0)
    mean, prior_mean = torch.randn(2, 4, 3, generator=draws)
    sigma, prior_sigma = torch.rand(2, 4, 3, generator=draws) + 0.4

    def torchs(m, s, n, t):
        return kl_divergence(Normal(m, s), Normal(n, t)).sum(1)

    def by_hand(m, s, n, t, log=1.0, half=0.5, one=0.5, own=2, prior=2, apart=2):
        squares = (s**own + (m - n) ** apart) / t**prior
        return (log * (t / s).log() + half * squares - one).sum(1)

    print(
        judge(
            attempt,
            (mean, sigma, prior_mean, prior_sigma),
            torchs,
            {
                "a ½ is missing from the squares: exp(−½ …).": lambda *a: by_hand(*a, half=1.0),
                "this is twice the KL: a ½ is missing.": lambda *a: 2 * torchs(*a),
                "this is KL(p ‖ q), the other way round: the expectation is under q.": (
                    lambda m, s, n, t: torchs(n, t, m, s)
                ),
                "it is log(prior σ / σ): the sign is wrong.": lambda *a: by_hand(*a, log=-1.0),
                "log(prior σ / σ) is ½ log of the ratio of variances, not the whole.": (
                    lambda *a: by_hand(*a, log=2.0)
                ),
                "you halved the logarithm: σ, not σ², is given.": lambda *a: by_hand(*a, log=0.5),
                "the constant −½ is missing: KL(q ‖ q) must be 0.": lambda *a: by_hand(*a, one=0.0),
                "the −½ belongs to every dimension: inside the sum.": (
                    lambda *a: by_hand(*a, one=0.0) - 0.5
                ),
                "you took the standard deviations for variances: square them.": (
                    lambda m, s, n, t: torchs(m, s.sqrt(), n, t.sqrt())
                ),
                "divide by 2σ_p², the prior's *variance*.": lambda *a: by_hand(*a, prior=1),
                "you took σ for σ²: squares are missing.": lambda *a: by_hand(*a, own=1, prior=1),
                "the distance of the means must be squared.": lambda *a: by_hand(*a, apart=1),
                "the means are missing.": lambda m, s, n, t: torchs(m, s, m, t),
                "this takes N(0, I) for the prior: use the one that is given.": (
                    lambda m, s, n, t: torchs(m, s, torch.zeros_like(n), torch.ones_like(t))
                ),
                "divide the distance of the means by the prior's variance too.": (
                    lambda m, s, n, t: (
                        (t / s).log() + 0.5 * s**2 / t**2 + 0.5 * (m - n) ** 2 - 0.5
                    ).sum(1)
                ),
                "sum over the latent dimensions; a mean makes the KL term d times too weak.": (
                    lambda *a: torchs(*a) / 3
                ),
                "sum over the latent dimensions: (B, d) must become (B,).": lambda m, s, n, t: (
                    kl_divergence(Normal(m, s), Normal(n, t))
                ),
                "one number a row: sum over dimensions only.": lambda *a: torchs(*a).sum(),
                "the sign is turned: a KL divergence is never negative.": lambda *a: -torchs(*a),
            },
        )
    )
