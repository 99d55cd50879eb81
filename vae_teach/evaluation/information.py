"""What the KL term is made of: information about the image, correlation, shape. In nats."""

import math
from typing import NamedTuple

import torch
from torch.distributions import Independent, Normal, kl_divergence

from vae_teach import checks
from vae_teach.models.interface import encoded, images_for, looks, prior_of
from vae_teach.models.priors import by_dimension
from vae_teach.objectives import kl_term

USED = 0.05  # nats; a dimension whose mean KL is below it is called unused


class KLParts(NamedTuple):
    """Three parts of the mean KL(q(z|x) || p(z)), in nats an image."""

    mutual_information: float
    """I(z; x) where x is one of the N images given, each equally likely: at most log N."""
    total_correlation: float
    """KL(q(z) || Π_j q(z_j)): how far the dimensions of the aggregate are from independent."""
    dimensionwise_kl: float
    """Σ_j KL(q(z_j) || p(z_j)): how far each dimension alone is from the prior."""


@looks
def kl_by_dimension(model, x):
    """KL(q(z_j|x) || p(z_j)) of each dimension, averaged over images: what it costs to use it.

    Args:
        model: has `encode` and `prior`, whose dimensions are independent. The prior may also be a
            mixture of such Gaussians: then p(z_j) is a mixture too, and the KL, which has no closed
            form, an average over 100 seeded draws from each q(z_j|x).
        x: images (N, C, H, W) in [0, 1].

    Returns:
        float32 (d,) in nats an image; for a prior of independent dimensions the sum is the mean
        KL(q(z|x) || p(z)).

    Raises:
        TypeError: another kind of encoder or prior.
    """
    x = images_for(model, x)
    prior = by_dimension(prior_of(model), "model.prior")

    def of(part):
        q = by_dimension(encoded(model, part), "q(z|x)")
        try:
            return kl_divergence(q, prior)
        except NotImplementedError:
            return kl_term(q, prior, _draw(q, 100, 0)).mean(0)

    return torch.cat([of(part) for part in x.split(1000)]).mean(0)


@looks
def kl_parts(model, x, samples=1, seed=0):
    """The mean KL term in three parts (Chen et al. 2018, arXiv:1802.04942, eq. 2).

    Hoffman & Johnson 2016 ("ELBO surgery") split it in two: mutual information and KL(q(z) || p(z)).
    For a prior of independent dimensions the second part is total correlation and dimension-wise KL.

    The aggregate posterior q(z) = mean over n of q(z|x_n) is the exact mixture over the N images
    given; only the expectation over z is estimated, from `samples` draws of each q(z|x_n). The parts
    sum to the mean KL up to that Monte Carlo error.

    They are the parts for *these N images*. With N for all images, mutual_information is too low on
    average, by the mean KL of the N images' aggregate from that of all, at every N and for every code:
    less as N grows, and most where it nears log N, more than which N images cannot tell. What it
    lacks appears in the other two parts, mostly as total correlation. Compare models at one and the
    same N only.

    Args:
        model: has `encode` (diagonal Gaussians) and `prior`. Where the prior's dimensions are not
            independent, as in a mixture, the third part is E[Σ_j log q(z_j) − log p(z)].
        x: images (N, C, H, W) in [0, 1].
        samples: draws of z for each image.
        seed: of the draws; the caller's random state is left as it was.

    Returns:
        KLParts of floats in nats. The time grows as samples * N² * d.

    Raises:
        TypeError, ValueError: no such images, samples or seed, or an encoder without Gaussians.
    """
    x = images_for(model, x)
    checks.positive_int(samples, "samples")
    checks.seed(seed)
    q = _encoded(model, x)
    z = _draw(q, samples, seed)  # (S, N, d)
    joint, single = (part.reshape(samples, len(x), -1) for part in _aggregate(q, z.flatten(0, 1)))
    return KLParts(
        (q.log_prob(z) - joint[..., 0]).mean().item(),
        (joint[..., 0] - single.sum(2)).mean().item(),
        (single.sum(2) - prior_of(model).log_prob(z)).mean().item(),
    )


@torch.no_grad()
def total_correlation(q, z=None, seed=0):
    """KL(q(z) || Π_j q(z_j)) of the aggregate posterior q(z) = mean over n of q(z|x_n) (Watanabe 1960).

    The mixture over the N components given is exact; the expectation is an average over the points z.
    With these components standing for a larger set (a mixture of N where there should be more),
    the estimate is too high, by less the more the components overlap.

    Args:
        q: `model.encode(x)`: diagonal Gaussians with batch shape (N,) and event shape (d,).
        z: points (M, d) drawn from q(z); None draws one from each component.
        seed: of those draws; the caller's random state is left as it was.

    Returns:
        A float in nats, 0 for independent dimensions.

    Raises:
        TypeError: q is no batch of diagonal Gaussians.
        TypeError, ValueError: z holds no codes of d numbers, or q none at all; no such seed.
    """
    checks.diagonal_gaussians(q)
    checks.seed(seed)
    if z is None:
        z = _draw(q, 1, seed)[0]
    checks.codes(q.mean, q.event_shape[0], least=1, name="q.mean")
    checks.codes(z, q.event_shape[0], least=1)
    joint, single = _aggregate(q, z.reshape(-1, z.shape[-1]))
    return (joint - single.sum(1)).mean().item()


@looks
def active_units(model, x, threshold=0.01):
    """Dimensions whose mean moves with the image: variance over x of E_q[z_j] > threshold.

    From Burda et al. 2016 (arXiv:1509.00519, section 5), with their threshold.

    Args:
        model: has `encode`.
        x: images (N, C, H, W) in [0, 1], at least 2.
        threshold: of the variance, at least 0.

    Returns:
        bool (d,); its sum is the number of active dimensions.
    """
    x = images_for(model, x)
    checks.non_negative(threshold, "threshold")
    if len(x) < 2:
        raise ValueError("x holds 1 image, at least 2 are needed for a variance.")
    return _encoded(model, x).mean.var(0) > threshold


def _encoded(model, x):
    """q(z|x) of many images, encoded a thousand at a time."""
    parts = [encoded(model, part) for part in x.split(1000)]
    checks.diagonal_gaussians(parts[0])
    mean, sd = torch.cat([q.mean for q in parts]), torch.cat([q.stddev for q in parts])
    return Independent(Normal(mean, sd), 1)


def _draw(q, samples, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return q.sample((samples,))


def _aggregate(q, z, size=4_000_000):
    """log q(z) (M,) and log q(z_j) (M, d) of points z (M, d), under the mixture of all N of q."""
    mean, scale = q.base_dist.loc, q.base_dist.scale
    joint, single = [], []
    for part in z.split(max(1, size // mean.numel())):
        density = Normal(mean, scale, validate_args=False).log_prob(part[:, None])  # (m, N, d)
        joint.append(density.sum(2).logsumexp(1))
        single.append(density.logsumexp(1))
    return torch.cat(joint) - math.log(len(mean)), torch.cat(single) - math.log(len(mean))
