"""Log-likelihoods against quadrature by SciPy, closed forms and finer grids."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate
from some_models import LIKELIHOODS
from torch import nn
from torch.distributions import Independent, Normal

from vae_teach import evaluation
from vae_teach.data.strokes import strokes
from vae_teach.models import VAE
from vae_teach.models.likelihoods import Gaussian
from vae_teach.objectives import elbo
from vae_teach.training import fit


def trained(latent_dim, images, **parts):
    torch.manual_seed(0)
    model = VAE(latent_dim, hidden=(64,), **parts)
    fit(model, images, elbo, epochs=15, batch_size=64, lr=5e-3, one_cycle=True, progress=False)
    return model


@pytest.fixture(scope="module")
def model2(digits):
    return trained(2, digits.train_images)


class LinearGaussian(nn.Module):
    """x = W z + noise: log p(x) is a Gaussian's, in closed form."""

    latent_dim, image_shape = 2, (1, 3, 3)

    def __init__(self):
        super().__init__()
        draws = torch.Generator().manual_seed(3)
        self.weight, self.sigma = torch.randn(9, 2, generator=draws), 0.3
        self.prior = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)

    def encode(self, x):  # deliberately poor
        return Independent(Normal(torch.zeros(len(x), 2), 0.2 * torch.ones(len(x), 2)), 1)

    def decode(self, z):
        mean = (z @ self.weight.t()).reshape(*z.shape[:-1], 1, 3, 3)
        return Independent(Normal(mean, torch.full_like(mean, self.sigma)), 3)

    def exact(self, x):
        covariance = self.weight @ self.weight.t() + self.sigma**2 * torch.eye(9)
        normal = torch.distributions.MultivariateNormal(torch.zeros(9), covariance)
        return normal.log_prob(x.flatten(1))


def test_grid_and_sampling_match_the_closed_form():
    model, x = LinearGaussian(), torch.rand(20, 1, 3, 3)
    exact = model.exact(x)
    torch.testing.assert_close(
        evaluation.exact_log_likelihood(model, x), exact, atol=2e-3, rtol=1e-4
    )
    torch.testing.assert_close(
        evaluation.log_likelihood(model, x, samples=20_000), exact, atol=0.1, rtol=0
    )


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_one_dimension_matches_scipy_quadrature(digits, likelihood):
    part = LIKELIHOODS[likelihood]()
    model, x = trained(1, digits.train_images, likelihood=part), digits.test_images[:3]
    for image, value in zip(x, evaluation.exact_log_likelihood(model, x).tolist(), strict=True):

        def log_joint(z, image=image):
            code = torch.tensor(z, dtype=torch.float).reshape(-1, 1)
            with torch.no_grad():
                return model.decode(code).log_prob(image) + model.prior.log_prob(code)

        grid = np.linspace(-6, 6, 2001)
        heights = log_joint(grid)
        peak, top = grid[heights.argmax()], heights.max().item()
        area, _ = integrate.quad(
            lambda z, top=top: math.exp(log_joint(z).item() - top),
            -6, 6, points=[peak - 0.2, peak - 0.05, peak, peak + 0.05, peak + 0.2], limit=400, epsrel=1e-3,
        )  # fmt: skip
        assert value == pytest.approx(top + math.log(area), abs=0.02)


@pytest.mark.slow
def test_grid_is_within_a_twentieth_of_a_nat_of_one_four_times_finer():
    """On 400 test images, against a plain uniform grid of 800 points a side."""
    digits = strokes(train=2000, test=400)
    model, x = trained(2, digits.train_images), digits.test_images
    side, half = 800, 6.0
    centres = ((torch.arange(side) + 0.5) / side * 2 - 1) * half
    total = torch.full((len(x),), -math.inf)
    with torch.no_grad():
        for z in torch.cartesian_prod(centres, centres).split(20_000):
            log_joint = evaluation.pairwise_log_prob(model, z, x) + model.prior.log_prob(z)
            total = torch.logaddexp(total, log_joint.logsumexp(1))
    finer = total + 2 * math.log(2 * half / side)
    assert (evaluation.exact_log_likelihood(model, x, grid=200) - finer).abs().max() <= 0.05


def test_pairwise_log_prob_is_log_prob(model2, digits):
    z, x = torch.randn(7, 2), digits.test_images[:5]
    for model in (model2, VAE(2, likelihood=Gaussian(0.2))):
        with torch.no_grad():
            one_by_one = torch.stack([model.decode(z).log_prob(image) for image in x])
            table = evaluation.pairwise_log_prob(model, z, x)
        torch.testing.assert_close(table, one_by_one, atol=0.02, rtol=1e-4)


def test_posterior_is_normalized_and_obeys_bayes(model2, digits):
    x = digits.test_images[:3]
    points, log_density = evaluation.posterior_on_grid(model2, x, grid=300, extent=6)
    cell = (points[1] - points[0]) ** 2
    area = log_density.exp().sum((1, 2)) * cell
    # log p(x), some hundred nats in float32, is known to 3e-5
    torch.testing.assert_close(area, torch.ones(3), atol=3e-5, rtol=0)
    i, j = 120, 170  # second coordinate, first coordinate
    z = torch.stack([points[j], points[i]])
    with torch.no_grad():
        log_joint = model2.decode(z).log_prob(x) + model2.prior.log_prob(z)
    log_x = evaluation.exact_log_likelihood(model2, x)
    torch.testing.assert_close(log_density[:, i, j], log_joint - log_x, atol=0.05, rtol=1e-3)


def test_importance_sampling_agrees_with_the_grid(model2, digits):
    exact = evaluation.exact_log_likelihood(model2, digits.test_images)
    estimate = evaluation.log_likelihood(model2, digits.test_images, samples=2000)
    assert (exact - estimate).mean().abs() < 0.05
    assert (exact - estimate).max() < 1.5


def test_importance_sampling_is_unbiased_in_p(model2, digits):
    """The mean over seeds of p̂(x) / p(x) is 1, within five standard errors, at few samples."""
    x = digits.test_images[:8]
    exact = evaluation.exact_log_likelihood(model2, x).double()
    ratios = torch.stack(
        [
            (evaluation.log_likelihood(model2, x, samples=200, seed=s).double() - exact).exp()
            for s in range(150)
        ]
    )
    error = ratios.std(0) / math.sqrt(len(ratios))
    assert ((ratios.mean(0) - 1).abs() < 5 * error + 0.01).all()


def test_elbo_is_below_the_log_likelihood(model2, digits):
    with torch.no_grad():
        bound = elbo(model2, digits.test_images, samples=200).bound
    exact = evaluation.exact_log_likelihood(model2, digits.test_images)
    assert (bound < exact + 0.3).all()
    assert (exact - bound).mean() > 0


@pytest.mark.fault("Random state", "measures of a model", "the caller's is as before")
def test_random_state_is_left_alone(model2, digits):
    state = torch.random.get_rng_state()
    a = evaluation.log_likelihood(model2, digits.test_images[:2], samples=50)
    b = evaluation.log_likelihood(model2, digits.test_images[:2], samples=50)
    assert torch.equal(a, b)
    assert torch.equal(state, torch.random.get_rng_state())


def test_one_dimension_and_one_image(digits):
    model = VAE(1)
    x = digits.test_images[:1]
    gap = evaluation.exact_log_likelihood(model, x) - evaluation.log_likelihood(model, x)
    assert gap.shape == (1,)
    assert gap.abs().item() < 0.1
