"""Floor 4: expectation–maximization, for mixtures of Gaussians and for probabilistic PCA.

In both models the posterior p(z|x) has a closed form, so the encoder can be exact (the E step) and
the best decoder for it, too (the M step). Densities come from torch.distributions.
"""

import math
from dataclasses import dataclass

import torch
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal

from vae_teach import checks


@dataclass(frozen=True)
class Mixture:
    """K Gaussians: p(x) = Σ_k weights_k N(x; means_k, covariances_k)."""

    weights: torch.Tensor  # (K,), the prior p(z = k); they sum to 1
    means: torch.Tensor  # (K, D)
    covariances: torch.Tensor  # (K, D, D), positive definite

    def log_joint(self, x):
        """log p(x, z = k) = log p(z = k) + log p(x | z = k) of points (N, D): (N, K) nats."""
        decoder = MultivariateNormal(self.means, self.covariances, validate_args=False)
        return self.weights.log() + decoder.log_prob(x[:, None])

    def log_prob(self, x):
        """log p(x) of points (N, D): (N,) nats."""
        return self.log_joint(x).logsumexp(1)


def e_step(model, x):
    """The exact encoder q(z = k | x) = p(z = k | x), called responsibilities: (N, D) -> (N, K)."""
    return model.log_joint(x).softmax(1)


def m_step(x, responsibilities, ridge=1e-6):
    """The mixture that maximizes the ELBO of given responsibilities (Bishop 2006, eq. 9.24 to 9.26).

    Args:
        x: (N, D) points.
        responsibilities: (N, K), rows summing to 1.
        ridge: added to the diagonal of every covariance, in squared units of x, so that a
            component on a single point, or on a line, keeps a density. 0 gives the exact maximum.

    Raises:
        ValueError: a component is responsible for nothing, or its covariance is singular.
    """
    counts = responsibilities.sum(0)  # (K,), how many points each component answers for
    if (counts < 1e-8).any():
        k = int(counts.argmin())
        raise ValueError(
            f"component {k} is responsible for {counts[k]:.1e} points: it has collapsed. "
            "Start elsewhere, or with fewer components."
        )
    means = responsibilities.t() @ x / counts[:, None]
    offsets = x[:, None] - means  # (N, K, D)
    covariances = torch.einsum("nk,nki,nkj->kij", responsibilities, offsets, offsets)
    covariances = covariances / counts[:, None, None] + ridge * torch.eye(x.shape[1]).to(x)
    failed = torch.linalg.cholesky_ex(covariances).info
    if failed.any():
        raise ValueError(
            f"the covariance of component {int(failed.argmax())} is singular: its points lie on a "
            f"line. Use a ridge above {ridge:g}, or fewer components."
        )
    return Mixture(counts / len(x), means, covariances)


def elbo(model, x, responsibilities):
    """E_q[log p(x, z) − log q(z|x)], exactly, for a discrete q: (N,) nats. 0 log 0 counts as 0."""
    entropy = torch.special.entr(responsibilities).sum(1)
    return (responsibilities * model.log_joint(x)).sum(1) + entropy


@dataclass(frozen=True)
class HalfStep:
    """Where EM stands after one half step."""

    name: str  # "start", "E" or "M"
    model: Mixture
    responsibilities: torch.Tensor  # (N, K), the encoder
    log_likelihood: float  # mean of log p(x) of the model, nats a point
    elbo: float  # its mean, nats a point


def mixture(x, start, steps, ridge=1e-6):
    """EM for a mixture of Gaussians with full covariances (Dempster, Laird & Rubin 1977).

    Args:
        x: (N, D) floating-point points; float64 where digits matter.
        start: `Mixture` with K components, K <= N.
        steps: E and M steps, >= 1 of each.
        ridge: as for `m_step`. A ridge above 0 gives up a little of the guarantee that log p(x)
            never falls.

    Returns:
        list of 1 + 2·steps `HalfStep`s: the start, whose encoder is its prior, then E, M, E, M, ...

    Raises:
        TypeError, ValueError: bad points, a start that does not fit them, or a collapse.
    """
    _points(x)
    checks.positive_int(steps, "steps")
    checks.non_negative(ridge, "ridge")
    _fits(start, x)
    path = []

    def note(name, model, q):
        log_p, bound = model.log_prob(x).mean(), elbo(model, x, q).mean()
        path.append(HalfStep(name, model, q, log_p.item(), bound.item()))
        return model, q

    model, q = note("start", start, start.weights.expand(len(x), -1))
    for _ in range(steps):
        model, q = note("E", model, e_step(model, x))
        model, q = note("M", m_step(x, q, ridge), q)
    return path


