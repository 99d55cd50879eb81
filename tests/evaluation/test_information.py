"""Parts of the KL term against closed forms of a linear-Gaussian encoder, and of torch's mixtures."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from vae_teach.evaluation import active_units, kl_parts, total_correlation
from vae_teach.models import VAE
from vae_teach.objectives import beta_tcvae, elbo
from vae_teach.training import fit


class LinearEncoder(nn.Module):
    """q(z|x) = N(A g + b, diag(s²)), where g are the pixels made Gaussian: q(z) = N(b, A Aᵀ + s²)."""

    def __init__(self, matrix, scale, shift=0.0):
        super().__init__()
        self.matrix = nn.Parameter(torch.as_tensor(matrix))
        self.scale, self.shift = torch.as_tensor(scale), shift
        self.latent_dim, inputs = self.matrix.shape
        self.image_shape = (1, 1, inputs)
        self.prior = Independent(Normal(torch.zeros(self.latent_dim), torch.ones(())), 1)

    def encode(self, x):
        g = Normal(0, 1).icdf(x.flatten(1).clamp(1e-4, 1 - 1e-4))
        mean = g @ self.matrix.t() + self.shift
        return Independent(Normal(mean, self.scale.expand_as(mean)), 1)

    def decode(self, z):
        logits = (z @ self.matrix).reshape(*z.shape[:-1], *self.image_shape)
        return Independent(Bernoulli(logits=logits, validate_args=False), 3)

    def covariance(self):
        return self.matrix @ self.matrix.t() + torch.diag(self.scale.expand(self.latent_dim) ** 2)


def images(count, pixels, seed=0):
    """Uniform pixels, evenly spread rather than by chance: a scrambled Sobol sequence."""
    draws = torch.quasirandom.SobolEngine(pixels, scramble=True, seed=seed).draw(count)
    return draws.reshape(count, 1, 1, pixels)


ENCODERS = {
    "correlated": LinearEncoder([[1.0, 0.0], [0.8, 0.6]], [0.7, 0.5]),
    "independent": LinearEncoder([[1.0, 0.0], [0.0, 0.6]], [0.7, 0.5]),
    "three": LinearEncoder([[1.0, 0.0], [0.7, 0.7], [-0.2, 0.5]], [0.8, 0.6, 0.9], shift=0.5),
}


@pytest.mark.parametrize("name", ENCODERS)
@torch.no_grad()
def test_parts_match_the_closed_forms(name):
    model = ENCODERS[name]
    x, covariance = images(2048, model.image_shape[-1]), model.covariance()
    variances = covariance.diag()
    information = 0.5 * (covariance.logdet() - 2 * model.scale.log().sum()).item()
    correlation = -0.5 * (covariance.logdet() - variances.log().sum()).item()
    marginals = Normal(model.shift, variances.sqrt())
    dimensionwise = kl_divergence(marginals, Normal(torch.zeros(()), torch.ones(()))).sum().item()
    parts = kl_parts(model, x, samples=2)
    assert parts.mutual_information == pytest.approx(information, abs=0.04)
    assert parts.total_correlation == pytest.approx(correlation, abs=0.03)
    assert parts.dimensionwise_kl == pytest.approx(dimensionwise, abs=0.04)
    torch.manual_seed(0)
    aggregate = MultivariateNormal(torch.zeros(len(covariance)), covariance)
    q, z = model.encode(x), aggregate.sample((4000,))
    for found in (total_correlation(q), total_correlation(q, z + model.shift)):
        assert found == pytest.approx(correlation, abs=0.04)


def test_parts_sum_to_the_mean_kl(digits):
    torch.manual_seed(0)
    model = VAE(5, hidden=(64,))
    fit(model, digits.train_images, elbo, epochs=10, batch_size=64, lr=5e-3, progress=False)
    x = digits.test_images
    exact = kl_divergence(model.encode(x), model.prior).mean().item()
    assert sum(kl_parts(model, x, samples=200)) == pytest.approx(exact, rel=0.02)


@torch.no_grad()
def test_a_set_of_n_images_tells_no_more_than_log_n():
    model = LinearEncoder(torch.eye(2), [1e-4, 1e-4])
    parts = kl_parts(model, images(64, 2))
    assert parts.mutual_information == pytest.approx(math.log(64), abs=1e-4)


@torch.no_grad()
def test_fewer_images_tell_less_information_below_log_n_too():
    """Averaged over sets of N images drawn by chance, mutual information is too low, less with more."""
    model = LinearEncoder([[1.0, 0.0], [0.8, 0.6]], [0.3, 0.2])
    exact = 0.5 * (model.covariance().logdet() - 2 * model.scale.log().sum()).item()
    draws, found = torch.Generator().manual_seed(0), []
    for count, sets in ((25, 200), (100, 50), (400, 20)):
        chosen = [torch.rand(count, 1, 1, 2, generator=draws) for _ in range(sets)]
        parts = [kl_parts(model, x, seed=seed) for seed, x in enumerate(chosen)]
        found.append(sum(p.mutual_information for p in parts) / sets)
    assert found[0] < found[1] - 0.05 < found[2] - 0.1
    assert found[2] < exact < math.log(400)


@torch.no_grad()
def test_total_correlation_is_that_of_torchs_mixtures():
    torch.manual_seed(1)
    mean, scale, z = torch.randn(50, 3), torch.rand(50, 3) + 0.2, torch.randn(70, 3)
    equal = Categorical(torch.ones(50))
    joint = MixtureSameFamily(equal, Independent(Normal(mean, scale), 1)).log_prob(z)
    single = [
        MixtureSameFamily(equal, Normal(mean[:, j], scale[:, j])).log_prob(z[:, j])
        for j in range(3)
    ]
    wanted = (joint - sum(single)).mean().item()
    found = total_correlation(Independent(Normal(mean, scale), 1), z)
    assert found == pytest.approx(wanted, abs=1e-5)


def test_active_units_are_those_whose_mean_moves():
    model = LinearEncoder([[1.0, 0.0], [0.0, 0.11], [0.09, 0.0], [0.0, 0.0]], torch.ones(4))
    x = images(4096, 2)
    assert active_units(model, x).tolist() == [True, True, False, False]
    assert active_units(model, x, threshold=0.005).tolist() == [True, True, True, False]
    assert active_units(model, x, threshold=0.5).sum() == 1


@torch.no_grad()
def test_beta_tcvae_at_beta_one_is_the_elbo(digits):
    torch.manual_seed(2)
    model, x = VAE(4, hidden=(32,)), digits.test_images
    torch.manual_seed(3)
    terms = beta_tcvae(model, x, beta=1.0, data_size=600)
    torch.manual_seed(3)
    q = model.encode(x)
    z = q.rsample()
    one_draw = model.decode(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z)
    torch.testing.assert_close(terms.bound, one_draw, atol=1e-3, rtol=1e-5)
    draws = torch.stack([beta_tcvae(model, x, 1.0, 600).bound.mean() for _ in range(60)])
    wanted = elbo(model, x, samples=60).bound.mean()
    assert (draws.mean() - wanted).abs() < 0.5


@torch.no_grad()
def test_beta_weighs_the_total_correlation_only():
    model, x = ENCODERS["correlated"], images(200, 2)
    bounds = []
    for beta in (1.0, 6.0):
        torch.manual_seed(0)
        bounds.append(beta_tcvae(model, x, beta, 1000))
    less = bounds[0].bound - bounds[1].bound
    torch.testing.assert_close(less, 5 * bounds[0].total_correlation, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_batch_of_the_whole_set_gives_the_parts_of_kl_parts():
    model, x = ENCODERS["three"], images(1024, 2)
    torch.manual_seed(0)
    terms = [beta_tcvae(model, x, 1.0, len(x)) for _ in range(8)]
    exact = kl_parts(model, x, samples=8, seed=5)
    for position, wanted in enumerate(exact, start=1):
        found = torch.stack([t[position] for t in terms]).mean().item()
        assert found == pytest.approx(wanted, abs=0.05)


@torch.no_grad()
def test_estimate_of_the_aggregate_posterior_is_unbiased():
    """Averaged over all batches that hold an image, q̂(z) of its code is q(z) of all images."""

    class Still(Normal):  # the draw depends on nothing but the image
        def rsample(self, sample_shape=()):
            return self.loc + 0.4 * self.scale

    class Model(LinearEncoder):
        def encode(self, x):
            q = super().encode(x).base_dist
            return Independent(Still(q.loc, q.scale), 1)

    model, x = Model([[1.0, 0.2], [0.3, 0.9]], [0.5, 0.6]), images(7, 2)
    q = model.encode(x)
    z = q.rsample()[:1]
    exact = q.log_prob(z).exp().mean()
    estimates = []
    for others in itertools.combinations(range(1, 7), 3):
        terms = beta_tcvae(model, x[[0, *others]], 1.0, data_size=7)
        estimates.append((q.log_prob(z)[0] - terms.mutual_information[0]).exp())
    torch.testing.assert_close(torch.stack(estimates).mean(), exact, atol=1e-6, rtol=1e-5)
    papers = []  # Chen et al.'s weights: 1/N, 1/M, and for one of the others the remainder
    for first, *others in itertools.permutations(range(1, 7), 3):
        density = q.log_prob(z)[[0, first, *others]].exp()
        papers.append(density @ torch.tensor([1 / 7, (7 - 3) / (7 * 3), 1 / 3, 1 / 3]))
    torch.testing.assert_close(torch.stack(papers).mean(), exact, atol=1e-6, rtol=1e-5)
    assert torch.stack(papers).var() > torch.stack(estimates).var()


def test_training_on_it_takes_the_correlation_away():
    """A large beta makes a linear encoder's dimensions less dependent."""
    x, found = images(2048, 2), []
    for beta in (1.0, 30.0):
        model = LinearEncoder([[1.0, 0.0], [0.8, 0.6]], [0.7, 0.5])
        fit(
            model, x, lambda m, part, b=beta: beta_tcvae(m, part, b, 2048),
            epochs=5, batch_size=256, lr=2e-2, progress=False,
        )  # fmt: skip
        found.append(total_correlation(model.encode(x)))
    assert found[1] < 0.02
    assert found[1] < found[0]


