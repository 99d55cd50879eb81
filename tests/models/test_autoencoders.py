"""Autoencoders, their family, the classifier that judges them, and the map without a prior."""

import re

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from some_models import autoencoder

from vae_teach import pictures
from vae_teach.chapters.autoencoder.figures import captioned, sureness
from vae_teach.chapters.autoencoder.panels import between_codes_panel, bottleneck_panel
from vae_teach.explorers import LatentPlane
from vae_teach.models import (
    VAE,
    Autoencoder,
    AutoencoderFamily,
    Classifier,
    conv_encoder,
    mlp_encoder,
)
from vae_teach.models.autoencoder import family_squared_error, squared_error
from vae_teach.models.classifier import fraction_sure, log_probability

NETWORKS = ["linear", "mlp", "strided", "pooled"]
X = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("latent_dim", [1, 2, 20])
def test_an_autoencoder_returns_codes_and_images(network, count, latent_dim):
    model = autoencoder(latent_dim, network=network)
    x = X[:count]
    z = model.encode(x)
    assert z.shape == (count, latent_dim)
    assert model.decode(z).shape == model(x).shape == x.shape
    assert model.decode(z.repeat(5, 1, 1)).shape == (5, count, 1, 28, 28)
    assert model.decode(z[0]).shape == (1, 28, 28)
    if network != "linear":
        assert 0 < model(x).min() < model(x).max() < 1
    torch.testing.assert_close(squared_error(model, x), -((model(x) - x) ** 2).sum((1, 2, 3)))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_parameter_learns_and_nothing_is_random(network):
    model = autoencoder(3, network=network)
    assert torch.equal(model(X), model(X))
    squared_error(model, X).mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_linear_autoencoder_is_one_affine_map_of_rank_d():
    model = autoencoder(3, (1, 6, 6), "linear")
    with torch.no_grad():
        x = torch.rand(40, 1, 6, 6)
        mixed = model(0.3 * x[:1] + 0.7 * x[1:2])
        torch.testing.assert_close(mixed, 0.3 * model(x[:1]) + 0.7 * model(x[1:2]))
        moved = (model(x) - model(x).mean(0)).flatten(1)
    assert torch.linalg.matrix_rank(moved, rtol=1e-4) == 3


def test_pca_is_a_linear_autoencoder_that_no_small_step_improves():
    x = torch.rand(200, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    flat = x.flatten(1).numpy()
    pca = PCA(2).fit(flat)
    model = autoencoder(2, (1, 6, 6), "linear")
    components, mean = torch.tensor(pca.components_), torch.tensor(pca.mean_)
    encoder = model.encoder[-1]
    decoder = next(layer for layer in model.decoder if isinstance(layer, torch.nn.Linear))
    with torch.no_grad():
        encoder.weight.copy_(components)
        encoder.bias.copy_(-components @ mean)
        decoder.weight.copy_(components.T)
        decoder.bias.copy_(mean)
    best = ((pca.inverse_transform(pca.transform(flat)) - flat) ** 2).sum(1).mean()
    error = -squared_error(model, x).mean()
    assert error.item() == pytest.approx(best, rel=1e-5)
    error.backward()
    assert max(p.grad.abs().max() for p in model.parameters()) < 1e-5


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"latent_dim": 0}, ValueError, "latent_dim is 0"),
        ({"latent_dim": 2.0}, TypeError, "whole number"),
        ({"latent_dim": 2, "encoder": "conv"}, TypeError, "encoder is 'conv', an nn.Module"),
    ],
)
def test_what_cannot_be_built_is_named(how, error, words):
    with pytest.raises(error, match=words):
        Autoencoder(**how)


def test_networks_whose_numbers_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"encoder gives shape \(6, 4\).*\(6, 2\) is needed"):
        Autoencoder(2, encoder=mlp_encoder(2)).encode(X)  # a VAE's: two numbers a dimension
    with pytest.raises(ValueError, match=r"decoder gives .*\(3, 1, 28, 28\) is needed"):
        Autoencoder(2, decoder=torch.nn.Linear(2, 9)).decode(torch.zeros(3, 2))
    with pytest.raises(ValueError, match="multiples"):
        conv_encoder(2, (1, 30, 28), numbers=1)


def test_bad_images_and_codes_are_named():
    model, family = Autoencoder(2), AutoencoderFamily(4)
    for encode in (model.encode, lambda x: family.encode(x, 2), Classifier()):
        with pytest.raises(ValueError, match="255"):
            encode(X * 255)
        with pytest.raises(ValueError, match="a batch"):
            encode(X[0])
    with pytest.raises(ValueError, match=r"z has shape \(5, 3\), \(..., 2\) is needed"):
        model.decode(torch.zeros(5, 3))


