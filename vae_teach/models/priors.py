"""Priors p(z).

A prior is called without arguments and returns a Distribution with batch shape () and event shape
(d,). The functions below ask of such a Distribution, ours or a learner's own, what grids and maps need.
"""

import torch
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae_teach import checks


class StandardNormal(nn.Module):
    """N(0, I) over d = latent_dim dimensions; nothing is learned."""

    def __init__(self, latent_dim):
        super().__init__()
        checks.positive_int(latent_dim, "latent_dim")
        self.register_buffer("mean", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("scale", torch.ones(latent_dim), persistent=False)

    def forward(self):
        """p(z)."""
        return Independent(Normal(self.mean, self.scale, validate_args=False), 1)


class MixtureOfGaussians(nn.Module):
    """K diagonal Gaussians whose means, scales and weights are learned with the model.

    KL(q(z|x) || p(z)) has no closed form then: `elbo` estimates it from its draws of z.

    Args:
        latent_dim: dimensions d of the code.
        components: K. Their means start as draws from N(0, I), their scales as 1, their weights as 1/K.

    Raises:
        TypeError, ValueError: one of the two is no whole number >= 1.
    """

    def __init__(self, latent_dim, components):
        super().__init__()
        checks.positive_int(latent_dim, "latent_dim")
        checks.positive_int(components, "components")
        self.means = nn.Parameter(torch.randn(components, latent_dim))
        self.log_scales = nn.Parameter(torch.zeros(components, latent_dim))
        self.logits = nn.Parameter(torch.zeros(components))

    def forward(self):
        """p(z)."""
        parts = Independent(Normal(self.means, self.log_scales.exp(), validate_args=False), 1)
        weights = Categorical(logits=self.logits, validate_args=False)
        return MixtureSameFamily(weights, parts, validate_args=False)


def centres(prior):
    """Means and standard deviations, each (K, d), of the K parts of a mixture; K is 1 for others.

    Raises:
        ValueError: one of these numbers is not finite, as for a Cauchy distribution.
    """
    parts = getattr(prior, "component_distribution", prior)
    mean, sd = (v.detach().reshape(-1, *prior.event_shape) for v in (parts.mean, parts.stddev))
    checks.finite(torch.stack([mean, sd]), "the prior's mean or standard deviation")
    return mean, sd


def box(prior, widths):
    """Lowest and highest codes, each (d,), `widths` standard deviations around all of p(z)'s parts."""
    mean, sd = centres(prior)
    return (mean - widths * sd).amin(0), (mean + widths * sd).amax(0)


def is_standard(prior):
    """Whether p(z) is N(0, I)."""
    normal = isinstance(prior, Independent) and isinstance(prior.base_dist, Normal)
    return normal and bool((prior.mean == 0).all() and (prior.stddev == 1).all())


def by_dimension(prior, name="prior"):
    """The distributions p(z_j) of single dimensions: batch shape (d,), or (B, d) of a batch of q(z|x).

    Args:
        prior: over whole codes.
        name: how a message calls it.

    Raises:
        TypeError: neither `Independent(...)` over the dimensions nor a mixture of such Gaussians.
    """
    if isinstance(prior, Independent) and prior.base_dist.event_shape == ():
        return prior.base_dist
    parts = getattr(prior, "component_distribution", None)
    if not (isinstance(parts, Independent) and isinstance(parts.base_dist, Normal)):
        raise TypeError(
            f"{name} is {type(prior).__name__}: dimension by dimension, Independent(..., 1) or a "
            "MixtureSameFamily of Independent(Normal(...), 1) is needed."
        )
    weights = prior.mixture_distribution.logits.expand(prior.event_shape[0], -1)  # (d, K)
    turned = Normal(parts.mean.t(), parts.stddev.t(), validate_args=False)
    return MixtureSameFamily(Categorical(logits=weights), turned, validate_args=False)
