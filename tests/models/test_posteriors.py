"""Posteriors: the standard one, and one of a learner's own."""

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Laplace, Normal

from vae_teach import evaluation
from vae_teach.explorers import DrawDigit, LatentPlane, LatentSliders
from vae_teach.models import VAE
from vae_teach.models.posteriors import DiagonalGaussian
from vae_teach.objectives import beta_tcvae, elbo
from vae_teach.training import fit

X = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(30) % 10


class Peaked(nn.Module):
    """Laplace in each dimension."""

    numbers = 2

    def forward(self, outputs):
        mean, log_scale = outputs.chunk(2, dim=-1)
        return Independent(Laplace(mean, log_scale.exp()), 1)


class OneWidth(nn.Module):
    """A Gaussian whose one standard deviation is learned, not encoded: a number a dimension."""

    numbers = 1

    def __init__(self):
        super().__init__()
        self.log_sd = nn.Parameter(torch.zeros(()))

    def forward(self, outputs):
        return Independent(Normal(outputs, self.log_sd.exp().expand_as(outputs)), 1)


def test_the_standard_one_is_means_then_log_variances():
    outputs = torch.tensor([[0.5, -1.0, 2.0, -100.0], [0.0, 3.0, 0.0, 100.0]])
    q = DiagonalGaussian()(outputs)
    assert (q.batch_shape, q.event_shape) == ((2,), (2,))
    assert torch.equal(q.mean, outputs[:, :2])
    wanted = (0.5 * outputs[:, 2:].clamp(-20, 20)).exp()
    torch.testing.assert_close(q.stddev, wanted)


@pytest.mark.parametrize("part", [Peaked, OneWidth])
def test_one_of_a_learner_s_own_works(part, digits):
    torch.manual_seed(0)
    model = VAE(2, hidden=(16,), posterior=part())
    assert model.encoder[-1].out_features == 2 * part.numbers
    before = elbo(model, digits.test_images).bound.mean()
    fit(model, digits.train_images, elbo, epochs=12, batch_size=64, lr=3e-3, progress=False)
    assert elbo(model, digits.test_images).bound.mean() > before + 50
    x = digits.test_images[:5]
    with torch.no_grad():
        kl = elbo(model, x).kl.mean().item()
    assert evaluation.kl_by_dimension(model, x).sum().item() == pytest.approx(kl, rel=1e-4)
    exact = evaluation.exact_log_likelihood(model, x)
    assert (exact - evaluation.log_likelihood(model, x, samples=2000)).abs().max() < 0.5
    assert LatentPlane(model, X, LABELS, choices=2).still()
    assert LatentSliders(model, images=X).still()
    with pytest.raises(ValueError, match="encode does not return the Gaussian whose means"):
        DrawDigit(model, X, LABELS)


def test_what_needs_gaussians_says_so():
    model = VAE(2, hidden=(8,), posterior=Peaked())
    for use in (evaluation.kl_parts, lambda m, x: beta_tcvae(m, x, 2.0, 100)):
        with pytest.raises(TypeError, match="a batch of diagonal Gaussians"):
            use(model, X)
