"""Exercises of chapter 07, EM and the VAE."""

import numpy as np
import torch
from scipy import special, stats
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from vae_teach.chapters.em.answers import (
    around,
    by_conditioning,
    by_cov,
    counts,
    discrete,
    elbo,
    entropy,
    everything,
    gap,
    hard,
    identity,
    means,
    mixture,
    points,
    ppca,
    ridge,
)
from vae_teach.exercises import Exercise

check_responsibilities = Exercise(
    "p(z = k | x): weights (K,), log p(x | z = k) (N, K) -> (N, K).",
    inputs=[
        mixture(0, 4, 0.2, 0.5, 0.3),
        mixture(1, 3, 0.1, 0.4, 0.2, 0.3),
        mixture(2, 3, 0.6, 0.3, 0.1),
        mixture(3, 1, 0.7, 0.3),
        mixture(4, 2, 0.05, 0.05, 0.1, 0.3, 0.5),
    ],
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
        "the weights are squared: π counts once.": lambda w, a: (2 * w.log() + a).softmax(1),
        "the weights are multiplied in, not divided out: add log π.": (
            lambda w, a: (a - w.log()).softmax(1)
        ),
        "the logarithm of π is natural, as that of the densities is.": (
            lambda w, a: (w.log2() + a).softmax(1)
        ),
        "softmax takes logarithms, not densities.": lambda w, a: (w * a.exp()).softmax(1),
        "this is p(z), the weights again: x says nothing here.": lambda w, a: w.expand_as(a),
        "divide by the sum over the components; you divided by the largest.": (
            lambda w, a: (w.log() + a - (w.log() + a).amax(1, keepdim=True)).exp()
        ),
        "normalize each point by itself, not all of them together.": (
            lambda w, a: (w.log() + a).flatten().softmax(0).reshape(a.shape)
        ),
        "a sigmoid judges each component alone; the rows must sum to 1.": (
            lambda w, a: (w.log() + a).sigmoid()
        ),
        "these are the new weights, an average over the points; each point's own row is asked for.": (
            lambda w, a: (w.log() + a).softmax(1).mean(0)
        ),
        "these are the N_k, sums over the points; each point's own row is asked for.": (
            lambda w, a: (w.log() + a).softmax(1).sum(0)
        ),
        "this is the likeliest component's number, k-means' hard choice.": (
            lambda w, a: (w.log() + a).argmax(1)
        ),
        "these are the probabilities of all other components: one minus too many.": (
            lambda w, a: 1 - (w.log() + a).softmax(1)
        ),
    },
    also_right=[
        lambda w, a: (w.log() + a).softmax(1),
        lambda w, a: (w.log() + a - (w.log() + a).logsumexp(1, keepdim=True)).exp(),
        lambda w, a: special.softmax(np.log(w.numpy()) + a.numpy(), axis=1),
        lambda w, a: torch.stack([torch.softmax(row + w.log(), 0) for row in a]),
        lambda w, a: np.exp(
            (w.log() + a).numpy() - special.logsumexp(a.numpy(), axis=1, b=w.numpy(), keepdims=True)
        ),
        # only differences count: the largest may be taken away first
        lambda w, a: F.normalize(w * (a - a.amax(1, keepdim=True)).exp(), p=1.0, dim=1),
    ],
)