@pytest.mark.fault("Random state", "measures of a model", "the caller's is as before")
def test_random_state_is_left_alone():
    state, model, x = torch.random.get_rng_state(), ENCODERS["three"], images(64, 2)
    assert kl_parts(model, x, seed=1) == kl_parts(model, x, seed=1) != kl_parts(model, x, seed=2)
    assert total_correlation(model.encode(x)) == total_correlation(model.encode(x))
    assert torch.equal(state, torch.random.get_rng_state())


def test_errors_say_what_is_wrong():
    model, x = ENCODERS["three"], images(64, 2)
    with pytest.raises(ValueError, match=r"x has shape \(64, 2\)"):
        kl_parts(model, x.flatten(1))
    with pytest.raises(ValueError, match="samples is 0"):
        kl_parts(model, x, samples=0)
    with pytest.raises(TypeError, match=r"q is tensor.*, a batch of diagonal Gaussians"):
        total_correlation(torch.zeros(1))
    with pytest.raises(ValueError, match=r"z has shape \(5, 2\), \(..., 3\) is needed"):
        total_correlation(model.encode(x), torch.zeros(5, 2))
    with pytest.raises(ValueError, match="x holds 1 image, at least 2"):
        active_units(model, x[:1])
    with pytest.raises(ValueError, match="threshold is -1"):
        active_units(model, x, threshold=-1)
    with pytest.raises(ValueError, match="x holds 1 images: from 2"):
        beta_tcvae(model, x[:1], 6.0, 64)
    with pytest.raises(ValueError, match="to data_size = 32"):
        beta_tcvae(model, x, 6.0, 32)
    with pytest.raises(ValueError, match="beta is -1"):
        beta_tcvae(model, x, -1, 64)
