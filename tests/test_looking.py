"""Looking at a model changes nothing in it, nor in the caller's random state, and both modes look alike."""

import copy

import pytest
import torch
from torch import nn

from vae_teach import evaluation, pictures
from vae_teach.explorers import DrawDigit, Film, Interpolation, LatentPlane, LatentSliders
from vae_teach.models import VAE, Autoencoder
from vae_teach.models.classifier import fraction_sure
from vae_teach.pictures import drawable

X = torch.rand(12, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(12) % 10


def normed(latent_dim=2, kind=VAE):
    """With batch norms, whose averages move, and dropout, which draws, in the encoder."""
    torch.manual_seed(0)
    numbers = latent_dim * (2 if kind is VAE else 1)
    encoder = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 16),
        nn.BatchNorm1d(16),
        nn.Dropout(0.5),
        nn.Linear(16, numbers),
    )
    model = kind(latent_dim, encoder=encoder)
    model.encode(X)  # the averages are no longer those of a new layer
    model.encoder[3].eval()  # a mode of its own
    return model


def plain():
    torch.manual_seed(0)
    return VAE(2, hidden=(16,))


def film(model):
    seen = Film(X, LABELS)
    seen(model, 0)
    return [seen.frames[0].mean, seen.frames[0].sd, torch.tensor(seen.frames[0].reconstruction)]


def manifold(model):
    html = pictures.manifold(model, alt="Digits.")._repr_html_()
    return torch.tensor(list(html.encode()))


LOOKS = {
    "plane": (normed, lambda m: [LatentPlane(m, X, LABELS, choices=3, posterior=True)._map.means]),
    "sliders": (normed, lambda m: [LatentSliders(m, images=X).z]),
    "interpolation": (normed, lambda m: [torch.tensor(Interpolation(m, X).t)]),
    "drawing": (plain, lambda m: [DrawDigit(m, X, LABELS).image]),
    "film": (normed, film),
    "plane of an autoencoder": (
        lambda: normed(kind=Autoencoder),
        lambda m: [LatentPlane(m, X, LABELS)._map.means],
    ),
    "manifold": (normed, lambda m: [manifold(m)]),
    "codes": (normed, lambda m: drawable.codes(m, X)),
    "exact": (normed, lambda m: [evaluation.exact_log_likelihood(m, X, grid=20)]),
    "importance": (normed, lambda m: [evaluation.log_likelihood(m, X, samples=40)]),
    "posterior": (normed, lambda m: evaluation.posterior_on_grid(m, X, grid=20)),
    "kl by dimension": (normed, lambda m: [evaluation.kl_by_dimension(m, X)]),
    "kl in parts": (normed, lambda m: [torch.tensor(evaluation.kl_parts(m, X))]),
    "active units": (normed, lambda m: [evaluation.active_units(m, X)]),
    "classifier": (
        lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10)),
        lambda m: [torch.tensor(fraction_sure(m, X, 0.2))],
    ),
}  # fmt: skip


@pytest.mark.fault(
    "Random state",
    "looking at a model by explorer, picture or measure",
    "the caller's is as before, and so is the model",
)
@pytest.mark.fault(
    "Silent input",
    "a model in training mode that is looked at",
    "the same is seen as in evaluation mode",
)
@pytest.mark.parametrize("name", LOOKS)
def test_nothing_changes_and_both_modes_look_alike(name):
    make, look = LOOKS[name]
    model = make()
    weights = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    in_training = look(model)
    assert torch.equal(state, torch.random.get_rng_state())
    assert [module.training for module in model.modules()] == modes
    after = model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in weights.items())
    assert all(parameter.grad is None for parameter in model.parameters())
    for one, other in zip(in_training, look(model.eval()), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.fault("Random state", "an error while a model is looked at", "the model is as before")
def test_an_error_while_looking_leaves_all_as_it_was():
    model = normed()
    modes = [module.training for module in model.modules()]
    model.encoder[4] = nn.Linear(3, 4)
    with pytest.raises(RuntimeError):
        evaluation.kl_by_dimension(model, X)
    assert [module.training for module in model.modules()] == modes
