"""Exercises of chapter 07, EM and the VAE."""

import torch
from torch.distributions import Categorical, MultivariateNormal, kl_divergence
from torch.nn import functional as F

from vae_teach.exercises import Exercise


def _mixture(seed, points, *weights):
    """A mixture's weights and log-likelihoods; the second point is far from all components."""
    draws = torch.Generator().manual_seed(seed)
    log_likelihood = 2 * torch.randn(points, len(weights), generator=draws, dtype=torch.double)
    log_likelihood[1] -= 2000  # exp underflows in float64, too
    return torch.tensor(weights, dtype=torch.double), log_likelihood


check_responsibilities = Exercise(
    "p(z = k | x): weights (K,), log p(x | z = k) (N, K) -> (N, K).",
    inputs=[_mixture(0, 4, 0.2, 0.5, 0.3), _mixture(1, 3, 0.1, 0.4, 0.2, 0.3)],
    right=lambda w, a: Categorical(logits=w.log() + a).probs,
    mistakes={
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
        "add log π before you normalize, and take exp at the end.": (
            lambda w, a: w.log() + a.log_softmax(1)
        ),
        "this is the joint p(x, z): divide by its sum over the components.": (
            lambda w, a: (w.log() + a).exp()
        ),
        "this is its logarithm before normalization: a softmax is missing.": (
            lambda w, a: w.log() + a
        ),
        "this is k-means' hard choice; EM keeps the doubt.": (
            lambda w, a: F.one_hot((w.log() + a).argmax(1), len(w))
        ),
        "summed over the components this is log p(x); one number a component is needed.": (
            lambda w, a: (w.log() + a).logsumexp(1)
        ),
    },
    also_right=[
        lambda w, a: (w.log() + a).softmax(1),
        lambda w, a: (w.log() + a - (w.log() + a).logsumexp(1, keepdim=True)).exp(),
    ],
)


