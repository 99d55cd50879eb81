"""Likelihoods against double precision, quadrature and torch, and as parts of a VAE."""

import inspect
import io
import math
import tokenize

import numpy as np
import pytest
import torch
from scipy import integrate
from some_models import LIKELIHOODS
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from vae_teach import distributions, pictures
from vae_teach.explorers import LatentSliders
from vae_teach.models import VAE, likelihoods
from vae_teach.objectives import elbo
from vae_teach.training import fit

LOGITS = torch.tensor(
    [0.0, 1e-6, 1e-4, 9e-4, 2e-3, 0.01, 0.49, 0.51, 1.0, 5.0, 15.9, 17.0, 40.0, 300.0]
)
LOGITS = torch.cat([LOGITS, -LOGITS])


def exact(t):
    """log C, mean and variance of the continuous Bernoulli with logit t, by quadrature in double."""
    peak = max(t, 0.0)
    breaks = [
        c for s in (1, 5, 20) for c in (s / max(1, abs(t)), 1 - s / max(1, abs(t))) if 0 < c < 1
    ]

    def moment(power):
        return integrate.quad(
            lambda x: x**power * math.exp(t * x - peak), 0, 1, points=breaks, epsabs=0, limit=400
        )[0]

    mass, mean = moment(0), moment(1) / moment(0)
    log_c = -(peak + math.log(mass)) + np.logaddexp(0, t)
    return log_c, mean, moment(2) / mass - mean**2


def test_the_continuous_bernoulli_is_exact_at_every_logit():
    """Near λ = 1/2, where its formulas are 0 / 0, and where λ rounds to 0 or 1."""
    p = distributions.ContinuousBernoulli(logits=LOGITS, validate_args=False)
    log_c, mean, variance = (
        torch.tensor(v, dtype=torch.double) for v in zip(*map(exact, LOGITS.tolist()), strict=True)
    )
    for x in (0.0, 0.3, 0.5, 1.0):
        wanted = x * LOGITS.double() - torch.nn.functional.softplus(LOGITS.double()) + log_c
        torch.testing.assert_close(
            p.log_prob(torch.tensor(x)).double(), wanted, rtol=2e-6, atol=2e-6
        )
    torch.testing.assert_close(p.mean.double(), mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(p.variance.double(), variance, rtol=1e-3, atol=1e-6)
    entropy = torch.nn.functional.softplus(LOGITS.double()) - mean * LOGITS.double() - log_c
    torch.testing.assert_close(p.entropy().double(), entropy, rtol=1e-4, atol=1e-4)


def test_its_mean_is_not_lambda_and_obeys_the_paper_s_formula():
    t = torch.linspace(-6, 6, 49, dtype=torch.double)
    share = t.sigmoid()
    p = distributions.ContinuousBernoulli(logits=t)
    off = t != 0
    formula = share / (2 * share - 1) + 1 / (2 * torch.atanh(1 - 2 * share))
    torch.testing.assert_close(p.mean[off], formula[off], rtol=1e-8, atol=1e-8)
    assert p.mean[~off].item() == 0.5
    assert (p.mean - share).abs().max() > 0.1


def test_its_gradients_are_those_of_the_closed_form_and_never_nan():
    """d log p / dt = x − mean, for one x."""
    t = LOGITS.clone().requires_grad_()
    p = distributions.ContinuousBernoulli(logits=t, validate_args=False)
    (slope,) = torch.autograd.grad(p.log_prob(torch.tensor(0.25)).sum(), t)
    torch.testing.assert_close(slope, 0.25 - p.mean.detach(), rtol=0, atol=2e-4)
    (curve,) = torch.autograd.grad(p.mean.sum(), t)
    torch.testing.assert_close(curve, p.variance.detach(), rtol=1e-2, atol=1e-3)


def test_its_draws_have_its_mean_and_its_two_cdfs_undo_each_other():
    torch.manual_seed(0)
    p = distributions.ContinuousBernoulli(logits=LOGITS, validate_args=False)
    draws = p.sample((40_000,))
    assert 0 <= draws.min() < draws.max() <= 1
    error = (p.variance / len(draws)).sqrt()
    assert ((draws.mean(0) - p.mean).abs() < 5 * error + 1e-6).all()
    share = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])[:, None]
    torch.testing.assert_close(
        p.cdf(p.icdf(share)), share.expand(-1, len(LOGITS)), atol=2e-3, rtol=0
    )


def code_lines(part):
    """Lines of a class outside comments, docstrings and blanks."""
    source = inspect.getsource(part)
    lines, at_start = set(), True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            at_start = True
        elif token.type == tokenize.STRING and at_start:
            continue
        elif token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
            at_start = False
    return len(lines)


