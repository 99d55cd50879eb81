"""Exercises of chapter 04, gradients through draws."""

import numpy as np
import torch
from scipy import stats
from torch.distributions import Gumbel, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.chapters.reparameterization.answers import (
    along,
    by_hand,
    each_kl,
    kl,
    learning,
    log_q,
    mean_gradient,
    moved,
    noisy,
    normal,
    pair,
    path_gradient,
    scores,
    slopes,
    soft,
    straight_through,
    through,
    to_relax,
    two_gaussians,
    valued_draws,
)
from vae_teach.exercises import Exercise
from vae_teach.exercises.gradients import with_gradients

check_move = Exercise(
    "Draws of one Gaussian into draws of another: five (B, d) tensors -> (B, d). They are z, its "
    "mean and log-variance, and the wanted mean and log-variance.",
    inputs=[normal(0, 5, 4, 3), normal(1, 5, 2, 5), normal(2, 5, 1, 20), normal(3, 5, 3, 3)],
    right=lambda z, m, s, n, t: through(z, m, s.exp().sqrt(), n, t.exp().sqrt()),
    mistakes={
        "exp(log σ²) is σ², the variance; divide and multiply by σ = exp(½ log σ²).": (
            lambda z, m, s, n, t: through(z, m, s.exp(), n, t.exp())
        ),
        "you took log σ² for σ: use exp(½ log σ²).": through,
        "the signs of the exponents are turned: σ = exp(+½ log σ²).": (
            lambda z, m, s, n, t: moved(z, m, -s, n, -t)
        ),
        "subtract the old mean first: noise has mean 0.": lambda z, m, *a: moved(z, 0, *a),
        "the ½ is missing where you divide: σ = exp(½ log σ²).": lambda *a: moved(*a, half=1),
        "the old σ stays in: divide by it, noise has width 1.": lambda *a: moved(*a, half=0),
        "half the way: this is standard noise. Now scale it and shift it.": (
            lambda z, m, s, n, t: (z - m) / (0.5 * s).exp()
        ),
        "this is the way back, from the new Gaussian to the old one.": (
            lambda z, m, s, n, t: moved(z, n, t, m, s)
        ),
        "the new mean is missing.": lambda z, m, s, n, t: moved(z, m, s, 0, t),
        "subtract the mean before you divide by σ, not after.": (
            lambda z, m, s, n, t: (z / (0.5 * s).exp() - m) * (0.5 * t).exp() + n
        ),
        "the old Gaussian, too, counts: z is not standard noise.": (
            lambda z, m, s, n, t: n + z * (0.5 * t).exp()
        ),
        "the new width is missing: multiply the noise by the new σ.": lambda z, m, s, n, t: (
            n + (z - m) / (0.5 * s).exp()
        ),
        "the ½ is missing where you multiply: σ = exp(½ log σ²).": (
            lambda z, m, s, n, t: n + (z - m) / (0.5 * s).exp() * t.exp()
        ),
        "add the new mean last: its width scales noise alone.": (
            lambda z, m, s, n, t: ((z - m) / (0.5 * s).exp() + n) * (0.5 * t).exp()
        ),
        "the old mean is subtracted, not added.": lambda z, m, *a: moved(z, -m, *a),
        "the new mean is added, not subtracted.": lambda z, m, s, n, t: moved(z, m, s, -n, t),
        "this moves the place and leaves the width: both change.": lambda z, m, s, n, t: z - m + n,
        "√(log σ²) is no σ, and NaN where log σ² is negative: use exp(½ log σ²).": (
            lambda z, m, s, n, t: through(z, m, s.sqrt(), n, t.sqrt())
        ),
        "half of the logarithm, not twice: σ = exp(½ log σ²).": (
            lambda z, m, s, n, t: through(z, m, (2 * s).exp(), n, (2 * t).exp())
        ),
    },
    also_right=[
        lambda z, m, s, n, t: n + (0.5 * t).exp() * (z - m) / (0.5 * s).exp(),
        lambda z, m, s, n, t: n + (z - m) * ((t - s) / 2).exp(),
        lambda z, m, s, n, t: np.exp((t - s).numpy() / 2) * (z - m).numpy() + n.numpy(),
        lambda z, m, s, n, t: torch.stack([moved(*row) for row in zip(z, m, s, n, t, strict=True)]),
        # the same quantile of the new Gaussian
        lambda z, m, s, n, t: Normal(n, (t / 2).exp()).icdf(
            Normal(m.double(), (s / 2).exp()).cdf(z.double())
        ),
    ],
)

