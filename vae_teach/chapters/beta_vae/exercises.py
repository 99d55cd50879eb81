"""Exercises of chapter 06, what β trades."""

import numpy as np
import torch
from scipy import stats
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach.chapters.beta_vae.answers import (
    TABLE,
    alive,
    batch,
    by_autograd,
    by_entropies,
    by_quadrature,
    by_sorting,
    correlations,
    covariance,
    gaps,
    kl,
    kl_of_covariances,
    of_any_table,
    pair,
    rate,
    spectrum,
    table,
    variance_products,
)
from vae_teach.exercises import Exercise

check_rate_and_distortion = Exercise(
    "(R, D) of a batch: mean, variance (B, d), log_p = log p(x|z) (B,) -> (2,) in nats an image.",
    inputs=[
        batch(0, 4, 3),
        batch(1, 3, 5),
        batch(2, 1, 20),
        (*batch(3, 5, 5)[:2], torch.tensor([310.0, -20.0, 4.0, 95.0, -1.0])),  # of a density
        (*batch(4, 2, 2)[:2], torch.tensor([-0.5, -300.0])),
    ],
    right=lambda m, v, p: pair(
        kl_divergence(Normal(m, v.sqrt()), Normal(0.0, 1.0)).sum(1).mean(), -p.mean()
    ),
    mistakes={
        "distortion is −log p(x|z): the sign is turned.": lambda m, v, p: pair(
            rate(m, v), p.mean()
        ),
        "the rate has the wrong sign: a KL divergence is never negative.": (
            lambda m, v, p: pair(-rate(m, v), -p.mean())
        ),
        "the order is (R, D), you returned (D, R).": lambda m, v, p: pair(-p.mean(), rate(m, v)),
        "sum the KL over the latent dimensions; their mean is d times too small.": (
            lambda m, v, p: pair(kl(m, v).mean(), -p.mean())
        ),
        "average over the images, you summed over them.": (
            lambda m, v, p: pair(kl(m, v).sum(), -p.sum())
        ),
        "average the rate over the images, too.": (lambda m, v, p: pair(kl(m, v).sum(), -p.mean())),
        "the ½ of the KL is missing.": lambda m, v, p: pair(2 * rate(m, v), -p.mean()),
        "μ² is missing from the KL.": lambda m, v, p: pair(rate(0 * m, v), -p.mean()),
        "you squared the variance: v is σ² already.": (
            lambda m, v, p: pair(rate(m, v**2), -p.mean())
        ),
        "v is the variance, not its logarithm.": (
            lambda m, v, p: pair(rate(m, v.exp()), -p.mean())
        ),
        "one number each is needed, averaged over the images.": (
            lambda m, v, p: pair(kl(m, v).sum(1), -p)
        ),
        "this is R + D; the two are wanted apart.": lambda m, v, p: rate(m, v) - p.mean(),
        "log p(x|z) of a density may be positive: turn its sign, do not drop it.": (
            lambda m, v, p: pair(rate(m, v), p.abs().mean())
        ),
        "nats are wanted: the natural logarithm.": lambda m, v, p: (
            pair(rate(m, v), -p.mean()) / np.log(2)
        ),
        "sum the KL over dimensions and average over images, not the other way round.": (
            lambda m, v, p: pair(kl(m, v).sum(0).mean(), -p.mean())
        ),
        "average the distortion over the images, too.": (
            lambda m, v, p: pair(rate(m, v), -p.sum())
        ),
        "the mean over the images, not the median.": lambda m, v, p: pair(
            kl(m, v).sum(1).median(), -p.median()
        ),
        "the −1 is missing from the KL: that of N(0, I) from itself must be 0.": (
            lambda m, v, p: pair(rate(m, v) + 0.5 * m.shape[1], -p.mean())
        ),
        "log v has the wrong sign in the KL.": lambda m, v, p: pair(
            rate(m, v) + v.log().sum(1).mean(), -p.mean()
        ),
        "the rate is KL(q ‖ p); this is the other way round.": lambda m, v, p: pair(
            kl_divergence(Normal(0.0, 1.0), Normal(m, v.sqrt())).sum(1).mean(), -p.mean()
        ),
        "the distortion is the reconstruction's part alone, without the KL.": (
            lambda m, v, p: pair(rate(m, v), rate(m, v) - p.mean())
        ),
        "the rate is the KL alone, without the reconstruction's part.": (
            lambda m, v, p: pair(rate(m, v) - p.mean(), -p.mean())
        ),
        "both signs are turned: R and D are costs.": lambda m, v, p: pair(-rate(m, v), p.mean()),
    },
    also_right=[
        lambda m, v, p: pair((0.5 * (v + m**2 - 1 - v.log())).sum(1).mean(), -p.mean()),
        lambda m, v, p: np.array([float(rate(m, v)), -np.mean(p.numpy())]),
        lambda m, v, p: (
            torch.stack([0.5 * (v.sum() + m.square().sum() - v.log().sum() - m.numel()), -p.sum()])
            / len(p)
        ),
        lambda m, v, p: pair(
            torch.stack([kl(*row).sum() for row in zip(m, v, strict=True)]).mean(), p.neg().mean()
        ),
    ],
)

