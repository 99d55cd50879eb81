"""Likelihoods p(x|z): what a decoder's numbers mean.

A likelihood is called with the decoder's numbers (..., numbers · C, H, W) and returns a Distribution
with batch shape (...) and event shape (C, H, W). It also knows what pictures and pages need: the image
to show, and how to compute that in the page. One of your own has `forward`; the rest is inherited.
"""

import math

import torch
from torch import nn
from torch.distributions import Independent, Normal

from vae_teach import checks, distributions


class Likelihood(nn.Module):
    """What holds for every likelihood, and for a model's `decode` that has none of these parts.

    Attributes:
        numbers: how many numbers of the decoder a channel of a pixel takes.
        page: what a page does with the decoder's numbers to get the mean image, layers such as
            ("sigmoid",); None where it cannot.
        probabilities: whether the mean image is the probability of ink, from which a page
            computes −log p(x|z).
    """

    numbers = 1
    page = None
    probabilities = False

    def mean_image(self, p):
        """The image that stands for p(x|z) in pictures, ink cut to [0, 1]: its mean."""
        return p.mean.clamp(0, 1)

    def pairwise_log_prob(self, p, x):
        """log p(x_b | z_g) of images x (B, C, H, W) under p, batch shape (G,): (B, G) in nats."""
        rows = max(1, 10_000_000 // (math.prod(p.batch_shape) * x[0].numel()))  # 40 MB at a time
        return torch.cat([p.log_prob(part[:, None]) for part in x.split(rows)])


class Bernoulli(Likelihood):
    """Ink or no ink in each pixel, with the decoder's number as its logit; greys count in between.

    For x strictly between 0 and 1 the "log-probability" x log λ + (1 − x) log(1 − λ) is customary,
    but no density over [0, 1]: `ContinuousBernoulli` is one.
    """

    page = (("sigmoid",),)
    probabilities = True

    def forward(self, outputs):
        """p(x|z) of logits (..., C, H, W)."""
        return Independent(torch.distributions.Bernoulli(logits=outputs, validate_args=False), 3)

    def pairwise_log_prob(self, p, x):
        """(B, G) as one matrix product: log p(x) is x · logit + log p(0)."""
        logits = p.base_dist.logits
        return x.flatten(1) @ logits.flatten(1).t() + p.log_prob(torch.zeros_like(logits))


class ContinuousBernoulli(Bernoulli):
    """A density over [0, 1] in each pixel with the decoder's number as its logit (arXiv:1907.06845)."""

    page = (("continuous_bernoulli",),)
    probabilities = False

    def forward(self, outputs):
        """p(x|z) of logits (..., C, H, W)."""
        pixels = distributions.ContinuousBernoulli(logits=outputs, validate_args=False)
        return Independent(pixels, 3)


class Gaussian(Likelihood):
    """The decoder's number as the mean of each pixel, with one standard deviation for all.

    Args:
        sigma: standard deviation in units of ink (the image's range is [0, 1]), from 1e-6 to 1e6: it then
            stays what it is, also where a model's weights are thawed. None learns it.

    Raises:
        TypeError, ValueError: sigma is no such number.
    """

    page = (("clamp",),)

    def __init__(self, sigma=None):
        super().__init__()
        if sigma is None:
            self.log_sigma = nn.Parameter(torch.tensor(0.3).log())
        else:
            checks.width(sigma, "sigma")
            self.register_buffer("log_sigma", torch.tensor(math.log(sigma)))

    def forward(self, outputs):
        """p(x|z) of means (..., C, H, W)."""
        scale = self.log_sigma.exp().expand_as(outputs)
        return Independent(Normal(outputs, scale, validate_args=False), 3)

    def pairwise_log_prob(self, p, x):
        """(B, G) as matrix products, in float64: for a small sigma large numbers cancel."""
        dtype = torch.float32 if x.device.type == "mps" else torch.float64  # all that it has
        x, mean, variance = (v.flatten(1).to(dtype) for v in (x, p.mean, p.variance))
        precision = variance.reciprocal()
        constant = (mean**2 * precision - precision.log() + math.log(2 * math.pi)).sum(1)
        result = x @ (mean * precision).t() - 0.5 * (x**2 @ precision.t() + constant)
        return result.to(p.mean.dtype)


class Laplace(Likelihood):
    """The decoder's number as the median of each pixel: log p(x|z) is −|x − x̂| / scale, the L1 loss.

    Args:
        scale: mean of |x − x̂| in units of ink, from 1e-6 to 1e6.

    Raises:
        TypeError, ValueError: scale is no such number.
    """

    page = (("clamp",),)

    def __init__(self, scale=0.1):
        super().__init__()
        checks.width(scale, "scale")
        self.register_buffer("scale", torch.tensor(float(scale)))

    def forward(self, outputs):
        """p(x|z) of medians (..., C, H, W)."""
        scale = self.scale.expand_as(outputs)
        return Independent(torch.distributions.Laplace(outputs, scale, validate_args=False), 3)

    def pairwise_log_prob(self, p, x):
        """(B, G) by the distances Σ |x − x̂| of all pairs."""
        distance = torch.cdist(x.flatten(1), p.mean.flatten(1), p=1)
        return p.log_prob(p.mean) - distance / self.scale