check_score_function = Exercise(
    "Score-function gradient for a Gaussian's mean: values (N,), z (N, d), mean, sigma (d,) -> (d,).",
    inputs=[
        valued_draws(0, 6, 3),
        valued_draws(1, 9, 2),
        valued_draws(2, 4, 4),
        valued_draws(3, 1, 3),
        valued_draws(4, 8, 1),
    ],
    right=mean_gradient,
    mistakes={
        "f is missing: the score alone averages to zero and says nothing about f.": (
            lambda v, *a: scores(torch.ones_like(v), *a).mean(0)
        ),
        "the sign is turned: log q rises as μ nears z.": lambda *a: -scores(*a).mean(0),
        "divide by σ², not by σ.": lambda *a: a[3] * scores(*a).mean(0),
        "the square is missing, the sign turned.": lambda *a: -a[3] * scores(*a).mean(0),
        "that is ∇q: the logarithm is missing. Draws from q need no weight.": (
            lambda v, *a: scores(v * log_q(*a).sum(1).exp(), *a).mean(0)
        ),
        "that is each dimension's ∇q: the logarithm is missing. Draws from q need no weight.": (
            lambda v, *a: (scores(v, *a) * log_q(*a).exp()).mean(0)
        ),
        "average over the draws; a sum grows with them.": lambda *a: scores(*a).sum(0),
        "average over the draws: one number a dimension, shape (d,).": scores,
        "keep the dimensions apart: one number a dimension, shape (d,).": (
            lambda *a: scores(*a).mean()
        ),
        "that is log q, not its gradient: differentiate it with respect to the mean.": (
            lambda v, *a: (v[:, None] * log_q(*a)).mean(0)
        ),
        "average the products, not the factors: f and the score are drawn together.": (
            lambda v, *a: scores(v.mean().expand_as(v), *a).mean(0)
        ),
        "a baseline from the same draws changes the answer here; use the values as they are.": (
            lambda v, *a: scores(v - v.mean(), *a).mean(0)
        ),
        "that is the gradient for σ; the mean's is asked for.": (
            lambda v, z, m, s: (v[:, None] * ((z - m) ** 2 - s**2) / s**3).mean(0)
        ),
        "no 2 here: the ½ in log q cancels it.": lambda *a: 2 * scores(*a).mean(0),
        "no ½ here: the square's 2 cancels it.": lambda *a: 0.5 * scores(*a).mean(0),
        "subtract the mean: the score is (z − μ) / σ².": (
            lambda v, z, m, s: scores(v, z, 0 * m, s).mean(0)
        ),
        "σ² is missing below.": lambda v, z, m, s: scores(v, z, m, 1.0).mean(0),
        "σ² stands below, you multiplied by it.": lambda v, z, m, s: scores(v, z, m, 1 / s).mean(0),
        "the derivative of the square is linear: z − μ, not (z − μ)².": (
            lambda v, z, m, s: (v[:, None] * ((z - m) / s) ** 2).mean(0)
        ),
        "that is the gradient for log σ; the mean's is asked for.": (
            lambda v, z, m, s: (v[:, None] * (((z - m) / s) ** 2 - 1)).mean(0)
        ),
        "average over the draws (dim=0), not over the dimensions.": lambda *a: scores(*a).mean(1),
        "divide by N: the values are no weights that sum to 1.": (
            lambda v, *a: scores(v, *a).sum(0) / v.sum()
        ),
        "the mean over the draws, not the median.": lambda *a: scores(*a).quantile(0.5, dim=0),
    },
    also_right=[
        lambda v, z, m, s: (v[:, None] * (z - m) / s**2).mean(0),
        lambda v, z, m, s: v @ ((z - m) / s**2) / len(v),
        lambda v, z, m, s: np.mean(v.numpy()[:, None] * (z - m).numpy() / s.numpy() ** 2, axis=0),
        lambda v, z, m, s: sum(f * (one - m) / s**2 for f, one in zip(v, z, strict=True)) / len(z),
        lambda v, z, m, s: torch.func.grad(
            lambda mean: (v * MultivariateNormal(mean, (s**2).diag()).log_prob(z)).mean()
        )(m),
    ],
)

