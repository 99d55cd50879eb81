"""Bad input gets one sentence that names the argument, what was seen and what to do."""

import re

import pytest
import torch

from vae_teach.data import ImageSet
from vae_teach.evaluation import exact_log_likelihood, log_likelihood
from vae_teach.models import VAE, conv_encoder
from vae_teach.models.likelihoods import Gaussian
from vae_teach.models.priors import StandardNormal
from vae_teach.objectives import elbo
from vae_teach.training import fit

GOOD = torch.rand(6, 1, 28, 28)


def spoiled(value, count=1):
    x = GOOD.clone()
    x.view(-1)[800 : 800 + count] = value  # 800 = image 1, row 0, column 16
    return x


BAD_IMAGES = {
    "0..255": (GOOD * 255, ValueError, r"0\.\.255: use .* / 255"),
    "-1..1": (GOOD * 2 - 1, ValueError, r"\[-1, 1\]: use \(.* \+ 1\) / 2"),
    "uint8": ((GOOD * 255).byte(), TypeError, r"uint8, .*\.float\(\) / 255"),
    "float16": (GOOD.half(), TypeError, r"float16, float32 in \[0, 1\] is needed"),
    "list": (GOOD.tolist(), TypeError, r"must be a torch.Tensor, got list"),
    "flat": (torch.rand(6, 5, 5, 5, 5), ValueError, r"shape \(6, 5, 5, 5, 5\), a batch"),
    "one image": (GOOD[0], ValueError, r"for one image use \w+\[None\]"),
    "NaN": (spoiled(float("nan"), 3), ValueError, r"3 values .* first at index \(1, 0, 0, 16\)"),
    "infinity": (spoiled(float("inf")), ValueError, r"1 values .* first at index \(1, 0, 0, 16\)"),
    "empty": (GOOD[:0], ValueError, r"empty"),
}


@pytest.mark.fault(
    "Silent input",
    "images of another range, dtype, shape or container, or with NaN",
    "one sentence before anything changes",
)
@pytest.mark.parametrize("name", BAD_IMAGES)
@pytest.mark.parametrize("use", ["elbo", "fit", "validation", "exact", "importance"])
def test_bad_images_are_named(name, use):
    x, kind, pattern = BAD_IMAGES[name]
    model = VAE(2)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    calls = {
        "elbo": lambda: elbo(model, x),
        "fit": lambda: fit(model, x, elbo, epochs=1, progress=False),
        "validation": lambda: fit(model, GOOD, elbo, epochs=1, progress=False, validation=x),
        "exact": lambda: exact_log_likelihood(model, x),
        "importance": lambda: log_likelihood(model, x, samples=10),
    }
    with pytest.raises(kind, match=pattern) as caught:
        calls[use]()
    assert "\n" not in str(caught.value)
    assert re.match(r"(x|images|validation) ", str(caught.value))
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items()), "model changed"


def test_wrong_image_size_names_both_shapes():
    with pytest.raises(ValueError, match=r"\(6, 1, 32, 32\), a batch \(N, 1, 28, 28\)"):
        elbo(VAE(2), torch.rand(6, 1, 32, 32))


@pytest.mark.fault("Silent input", "settings that are no such number", "one sentence")
@pytest.mark.parametrize(
    ("value", "kind"),
    [(0, ValueError), (-2, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)],
)
def test_bad_latent_dim(value, kind):
    with pytest.raises(kind, match="latent_dim is .* whole number of at least 1"):
        VAE(value)


@pytest.mark.fault("Silent input", "settings that are no such number", "one sentence")
@pytest.mark.parametrize("beta", [-1, float("nan"), float("inf"), "1"])
def test_bad_beta(beta):
    with pytest.raises((ValueError, TypeError), match="beta is .* is needed"):
        elbo(VAE(2), GOOD, beta=beta)


@pytest.mark.fault("Silent input", "settings that are no such number", "one sentence")
@pytest.mark.parametrize(
    ("argument", "value"),
    [("lr", 0), ("lr", -1e-3), ("lr", float("nan")), ("epochs", 0), ("batch_size", 1.5)],
)
def test_bad_training_numbers(argument, value):
    with pytest.raises((ValueError, TypeError), match=f"{argument} is .* is needed"):
        fit(VAE(2), GOOD, elbo, progress=False, **{argument: value})


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("encoder", "encoder is 'transformer', an nn.Module is needed"),
        ("decoder", "decoder is 'transformer', an nn.Module is needed"),
        ("likelihood", "likelihood is 'transformer', a part such as likelihoods.Gaussian"),
        ("posterior", "posterior is 'transformer', a part such as posteriors.DiagonalGaussian"),
        ("prior", "prior is 'transformer', a part such as priors.MixtureOfGaussians"),
    ],
)
def test_bad_model_arguments(part, words):
    with pytest.raises(TypeError, match=re.escape(words)):
        VAE(2, **{part: "transformer"})


def test_bad_numbers_of_parts():
    with pytest.raises(ValueError, match="sigma is -1.0"):
        Gaussian(-1.0)
    with pytest.raises(ValueError, match="image_shape is .*multiples of 4"):
        conv_encoder(2, (1, 30, 30))
    with pytest.raises(ValueError, match="prior has 3 dimensions, latent_dim is 2"):
        VAE(2, prior=StandardNormal(3))


def test_codes_of_the_wrong_size():
    with pytest.raises(ValueError, match=r"z has shape \(3, 5\), \(\.\.\., 2\) is needed"):
        VAE(2).decode(torch.zeros(3, 5))


@pytest.mark.fault("Silent input", "more or fewer labels than images", "one sentence")
def test_label_and_image_counts_must_match():
    with pytest.raises(ValueError, match="6 images but 5 labels"):
        fit(VAE(2), (GOOD, torch.zeros(5).long()), elbo, progress=False)
    with pytest.raises(ValueError, match=r"train_labels has shape \(5,\) for 6 images"):
        ImageSet("toy", GOOD, torch.zeros(5).long(), GOOD, torch.zeros(6).long())


def test_grid_refuses_many_dimensions():
    with pytest.raises(ValueError, match="latent_dim is 3.*use log_likelihood"):
        exact_log_likelihood(VAE(3), GOOD)