check_covariances = Exercise(
    "Covariances of the M step: x (N, D), responsibilities (N, K) -> (K, D, D).",
    inputs=[
        points(0, 7, 2, 3),
        points(1, 9, 3, 2),
        points(2, 3, 3, 3),
        points(3, 6, 1, 4),
        points(4, 2, 2, 2),
        points(5, 8, 4, 1),
    ],
    right=by_cov,
    mistakes={
        "divide by N_k = Σ r, not by the number of points N.": (
            lambda x, r: around(x, r, means(x, r), everything(r))
        ),
        "divide by N_k, in the means and in the covariances: not by N.": (
            lambda x, r: around(x, r, r.T @ x / len(x), everything(r))
        ),
        "weigh the squares by r, too.": (
            lambda x, r: around(x, torch.ones_like(r), means(x, r), counts(r))
        ),
        "these are sums, not means: divide Σ r x by N_k before you subtract.": (
            lambda x, r: around(x, r, r.T @ x, counts(r))
        ),
        "take the offsets from each component's own new mean, not from the mean of all "
        "points.": lambda x, r: around(x, r, x.mean(0), counts(r)),
        "the offsets must be taken from the means; these are second moments.": (
            lambda x, r: around(x, r, 0.0, counts(r))
        ),
        "divide by N_k: this is the sum.": lambda x, r: by_cov(x, r) * counts(r)[:, None, None],
        "you squared the responsibilities: a point counts r times, not r² times.": (
            lambda x, r: around(x, r**2, means(x, r), counts(r))
        ),
        "the responsibilities are missing: every component gets the same points.": (
            lambda x, r: by_cov(x, torch.ones_like(r))
        ),
        "these use the mean of all points and count all alike: weigh by r.": (
            lambda x, r: around(x, torch.ones_like(r), means(x, r), everything(r))
        ),
        "you gave each point to its likeliest component, as k-means does: weigh by r.": (
            lambda x, r: around(x, *hard(x, r))
        ),
        "no −1 here: maximum likelihood divides by N_k.": (
            lambda x, r: around(x, r, means(x, r), counts(r) - 1)
        ),
        "the means are off: divide Σ r x by N_k, not by N.": (
            lambda x, r: around(x, r, r.T @ x / len(x), counts(r))
        ),
        "the correlations are missing: off the diagonal a covariance is not 0.": (
            lambda x, r: torch.diag_embed(by_cov(x, r).diagonal(dim1=1, dim2=2))
        ),
        "the outer product of the offsets is needed, not the inner one: a D×D matrix each.": (
            lambda x, r: by_cov(x, r).diagonal(dim1=1, dim2=2).sum(1)
        ),
        "these are the variances alone, (K, D): a covariance has the products of unlike dimensions, "
        "too.": lambda x, r: by_cov(x, r).diagonal(dim1=1, dim2=2),
        "these are correlations: do not divide by the deviations.": lambda x, r: torch.stack(
            [c / c.diag().outer(c.diag()).sqrt() for c in by_cov(x, r)]
        ),
        "one covariance for each component is asked for; you averaged them.": (
            lambda x, r: by_cov(x, r).mean(0)
        ),
        "one covariance for each component is asked for; you summed them.": (
            lambda x, r: by_cov(x, r).sum(0)
        ),
        "N − 1 is no component's number of points: divide by N_k.": (
            lambda x, r: around(x, r, means(x, r), everything(r) - 1)
        ),
        "divide by N_k, not by the number of components.": (
            lambda x, r: by_cov(x, r) * (counts(r) / r.shape[1])[:, None, None]
        ),
        "no ½ here: that of the Gaussian's exponent cancels.": lambda x, r: 0.5 * by_cov(x, r),
        "the product of the means is subtracted: E[x xᵀ] − m mᵀ.": lambda x, r: (
            around(x, r, 0.0, counts(r)) + torch.einsum("ki,kj->kij", means(x, r), means(x, r))
        ),
        "subtract each component's own m mᵀ, not that of the mean of all points.": (
            lambda x, r: around(x, r, 0.0, counts(r)) - x.mean(0).outer(x.mean(0))
        ),
        "the component comes first: (K, D, D).": lambda x, r: by_cov(x, r).permute(1, 2, 0),
        "divide by N_k once: the responsibilities are normalized already.": (
            lambda x, r: by_cov(x, r) / counts(r)[:, None, None]
        ),
    },
    also_right=[
        lambda x, r: around(x, r, means(x, r), counts(r)),
        lambda x, r: (
            torch.einsum("nk,ni,nj->kij", r, x, x) / counts(r)[:, None, None]
            - means(x, r)[:, :, None] * means(x, r)[:, None]
        ),
        lambda x, r: np.stack(
            [np.cov(x.numpy().T, aweights=w, ddof=0) for w in r.numpy().T]
        ).reshape(r.shape[1], x.shape[1], x.shape[1]),
        lambda x, r: torch.stack(
            [
                (x - m).T @ torch.diag(w) @ (x - m) / w.sum()
                for m, w in zip(means(x, r), r.T, strict=True)
            ]
        ),
        lambda x, r: sum(
            (w / counts(r))[:, None, None]
            * (row - means(x, r))[:, :, None]
            * (row - means(x, r))[:, None]
            for row, w in zip(x, r, strict=True)
        ),
    ],
)

