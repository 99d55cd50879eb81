"""Numbers, codes, sizes and seeds at their limits: they work, or one sentence says what would."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from vae_teach import evaluation, pictures, pretrained
from vae_teach.data.sprites import sprites
from vae_teach.explorers import (
    BetaSlider,
    DrawDigit,
    Film,
    Interpolation,
    LatentPlane,
    LatentSliders,
)
from vae_teach.models import (
    VAE,
    Autoencoder,
    AutoencoderFamily,
    Classifier,
    MultiRateVAE,
    conv_decoder,
    conv_encoder,
    mlp_encoder,
)
from vae_teach.models.interface import as_it_is
from vae_teach.models.likelihoods import Gaussian, Laplace
from vae_teach.objectives import elbo
from vae_teach.training import fit

ALT = "What is drawn."
X = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(4)


def model(latent_dim=2, **parts):
    torch.manual_seed(0)
    return VAE(latent_dim, hidden=(8,), **parts)


def sentence(call, kind=(TypeError, ValueError)):
    """The one by which this is refused."""
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# A narrow likelihood


def flat(sigma, slope=1.0):
    """A model of one latent dimension that moves one pixel: log p(x) is a Gaussian's."""
    narrow = VAE(1, (1, 2, 2), (), likelihood=Gaussian(sigma))
    with torch.no_grad():
        narrow.decoder[0].weight.zero_()[0] = slope
        narrow.decoder[0].bias.fill_(0.5)
    return narrow


@pytest.mark.parametrize("sigma", [1.0, 0.1, 0.01, 2e-3])
def test_a_small_sigma_on_a_grid_is_exact(sigma):
    x = torch.tensor([[0.2, 0.5, 0.5, 0.5], [0.9, 0.51, 0.49, 0.5]]).reshape(2, 1, 2, 2)
    noise = torch.tensor([(1 + sigma**2) ** 0.5, *[sigma] * 3], dtype=torch.double)
    wanted = Independent(Normal(torch.full((4,), 0.5).double(), noise), 1).log_prob(
        x.flatten(1).double()
    )
    found = evaluation.exact_log_likelihood(flat(sigma), x)
    torch.testing.assert_close(found.double(), wanted, atol=2e-2, rtol=1e-5)


@pytest.mark.fault(
    "Silent input",
    "a posterior that a grid would miss (σ = 1e-4)",
    "one sentence whose remedies work",
)
@pytest.mark.parametrize("sigma", [1e-3, 1e-4, 1e-6])
def test_a_posterior_too_narrow_for_a_grid_gets_a_sentence_whose_remedies_work(sigma):
    x = X[:2, :, :2, :2]
    said = sentence(lambda: evaluation.exact_log_likelihood(flat(sigma, 5.0), x), ValueError)
    assert "use log_likelihood, or a likelihood with a larger sigma" in said
    assert evaluation.log_likelihood(flat(sigma, 5.0), x, samples=50).isfinite().all()
    assert evaluation.exact_log_likelihood(flat(0.1, 5.0), x).isfinite().all()


def test_pairs_of_a_small_sigma_do_not_cancel():
    narrow, z = model(likelihood=Gaussian(0.01)), torch.randn(5, 2)
    wanted = narrow.double().decode(z.double()).log_prob(X[:, None].double())
    found = evaluation.pairwise_log_prob(narrow.float(), z, X)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-6, atol=1e-2)


@pytest.mark.parametrize("part", [Gaussian, Laplace])
@pytest.mark.parametrize(
    "width", [0, 1e-7, 1e-30, 1e30, float("nan"), float("inf"), True, "1", None]
)
def test_widths_that_float32_cannot_hold_are_refused(part, width):
    if part is Gaussian and width is None:
        assert Gaussian(None).log_sigma.requires_grad
        return
    assert re.match(r"(sigma|scale) is .* is needed", sentence(lambda: part(width)))


@pytest.mark.parametrize("part", [Gaussian, Laplace])
@pytest.mark.parametrize("width", [1e-6, 1, 1e6])
def test_widths_that_are_taken_are_finite(part, width):
    terms = elbo(model(likelihood=part(width)), X)
    assert all(term.isfinite().all() for term in terms)


