"""Floor 1: distributions that torch.distributions lacks, or gets wrong where the course goes."""

from vae_teach.distributions.continuous_bernoulli import ContinuousBernoulli

__all__ = ["ContinuousBernoulli"]