check_elbo = Exercise(
    "ELBO of a discrete encoder: responsibilities (N, K), log p(x, z = k) (N, K) -> (N,) nats.",
    inputs=[
        discrete(0, 4, 3),
        discrete(1, 5, 2),
        discrete(2, 3, 3),
        discrete(3, 1, 4),
        discrete(4, 2, 6, 9.0),
    ],
    right=elbo,
    mistakes={
        "0 log 0 counts as 0 but is NaN in torch: use torch.special.entr or xlogy.": (
            lambda r, a: (r * (a - r.log())).sum(1)
        ),
        "the entropy is weighed, too: −Σ r log r.": lambda r, a: (r * a - r.log()).sum(1),
        "the entropy of q is missing: this is what the M step maximizes.": (
            lambda r, a: (r * a).sum(1)
        ),
        "the entropy has the wrong sign: −log q is added.": (
            lambda r, a: (r * a).sum(1) - entropy(r)
        ),
        "this is −ELBO.": lambda r, a: -elbo(r, a),
        "this is log p(x), the ELBO of the best encoder; r is another one.": (
            lambda r, a: a.logsumexp(1)
        ),
        "this is the gap KL(q‖p(z|x)), not the bound.": gap,
        "weigh log p(x, z) by r: the expectation is over q.": (lambda r, a: a.sum(1) + entropy(r)),
        "the logarithm goes inside: Σ r log p(x, z), not log Σ r p(x, z).": (
            lambda r, a: (r * a.exp()).sum(1).log() + entropy(r)
        ),
        "this is only the entropy of q.": lambda r, a: entropy(r),
        "sum over the components: r already holds the weights of a mean.": (
            lambda r, a: elbo(r, a) / r.shape[1]
        ),
        "one number a point is needed; the mean over points comes later.": (
            lambda r, a: elbo(r, a).mean()
        ),
        "sum over the components: (N, K) must become (N,).": (
            lambda r, a: r * a + torch.special.entr(r)
        ),
        "nats are wanted: the natural logarithm.": lambda r, a: elbo(r, a) / np.log(2),
        "log p(x, z) of the likeliest component alone: weigh all of them by r.": (
            lambda r, a: a.gather(1, r.argmax(1, keepdim=True))[:, 0]
        ),
        "the mean over the components is weighed by r, not equally.": (
            lambda r, a: a.mean(1) + entropy(r)
        ),
        "the entropy is q's own, not that of equal responsibilities.": (
            lambda r, a: (r * a).sum(1) + np.log(r.shape[1])
        ),
        "log p(x, z) is given: do not take its exp.": (
            lambda r, a: (r * a.exp()).sum(1) + entropy(r)
        ),
        "the gap is subtracted from log p(x), not added to it.": (
            lambda r, a: a.logsumexp(1) + gap(r, a)
        ),
        "this is −KL(q‖p(z|x)): log p(x) is missing, or the joint was normalized.": (
            lambda r, a: -gap(r, a)
        ),
        "the gap is KL(q ‖ p(z|x)); you subtracted the KL the other way round.": (
            lambda r, a: (
                a.logsumexp(1)
                - kl_divergence(Categorical(logits=a), Categorical(probs=r, validate_args=False))
            )
        ),
        "one number a point is needed; the sum over points comes later.": (
            lambda r, a: elbo(r, a).sum()
        ),
        "sum over the components (dim=1), not over the points.": (
            lambda r, a: (r * a + torch.special.entr(r)).sum(0)
        ),
        "the entropy counts once.": lambda r, a: (r * a).sum(1) + 2 * entropy(r),
        "this is the sum of log p(x, z): weigh it by r, and add the entropy.": lambda r, a: a.sum(
            1
        ),
    },
    also_right=[
        lambda r, a: (r * a + torch.special.entr(r)).sum(1),
        lambda r, a: (r * a - torch.xlogy(r, r)).sum(1),
        lambda r, a: (r.numpy() * a.numpy()).sum(1) + stats.entropy(r.numpy(), axis=1),
        lambda r, a: np.sum(r.numpy() * a.numpy() - special.xlogy(r.numpy(), r.numpy()), axis=1),
        lambda r, a: torch.tensor(
            [
                sum(p * (b - np.log(p)) for p, b in zip(*row, strict=True) if p > 0)
                for row in zip(r.tolist(), a.tolist(), strict=True)
            ]
        ),
        lambda r, a: (r * a).sum(1) + Categorical(probs=r, validate_args=False).entropy(),
        lambda r, a: torch.where(r > 0, r * (a - r.log()), 0.0).sum(1),
    ],
)

