"""Checks of chapter 06, what β trades."""

import numpy as np
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises.judge import judge


def check_rate_and_distortion(attempt):
    """(R, D) of a batch: mean, variance (B, d), log_p = log p(x|z) (B,) -> (2,) in nats an image."""
    draws = torch.Generator().manual_seed(0)
    mean = torch.randn(4, 3, generator=draws)
    variance = torch.rand(4, 3, generator=draws) + 0.3
    log_p = -90 - 20 * torch.rand(4, generator=draws)

    def pair(rate, distortion):
        return lambda m, v, p: torch.stack([rate(_kl(m, v)), distortion(p)])

    print(
        judge(
            attempt,
            (mean, variance, log_p),
            lambda m, v, p: torch.stack(
                [kl_divergence(Normal(m, v.sqrt()), Normal(0.0, 1.0)).sum(1).mean(), -p.mean()]
            ),
            {
                "distortion is −log p(x|z): the sign is turned.": pair(
                    lambda k: k.sum(1).mean(), lambda p: p.mean()
                ),
                "the rate has the wrong sign: a KL divergence is never negative.": pair(
                    lambda k: -k.sum(1).mean(), lambda p: -p.mean()
                ),
                "the order is (R, D), you returned (D, R).": lambda m, v, p: torch.stack(
                    [-p.mean(), _kl(m, v).sum(1).mean()]
                ),
                "sum the KL over the latent dimensions; their mean is d times too small.": pair(
                    lambda k: k.mean(), lambda p: -p.mean()
                ),
                "average over the images, you summed over them.": pair(
                    lambda k: k.sum(), lambda p: -p.sum()
                ),
                "average the rate over the images, too.": pair(
                    lambda k: k.sum(), lambda p: -p.mean()
                ),
                "the ½ of the KL is missing.": pair(
                    lambda k: 2 * k.sum(1).mean(), lambda p: -p.mean()
                ),
                "μ² is missing from the KL.": lambda m, v, p: torch.stack(
                    [_kl(0 * m, v).sum(1).mean(), -p.mean()]
                ),
                "you squared the variance: v is σ² already.": lambda m, v, p: torch.stack(
                    [_kl(m, v**2).sum(1).mean(), -p.mean()]
                ),
                "v is the variance, not its logarithm.": lambda m, v, p: torch.stack(
                    [_kl(m, v.exp()).sum(1).mean(), -p.mean()]
                ),
                "one number each is needed, averaged over the images.": lambda m, v, p: torch.stack(
                    [_kl(m, v).sum(1), -p]
                ),
                "this is R + D; the two are wanted apart.": lambda m, v, p: (
                    _kl(m, v).sum(1).mean() - p.mean()
                ),
            },
        )
    )


def check_kl_of_dimension(attempt):
    """KL of each dimension of a linear VAE at its optimum: eigenvalue (n,), beta, sigma () -> (n,)."""
    eigenvalue = torch.tensor([3.0, 1.2, 0.6, 0.45, 0.3, 0.05])
    beta, sigma = torch.tensor(4.0), torch.tensor(0.35)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    nodes, weights = torch.tensor(nodes), torch.tensor(weights / weights.sum())

    def by_quadrature(eigenvalue, beta, sigma):
        """The KL at the best w, averaged over x ~ N(0, λ) by Gauss–Hermite quadrature."""
        noise = (beta * sigma**2).double()
        w2 = (eigenvalue.double() - noise).clamp(min=0)[:, None]
        x = eigenvalue.double()[:, None].sqrt() * nodes
        q = Normal(w2.sqrt() * x / (w2 + noise), (noise / (w2 + noise)).sqrt())
        return (kl_divergence(q, Normal(0.0, 1.0)) * weights).sum(1).float()

    def formula(level, factor=0.5):
        return lambda lam, b, s: factor * (lam / level(b, s)).clamp(min=1).log()

    print(
        judge(
            attempt,
            (eigenvalue, beta, sigma),
            by_quadrature,
            {
                "a dimension below the level is dead: its KL is 0, never negative.": lambda lam, b, s: (
                    0.5 * (lam / (b * s**2)).log()
                ),
                "σ is a standard deviation: the level is βσ².": formula(lambda b, s: b * s),
                "β is missing: the level is βσ².": formula(lambda b, s: s**2),
                "β belongs to the level as it is: βσ², not β²σ².": formula(
                    lambda b, s: (b * s) ** 2
                ),
                "β raises the level: βσ², not σ²/β.": formula(lambda b, s: s**2 / b),
                "the ½ is missing.": formula(lambda b, s: b * s**2, 1.0),
                "½ and the floor at 0 are missing.": lambda lam, b, s: (lam / (b * s**2)).log(),
                "the logarithm is of λ / βσ², not of (λ − βσ²) / βσ².": lambda lam, b, s: (
                    0.5 * (lam / (b * s**2) - 1).clamp(min=1).log()
                ),
                "λ / βσ², not (λ − βσ²) / βσ²: that one has no logarithm for a dead dimension.": (
                    lambda lam, b, s: 0.5 * (lam / (b * s**2) - 1).log()
                ),
                "nats are wanted: the natural logarithm.": formula(
                    lambda b, s: b * s**2, 0.5 / np.log(2)
                ),
                "the fraction is upside down: a larger eigenvalue carries more.": lambda lam, b, s: (
                    0.5 * (b * s**2 / lam).clamp(min=1).log()
                ),
                "λ − βσ² is the squared length of the column, not its KL.": lambda lam, b, s: (
                    lam - b * s**2
                ).clamp(min=0),
                "the logarithm is of λ / βσ²; ½ log(1 + λ / βσ²) never dies.": lambda lam, b, s: (
                    0.5 * (1 + lam / (b * s**2)).log()
                ),
            },
        )
    )


