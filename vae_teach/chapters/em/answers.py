"""What this chapter's exercises are asked with, and the formulas their answers are made of."""

import torch
from torch.distributions import Categorical, MultivariateNormal, kl_divergence
from torch.nn import functional as F


def mixture(seed, points, *weights):
    """A mixture's weights and log-likelihoods; the second point is far from all components."""
    draws = torch.Generator().manual_seed(seed)
    log_likelihood = 2 * torch.randn(points, len(weights), generator=draws, dtype=torch.double)
    log_likelihood[1:2] -= 2000  # exp underflows in float64, too
    return torch.tensor(weights, dtype=torch.double), log_likelihood


def points(seed, points, dimensions, components):
    """Points and responsibilities."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(points, dimensions, generator=draws, dtype=torch.double) + 1
    return x, torch.randn(points, components, generator=draws, dtype=torch.double).softmax(1)


def counts(r):
    """Each component's points, N_k, (K,)."""
    return r.sum(0)


def everything(r):
    """All points for each component, (K,)."""
    return torch.full_like(r[0], len(r))


def means(x, r):
    """The M step's means, (K, D)."""
    return r.T @ x / counts(r)[:, None]


def around(x, r, means, counts):
    """Weighed squares around the means, divided by the counts."""
    offsets = x[:, None] - means
    return torch.einsum("nk,nki,nkj->kij", r, offsets, offsets) / counts[:, None, None]


def by_cov(x, r):
    """The M step's covariances by torch, (K, D, D)."""
    each = [torch.cov(x.T, correction=0, aweights=weight) for weight in r.T]
    return torch.stack(each).reshape(r.shape[1], x.shape[1], x.shape[1])


def discrete(seed, points, components, shift=-3.0):
    """A discrete encoder, of whose points the third, if any, is sure, and log p(x, z)."""
    draws = torch.Generator().manual_seed(seed)
    log_joint = 2 * torch.randn(points, components, generator=draws, dtype=torch.double) + shift
    r = torch.randn(points, components, generator=draws, dtype=torch.double).softmax(1)
    r[2:3] = F.one_hot(torch.tensor(1), components)
    return r, log_joint


def gap(r, a):
    """KL of the encoder from the posterior, (N,)."""
    return kl_divergence(Categorical(probs=r, validate_args=False), Categorical(logits=a))


def elbo(r, a):
    """By the other road: log p(x) less the gap, (N,)."""
    return a.logsumexp(1) - gap(r, a)


def entropy(r):
    """The encoder's entropy, (N,)."""
    return torch.special.entr(r).sum(1)


def ppca(seed, points, pixels, dimensions, variance):
    """Points, a matrix W and a variance."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(points, pixels, generator=draws, dtype=torch.double)
    W = torch.randn(pixels, dimensions, generator=draws, dtype=torch.double)
    return x, W, torch.tensor(variance, dtype=torch.double)


def by_conditioning(x, W, s):
    """By conditioning the joint Gaussian of (z, x), with its precision matrix."""
    (D, d), one = W.shape, torch.ones_like
    top = torch.cat([torch.diag(one(W[0])), W.T], 1)
    joint = torch.cat([top, torch.cat([W, W @ W.T + s * torch.diag(one(W[:, 0]))], 1)])
    precision = MultivariateNormal(joint.new_zeros(D + d), joint).precision_matrix
    return -x @ precision[d:, :d] @ torch.linalg.inv(precision[:d, :d])


def identity(W):
    """The unit matrix of W's columns, (d, d)."""
    return torch.eye(W.shape[1], dtype=W.dtype)


def ridge(x, W, s):
    """The posterior mean by the small inverse, (N, d)."""
    return x @ W @ torch.linalg.inv(W.T @ W + s * identity(W))


def hard(x, r):
    """As k-means has it: responsibilities of 0 and 1, means and numbers of points."""
    r = F.one_hot(r.argmax(1), r.shape[1]).double()
    return r, means(x, r), counts(r)
