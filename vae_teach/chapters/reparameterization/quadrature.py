"""Expectations under a Gaussian as sums: the truth that estimators of a gradient are held against."""

import torch

_MIDPOINTS = (torch.arange(4000, dtype=torch.double) + 0.5) / 4000 * 16 - 8
_SCORES = torch.distributions.Normal(0.0, 1.0).log_prob(_MIDPOINTS).exp() * 16 / 4000
_SCORES = _SCORES * torch.stack([_MIDPOINTS, _MIDPOINTS**2 - 1])


def expected_gradient(function, mu, sigma):
    """Derivatives of E[f(z)], z ~ N(mu, sigma²), by the midpoint rule: (2,), for mu and sigma.

    It uses the density's derivative only, so it holds where f jumps.
    """
    value = function(mu + sigma * _MIDPOINTS).detach()
    return (_SCORES * value).sum(1) / sigma