def check_total_correlation(attempt):
    """KL(N(0, Σ) || product of its marginals), in nats: covariance (d, d) -> ()."""
    root = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    covariance = root @ root.t() + 0.5 * torch.eye(3)

    def by_entropies(c):
        joint = MultivariateNormal(torch.zeros(3), c)
        return Normal(0.0, c.diag().sqrt()).entropy().sum() - joint.entropy()

    print(
        judge(
            attempt,
            (covariance,),
            by_entropies,
            {
                "the sign is turned: a KL divergence is never negative.": lambda c: (
                    -by_entropies(c)
                ),
                "the ½ is missing.": lambda c: 2 * by_entropies(c),
                "this is −½ log det Σ: divide by the variances first, or a mere change of unit "
                "would count as correlation.": lambda c: -0.5 * torch.logdet(c),
                "divide Σ_ij by √(Σ_ii Σ_jj); you divided by the product of the variances.": lambda c: (
                    -0.5 * torch.logdet(c / c.diag().outer(c.diag()))
                ),
                "take logs of the variances: ½ (Σ_j log Σ_jj − log det Σ).": lambda c: (
                    0.5 * (c.trace() - torch.logdet(c))
                ),
                "this is the KL from N(0, I): it also counts variances other than 1.": lambda c: (
                    kl_divergence(
                        MultivariateNormal(torch.zeros(3), c),
                        MultivariateNormal(torch.zeros(3), torch.eye(3)),
                    )
                ),
                "the largest correlation is no total: take the determinant.": lambda c: (
                    (c / c.diag().outer(c.diag()).sqrt() - torch.eye(3)).abs().max()
                ),
                "that is the other way round, KL(product of marginals ‖ joint).": lambda c: (
                    kl_divergence(
                        MultivariateNormal(torch.zeros(3), c.diag().diag()),
                        MultivariateNormal(torch.zeros(3), c),
                    )
                ),
                "nats are wanted: the natural logarithm.": lambda c: by_entropies(c) / np.log(2),
            },
        )
    )


