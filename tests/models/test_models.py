import pytest
import torch
from some_models import LIKELIHOODS, NETWORKS, vae
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from vae_teach.models import VAE
from vae_teach.models.likelihoods import Gaussian
from vae_teach.objectives import elbo


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("latent_dim", [1, 2, 20])
@pytest.mark.parametrize("count", [1, 3])
def test_three_distributions_with_one_number_an_image(network, likelihood, latent_dim, count):
    model = vae(latent_dim, network=network, likelihood=LIKELIHOODS[likelihood]())
    x = torch.rand(count, 1, 28, 28)
    q = model.encode(x)
    p = model.decode(q.rsample())
    assert all(isinstance(d, Distribution) for d in (q, p, model.prior))
    assert (q.batch_shape, q.event_shape) == ((count,), (latent_dim,))
    assert (p.batch_shape, p.event_shape) == ((count,), (1, 28, 28))
    assert (model.prior.batch_shape, model.prior.event_shape) == ((), (latent_dim,))
    assert p.log_prob(x).shape == kl_divergence(q, model.prior).shape == (count,)
    assert model.decode(q.rsample((5,))).batch_shape == (5, count)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_parameter_learns(network):
    model = vae(3, network=network, likelihood=Gaussian())
    elbo(model, torch.rand(8, 1, 28, 28)).bound.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_other_image_sizes():
    for network in NETWORKS:
        model = vae(2, image_shape=(3, 32, 64), network=network)
        assert model.decode(torch.zeros(1, 2)).event_shape == (3, 32, 64)


def test_elbo_equals_a_sum_by_hand():
    torch.manual_seed(0)
    model, x = VAE(4), torch.rand(5, 1, 28, 28)
    torch.manual_seed(1)
    terms = elbo(model, x, beta=3.0)
    torch.manual_seed(1)
    mean, log_variance = model.encoder(x).chunk(2, 1)
    z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    p = torch.sigmoid(model.decoder(z)).double().clamp(1e-12, 1 - 1e-12)
    by_hand = (x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
    kl = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum(1)
    torch.testing.assert_close(terms.reconstruction.double(), by_hand, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(terms.kl, kl, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(terms.bound, terms.reconstruction - 3 * terms.kl)


def test_gaussian_likelihood_has_the_stated_sigma():
    model, x, z = (
        VAE(2, likelihood=Gaussian(0.1)),
        torch.rand(3, 1, 28, 28),
        torch.randn(3, 2),
    )
    expected = Independent(Normal(model.decoder(z), 0.1), 3).log_prob(x)
    torch.testing.assert_close(model.decode(z).log_prob(x), expected)
    assert not model.likelihood.log_sigma.requires_grad
    assert VAE(2, likelihood=Gaussian()).likelihood.log_sigma.requires_grad


@pytest.mark.parametrize("log_variance", [-100.0, 100.0])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_extreme_log_variance_stays_finite(log_variance, likelihood):
    model = VAE(3, likelihood=LIKELIHOODS[likelihood]())
    with torch.no_grad():
        model.encoder[-1].weight.zero_()
        model.encoder[-1].bias.copy_(torch.tensor([0.0] * 3 + [log_variance] * 3))
    terms = elbo(model, torch.rand(4, 1, 28, 28))
    terms.bound.mean().backward()
    assert all(torch.isfinite(t).all() for t in terms)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_more_samples_give_the_mean_of_single_ones():
    torch.manual_seed(0)
    model, x = VAE(2), torch.rand(4, 1, 28, 28)
    torch.manual_seed(3)
    many = elbo(model, x, samples=4000).reconstruction
    singles = torch.stack([elbo(model, x).reconstruction for _ in range(400)]).detach()
    error = singles.std(0) / 400**0.5 + singles.std(0) / 4000**0.5
    assert ((many - singles.mean(0)).abs() < 5 * error).all()