@pytest.mark.parametrize("part", [likelihoods.ContinuousBernoulli, likelihoods.Laplace])
def test_a_part_takes_few_lines(part):
    assert 4 <= code_lines(part) <= 15


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_pairwise_log_prob_is_log_prob(name):
    torch.manual_seed(0)
    model, z, x = (
        VAE(2, likelihood=LIKELIHOODS[name]()),
        torch.randn(7, 2),
        torch.rand(5, 1, 28, 28),
    )
    with torch.no_grad():
        p = model.decode(z)
        one_by_one = torch.stack([p.log_prob(image) for image in x])
        torch.testing.assert_close(
            model.likelihood.pairwise_log_prob(p, x), one_by_one, atol=0.02, rtol=1e-4
        )
        torch.testing.assert_close(
            likelihoods.Likelihood().pairwise_log_prob(p, x), one_by_one, atol=0.02, rtol=1e-4
        )


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_every_likelihood_learns(name, digits):
    """Its bound rises above that of the untrained model, by gradients that reach every parameter."""
    torch.manual_seed(0)
    model = VAE(2, hidden=(32,), likelihood=LIKELIHOODS[name]())
    elbo(model, digits.test_images[:8]).bound.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters() if p.requires_grad)
    before = elbo(model, digits.test_images).bound.mean()
    fit(model, digits.train_images, elbo, epochs=3, lr=3e-3, progress=False)
    assert elbo(model, digits.test_images).bound.mean() > before + 50


@pytest.mark.parametrize("logit", [-1e4, -30.0, 0.0, 30.0, 1e4])
def test_extreme_logits_stay_finite(logit):
    x = torch.tensor([0.0, 1e-7, 0.5, 1.0]).reshape(1, 1, 2, 2)
    outputs = torch.full_like(x, logit, requires_grad=True)
    p = likelihoods.ContinuousBernoulli()(outputs)
    value = p.log_prob(x)
    (slope,) = torch.autograd.grad(value.sum(), outputs)
    assert value.isfinite()
    assert slope.isfinite().all()
    assert 0 <= p.mean.min() <= p.mean.max() <= 1


def test_a_continuous_bernoulli_is_a_density_over_grey_levels_and_a_bernoulli_is_none():
    grey = (torch.arange(2000) + 0.5).reshape(-1, 1, 1, 1) / 2000
    for part, whole in (
        (likelihoods.ContinuousBernoulli(), True),
        (likelihoods.Bernoulli(), False),
    ):
        mass = part(torch.full((1, 1, 1), 1.3)).log_prob(grey).exp().mean().item()
        assert (mass == pytest.approx(1, abs=1e-4)) == whole


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: likelihoods.Gaussian(-1.0), ValueError, "sigma is -1.0, a finite number above 0"),
        (lambda: likelihoods.Gaussian("0.1"), TypeError, "sigma is '0.1', a number"),
        (lambda: likelihoods.Laplace(0), ValueError, "scale is 0, a finite number above 0"),
        (
            lambda: VAE(2, likelihood="poisson"),
            TypeError,
            r"likelihood is 'poisson', a part such as",
        ),
    ],
)
def test_bad_parts_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


class UnevenGaussian(likelihoods.Likelihood):
    """A standard deviation for each pixel: two numbers, as a learner may write it."""

    numbers = 2

    def forward(self, outputs):
        mean, log_sigma = outputs.chunk(2, dim=-3)
        return Independent(Normal(mean, log_sigma.clamp(-5, 2).exp()), 3)


def test_a_likelihood_of_two_numbers_a_pixel():
    model, x = VAE(2, (3, 4, 6), likelihood=UnevenGaussian()), torch.rand(5, 3, 4, 6)
    p = model.decode(torch.zeros(7, 5, 2))
    assert (p.batch_shape, p.event_shape) == ((7, 5), (3, 4, 6))
    assert not torch.equal(p.stddev[0, 0], p.stddev[0, 0].mean().expand(3, 4, 6))
    terms = elbo(model, x, samples=3)
    torch.testing.assert_close(terms.kl, kl_divergence(model.encode(x), model.prior))


def test_a_likelihood_without_a_page_is_drawn_by_the_kernel_and_else_says_what_it_lacks():
    class Unknown(likelihoods.Gaussian):
        page = None

    model = VAE(2, hidden=(8,), likelihood=Unknown())
    with pytest.raises(
        ValueError, match="model.likelihood, Unknown, does not say how a page"
    ) as said:
        LatentSliders(model)
    assert pictures.manifold(model, "It.", side=2).png()
    assert '(("clamp",),)' in str(said.value)
    Unknown.page = (("clamp",),)  # the remedy, followed literally
    assert LatentSliders(model).still()


def test_networks_whose_numbers_do_not_fit_are_named():
    x = torch.rand(4, 1, 28, 28)
    narrow = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))
    with pytest.raises(ValueError, match=r"encoder gives shape \(4, 3\).*\(4, 4\) is needed"):
        VAE(2, encoder=narrow).encode(x)
    with pytest.raises(
        ValueError, match=r"decoder gives shape \(4, 5\).*\(4, 1, 28, 28\) is needed"
    ):
        VAE(2, decoder=nn.Linear(2, 5)).decode(torch.zeros(4, 2))