check_pathwise = Exercise(
    "Pathwise gradient: slope f'(z) (N,), epsilon (N,), log_sigma () -> (2,), for μ and log σ.",
    inputs=[slopes(0, 7, -0.7), slopes(1, 4, 0.4), slopes(2, 1, 1.2), slopes(3, 9, -0.3, -1.5)],
    right=path_gradient,
    mistakes={
        "the second number is the gradient for σ; for log σ the chain rule adds a factor σ.": (
            lambda f, e, s: pair(f, f * e)
        ),
        "ε is missing from ∂/∂log σ: ∂z/∂σ = ε.": lambda f, e, s: pair(f, f * s.exp()),
        "the second number treats log σ as if it were σ: multiply by exp(log σ).": (
            lambda f, e, s: pair(f, f * e * s)
        ),
        "you took log σ for log σ²: here σ = exp(log σ), without the ½.": (
            lambda f, e, s: along(f, e, 0.5 * s)
        ),
        "you took log σ for log σ²: here σ = exp(log σ), and no ½ stands in front.": (
            lambda f, e, s: pair(f, 0.5 * f * e * (0.5 * s).exp())
        ),
        "that is the gradient for log σ²; here log σ is given, without the ½.": (
            lambda f, e, s: pair(f, 0.5 * f * e * s.exp())
        ),
        "average over the draws; a sum grows with them.": lambda f, *a: len(f) * along(f, *a),
        "the sign is turned: z = μ + σ ε rises with μ.": lambda *a: -along(*a),
        "the two numbers are the other way round: μ first.": lambda *a: along(*a).flip(0),
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
        "this second number is the score function's, with ε² − 1: here f′ ε σ is averaged.": (
            lambda f, e, s: pair(f, f * (e**2 - 1))
        ),
        "ε counts once, not squared.": lambda f, e, s: pair(f, f * e**2 * s.exp()),
        "∂z/∂log σ holds σ, not σ²: here log σ is given.": lambda f, e, s: along(f, e, 2 * s),
        "σ = exp(+log σ): the sign is turned.": lambda f, e, s: along(f, e, -s),
        "∂z/∂μ is 1, not σ.": lambda f, e, s: pair(f * s.exp(), f * e * s.exp()),
        "f' is missing from both: this is the average of ∂z alone.": (
            lambda f, e, s: pair(torch.ones_like(f), e * s.exp())
        ),
        "slopes keep their signs.": lambda f, e, s: pair(f.abs(), f.abs() * e * s.exp()),
        "keep the two apart: one number for μ, one for log σ.": lambda *a: along(*a).sum(),
        "∂z/∂log σ is σ ε: the 1 belongs to ∂z/∂μ.": (
            lambda f, e, s: pair(f, f * (1 + e * s.exp()))
        ),
        "the mean over the draws, not the median.": lambda f, e, s: torch.stack(
            [f, f * e * s.exp()]
        ).quantile(0.5, dim=1),
    },
    also_right=[
        lambda f, e, s: torch.stack([f.mean(), (f * e).mean() * s.exp()]),
        lambda f, e, s: torch.stack([torch.ones_like(e), e * s.exp()]) @ f / len(f),
        lambda f, e, s: np.array(
            [f.numpy().mean(), np.mean(f.numpy() * e.numpy()) * np.exp(s.item())]
        ),
        lambda f, e, s: (
            sum(
                torch.stack([slope, slope * noise * s.exp()])
                for slope, noise in zip(f, e, strict=True)
            )
            / len(f)
        ),
    ],
)