check_posterior_mean = Exercise(
    "Mean of p(z|x) in probabilistic PCA: centred x (N, D), W (D, d), variance () -> (N, d).",
    inputs=[
        ppca(0, 5, 4, 2, 0.6),
        ppca(1, 4, 5, 3, 1.7),
        ppca(2, 3, 3, 3, 0.3),
        ppca(3, 1, 6, 1, 2.5),
        ppca(4, 6, 2, 2, 0.05),
    ],
    right=by_conditioning,
    mistakes={
        "σ² is missing: this is least squares, without the prior's pull to 0.": (
            lambda x, W, s: ridge(x, W, 0.0)
        ),
        "σ² goes on the diagonal only: use variance * torch.eye(d).": (
            lambda x, W, s: x @ W @ torch.linalg.inv(W.T @ W + s)
        ),
        "add σ² I, not I: the noise decides how much the prior counts.": (
            lambda x, W, s: ridge(x, W, 1.0)
        ),
        "you squared σ²: `variance` is σ² already.": lambda x, W, s: ridge(x, W, s**2),
        "you took its root: M holds σ², not σ.": lambda x, W, s: ridge(x, W, s.sqrt()),
        "M⁻¹ is missing: Wᵀx alone is on the wrong scale.": lambda x, W, s: x @ W,
        "a factor σ² too much: it belongs to the covariance (or, if you divided M by σ², divide "
        "Wᵀx, too).": lambda x, W, s: s * ridge(x, W, s),
        "Wᵀx/σ² goes with M/σ²: here σ² is divided out once too often.": (
            lambda x, W, s: ridge(x, W, s) / s
        ),
        "multiply by the inverse of M, not by M.": (
            lambda x, W, s: x @ W @ (W.T @ W + s * identity(W))
        ),
        "subtract nothing: σ² is added to WᵀW.": lambda x, W, s: ridge(x, W, -s),
        "the result lies the wrong way round: one row a point, (N, d).": (
            lambda x, W, s: ridge(x, W, s).T
        ),
        "this is the reconstruction W E[z|x]; the code itself is asked for.": (
            lambda x, W, s: ridge(x, W, s) @ W.T
        ),
        "WWᵀ + σ² I is D×D; it goes between Wᵀ and x: Wᵀ(WWᵀ + σ² I)⁻¹x.": (
            lambda x, W, s: x @ torch.linalg.inv(W @ W.T + s * identity(W.T))
        ),
        "no 2 here: add σ² I, the halves of both terms cancel.": lambda x, W, s: ridge(x, W, 2 * s),
        "a ½ too much: add σ² I, the halves of both terms cancel.": (
            lambda x, W, s: ridge(x, W, 0.5 * s)
        ),
        "add σ² I, not I / σ²: more noise means a stronger pull to 0.": (
            lambda x, W, s: ridge(x, W, 1 / s)
        ),
        "the sign is turned.": lambda x, W, s: -ridge(x, W, s),
        "this is the posterior's covariance σ² M⁻¹; its mean is asked for.": lambda x, W, s: (
            s * torch.linalg.inv(W.T @ W + s * identity(W))
        ),
        "this is M⁻¹; multiply it with Wᵀx.": lambda x, W, s: torch.linalg.inv(
            W.T @ W + s * identity(W)
        ),
        "x is centred already, on the mean of all images; the batch's own mean stays in.": (
            lambda x, W, s: ridge(x - x.mean(0), W, s)
        ),
        "the inverse of a matrix, not of each of its entries.": lambda x, W, s: (
            x @ W @ (1 / (W.T @ W + s * identity(W)))
        ),
        "M is not diagonal for every W: invert the matrix, do not divide by its diagonal.": (
            lambda x, W, s: x @ W / (W.T @ W + s * identity(W)).diag()
        ),
        "this is a projection on columns of length 1, as in PCA: M⁻¹ is asked for.": (
            lambda x, W, s: x @ F.normalize(W, dim=0)
        ),
        "one row a point is needed; you averaged over the points.": (
            lambda x, W, s: ridge(x, W, s).mean(0)
        ),
        "this divides Wᵀx by σ² alone: M, with WᵀW in it, is missing.": lambda x, W, s: x @ W / s,
    },
    also_right=[
        ridge,
        lambda x, W, s: x @ torch.linalg.inv(W @ W.T + s * identity(W.T)) @ W,  # Woodbury,
        lambda x, W, s: torch.linalg.solve(W.T @ W + s * identity(W), W.T @ x.T).T,
        lambda x, W, s: np.linalg.solve(W.T @ W + s * identity(W), (x @ W).T).T,
        lambda x, W, s: torch.stack(
            [torch.linalg.inv(identity(W) + W.T @ W / s) @ (W.T @ row / s) for row in x]
        ),
        # least squares on a table with the prior's rows below
        lambda x, W, s: (
            torch.linalg.lstsq(
                torch.cat([W, s.sqrt() * identity(W)]), F.pad(x.T, (0, 0, 0, W.shape[1]))
            ).solution.T
        ),
    ],
)