check_kl_of_dimension = Exercise(
    "KL of each dimension of a linear VAE at its optimum: eigenvalue (n,), beta, sigma () -> (n,).",
    inputs=[
        spectrum(4.0, 0.35, 3.0, 1.2, 0.6, 0.45, 0.3, 0.05),
        spectrum(0.5, 0.8, 5.0, 0.7, 0.3, 0.1),
        spectrum(1.0, 0.1, 0.2),
        spectrum(2.0, 0.5, 0.5, 8.0),  # the first is at the level itself
        spectrum(20.0, 1.5, 2.0, 40.0, 100.0),
    ],
    right=by_quadrature,
    mistakes={
        "a dimension below the level is dead: its KL is 0, never negative.": (
            lambda lam, b, s: 0.5 * (lam / (b * s**2)).log()
        ),
        "σ is a standard deviation: the level is βσ².": lambda lam, b, s: alive(lam, b * s),
        "β is missing: the level is βσ².": lambda lam, b, s: alive(lam, s**2),
        "β belongs to the level as it is: βσ², not β²σ².": (
            lambda lam, b, s: alive(lam, (b * s) ** 2)
        ),
        "β raises the level: βσ², not σ²/β.": lambda lam, b, s: alive(lam, s**2 / b),
        "the ½ is missing.": lambda lam, b, s: alive(lam, b * s**2, half=1.0),
        "½ and the floor at 0 are missing.": lambda lam, b, s: (lam / (b * s**2)).log(),
        "the logarithm is of λ / βσ², not of (λ − βσ²) / βσ².": (
            lambda lam, b, s: alive(lam - b * s**2, b * s**2)
        ),
        "λ / βσ², not (λ − βσ²) / βσ²: that one has no logarithm for a dead dimension.": (
            lambda lam, b, s: 0.5 * (lam / (b * s**2) - 1).log()
        ),
        "nats are wanted: the natural logarithm.": (
            lambda lam, b, s: alive(lam, b * s**2) / np.log(2)
        ),
        "the fraction is upside down: a larger eigenvalue carries more.": (
            lambda lam, b, s: alive(b * s**2, lam)
        ),
        "λ − βσ² is the squared length of the column, not its KL.": (
            lambda lam, b, s: (lam - b * s**2).clamp(min=0)
        ),
        "the logarithm is of λ / βσ²; ½ log(1 + λ / βσ²) never dies.": (
            lambda lam, b, s: 0.5 * (1 + lam / (b * s**2)).log()
        ),
        "the level is βσ², without a 2.": lambda lam, b, s: alive(lam, 2 * b * s**2),
        "the level is the product βσ², not the sum.": lambda lam, b, s: alive(lam, b + s**2),
        "the eigenvalue is a variance already: no square.": (
            lambda lam, b, s: alive(lam**2, b * s**2)
        ),
        "the logarithm is missing.": lambda lam, b, s: 0.5 * (lam / (b * s**2)).clamp(min=1),
        "a dead dimension has 0; you dropped its sign.": (
            lambda lam, b, s: 0.5 * (lam / (b * s**2)).log().abs()
        ),
        "the sign is turned: a KL divergence is never negative.": (
            lambda lam, b, s: -alive(lam, b * s**2)
        ),
        "this is the KL at x = 0: the mean of q, squared and averaged over x, is missing.": (
            lambda lam, b, s: alive(lam, b * s**2) - 0.5 * (1 - b * s**2 / lam).clamp(min=0)
        ),
        "this counts the squared mean of q alone; its width costs, too.": (
            lambda lam, b, s: 0.5 * (1 - b * s**2 / lam).clamp(min=0)
        ),
        "keep the dimensions apart: one number each, shape (n,).": (
            lambda lam, b, s: alive(lam, b * s**2).sum()
        ),
        "this says which dimensions are alive; their KL is asked for.": (
            lambda lam, b, s: lam > b * s**2
        ),
    },
    also_right=[
        lambda lam, b, s: 0.5 * (lam / (b * s**2)).log().clamp(min=0),
        lambda lam, b, s: torch.where(lam > b * s**2, 0.5 * (lam.log() - (b * s**2).log()), 0.0),
        lambda lam, b, s: np.maximum(0, 0.5 * np.log(lam.numpy() / (b.item() * s.item() ** 2))),
        lambda lam, b, s: torch.stack([F.relu(v.log() / 2 - s.log() - b.log() / 2) for v in lam]),
        lambda lam, b, s: np.array(
            [max(0.0, 0.5 * np.log(v / float(b * s**2))) for v in lam.tolist()]
        ),
        # the KL of q with its mean's square averaged
        lambda lam, b, s: (
            0.5 * (lambda u: u + (1 - u) - 1 - u.log())((b * s**2 / lam).clamp(max=1))
        ),
    ],
)