check_relax = Exercise(
    "A relaxed draw (Gumbel-softmax): logits (K,), uniform (N, K), temperature () -> (N, K).",
    inputs=[
        to_relax(0, 5, 3, 0.6),
        to_relax(1, 3, 4, 1.7),
        to_relax(2, 1, 2, 3.0),
        to_relax(3, 4, 4, 0.9),
        learning(*to_relax(4, 2, 3, 0.8)),
    ],
    ask=with_gradients,
    right=lambda a, u, t: soft((a + Gumbel(0.0, 1.0).icdf(u)) / t),
    mistakes={
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
        "the noise is missing: every draw is the same.": lambda a, u, t: soft((a + 0 * u) / t),
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
            lambda a, u, t: F.one_hot(noisy(a, u).argmax(1), len(a))
        ),
        "that is the number of the state, a hard draw. Take a softmax.": (
            lambda a, u, t: noisy(a, u).argmax(1)
        ),
        "a softmax is missing: each row must sum to 1.": lambda a, u, t: noisy(a, u) / t,
        "the logits are missing: every state is equally likely.": (
            lambda a, u, t: soft(noisy(0 * a, u) / t)
        ),
        "Gumbel noise has natural logarithms.": lambda a, u, t: soft((a - (-u.log()).log2()) / t),
        "log u − log(1 − u) is logistic noise, for two states; Gumbel noise is −log(−log u).": (
            lambda a, u, t: soft((a + u.logit()) / t)
        ),
        "the exp is there, its sum is missing: each row must sum to 1.": (
            lambda a, u, t: (noisy(a, u) / t).exp()
        ),
        "each row must sum to 1, not all of them together.": (
            lambda a, u, t: soft((noisy(a, u) / t).reshape(1, -1)).reshape(u.shape)
        ),
        "these are logarithms: softmax, not log_softmax.": (
            lambda a, u, t: (noisy(a, u) / t).log_softmax(1)
        ),
        "a sigmoid judges each state alone: each row must sum to 1.": (
            lambda a, u, t: (noisy(a, u) / t).sigmoid()
        ),
        "the temperature divides before the softmax, not after it.": (
            lambda a, u, t: soft(noisy(a, u)) / t
        ),
        "logits are logarithms already.": lambda a, u, t: soft(noisy(a.log(), u) / t),
        "the numbers are right, but no gradient gets through to the logits: `.detach()`, `.item()` or "
        "NumPy cut it.": lambda a, u, t: soft(noisy(a, u) / t).detach(),
        "this is the straight-through draw, hard in front; the soft one is asked for.": (
            lambda a, u, t: straight_through(soft(noisy(a, u) / t))
        ),
    },
    also_right=[
        lambda a, u, t: ((a - (-u.log()).log()) / t).softmax(1),
        lambda a, u, t: F.normalize((a.exp() / -u.log()) ** (1 / t), p=1.0, dim=1),
        lambda a, u, t: torch.stack([F.softmax((a - (-row.log()).log()) / t, 0) for row in u]),
        lambda a, u, t: soft((0.0 - (-u.log()).log()) / t + a / t),
    ],
)

