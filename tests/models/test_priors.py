"""Priors: a mixture in the bound, on grids, in importance sampling, and dimension by dimension."""

import pytest
import torch
from scipy import integrate
from some_models import Own, mixture
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

from vae_teach import evaluation
from vae_teach.models import VAE
from vae_teach.models.priors import (
    MixtureOfGaussians,
    StandardNormal,
    box,
    by_dimension,
    centres,
    is_standard,
)
from vae_teach.objectives import elbo
from vae_teach.training import fit


class LinearGaussian(nn.Module):
    """x = W z + noise under a mixture prior: log p(x) is a mixture of Gaussians, in closed form."""

    latent_dim, image_shape = 2, (1, 3, 3)

    def __init__(self):
        super().__init__()
        self.weight = 0.3 * torch.randn(9, 2, generator=torch.Generator().manual_seed(3))
        self.sigma, self.prior_part = 0.3, mixture()

    @property
    def prior(self):
        return self.prior_part()

    def encode(self, x):  # deliberately poor
        return Independent(Normal(torch.zeros(len(x), 2), 0.2 * torch.ones(len(x), 2)), 1)

    def decode(self, z):
        mean = (z @ self.weight.t()).reshape(*z.shape[:-1], 1, 3, 3)
        return Independent(Normal(mean, torch.full_like(mean, self.sigma)), 3)

    def joint(self, x):
        """log p(component) p(x | component), (B, K), and each component's posterior over z."""
        parts, x = self.prior.component_distribution, x.flatten(1)
        terms, posteriors = [], []
        for mean, sd in zip(parts.mean, parts.stddev, strict=True):
            spread = torch.diag(sd**2)
            covariance = self.weight @ spread @ self.weight.t() + self.sigma**2 * torch.eye(9)
            normal = MultivariateNormal(self.weight @ mean, covariance)
            gain = spread @ self.weight.t() @ torch.linalg.inv(covariance)
            posteriors.append(mean + (x - self.weight @ mean) @ gain.t())
            terms.append(normal.log_prob(x))
        return torch.stack(terms, 1) + self.prior.mixture_distribution.logits, posteriors


@torch.no_grad()
def test_grids_and_importance_sampling_cover_every_component():
    model = LinearGaussian()
    torch.manual_seed(0)
    x = model.decode(model.prior.sample((40,))).mean.clamp(0, 1)
    log_joint, posteriors = model.joint(x)
    exact = log_joint.logsumexp(1)
    grid = evaluation.exact_log_likelihood(model, x)
    torch.testing.assert_close(grid, exact, atol=5e-3, rtol=1e-4)
    sampled = evaluation.log_likelihood(model, x, samples=20_000)
    torch.testing.assert_close(sampled, exact, atol=0.1, rtol=0)
    points, log_density = evaluation.posterior_on_grid(model, x[:8], grid=300)
    assert points[-1] >= 5 + 4 * 0.7 - 1e-4
    share = log_density.exp() / log_density.exp().sum((1, 2), keepdim=True)
    mean = torch.stack([(share.sum(1) * points).sum(1), (share.sum(2) * points).sum(1)], 1)
    weight = log_joint[:8].softmax(1)
    wanted = sum(w[:, None] * m[:8] for w, m in zip(weight.t(), posteriors, strict=True))
    torch.testing.assert_close(mean, wanted, atol=0.01, rtol=0)


def test_the_sampled_kl_is_unbiased_and_lets_gradients_through():
    """Its mean over draws is the integral of q log(q / p), by quadrature in one dimension."""
    torch.manual_seed(0)
    model, x = VAE(1, (1, 2, 2), (3,), prior=mixture(1)), torch.rand(2, 1, 2, 2)
    terms = elbo(model, x, samples=20_000)
    q, prior = model.encode(x), model.prior

    def integrand(z, row):
        point = torch.tensor([z], dtype=torch.float)
        log_q = Normal(q.mean[row, 0], q.stddev[row, 0]).log_prob(point)
        return (log_q.exp() * (log_q - prior.log_prob(point[None]))).item()

    for row in range(2):
        with torch.no_grad():
            exact, _ = integrate.quad(integrand, -8, 8, args=(row,), limit=200)
        assert terms.kl[row].item() == pytest.approx(exact, abs=0.05)
    torch.testing.assert_close(terms.bound, terms.reconstruction - terms.kl)
    elbo(model, x).bound.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.prior_part.parameters())