def check_effective_beta(attempt):
    """Effective beta of F.mse_loss(x_hat, x) + kl.mean(): pixels, latent_dim, span, sigma () -> ()."""
    arguments = tuple(torch.tensor(v) for v in (784.0, 20.0, 3.0, 0.15))

    def by_autograd(pixels, latent_dim, span, sigma):
        """The weight at which the loss and the β-ELBO have gradients in one ratio."""
        x_hat = torch.zeros(1, int(pixels), requires_grad=True)  # in ink, for a picture full of ink
        kl = torch.ones(1, int(latent_dim), requires_grad=True)
        loss = F.mse_loss(span * x_hat, span * torch.ones_like(x_hat)) + kl.mean()
        per_pixel, per_dimension = torch.autograd.grad(loss, (x_hat, kl))
        log_p = Normal(x_hat, sigma).log_prob(torch.ones_like(x_hat)).sum()
        true_pixel = torch.autograd.grad(-log_p, x_hat)[0]
        return per_dimension[0, 0] * true_pixel[0, 0] / per_pixel[0, 0]

    print(
        judge(
            attempt,
            arguments,
            by_autograd,
            {
                "the 2 of 2σ² is missing.": lambda n, d, r, s: n / d / (s * r) ** 2,
                "the error is squared, so the span is, too.": lambda n, d, r, s: (
                    n / d / (2 * s**2 * r)
                ),
                "the span is missing.": lambda n, d, r, s: n / d / (2 * s**2),
                "a wider span makes the error larger, so β smaller.": lambda n, d, r, s: (
                    n / d * r**2 / (2 * s**2)
                ),
                "σ must be squared.": lambda n, d, r, s: n / d / (2 * s * r**2),
                "σ is stated: divide by 2σ².": lambda n, d, r, s: n / d / r**2,
                "kl.mean() divides by the batch and by d as well.": lambda n, d, r, s: (
                    n / (2 * s**2 * r**2)
                ),
                "F.mse_loss divides the error by n, too: that makes β larger.": lambda n, d, r, s: (
                    1 / d / (2 * s**2 * r**2)
                ),
                "upside down: dividing the error by n makes the KL weigh more.": lambda n, d, r, s: (
                    d / n / (2 * s**2 * r**2)
                ),
                "span and kl.mean() are both missing.": lambda n, d, r, s: n / (2 * s**2),
                "the whole fraction is upside down: σ² and the span belong below.": (
                    lambda n, d, r, s: 2 * s**2 * r**2 * d / n
                ),
                "this is σ², the variance implied at β = 1; divide by the stated σ².": lambda n, d, r, s: (
                    n / d / (2 * r**2)
                ),
            },
        )
    )


def check_mig(attempt):
    """Mutual information gap: information (d, K), entropy (K,), nats -> ()."""
    # As many dimensions as factors, so that a mix-up of the two has a message of its own.
    information = torch.tensor([[0.9, 0.1, 0.3], [0.2, 0.7, 0.8], [0.05, 0.6, 0.0]])
    entropy = torch.tensor([1.1, 1.6, 0.9])

    def by_sorting(information, entropy):
        gaps = []
        for column, h in zip(information.numpy().T, entropy.numpy(), strict=True):
            second, best = np.sort(column)[-2:]
            gaps.append((best - second) / h)
        return torch.tensor(float(np.mean(gaps)))

    def top(information, dim):
        best = information.topk(2, dim=dim).values
        return best.select(dim, 0), best.select(dim, 1)

    print(
        judge(
            attempt,
            (information, entropy),
            by_sorting,
            {
                "divide each gap by its factor's entropy.": lambda i, h: (
                    top(i, 0)[0] - top(i, 0)[1]
                ).mean(),
                "this is the best dimension's information without the second best: a code that "
                "holds a factor twice would score as well.": lambda i, h: (top(i, 0)[0] / h).mean(),
                "divide each gap by its own entropy, then average.": lambda i, h: (
                    (top(i, 0)[0] - top(i, 0)[1]).mean() / h.mean()
                ),
                "the gap is between dimensions, for each factor; you took it between factors.": (
                    lambda i, h: (top(i, 1)[0] - top(i, 1)[1]).mean()
                ),
                "the gap is between dimensions: the two best along dim 0, for each factor.": (
                    lambda i, h: ((top(i, 1)[0] - top(i, 1)[1]) / h).mean()
                ),
                "sorted ascending: these are the two worst.": lambda i, h: (
                    (i.sort(0).values[0] - i.sort(0).values[1]) / h
                ).mean(),
                "the sign is turned: the best less the second best.": lambda i, h: (
                    (top(i, 0)[1] - top(i, 0)[0]) / h
                ).mean(),
                "average over the factors: one number is wanted.": lambda i, h: (
                    (top(i, 0)[0] - top(i, 0)[1]) / h
                ),
                "average over the factors, you summed.": lambda i, h: (
                    (top(i, 0)[0] - top(i, 0)[1]) / h
                ).sum(),
                "subtract the second best, not the mean over dimensions.": lambda i, h: (
                    (i.amax(0) - i.mean(0)) / h
                ).mean(),
                "subtract the second best, not the worst.": lambda i, h: (
                    (i.amax(0) - i.amin(0)) / h
                ).mean(),
            },
        )
    )


def _kl(mean, variance):
    return 0.5 * (variance - variance.log() - 1 + mean**2)