check_total_correlation = Exercise(
    "KL(N(0, Σ) || product of its marginals), in nats: covariance (d, d) -> ().",
    inputs=[
        covariance(0, 3),
        covariance(1, 4),
        covariance(2, 2),
        (0.05 * covariance(3, 5)[0],),
        (torch.tensor([[2.5]]),),  # one dimension has nothing to share
        (torch.tensor([[4.0, -1.8, 0.0], [-1.8, 1.0, 0.0], [0.0, 0.0, 9.0]]),),
    ],
    right=by_entropies,
    mistakes={
        "the sign is turned: a KL divergence is never negative.": lambda c: -by_entropies(c),
        "the ½ is missing.": lambda c: 2 * by_entropies(c),
        "this is −½ log det Σ: divide by the variances first, or a mere change of unit "
        "would count as correlation.": lambda c: -0.5 * torch.logdet(c),
        "divide Σ_ij by √(Σ_ii Σ_jj); you divided by the product of the variances.": (
            lambda c: -0.5 * torch.logdet(c / variance_products(c))
        ),
        "take logs of the variances: ½ (Σ_j log Σ_jj − log det Σ).": (
            lambda c: 0.5 * (c.trace() - torch.logdet(c))
        ),
        "this is the KL from N(0, I): it also counts variances other than 1.": (
            lambda c: kl_of_covariances(c, torch.eye(len(c)))
        ),
        "the largest correlation is no total: take the determinant.": (
            lambda c: (c / variance_products(c).sqrt() - torch.eye(len(c))).abs().max()
        ),
        "that is the other way round, KL(product of marginals ‖ joint).": (
            lambda c: kl_of_covariances(c.diag().diag(), c)
        ),
        "nats are wanted: the natural logarithm.": lambda c: by_entropies(c) / np.log(2),
        "take logarithms: a difference of products is no entropy.": (
            lambda c: 0.5 * (c.diag().prod() - torch.det(c))
        ),
        "the logarithm of the determinant, not the determinant.": (
            lambda c: 0.5 * (c.diag().log().sum() - torch.det(c))
        ),
        "Σ_jj is a variance: no root, or its logarithm is halved twice.": (
            lambda c: 0.5 * (0.5 * c.diag().log().sum() - torch.logdet(c))
        ),
        "the ½ belongs to both terms: set brackets.": (
            lambda c: 0.5 * c.diag().log().sum() - torch.logdet(c)
        ),
        "this is the entropy of all dimensions together; take it from the sum of the single ones.": (
            lambda c: MultivariateNormal(torch.zeros(len(c)), c).entropy()
        ),
        "this is the sum of the single entropies; that of all together is subtracted.": (
            lambda c: Normal(0.0, c.diag().sqrt()).entropy().sum()
        ),
        "the entropies are subtracted, not added.": (
            lambda c: 0.5 * (c.diag().log().sum() + torch.logdet(c))
        ),
        "pairs alone do not make it: a third dimension may tell of both others. Take log det Σ.": (
            lambda c: -0.5 * (1 - correlations(c).tril(-1) ** 2).log().sum()
        ),
        "½ Σ ρ² is only its beginning, for small correlations.": (
            lambda c: 0.5 * (correlations(c).tril(-1) ** 2).sum()
        ),
        "total means the sum: do not divide by d.": lambda c: by_entropies(c) / len(c),
        "the variances stay: this is KL(N(0, I) ‖ N(0, Σ)).": (
            lambda c: kl_of_covariances(torch.eye(len(c)), c)
        ),
    },
    also_right=[
        lambda c: 0.5 * (c.diag().log().sum() - torch.logdet(c)),
        lambda c: -0.5 * torch.logdet(c / variance_products(c).sqrt()),
        lambda c: 0.5 * (np.log(np.diag(c.numpy())).sum() - np.linalg.slogdet(c.numpy())[1]),
        lambda c: kl_of_covariances(c, c.diag().diag()),
        lambda c: c.diag().sqrt().log().sum() - torch.linalg.cholesky(c).diag().log().sum(),
        lambda c: float(
            sum(stats.norm(0, v**0.5).entropy() for v in c.diag().tolist())
            - stats.multivariate_normal(cov=c.double().numpy()).entropy()
        ),
    ],
)