def test_the_closed_form_is_taken_where_torch_has_one():
    torch.manual_seed(0)
    model, x = VAE(3, hidden=(8,)), torch.rand(4, 1, 28, 28)
    assert torch.equal(elbo(model, x).kl, elbo(model, x).kl), "no noise in it"
    model = VAE(3, hidden=(8,), prior=MixtureOfGaussians(3, 2))
    assert not torch.equal(elbo(model, x).kl, elbo(model, x).kl)
    assert elbo(model, x, samples=5).kl.shape == (4,)


def test_a_mixture_learns_with_its_model(digits):
    torch.manual_seed(0)
    model = VAE(2, hidden=(64,), prior=MixtureOfGaussians(2, 5))
    before = [p.detach().clone() for p in model.prior_part.parameters()]
    history = fit(model, digits.train_images, elbo, epochs=8, lr=5e-3, progress=False)
    assert history.train["bound"][-1] > history.train["bound"][0] + 50
    after = model.prior_part.parameters()
    assert all((a - b).abs().max() > 0.01 for a, b in zip(before, after, strict=True))
    with torch.no_grad():
        bound = elbo(model, digits.test_images[:30], samples=200).bound
    exact = evaluation.exact_log_likelihood(model, digits.test_images[:30])
    sampled = evaluation.log_likelihood(model, digits.test_images[:30], samples=2000)
    assert (bound < exact + 0.3).all()
    assert (exact - sampled).mean().abs() < 0.1


def test_dimension_by_dimension_a_mixture_is_a_mixture():
    torch.manual_seed(0)
    prior = mixture(2)()
    one = by_dimension(prior)
    assert one.batch_shape == (2,)
    draws = prior.sample((50_000,))
    torch.testing.assert_close(one.mean, draws.mean(0), atol=0.1, rtol=0)
    torch.testing.assert_close(one.stddev, draws.std(0), atol=0.1, rtol=0)
    z = torch.linspace(-4, 5, 7)
    parts = prior.component_distribution
    log_p = Normal(parts.mean[:, 1], parts.stddev[:, 1]).log_prob(z[:, None])
    wanted = (log_p + prior.mixture_distribution.logits).logsumexp(1)
    torch.testing.assert_close(one.log_prob(z[:, None].expand(-1, 2))[:, 1], wanted)
    full = MultivariateNormal(torch.zeros(2), torch.tensor([[1.0, 0.5], [0.5, 1.0]]))
    with pytest.raises(TypeError, match="^prior is MultivariateNormal: dimension by dimension"):
        by_dimension(full)


def test_kl_of_dimensions_and_parts_with_a_mixture(digits):
    torch.manual_seed(0)
    model, x = VAE(1, hidden=(16,), prior=mixture(1)), digits.test_images
    with torch.no_grad():
        whole = elbo(model, x, samples=2000).kl.mean().item()
    assert evaluation.kl_by_dimension(model, x).item() == pytest.approx(whole, abs=0.02)
    model = VAE(3, hidden=(16,), prior=mixture(3))
    with torch.no_grad():
        whole = elbo(model, x, samples=500).kl.mean().item()
    assert sum(evaluation.kl_parts(model, x, samples=20)) == pytest.approx(whole, abs=0.05)
    assert evaluation.kl_by_dimension(model, x).shape == (3,)
    full = Own()
    full.prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
    with pytest.raises(TypeError, match="model.prior is MultivariateNormal"):
        evaluation.kl_by_dimension(full, x)
    assert len(evaluation.kl_parts(full, x)) == 3


def test_where_a_prior_lies():
    low, high = box(StandardNormal(2)(), 6)
    assert (low.tolist(), high.tolist()) == ([-6, -6], [6, 6])
    low, high = box(mixture()(), 2)
    assert (low.tolist(), high.tolist()) == ([-5, -5], pytest.approx([6.4, 6.4]))
    assert centres(mixture(4)())[0].shape == (3, 4)
    assert is_standard(StandardNormal(3)())
    assert not is_standard(Independent(Normal(torch.zeros(2), 2 * torch.ones(2)), 1))
    assert not is_standard(MixtureOfGaussians(2, 1)())
    with pytest.raises(ValueError, match="the prior's mean or standard deviation holds"):
        centres(Independent(torch.distributions.Cauchy(torch.zeros(2), torch.ones(2)), 1))


def test_bad_numbers_of_components_are_named():
    with pytest.raises(ValueError, match="components is 0, a whole number"):
        MixtureOfGaussians(2, 0)
    with pytest.raises(TypeError, match="latent_dim is 2.5, a whole number"):
        MixtureOfGaussians(2.5, 3)