def test_a_stated_sigma_stays_where_weights_are_frozen_and_thawed():
    stated = model(likelihood=Gaussian(0.1)).requires_grad_(False)
    said = sentence(lambda: fit(stated, X, elbo, epochs=1, progress=False), ValueError)
    eval(re.search(r"(model\.requires_grad_\(True\)) thaws", said)[1], {"model": stated})
    fit(stated, X, elbo, epochs=3, lr=0.1, progress=False)
    assert stated.likelihood.log_sigma.exp().item() == pytest.approx(0.1)


def test_models_in_double_precision_are_measured():
    double, x = model().double(), X.double()
    found = evaluation.exact_log_likelihood(double, x, grid=20)
    assert found.dtype == torch.float64
    single = evaluation.exact_log_likelihood(double.float(), X, grid=20)
    torch.testing.assert_close(found.float(), single, atol=1e-2, rtol=1e-4)


# Codes


NO_CODES = torch.zeros(0, 2)
CODES = torch.rand(30, 2)
Q = Independent(Normal(torch.randn(5, 2), torch.ones(5, 2)), 1)


@pytest.mark.fault("Silent input", "no codes at all", "one sentence, no NaN")
@pytest.mark.parametrize(
    "call",
    [
        lambda: evaluation.total_correlation(Q, NO_CODES),
        lambda: evaluation.total_correlation(Independent(Normal(NO_CODES, NO_CODES + 1), 1)),
        lambda: evaluation.pairwise_log_prob(model(), NO_CODES, X),
        lambda: evaluation.mig(NO_CODES, NO_CODES),
        lambda: evaluation.dci(NO_CODES, NO_CODES),
        lambda: LatentSliders(model(), NO_CODES),
        lambda: evaluation.kl_by_dimension(model(), X[:0]),
        lambda: evaluation.kl_parts(model(), X[:0]),
        lambda: evaluation.active_units(model(), X[:0]),
    ],
)
def test_no_codes_get_a_sentence_and_no_nan(call):
    assert re.search(r"\(0, |empty", sentence(call, ValueError))


@pytest.mark.parametrize("z", [np.zeros((3, 2), "f4"), [[0.0, 1.0]], None, "z", 3])
def test_codes_that_are_no_tensor_get_a_remedy(z):
    calls = {
        "VAE": lambda z: model().decode(z).mean,
        "Autoencoder": Autoencoder(2).decode,
        "AutoencoderFamily": AutoencoderFamily(3).decode,
        "MultiRateVAE": lambda z: MultiRateVAE(2).at(1.0).decode(z).mean,
        "pairwise": lambda z: evaluation.pairwise_log_prob(model(), z, X),
        "total_correlation": lambda z: torch.tensor(evaluation.total_correlation(Q, z)),
    }
    for name, call in calls.items():
        if z is None and name == "total_correlation":  # it draws them itself
            continue
        said = sentence(lambda call=call: call(z), TypeError)
        assert re.match(r"z is \w+, a tensor \(", said)
        remedy = re.search(r"use (.*)\.$", said)
        assert bool(remedy) == isinstance(z, np.ndarray | list)
        if remedy:
            assert call(eval(remedy[1], {"torch": torch, "z": z})).isfinite().all()


@pytest.mark.fault(
    "Silent input", "maps of one dimension, or of three", "one sentence that says what to use"
)
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_maps_of_other_than_two_dimensions_say_what_to_use(latent_dim):
    other, film = model(latent_dim), Film(X, LABELS)
    maps = {
        "manifold": lambda: pictures.manifold(other, ALT),
        "plane": lambda: LatentPlane(other, X, LABELS),
        "digit": lambda: DrawDigit(other, X, LABELS),
    }
    for call in maps.values():
        said = sentence(call, ValueError)
        assert said.startswith(f"model.latent_dim is {latent_dim}, 2 is needed")
        assert said.endswith("use LatentSliders(model).")
    assert "2" in sentence(lambda: fit(other, X, elbo, watch=film, progress=False), ValueError)
    assert f"latent_dim is {latent_dim}" in sentence(
        lambda: evaluation.posterior_on_grid(other, X), ValueError
    )
    assert LatentSliders(other, images=X).still()  # the remedy
    assert Interpolation(other, X).still()