check_effective_beta = Exercise(
    "Effective beta of F.mse_loss(x_hat, x) + kl.mean(): pixels, latent_dim, span, sigma () -> ().",
    inputs=[
        tuple(torch.tensor([784.0, 20.0, 3.0, 0.15])),
        tuple(torch.tensor([100, 7, 0.5, 1.2])),
        tuple(torch.tensor([784.0, 20.0, 1.0, 1.0])),
        tuple(torch.tensor([3072.0, 128.0, 2.0, 0.4])),
        tuple(torch.tensor([6.0, 6.0, 0.9, 0.7])),
    ],
    right=by_autograd,
    mistakes={
        "the 2 of 2σ² is missing.": lambda n, d, r, s: n / d / (s * r) ** 2,
        "the error is squared, so the span is, too.": lambda n, d, r, s: n / d / (2 * s**2 * r),
        "the span is missing.": lambda n, d, r, s: n / d / (2 * s**2),
        "a wider span makes the error larger, so β smaller.": (
            lambda n, d, r, s: n / d * r**2 / (2 * s**2)
        ),
        "σ must be squared.": lambda n, d, r, s: n / d / (2 * s * r**2),
        "σ is stated: divide by 2σ².": lambda n, d, r, s: n / d / r**2,
        "kl.mean() divides by the batch and by d as well.": (
            lambda n, d, r, s: n / (2 * s**2 * r**2)
        ),
        "F.mse_loss divides the error by n, too: that makes β larger.": (
            lambda n, d, r, s: 1 / d / (2 * s**2 * r**2)
        ),
        "upside down: dividing the error by n makes the KL weigh more.": (
            lambda n, d, r, s: d / n / (2 * s**2 * r**2)
        ),
        "span and kl.mean() are both missing.": lambda n, d, r, s: n / (2 * s**2),
        "the whole fraction is upside down: σ² and the span belong below.": (
            lambda n, d, r, s: 2 * s**2 * r**2 * d / n
        ),
        "this is σ², the variance implied at β = 1; divide by the stated σ².": (
            lambda n, d, r, s: n / d / (2 * r**2)
        ),
        "σ² stands once below: you squared it again.": (
            lambda n, d, r, s: n / d / (2 * s**4 * r**2)
        ),
        "the 2 stands below, in 2σ².": lambda n, d, r, s: 2 * n / d / (s * r) ** 2,
        "σ² belongs below: the smaller the noise, the more a pixel counts.": (
            lambda n, d, r, s: 2 * n / d * s**2 / r**2
        ),
        "both means are left out: F.mse_loss divides by n, kl.mean() by d.": (
            lambda n, d, r, s: 1 / (2 * s**2 * r**2)
        ),
        "kl.mean() divides the KL by d: that makes β smaller.": (
            lambda n, d, r, s: n * d / (2 * s**2 * r**2)
        ),
        "this is n/d: the error's units are missing, 2σ² and the span.": lambda n, d, r, s: n / d,
        "span and the 2 of 2σ² are both missing.": lambda n, d, r, s: n / d / s**2,
        "σ and the span must both be squared.": lambda n, d, r, s: n / d / (2 * s * r),
        "the 2 belongs to σ² alone: it is not squared.": (
            lambda n, d, r, s: n / d / (2 * s * r) ** 2
        ),
    },
    also_right=[
        lambda n, d, r, s: n / d / (2 * s**2 * r**2),
        lambda n, d, r, s: (n / d).item() / (2 * (s.item() * r.item()) ** 2),
        lambda n, d, r, s: np.float64(n) / np.float64(d) * 0.5 * np.float64(s * r) ** -2,
        # a·‖x − x̂‖² + b·KL in ink, and β = b / (2 a σ²)
        lambda n, d, r, s: (1 / d) / (2 * (r**2 / n) * s**2),
        lambda n, d, r, s: torch.exp(n.log() - d.log() - np.log(2) - 2 * s.log() - 2 * r.log()),
    ],
)

