"""Checks of chapter 07, EM and the VAE."""

import torch
from torch.distributions import Categorical, MultivariateNormal, kl_divergence

from vae_teach.exercises.judge import judge


def check_responsibilities(attempt):
    """p(z = k | x): weights (K,), log p(x | z = k) (N, K) -> (N, K)."""
    draws = torch.Generator().manual_seed(0)
    log_likelihood = 2 * torch.randn(4, 3, generator=draws, dtype=torch.double)
    log_likelihood[1] -= 2000  # a point far from all components: exp underflows in float64, too
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.double)
    print(
        judge(
            attempt,
            (weights, log_likelihood),
            lambda w, a: Categorical(logits=w.log() + a).probs,
            {
                "the weights are missing: p(z) belongs to Bayes' rule.": lambda w, a: a.softmax(1),
                "you normalized over the points; each point's responsibilities sum to 1, over the "
                "components.": lambda w, a: (w.log() + a).softmax(0),
                "exp(−2000) is 0, and 0/0 is NaN: keep logarithms and use softmax or logsumexp.": (
                    lambda w, a: w * a.exp() / (w * a.exp()).sum(1, keepdim=True)
                ),
                "add log π, not π: a product of densities is a sum of logarithms.": (
                    lambda w, a: (w + a).softmax(1)
                ),
                "multiply by the weights before you normalize; now the rows do not sum to 1.": (
                    lambda w, a: w * a.softmax(1)
                ),
                "a logarithm times π is not log π plus it.": lambda w, a: (w * a).softmax(1),
                "these are their logarithms: take exp.": lambda w, a: (w.log() + a).log_softmax(1),
                "add log π before you normalize, and take exp at the end.": lambda w, a: (
                    w.log() + a.log_softmax(1)
                ),
                "this is the joint p(x, z): divide by its sum over the components.": (
                    lambda w, a: (w.log() + a).exp()
                ),
                "this is its logarithm before normalization: a softmax is missing.": (
                    lambda w, a: w.log() + a
                ),
                "this is k-means' hard choice; EM keeps the doubt.": lambda w, a: (
                    torch.nn.functional.one_hot((w.log() + a).argmax(1), 3)
                ),
                "summed over the components this is log p(x); one number a component is needed.": (
                    lambda w, a: (w.log() + a).logsumexp(1)
                ),
            },
        )
    )


def check_covariances(attempt):
    """Covariances of the M step: x (N, D), responsibilities (N, K) -> (K, D, D)."""
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(7, 2, generator=draws, dtype=torch.double) + 1
    r = torch.randn(7, 3, generator=draws, dtype=torch.double).softmax(1)

    def around(x, r, means, counts):
        offsets = x[:, None] - means
        return torch.einsum("nk,nki,nkj->kij", r, offsets, offsets) / counts[:, None, None]

    def means(x, r):
        return r.T @ x / r.sum(0)[:, None]

    def right(x, r):
        return torch.stack([torch.cov(x.T, correction=0, aweights=weight) for weight in r.T])

    def hard(x, r):
        one_hot = torch.nn.functional.one_hot(r.argmax(1), 3).to(x)
        return around(x, one_hot, means(x, one_hot), one_hot.sum(0))

    print(
        judge(
            attempt,
            (x, r),
            right,
            {
                "divide by N_k = Σ r, not by the number of points N.": lambda x, r: around(
                    x, r, means(x, r), torch.full_like(r[0], len(x))
                ),
                "divide by N_k, in the means and in the covariances: not by N.": lambda x, r: (
                    around(x, r, r.T @ x / len(x), torch.full_like(r[0], len(x)))
                ),
                "weigh the squares by r, too.": lambda x, r: around(
                    x, torch.ones_like(r), means(x, r), r.sum(0)
                ),
                "these are sums, not means: divide Σ r x by N_k before you subtract.": (
                    lambda x, r: around(x, r, r.T @ x, r.sum(0))
                ),
                "take the offsets from each component's own new mean, not from the mean of all "
                "points.": lambda x, r: around(x, r, x.mean(0), r.sum(0)),
                "the offsets must be taken from the means; these are second moments.": (
                    lambda x, r: around(x, r, 0.0, r.sum(0))
                ),
                "divide by N_k: this is the sum.": lambda x, r: (
                    right(x, r) * r.sum(0)[:, None, None]
                ),
                "you squared the responsibilities: a point counts r times, not r² times.": (
                    lambda x, r: around(x, r**2, means(x, r), r.sum(0))
                ),
                "the responsibilities are missing: every component gets the same points.": (
                    lambda x, r: torch.cov(x.T, correction=0).expand(3, 2, 2)
                ),
                "these use the mean of all points and count all alike: weigh by r.": lambda x, r: (
                    around(x, torch.ones_like(r), means(x, r), torch.full_like(r[0], len(x)))
                ),
                "you gave each point to its likeliest component, as k-means does: weigh by r.": hard,
                "no −1 here: maximum likelihood divides by N_k.": lambda x, r: around(
                    x, r, means(x, r), r.sum(0) - 1
                ),
                "the means are off: divide Σ r x by N_k, not by N.": lambda x, r: around(
                    x, r, r.T @ x / len(x), r.sum(0)
                ),
                "the correlations are missing: off the diagonal a covariance is not 0.": (
                    lambda x, r: torch.diag_embed(right(x, r).diagonal(dim1=1, dim2=2))
                ),
            },
        )
    )