@dataclass(frozen=True)
class PPCA:
    """Probabilistic PCA: z ~ N(0, I), x | z ~ N(mean + loadings z, variance I)."""

    mean: torch.Tensor  # (D,)
    loadings: torch.Tensor  # (D, d), the matrix W
    variance: torch.Tensor  # σ², a scalar > 0

    def log_prob(self, x):
        """log p(x) = log N(x; mean, W Wᵀ + σ² I) of points (N, D), exactly: (N,) nats."""
        noise = self.variance.expand(len(self.mean))
        return LowRankMultivariateNormal(self.mean, self.loadings, noise).log_prob(x)

    def posterior(self, x):
        """p(z|x) = N(M⁻¹Wᵀ(x − mean), σ² M⁻¹) with M = WᵀW + σ²I (Tipping & Bishop, eq. 6)."""
        inverse = self._inverse()
        return MultivariateNormal(
            (x - self.mean) @ self.loadings @ inverse, self.variance * inverse
        )

    def _inverse(self):
        d = self.loadings.shape[1]
        return torch.linalg.inv(
            self.loadings.t() @ self.loadings + self.variance * torch.eye(d).to(self.loadings)
        )


def ppca(x, latent_dim):
    """The PPCA of largest likelihood, in closed form (Tipping & Bishop 1999, eq. 7 and 8).

    x is (N, D), floating-point, with N > D or not; latent_dim d is from 1 to D − 1.
    """
    covariance = _covariance(x, latent_dim)
    values, vectors = torch.linalg.eigh(covariance)  # ascending
    values, vectors = values.flip(0), vectors.flip(1)
    variance = values[latent_dim:].clamp(min=0).mean()
    if variance <= 1e-12 * values[0]:
        raise ValueError(
            f"x lies in {latent_dim} dimensions, the noise variance is 0: use fewer latent dimensions."
        )
    loadings = vectors[:, :latent_dim] * (values[:latent_dim] - variance).clamp(min=0).sqrt()
    return PPCA(x.mean(0), loadings, variance)


def _covariance(x, latent_dim):
    _points(x)
    checks.positive_int(latent_dim, "latent_dim")
    if latent_dim >= x.shape[1]:
        raise ValueError(
            f"latent_dim is {latent_dim} for points of {x.shape[1]} numbers, fewer are needed."
        )
    centred = x - x.mean(0)
    return centred.t() @ centred / len(x)


def _points(x):
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
        raise TypeError(f"x is {kind}, a floating-point tensor (N, D) is needed.")
    if x.dim() != 2 or len(x) < 2 or x.shape[1] < 1:
        raise ValueError(f"x has shape {tuple(x.shape)}, at least two points (N, D) are needed.")
    checks.finite(x, "x")


def _fits(start, x):
    count, size = len(start.weights), x.shape[1]
    shapes = (count,), (count, size), (count, size, size)
    for name, shape in zip(("weights", "means", "covariances"), shapes, strict=True):
        found = getattr(start, name)
        if found.shape != shape:
            raise ValueError(f"start.{name} has shape {tuple(found.shape)}, {shape} is needed.")
        checks.finite(found, f"start.{name}")
    if count > len(x):
        raise ValueError(f"x holds {len(x)} points, at least one for each of {count} components.")
    total = start.weights.sum().item()
    if (start.weights <= 0).any() or not math.isclose(total, 1, rel_tol=1e-5):
        raise ValueError(
            f"start.weights sum to {total:.4g}, positive numbers summing to 1 are needed."
        )
    if torch.linalg.cholesky_ex(start.covariances).info.any():
        raise ValueError("start.covariances are not positive definite.")