check_mig = Exercise(
    "Mutual information gap: information (d, K), entropy (K,), nats -> ().",
    inputs=[TABLE, table(0, 4, 4), table(1, 2, 2), table(2, 5, 3), table(3, 3, 6)],
    ask=of_any_table,
    right=by_sorting,
    mistakes={
        "right for as many dimensions as factors; it must hold for any table.": (
            lambda i, h: (gaps(i) / h).mean() if len(i) == len(h) else torch.tensor(np.nan)
        ),
        "divide each gap by its factor's entropy.": lambda i, h: gaps(i).mean(),
        "this is the best dimension's information without the second best: a code that "
        "holds a factor twice would score as well.": lambda i, h: (i.amax(0) / h).mean(),
        "divide each gap by its own entropy, then average.": (
            lambda i, h: gaps(i).mean() / h.mean()
        ),
        "the gap is between dimensions, for each factor; you took it between factors.": (
            lambda i, h: gaps(i, dim=1).mean()
        ),
        "the gap is between dimensions: the two best along dim 0, for each factor.": (
            lambda i, h: (gaps(i, dim=1) / h).mean()
        ),
        "sorted ascending: these are the two worst.": (lambda i, h: (-gaps(-i) / h).mean()),
        "the sign is turned: the best less the second best.": lambda i, h: -(gaps(i) / h).mean(),
        "average over the factors: one number is wanted.": lambda i, h: gaps(i) / h,
        "average over the factors, you summed.": lambda i, h: (gaps(i) / h).sum(),
        "subtract the second best, not the mean over dimensions.": (
            lambda i, h: ((i.amax(0) - i.mean(0)) / h).mean()
        ),
        "subtract the second best, not the worst.": (
            lambda i, h: ((i.amax(0) - i.amin(0)) / h).mean()
        ),
        "divide by the entropy, you multiplied.": lambda i, h: (gaps(i) * h).mean(),
        "the difference of the two best, not their ratio.": lambda i, h: (
            i.topk(2, dim=0).values[1] / i.amax(0)
        ).mean(),
        "divide by the factor's entropy, not by the best dimension's information.": (
            lambda i, h: (gaps(i) / i.amax(0)).mean()
        ),
        "sort first: the best two need not be the first two dimensions.": (
            lambda i, h: ((i[0] - i[1]) / h).mean()
        ),
        "the second best, not the sum of all others, is subtracted.": (
            lambda i, h: ((2 * i.amax(0) - i.sum(0)) / h).mean()
        ),
        "average over the factors, not the largest gap.": lambda i, h: (gaps(i) / h).amax(),
        "average over the factors: not the median.": lambda i, h: (gaps(i) / h).quantile(0.5),
        "average over the factors: divide by their number, not by that of the dimensions.": (
            lambda i, h: (gaps(i) / h).sum() / len(i)
        ),
        "this is the second best alone: subtract it from the best.": (
            lambda i, h: (i.topk(2, dim=0).values[1] / h).mean()
        ),
        "this is one minus the score.": lambda i, h: 1 - (gaps(i) / h).mean(),
    },
    also_right=[
        lambda i, h: (gaps(i) / h).mean(),
        lambda i, h: np.mean(np.diff(np.sort(i.numpy(), 0), axis=0)[-1] / h.numpy()),
        lambda i, h: np.mean(
            [np.ptp(sorted(v)[-2:]) / e for v, e in zip(i.T.tolist(), h.tolist(), strict=True)]
        ),
        lambda i, h: torch.sort(i / h, dim=0, descending=True).values[:2].diff(dim=0).neg().mean(),
    ],
)