def test_numbers_of_sliders_come_from_any_list():
    wanted = LatentSliders(model(), torch.tensor([1.0, 2.0]), [1, 0])
    for z, dimensions in (([1, 2], np.array([1, 0])), (np.array([1.0, 2.0]), torch.tensor([1, 0]))):
        made = LatentSliders(model(), z, dimensions)
        assert torch.equal(made.z, wanted.z)
        assert made.dimensions == wanted.dimensions
    assert sentence(lambda: LatentSliders(model(), None, 1)).startswith("dimensions is 1, a list")
    assert sentence(lambda: LatentSliders(model(), "origin")).startswith("z is str, a tensor (2,)")


# Sizes of layers and images

BUILT = {
    "VAE": lambda **sizes: VAE(2, **sizes),
    "Autoencoder": lambda **sizes: Autoencoder(2, **sizes),
    "MultiRateVAE": lambda **sizes: MultiRateVAE(2, **sizes),
    "mlp_encoder": lambda **sizes: mlp_encoder(2, **sizes),
    "AutoencoderFamily": lambda **sizes: AutoencoderFamily(3, **sizes),
    "Classifier": lambda **sizes: Classifier(**sizes),
    "conv_encoder": lambda **sizes: conv_encoder(2, **sizes),
    "conv_decoder": lambda **sizes: conv_decoder(2, **sizes),
}


@pytest.mark.parametrize("name", ["VAE", "Autoencoder", "MultiRateVAE", "mlp_encoder"])
def test_hidden_layers(name):
    for hidden in ((0,), (-3,), (1.5,), ("8",), (True,), None, "8", 400.0):
        said = sentence(lambda hidden=hidden: BUILT[name](hidden=hidden))
        assert said.startswith(f"hidden is {hidden!r}, a whole number of at least 1 for each layer")
    said = sentence(lambda: BUILT[name](hidden=16))
    assert said == "hidden is 16, a size for each layer is needed: use (16,)."
    assert BUILT[name](hidden=(16,))
    assert BUILT[name](hidden=[16, 8])
    if name == "MultiRateVAE":
        assert sentence(lambda: MultiRateVAE(hidden=())).startswith("hidden is (), at least one")
    else:
        linear = BUILT[name](hidden=())
        assert sum(isinstance(layer, torch.nn.ReLU) for layer in linear.modules()) == 0


def test_a_model_without_hidden_layers_learns_and_is_drawn():
    linear = VAE(2, hidden=())
    fit(linear, X, elbo, epochs=1, progress=False)
    assert LatentPlane(linear, X, LABELS).still()


@pytest.mark.parametrize("name", [name for name in BUILT if name != "mlp_encoder"])
def test_image_shapes(name):
    for shape in (784, None, "MNIST", (28,), (0, 28, 28), (1, 28, 28, 1), (1.0, 28, 28)):
        said = sentence(lambda shape=shape: BUILT[name](image_shape=shape))
        assert said == f"image_shape is {shape!r}, (C, H, W) is needed, such as (1, 28, 28)."
    said = sentence(lambda: BUILT[name](image_shape=(32, 28)))
    remedy = re.search(r"\(C, H, W\) is needed: use (.*)\.$", said)[1]
    assert BUILT[name](image_shape=eval(remedy))
    assert BUILT[name](image_shape=[3, 8, 12])
    assert BUILT[name](image_shape=X.shape[1:])


def test_a_classifier_of_no_such_size_or_classes():
    assert "multiples of 4" in sentence(lambda: Classifier((1, 30, 28)), ValueError)
    assert sentence(lambda: Classifier(classes=0)).startswith("classes is 0")


def test_a_data_set_of_another_size_has_no_shipped_judge():
    small = sprites(32, train=20, test=10)
    for kind in pretrained.KINDS:
        said = sentence(lambda kind=kind: pretrained.for_set(kind, small), ValueError)
        assert re.match(r"sprites32.train_images has shape .*\(N, 1, 28, 28\) is needed", said)


# Seeds


