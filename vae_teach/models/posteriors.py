"""Posteriors q(z|x): what an encoder's numbers mean.

A posterior is called with the encoder's numbers (B, numbers · d) and returns a Distribution with batch
shape (B,) and event shape (d,).
"""

from torch import nn
from torch.distributions import Independent, Normal

LOG_VARIANCE_LIMIT = 20.0  # standard deviations from 4.5e-5 to 2.2e4: no overflow in float32


class DiagonalGaussian(nn.Module):
    """Means, then log-variances, which are clamped to [-20, 20] so that none overflows.

    Attributes:
        numbers: how many numbers of the encoder a dimension of the code takes.
    """

    numbers = 2

    def forward(self, outputs):
        """q(z|x) of the encoder's numbers (B, 2d)."""
        mean, log_variance = outputs.chunk(2, dim=-1)
        log_variance = log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)
        return Independent(Normal(mean, (0.5 * log_variance).exp(), validate_args=False), 1)