def test_a_family_passes_exactly_its_width():
    family = AutoencoderFamily(5)
    for width in range(1, 6):
        z = family.encode(X, width)
        assert z.shape == (6, width)
        torch.testing.assert_close(family.decode(z), family(X, width))
    assert family(X[:1], 3).shape == (1, 1, 28, 28)
    assert family_squared_error(family, X).shape == (6,)
    family_squared_error(family, X, widths=5).mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in family.parameters())


@pytest.mark.parametrize(
    ("width", "error", "words"),
    [
        (0, ValueError, "width is 0"),
        (6, ValueError, "from 1 to 5"),
        (2.5, TypeError, "width is 2.5"),
    ],
)
def test_a_width_outside_the_family_is_named(width, error, words):
    with pytest.raises(error, match=words):
        AutoencoderFamily(5).encode(X, width)
    if isinstance(width, int) and width > 0:
        with pytest.raises(error, match=words):
            AutoencoderFamily(5).decode(torch.zeros(1, width))


def test_the_classifier_scores_labels_and_shows_its_features():
    classifier, labels = Classifier(), torch.arange(6)
    first, second = classifier.features(X)
    assert (first.shape, second.shape) == ((6, 16, 28, 28), (6, 32, 7, 7))
    assert classifier(X[:1]).shape == (1, 10)
    p = classifier(X).softmax(1)
    torch.testing.assert_close(p.sum(1), torch.ones(6))
    torch.testing.assert_close(log_probability(classifier, X, labels).exp(), p[range(6), labels])


def test_fraction_sure_counts_images_over_the_threshold():
    probabilities = torch.tensor([[0.95, 0.05], [0.5, 0.5], [0.08, 0.92], [0.85, 0.15]])

    def classifier(x):
        return probabilities[(x[:, 0, 0, 0] * 4).long()].log()

    x = (torch.arange(4) / 4).reshape(4, 1, 1, 1)
    assert fraction_sure(classifier, x) == 0.5
    assert fraction_sure(classifier, x, threshold=0.8) == 0.75
    assert fraction_sure(classifier, x[:1].repeat(1200, 1, 1, 1)) == 1
    with pytest.raises(ValueError, match="threshold is 90"):
        fraction_sure(classifier, x, threshold=90)


def test_the_map_of_an_autoencoder_has_no_prior():
    torch.manual_seed(0)
    labels = torch.arange(6)
    plane, other = LatentPlane(Autoencoder(2), X, labels), LatentPlane(VAE(2), X, labels)
    assert (plane.prior, other.prior) == ([], [[0.0, 0.0, 1.0, 1.0]])
    assert plane.get_state("prior") == {"prior": []}, "the page must be told"
    assert plane.limit < 3 <= other.limit, "small codes need no room for the prior's circles"
    codes = np.frombuffer(plane.points[: 4 * 6], "<f2").reshape(-1, 2)
    assert np.abs(codes).max() <= plane.limit
    assert plane.still() != other.still()


def test_the_panels_show_what_their_sliders_say():
    torch.manual_seed(0)
    family, classifier = AutoencoderFamily(4), Classifier()
    pca = PCA(4).fit(X.flatten(1).numpy())
    mean, directions = torch.tensor(pca.mean_), torch.tensor(pca.components_)
    panel = bottleneck_panel(family, mean, directions, X, shown=3)
    first = panel._pixels
    panel._controls["width"].value = 1
    assert (panel._pixels != first).any()
    ends, codes = X[:2], family.encode(X[:2], 3).detach()
    panel = between_codes_panel(family.decode, classifier, *codes, ends)
    half = panel._pixels
    for t in (0.0, 0.5):
        panel._controls["t"].value = t
        assert ((panel._pixels == half).all()) == (t == 0.5)
    assert not panel.error


def test_the_pictures_have_words():
    model, classifier = Autoencoder(2), Classifier()
    codes = model.encode(X).detach()
    drawn = [
        pictures.components(
            {"a": torch.randn(3, 28, 28), "b": torch.randn(3, 28, 28)}, alt="patterns"
        ),
        captioned({"a": X, "b": X}, {"b": list("123456")}, alt="images"),
        sureness(model, classifier, codes, torch.arange(6), alt="a plane", side=8),
    ]
    for picture in drawn:
        assert re.match(r'<figure .*alt="\w', picture._repr_html_())