@pytest.mark.fault(
    "Silent input", "seeds that are None or words", "one sentence before anything changes"
)
@pytest.mark.parametrize("seed", [None, "a", 1.5, True, -1, 2**70])
def test_bad_seeds(seed):
    one = model()
    uses = {
        "fit": lambda: fit(one, X, elbo, epochs=1, progress=False, seed=seed),
        "kl_parts": lambda: evaluation.kl_parts(one, X, seed=seed),
        "total_correlation": lambda: evaluation.total_correlation(Q, seed=seed),
        "log_likelihood": lambda: evaluation.log_likelihood(one, X, 10, seed),
        "dci": lambda: evaluation.dci(CODES, CODES, seed=seed),
    }
    for call in uses.values():
        state = torch.random.get_rng_state()
        assert re.match("seed is .*, a whole number (of at least 0|from 0 to)", sentence(call))
        assert torch.equal(state, torch.random.get_rng_state())


def test_numpy_seeds():
    wanted = evaluation.kl_parts(model(), X, seed=3)
    assert evaluation.kl_parts(model(), X, seed=np.int64(3)) == wanted


# Training


def test_what_belongs_to_the_images_is_a_tensor():
    for labels in (None, "digits", ["a", "b", "c", "d"], object()):
        said = sentence(lambda y=labels: fit(model(), (X, y), elbo, progress=False), TypeError)
        assert re.match(r"images\[1\] is \w+, a tensor with a row for each image is needed", said)


@pytest.mark.parametrize("x", [3 * X.flatten(1) - 1, X.flatten(1)], ids=["outside", "inside"])
def test_points_for_an_image_model_change_nothing(x):
    one = model()
    before = [weight.clone() for weight in one.parameters()]
    said = sentence(lambda: fit(one, x, elbo, epochs=1, progress=False), ValueError)
    assert re.match(r"x has shape \(4, 784\), .*: use x\.reshape\(-1, 1, 28, 28\)\.$", said)
    assert all(map(torch.equal, before, one.parameters()))


@pytest.mark.fault(
    "Silent input", "NaN or infinity in validation", "one sentence before the first step"
)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_validation_that_is_not_finite_changes_nothing(bad):
    one = model()
    before = [weight.clone() for weight in one.parameters()]
    held_out = X.clone()
    held_out[2, 0, 3, 4] = bad
    said = sentence(lambda: fit(one, X, elbo, validation=held_out, progress=False), ValueError)
    assert re.match(r"validation holds 1 values .* index \(2, 0, 3, 4\)", said)
    assert all(map(torch.equal, before, one.parameters()))


# A model that learns on after it was shown

SHOWN = {
    "plane": lambda m: LatentPlane(m, X, LABELS, choices=2, posterior=True),
    "sliders": lambda m: LatentSliders(m, images=X),
    "digit": lambda m: DrawDigit(m, X, LABELS),
    "interpolation": lambda m: Interpolation(m, X),
    "at beta": lambda m: LatentSliders(m.at(2.0), images=X),
    "beta": lambda m: BetaSlider(m, X),
}


@pytest.mark.fault(
    "Silent input",
    "a model that is trained on after its explorer was made",
    "still and page show the same one",
)
@pytest.mark.parametrize("name", SHOWN)
def test_still_and_page_show_the_same_model_after_more_training(name):
    torch.manual_seed(0)
    shown = MultiRateVAE(2, hidden=(8,)) if "beta" in name else model()
    explorer = SHOWN[name](shown)
    before = explorer.still(), explorer.decoder.weights
    with torch.no_grad():
        for weight in shown.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    assert (explorer.still(), explorer.decoder.weights) == before
    assert SHOWN[name](shown).still() != before[0], "a new one shows what was learned"


def test_images_changed_in_place_stay_as_they_were_shown():
    images = X.clone()
    explorer = Interpolation(model(), images)
    before = explorer.still()
    images.zero_()
    assert explorer.still() == before


def test_a_copy_has_the_models_ties_and_what_it_remembers():
    one = model()
    one.twin = one.encoder  # two names of one network
    one.kl = elbo(one, X).kl  # as many tutorials keep it: no leaf, which cannot be copied deeply
    twin = as_it_is(one)
    assert twin.twin is twin.encoder is not one.encoder
    assert all(map(torch.equal, one.state_dict().values(), twin.state_dict().values()))
    with torch.no_grad():
        one.encoder[1].weight.zero_()
    assert twin.encoder[1].weight.any()
    assert SimpleNamespace(**vars(as_it_is(SimpleNamespace(network=one, beta=2)))).beta == 2
