"""A learner's own module of three distributions works wherever ours do; others get one sentence."""

import pytest
import torch
from some_models import Own, Tuples
from torch.distributions import Bernoulli, Independent, Normal

from vae_teach import evaluation, pictures
from vae_teach.explorers import Bubbles, DrawDigit, Film, Interpolation, LatentPlane, LatentSliders
from vae_teach.models import VAE, likelihoods
from vae_teach.objectives import beta_tcvae, elbo
from vae_teach.training import fit

X = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(20) % 10


def filmed(model):
    film = Film(X, LABELS)
    fit(
        model,
        X,
        lambda m, x: -m.decoder(m.encoder(x)[:, :2]).square().sum(1),
        progress=False,
        watch=film,
    )
    return Bubbles(film)


KERNEL = {
    "elbo": lambda m: elbo(m, X, samples=3).bound.mean(),
    "fit": lambda m: fit(m, X, elbo, epochs=1, progress=False),
    "exact": lambda m: evaluation.exact_log_likelihood(m, X[:2], grid=30),
    "posterior": lambda m: evaluation.posterior_on_grid(m, X[:2], grid=30),
    "importance": lambda m: evaluation.log_likelihood(m, X[:2], samples=50),
    "dimensions": lambda m: evaluation.kl_by_dimension(m, X),
    "parts": lambda m: evaluation.kl_parts(m, X),
    "units": lambda m: evaluation.active_units(m, X),
    "tcvae": lambda m: beta_tcvae(m, X, 2.0, 100).bound,
    "film": filmed,
    "manifold": lambda m: pictures.manifold(m, "What it draws.", side=3),
}
PAGE = {
    "plane": lambda m: LatentPlane(m, X, LABELS, choices=2, posterior=True),
    "sliders": lambda m: LatentSliders(m, images=X),
    "draw": lambda m: DrawDigit(m, X, LABELS),
    "interpolation": lambda m: Interpolation(m, X),
}


def own(kind=Own, likelihood=True):
    torch.manual_seed(0)
    model = kind()
    if likelihood:
        model.likelihood = likelihoods.Bernoulli()
    return model


@pytest.mark.parametrize("likelihood", [True, False])
@pytest.mark.parametrize("name", KERNEL)
def test_it_works_in_the_kernel(name, likelihood):
    """With no likelihood part, too: then the Distribution is all there is."""
    assert KERNEL[name](own(likelihood=likelihood)) is not None


@pytest.mark.parametrize("name", PAGE)
def test_it_works_in_the_page(name):
    assert "<img" in PAGE[name](own()).still()


def test_it_gives_the_numbers_of_ours():
    """The same weights in a VAE."""
    model, ours = own(likelihood=False), VAE(2, hidden=(32,))
    weights = {key: value for key, value in model.state_dict().items()}
    ours.load_state_dict(weights)
    for name in ("exact", "importance", "dimensions", "units"):
        torch.testing.assert_close(
            KERNEL[name](model).float(), KERNEL[name](ours).float(), atol=0.01, rtol=1e-4
        )
    torch.testing.assert_close(
        KERNEL["posterior"](model)[1], KERNEL["posterior"](ours)[1], atol=0.01, rtol=1e-4
    )
    z = torch.randn(4, 2)
    assert torch.equal(pictures.pixels.mean_images(model, z), pictures.pixels.mean_images(ours, z))
    assert (
        pictures.manifold(model, "It.", side=3).png()
        == pictures.manifold(ours, "It.", side=3).png()
    )


ENCODES = [name for name in {**KERNEL, **PAGE} if name not in ("exact", "posterior", "manifold")]


@pytest.mark.fault(
    "Silent input", "an encoder that returns a tuple", "one sentence before anything changes"
)
@pytest.mark.parametrize("name", ENCODES)
def test_a_tuple_gets_a_sentence_with_a_remedy(name):
    model = own(Tuples)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(TypeError) as caught:
        {**KERNEL, **PAGE}[name](model)
    said = str(caught.value)
    assert said == (
        "encode returned a tuple of 2 tensors, a Distribution is needed: "
        "return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)."
    )
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.fault("Remedies", "an encoder that returns a tuple", "the printed remedy works")
def test_the_remedy_works_when_followed_literally():
    class Mended(Tuples):
        def encode(self, x):
            mean, log_variance = super().encode(x)
            return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)

    torch.manual_seed(1)
    mended = elbo(own(Mended), X).bound
    torch.manual_seed(1)
    torch.testing.assert_close(elbo(own(), X).bound, mended)


def spoiled(**methods):
    return own(type("Spoiled", (Own,), methods))


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (
            spoiled(encode=lambda self, x: Normal(*self.encoder(x).exp().chunk(2, 1))),
            ValueError,
            r"encode returned Normal with batch shape \(20, 2\) and event shape \(\), a whole \(d,\)",
        ),
        (
            spoiled(decode=lambda self, z: self.decoder(z)),
            TypeError,
            r"decode returned a tensor, .*: return Independent\(Bernoulli\(logits=logits\), 3\)",
        ),
        (
            spoiled(decode=lambda self, z: Independent(Bernoulli(logits=self.decoder(z)), 1)),
            ValueError,
            r"decode returned Independent with .* event shape \(784,\), a whole \(C, H, W\)",
        ),
    ],
    ids=["encode", "tensor", "flat"],
)
def test_distributions_of_another_shape_are_named(model, error, words):
    with pytest.raises(error, match=words):
        elbo(model, X)


def test_a_prior_that_is_no_distribution_is_named():
    model = own()
    model.prior = None
    with pytest.raises(TypeError, match=r"prior is NoneType, a Distribution is needed: make it"):
        elbo(model, X)


@pytest.mark.parametrize("name", PAGE)
def test_what_the_page_cannot_draw_is_said_with_a_way_out(name):
    bare = own(likelihood=False)
    with pytest.raises(ValueError, match=r"model.likelihood = likelihoods.Bernoulli\(\)") as caught:
        PAGE[name](bare)
    assert "\n" not in str(caught.value)
    assert "pictures.manifold draws without" in str(caught.value)
    bare.likelihood = likelihoods.Bernoulli()  # the remedy, followed literally
    assert PAGE[name](bare).still()


@pytest.mark.fault(
    "Silent input", "a page that would draw something else than the model", "one sentence"
)
def test_a_likelihood_that_is_not_what_decode_says_is_noticed():
    model = own()
    with torch.no_grad():
        model.decoder[-1].weight.mul_(9)
    model.likelihood = likelihoods.Gaussian()
    with pytest.raises(
        ValueError, match="decode does not return the mean that model.decoder followed by"
    ):
        LatentSliders(model)
    with pytest.raises(ValueError, match="encode does not return the Gaussian whose means"):
        DrawDigit(
            spoiled(
                encode=lambda self, x: Independent(Normal(*self.encoder(x).exp().chunk(2, 1)), 1)
            ),
            X,
            LABELS,
        )