check_kl_gaussians = Exercise(
    "KL(N(mean, σ²) || N(prior_mean, prior_σ²)): four (B, d) tensors -> (B,) in nats. They are mean, "
    "sigma, prior_mean and prior_sigma; both sigmas are standard deviations.",
    inputs=[
        two_gaussians(0, 4, 3),
        two_gaussians(1, 2, 5),
        two_gaussians(2, 1, 20),
        two_gaussians(3, 3, 3),
        tuple(3 * part for part in two_gaussians(4, 5, 1)),
    ],
    right=kl,
    mistakes={
        "a ½ is missing from the squares: exp(−½ …).": lambda *a: by_hand(*a, half=1.0),
        "this is twice the KL: a ½ is missing.": lambda *a: 2 * kl(*a),
        "this is KL(p ‖ q), the other way round: the expectation is under q.": (
            lambda m, s, n, t: kl(n, t, m, s)
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
            lambda m, s, n, t: kl(m, s.sqrt(), n, t.sqrt())
        ),
        "divide by 2σ_p², the prior's *variance*.": lambda *a: by_hand(*a, prior=1),
        "you took σ for σ²: squares are missing.": lambda *a: by_hand(*a, own=1, prior=1),
        "the distance of the means must be squared.": lambda *a: by_hand(*a, apart=1),
        "the means are missing.": lambda m, s, n, t: kl(m, s, m, t),
        "this takes N(0, I) for the prior: use the one that is given.": (
            lambda m, s, n, t: kl(m, s, torch.zeros_like(n), torch.ones_like(t))
        ),
        "divide the distance of the means by the prior's variance too.": (
            lambda m, s, n, t: kl(m, s, m, t) + 0.5 * ((m - n) ** 2).sum(1)
        ),
        "sum over the latent dimensions; a mean makes the KL term d times too weak.": (
            lambda *a: each_kl(*a).mean(1)
        ),
        "sum over the latent dimensions: (B, d) must become (B,).": each_kl,
        "one number a row: sum over dimensions only.": lambda *a: kl(*a).sum(),
        "the sign is turned: a KL divergence is never negative.": lambda *a: -kl(*a),
        "nats are wanted: the natural logarithm.": lambda *a: kl(*a) / np.log(2),
        "σ² of q is missing: its width costs, too.": lambda m, s, n, t: (
            by_hand(m, s, n, t) - 0.5 * ((s / t) ** 2).sum(1)
        ),
        "it is −½, not +½: KL(q ‖ q) must be 0.": lambda *a: by_hand(*a, one=-0.5),
        "it is −½ in each dimension, not −1.": lambda *a: by_hand(*a, one=1.0),
        "the logarithm is missing: nothing would keep q's width from 0.": (
            lambda *a: by_hand(*a, log=0.0)
        ),
        "the means are subtracted, not added.": lambda m, s, n, t: kl(m, s, -n, t),
        "square each distance, then sum: not the square of a sum.": lambda m, s, n, t: (
            kl(m, s, m, t) + 0.5 * ((m - n) / t).sum(1) ** 2
        ),
        "the squares are divided by the prior's variance, not by q's.": (
            lambda m, s, n, t: ((t / s).log() + 0.5 * (s**2 + (m - n) ** 2) / s**2 - 0.5).sum(1)
        ),
        "one direction is asked for: you added both.": lambda m, s, n, t: (
            kl(m, s, n, t) + kl(n, t, m, s)
        ),
        "σ is given, not its logarithm.": lambda m, s, n, t: kl(m, s.exp(), n, t.exp()),
        "sum over the dimensions (dim=1), not over the rows.": lambda *a: each_kl(*a).sum(0),
        "one number a row: the mean over rows comes later.": lambda *a: kl(*a).mean(),
    },
    also_right=[
        by_hand,
        lambda m, s, n, t: -0.5 * (1 + 2 * (s / t).log() - (s**2 + (m - n) ** 2) / t**2).sum(-1),
        lambda *a: np.array([float(each_kl(*row).sum()) for row in zip(*a, strict=True)]),
        lambda m, s, n, t: kl_divergence(
            MultivariateNormal(m, (s**2).diag_embed()), MultivariateNormal(n, (t**2).diag_embed())
        ),
        # cross-entropy less entropy
        lambda m, s, n, t: (
            (0.5 * (s**2 + (m - n) ** 2) / t**2 + (t * np.sqrt(2 * np.pi)).log()).numpy()
            - stats.norm(m, s).entropy()
        ).sum(1),
    ],
)