def _points(seed, points, dimensions, components):
    """Points and responsibilities."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(points, dimensions, generator=draws, dtype=torch.double) + 1
    return x, torch.randn(points, components, generator=draws, dtype=torch.double).softmax(1)


def _counts(r):
    return r.sum(0)


def _all(r):
    return torch.full_like(r[0], len(r))


def _means(x, r):
    return r.T @ x / _counts(r)[:, None]


def _around(x, r, means, counts):
    """Weighed squares around the means, divided by the counts."""
    offsets = x[:, None] - means
    return torch.einsum("nk,nki,nkj->kij", r, offsets, offsets) / counts[:, None, None]


def _by_cov(x, r):
    return torch.stack([torch.cov(x.T, correction=0, aweights=weight) for weight in r.T])


check_covariances = Exercise(
    "Covariances of the M step: x (N, D), responsibilities (N, K) -> (K, D, D).",
    inputs=[_points(0, 7, 2, 3), _points(1, 9, 3, 2)],
    right=_by_cov,
    mistakes={
        "divide by N_k = Σ r, not by the number of points N.": (
            lambda x, r: _around(x, r, _means(x, r), _all(r))
        ),
        "divide by N_k, in the means and in the covariances: not by N.": (
            lambda x, r: _around(x, r, r.T @ x / len(x), _all(r))
        ),
        "weigh the squares by r, too.": (
            lambda x, r: _around(x, torch.ones_like(r), _means(x, r), _counts(r))
        ),
        "these are sums, not means: divide Σ r x by N_k before you subtract.": (
            lambda x, r: _around(x, r, r.T @ x, _counts(r))
        ),
        "take the offsets from each component's own new mean, not from the mean of all "
        "points.": lambda x, r: _around(x, r, x.mean(0), _counts(r)),
        "the offsets must be taken from the means; these are second moments.": (
            lambda x, r: _around(x, r, 0.0, _counts(r))
        ),
        "divide by N_k: this is the sum.": lambda x, r: _by_cov(x, r) * _counts(r)[:, None, None],
        "you squared the responsibilities: a point counts r times, not r² times.": (
            lambda x, r: _around(x, r**2, _means(x, r), _counts(r))
        ),
        "the responsibilities are missing: every component gets the same points.": (
            lambda x, r: _by_cov(x, torch.ones_like(r))
        ),
        "these use the mean of all points and count all alike: weigh by r.": (
            lambda x, r: _around(x, torch.ones_like(r), _means(x, r), _all(r))
        ),
        "you gave each point to its likeliest component, as k-means does: weigh by r.": (
            lambda x, r: _by_cov(x, F.one_hot(r.argmax(1), r.shape[1]).double())
        ),
        "no −1 here: maximum likelihood divides by N_k.": (
            lambda x, r: _around(x, r, _means(x, r), _counts(r) - 1)
        ),
        "the means are off: divide Σ r x by N_k, not by N.": (
            lambda x, r: _around(x, r, r.T @ x / len(x), _counts(r))
        ),
        "the correlations are missing: off the diagonal a covariance is not 0.": (
            lambda x, r: torch.diag_embed(_by_cov(x, r).diagonal(dim1=1, dim2=2))
        ),
    },
    also_right=[
        lambda x, r: _around(x, r, _means(x, r), _counts(r)),
        lambda x, r: (
            torch.einsum("nk,ni,nj->kij", r, x, x) / _counts(r)[:, None, None]
            - _means(x, r)[:, :, None] * _means(x, r)[:, None]
        ),
    ],
)


def _discrete(seed, points, components):
    """A discrete encoder, of whose points the third is sure, and log p(x, z)."""
    draws = torch.Generator().manual_seed(seed)
    log_joint = 2 * torch.randn(points, components, generator=draws, dtype=torch.double) - 3
    r = torch.randn(points, components, generator=draws, dtype=torch.double).softmax(1)
    r[2] = F.one_hot(torch.tensor(1), components)
    return r, log_joint


def _gap(r, a):
    """KL of the encoder from the posterior, (N,)."""
    return kl_divergence(Categorical(probs=r, validate_args=False), Categorical(logits=a))


def _elbo(r, a):  # by the other road: log p(x) − KL to the posterior
    return a.logsumexp(1) - _gap(r, a)


def _entropy(r):
    return torch.special.entr(r).sum(1)


check_elbo = Exercise(
    "ELBO of a discrete encoder: responsibilities (N, K), log p(x, z = k) (N, K) -> (N,) nats.",
    inputs=[_discrete(0, 4, 3), _discrete(1, 5, 2)],
    right=_elbo,
    mistakes={
        "0 log 0 counts as 0 but is NaN in torch: use torch.special.entr or xlogy.": (
            lambda r, a: (r * (a - r.log())).sum(1)
        ),
        "the entropy is weighed, too: −Σ r log r.": lambda r, a: (r * a - r.log()).sum(1),
        "the entropy of q is missing: this is what the M step maximizes.": (
            lambda r, a: (r * a).sum(1)
        ),
        "the entropy has the wrong sign: −log q is added.": (
            lambda r, a: (r * a).sum(1) - _entropy(r)
        ),
        "this is −ELBO.": lambda r, a: -_elbo(r, a),
        "this is log p(x), the ELBO of the best encoder; r is another one.": (
            lambda r, a: a.logsumexp(1)
        ),
        "this is the gap KL(q‖p(z|x)), not the bound.": _gap,
        "weigh log p(x, z) by r: the expectation is over q.": (lambda r, a: a.sum(1) + _entropy(r)),
        "the logarithm goes inside: Σ r log p(x, z), not log Σ r p(x, z).": (
            lambda r, a: (r * a.exp()).sum(1).log() + _entropy(r)
        ),
        "this is only the entropy of q.": lambda r, a: _entropy(r),
        "sum over the components: r already holds the weights of a mean.": (
            lambda r, a: _elbo(r, a) / r.shape[1]
        ),
        "one number a point is needed; the mean over points comes later.": (
            lambda r, a: _elbo(r, a).mean()
        ),
        "sum over the components: (N, K) must become (N,).": (
            lambda r, a: r * a + torch.special.entr(r)
        ),
    },
    also_right=[
        lambda r, a: (r * a + torch.special.entr(r)).sum(1),
        lambda r, a: (r * a - torch.xlogy(r, r)).sum(1),
    ],
)


def _ppca(seed, points, pixels, dimensions, variance):
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(points, pixels, generator=draws, dtype=torch.double)
    W = torch.randn(pixels, dimensions, generator=draws, dtype=torch.double)
    return x, W, torch.tensor(variance, dtype=torch.double)


def _by_conditioning(x, W, s):
    """By conditioning the joint Gaussian of (z, x), with its precision matrix."""
    (D, d), one = W.shape, torch.ones_like
    top = torch.cat([torch.diag(one(W[0])), W.T], 1)
    joint = torch.cat([top, torch.cat([W, W @ W.T + s * torch.diag(one(W[:, 0]))], 1)])
    precision = MultivariateNormal(joint.new_zeros(D + d), joint).precision_matrix
    return -x @ precision[d:, :d] @ torch.linalg.inv(precision[:d, :d])


def _identity(W):
    return torch.eye(W.shape[1], dtype=W.dtype)


def _ridge(x, W, s):
    return x @ W @ torch.linalg.inv(W.T @ W + s * _identity(W))


check_posterior_mean = Exercise(
    "Mean of p(z|x) in probabilistic PCA: centred x (N, D), W (D, d), variance () -> (N, d).",
    inputs=[_ppca(0, 5, 4, 2, 0.6), _ppca(1, 4, 5, 3, 1.7)],
    right=_by_conditioning,
    mistakes={
        "σ² is missing: this is least squares, without the prior's pull to 0.": (
            lambda x, W, s: _ridge(x, W, 0.0)
        ),
        "σ² goes on the diagonal only: use variance * torch.eye(d).": (
            lambda x, W, s: x @ W @ torch.linalg.inv(W.T @ W + s)
        ),
        "add σ² I, not I: the noise decides how much the prior counts.": (
            lambda x, W, s: _ridge(x, W, 1.0)
        ),
        "you squared σ²: `variance` is σ² already.": lambda x, W, s: _ridge(x, W, s**2),
        "you took its root: M holds σ², not σ.": lambda x, W, s: _ridge(x, W, s.sqrt()),
        "M⁻¹ is missing: Wᵀx alone is on the wrong scale.": lambda x, W, s: x @ W,
        "a factor σ² too much: it belongs to the covariance (or, if you divided M by σ², divide "
        "Wᵀx, too).": lambda x, W, s: s * _ridge(x, W, s),
        "Wᵀx/σ² goes with M/σ²: here σ² is divided out once too often.": (
            lambda x, W, s: _ridge(x, W, s) / s
        ),
        "multiply by the inverse of M, not by M.": (
            lambda x, W, s: x @ W @ (W.T @ W + s * _identity(W))
        ),
        "subtract nothing: σ² is added to WᵀW.": lambda x, W, s: _ridge(x, W, -s),
        "the result lies the wrong way round: one row a point, (N, d).": (
            lambda x, W, s: _ridge(x, W, s).T
        ),
        "this is the reconstruction W E[z|x]; the code itself is asked for.": (
            lambda x, W, s: _ridge(x, W, s) @ W.T
        ),
        "WWᵀ + σ² I is D×D; it goes between Wᵀ and x: Wᵀ(WWᵀ + σ² I)⁻¹x.": (
            lambda x, W, s: x @ torch.linalg.inv(W @ W.T + s * _identity(W.T))
        ),
    },
    also_right=[
        _ridge,
        lambda x, W, s: x @ torch.linalg.inv(W @ W.T + s * _identity(W.T)) @ W,  # Woodbury
    ],
)