def check_elbo(attempt):
    """ELBO of a discrete encoder: responsibilities (N, K), log p(x, z = k) (N, K) -> (N,) nats."""
    draws = torch.Generator().manual_seed(0)
    log_joint = 2 * torch.randn(4, 3, generator=draws, dtype=torch.double) - 3
    r = torch.randn(4, 3, generator=draws, dtype=torch.double).softmax(1)
    r[2] = torch.tensor([0.0, 1.0, 0.0])

    def right(r, a):  # by the other road: log p(x) − KL to the posterior
        gap = kl_divergence(Categorical(probs=r, validate_args=False), Categorical(logits=a))
        return a.logsumexp(1) - gap

    def entropy(r):
        return torch.special.entr(r).sum(1)

    print(
        judge(
            attempt,
            (r, log_joint),
            right,
            {
                "0 log 0 counts as 0 but is NaN in torch: use torch.special.entr or xlogy.": (
                    lambda r, a: (r * (a - r.log())).sum(1)
                ),
                "the entropy is weighed, too: −Σ r log r.": lambda r, a: (r * a - r.log()).sum(1),
                "the entropy of q is missing: this is what the M step maximizes.": (
                    lambda r, a: (r * a).sum(1)
                ),
                "the entropy has the wrong sign: −log q is added.": lambda r, a: (
                    (r * a).sum(1) - entropy(r)
                ),
                "this is −ELBO.": lambda r, a: -right(r, a),
                "this is log p(x), the ELBO of the best encoder; r is another one.": lambda r, a: (
                    a.logsumexp(1)
                ),
                "this is the gap KL(q‖p(z|x)), not the bound.": lambda r, a: (
                    a.logsumexp(1) - right(r, a)
                ),
                "weigh log p(x, z) by r: the expectation is over q.": lambda r, a: (
                    a.sum(1) + entropy(r)
                ),
                "the logarithm goes inside: Σ r log p(x, z), not log Σ r p(x, z).": lambda r, a: (
                    (r * a.exp()).sum(1).log() + entropy(r)
                ),
                "this is only the entropy of q.": lambda r, a: entropy(r),
                "sum over the components: r already holds the weights of a mean.": lambda r, a: (
                    right(r, a) / 3
                ),
                "one number a point is needed; the mean over points comes later.": lambda r, a: (
                    right(r, a).mean()
                ),
                "sum over the components: (N, K) must become (N,).": lambda r, a: (
                    r * a + torch.special.entr(r)
                ),
            },
        )
    )


def check_posterior_mean(attempt):
    """Mean of p(z|x) in probabilistic PCA: centred x (N, D), W (D, d), variance () -> (N, d)."""
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(5, 4, generator=draws, dtype=torch.double)
    W = torch.randn(4, 2, generator=draws, dtype=torch.double)
    variance = torch.tensor(0.6, dtype=torch.double)

    def right(x, W, s):  # by conditioning the joint Gaussian of (z, x), with its precision matrix
        noise, d = torch.eye(4, dtype=x.dtype), W.shape[1]
        joint = torch.cat(
            [
                torch.cat([torch.eye(d, dtype=x.dtype), W.T], 1),
                torch.cat([W, W @ W.T + s * noise], 1),
            ]
        )
        precision = MultivariateNormal(torch.zeros(4 + d, dtype=x.dtype), joint).precision_matrix
        return -x @ precision[d:, :d] @ torch.linalg.inv(precision[:d, :d])

    def ridge(x, W, s):
        return x @ W @ torch.linalg.inv(W.T @ W + s * torch.eye(2, dtype=x.dtype))

    print(
        judge(
            attempt,
            (x, W, variance),
            right,
            {
                "σ² is missing: this is least squares, without the prior's pull to 0.": (
                    lambda x, W, s: ridge(x, W, 0.0)
                ),
                "σ² goes on the diagonal only: use variance * torch.eye(d).": lambda x, W, s: (
                    x @ W @ torch.linalg.inv(W.T @ W + s)
                ),
                "add σ² I, not I: the noise decides how much the prior counts.": (
                    lambda x, W, s: ridge(x, W, 1.0)
                ),
                "you squared σ²: `variance` is σ² already.": lambda x, W, s: ridge(x, W, s**2),
                "you took its root: M holds σ², not σ.": lambda x, W, s: ridge(x, W, s.sqrt()),
                "M⁻¹ is missing: Wᵀx alone is on the wrong scale.": lambda x, W, s: x @ W,
                "a factor σ² too much: it belongs to the covariance (or, if you divided M by σ², divide "
                "Wᵀx, too).": (lambda x, W, s: s * ridge(x, W, s)),
                "Wᵀx/σ² goes with M/σ²: here σ² is divided out once too often.": lambda x, W, s: (
                    ridge(x, W, s) / s
                ),
                "multiply by the inverse of M, not by M.": lambda x, W, s: (
                    x @ W @ (W.T @ W + s * torch.eye(2, dtype=x.dtype))
                ),
                "subtract nothing: σ² is added to WᵀW.": lambda x, W, s: ridge(x, W, -s),
                "the result lies the wrong way round: one row a point, (N, d).": lambda x, W, s: (
                    right(x, W, s).T
                ),
                "this is the reconstruction W E[z|x]; the code itself is asked for.": (
                    lambda x, W, s: right(x, W, s) @ W.T
                ),
                "WWᵀ + σ² I is D×D; it goes between Wᵀ and x: Wᵀ(WWᵀ + σ² I)⁻¹x.": lambda x, W, s: (
                    x @ torch.linalg.inv(W @ W.T + s * torch.eye(4, dtype=x.dtype))
                ),
            },
        )
    )
