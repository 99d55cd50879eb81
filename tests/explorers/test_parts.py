"""Every explorer and picture that decodes, with every likelihood and with priors that are not N(0, I)."""

import base64
import math
import re

import pytest
import torch
from node_runs import node
from some_models import LIKELIHOODS, mixture, spread
from torch.distributions import Normal

from vae_teach import pictures
from vae_teach.explorers import Bubbles, DrawDigit, Film, Interpolation, LatentPlane, LatentSliders
from vae_teach.explorers.latent_plane.latent_plane import SIDE
from vae_teach.models import VAE
from vae_teach.models.priors import MixtureOfGaussians
from vae_teach.objectives import elbo
from vae_teach.page.latent_map import prior_parts
from vae_teach.pictures import pixels
from vae_teach.training import fit

IMAGES = torch.rand(24, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(24) % 10
DRAWN = {
    "LatentPlane": lambda m: LatentPlane(m, IMAGES, LABELS, choices=3),
    "LatentSliders": lambda m: LatentSliders(m, images=IMAGES),
    "DrawDigit": lambda m: DrawDigit(m, IMAGES, LABELS),
    "Interpolation": lambda m: Interpolation(m, IMAGES, LABELS),
}
EVALUATE = """
const bytes = Buffer.from(given.weights, "base64");
const numbers = halves(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
answer(given.codes.map((x) => [...evaluate(given.layers, numbers, x)]));
"""


def model_of(likelihood="bernoulli", **parts):
    torch.manual_seed(0)
    return spread(VAE(2, hidden=(16,), likelihood=LIKELIHOODS[likelihood](), **parts))


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("name", DRAWN)
def test_every_explorer_draws_every_likelihood_s_mean(name, likelihood):
    model = model_of(likelihood)
    explorer = DRAWN[name](model)
    assert "<img" in explorer.still()
    codes = torch.tensor([[0.0, 0.0], [1.5, -2.0]])
    sent = explorer.decoder
    given = {"layers": sent.layers, "weights": base64.b64encode(sent.weights).decode()}
    shown = torch.tensor(node(EVALUATE, given | {"codes": codes.tolist()}, "page/network.js"))
    wanted = pixels.mean_images(model, codes).flatten(1)
    assert wanted.std() > 0.01
    assert (shown - wanted).abs().max() < 1e-3
    with torch.no_grad():
        torch.testing.assert_close(wanted, model.decode(codes).mean.clamp(0, 1).flatten(1))


@pytest.mark.parametrize("likelihood", ["continuous", "laplace"])
def test_the_lens_shades_every_likelihood_s_posterior(likelihood):
    """Under a mixture prior, at one point against Bayes' rule by hand."""
    model = model_of(likelihood, prior=mixture())
    plane = LatentPlane(model, IMAGES, LABELS, choices=1, posterior=True)
    shades = torch.frombuffer(bytearray(plane.posteriors), dtype=torch.uint8).reshape(SIDE, SIDE)
    peak = divmod(shades.argmax().item(), SIDE)
    a, b, half = plane.windows[0]

    def log_joint(row, column):
        z1 = a + half * ((column + 0.5) / SIDE * 2 - 1)
        z = torch.tensor([z1, b - half * ((row + 0.5) / SIDE * 2 - 1)])
        with torch.no_grad():
            return (
                model.decode(z[None]).log_prob(IMAGES[:1]) + model.prior.log_prob(z[None])
            ).item()

    row, column = peak[0], min(SIDE - 1, peak[1] + 1)
    wanted = math.exp(log_joint(row, column) - log_joint(*peak))
    assert shades[row, column] / 255 == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_pictures_and_films_know_every_likelihood(likelihood, digits):
    model = model_of(likelihood)
    assert pictures.manifold(model, "What it draws.", side=3).png()
    film = Film(digits.test_images, digits.test_labels)
    fit(model, digits.train_images[:100], elbo, epochs=1, batch_size=50, progress=False, watch=film)
    assert "<img" in Bubbles(film).still()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_what_draw_digit_says_of_the_error(likelihood):
    model = model_of(likelihood)
    explorer = DrawDigit(model, IMAGES, LABELS)
    assert explorer.probable == (likelihood == "bernoulli")
    with torch.no_grad():
        p = model.decode(model.encode(IMAGES).mean)
        squares = (p.mean.clamp(0, 1) - IMAGES).square().flatten(1).sum(1)
        wanted = -p.log_prob(IMAGES) if explorer.probable else squares
    assert explorer.usual[1] == pytest.approx(wanted.mean().item(), rel=1e-4)


@pytest.mark.parametrize("name", DRAWN)
def test_every_explorer_draws_a_model_with_a_mixture_prior(name):
    assert "<img" in DRAWN[name](model_of(prior=mixture())).still()


def test_maps_draw_the_parts_of_the_prior():
    plane = LatentPlane(model_of(prior=mixture()), IMAGES, LABELS)
    wanted = [[-4, -4, 0.5, 0.5], [0, 0, 1, 1], [5, 5, 0.7, 0.7]]
    assert [part == pytest.approx(w) for part, w in zip(plane.prior, wanted, strict=True)] == [
        True
    ] * 3
    assert plane.limit >= 5 + 3 * 0.7, "the whole prior is on the map"
    assert LatentPlane(model_of(), IMAGES, LABELS).prior == [[0, 0, 1, 1]]
    drawn = DrawDigit(model_of(prior=mixture()), IMAGES, LABELS)
    assert drawn.prior == plane.prior
    assert drawn.usual[0] is None, "no closed form of the KL term"


PLANE = """
let html = "";
const group = { querySelector: () => null };
const frame = { insertAdjacentHTML: (_, made) => (html = made), querySelector: () => group };
globalThis.document = { createElement: () => frame };
const parent = { appendChild: (child) => child };
answer(given.map((prior) => {
  plane(parent, { limit: 8, tick: 2, prior });
  return html;
}));
"""


def test_the_page_draws_and_names_them():
    normal, parts, none = node(
        PLANE,
        [[[0, 0, 1, 1]], [[-4, 0, 0.5, 1], [4, 1, 0.1, 0.2]], []],
        "page/network.js",
        "page/common.js",
        "page/plane.js",
    )
    ellipses = [len(re.findall("<ellipse cx", html)) for html in (normal, parts, none)]
    assert ellipses == [2, 4, 0]
    assert "2 sd of p(z)<" in normal
    assert "1 and 2 sd of p(z)’s parts<" in parts
    assert "sd of" not in none
    rx = [float(v) for v in re.findall(r'<ellipse cx="[^"]*" cy="[^"]*" rx="([^"]*)"', parts)]
    assert rx == pytest.approx([12.5, 25, 2.5, 5])  # 400 units for 16


def test_random_codes_come_from_the_prior():
    """The page takes them from draws of the kernel's where the prior is not N(0, I)."""
    assert LatentSliders(model_of()).draws == b""
    model = model_of(prior=mixture())
    sliders = LatentSliders(model)
    draws = torch.frombuffer(bytearray(sliders.draws), dtype=torch.float16).reshape(-1, 2).float()
    assert len(draws) == 200
    assert sliders.limit >= 7, "all of the prior is within reach"
    nearest = Normal(torch.tensor([-4.0, 0.0, 5.0]), torch.tensor([0.5, 1.0, 0.7]))
    part = nearest.log_prob(draws[:, :1]).argmax(1)
    share = part.bincount(minlength=3) / 200
    assert share.tolist() == pytest.approx([0.5, 0.2, 0.3], abs=0.12)
    state = torch.random.get_rng_state()
    assert LatentSliders(model).draws == sliders.draws
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_sphere_is_for_a_standard_normal_only():
    assert Interpolation(model_of(), IMAGES).radius == pytest.approx(2**0.5)
    assert Interpolation(model_of(prior=mixture()), IMAGES).radius == 0


def test_a_film_of_a_prior_that_learns(digits):
    """The still has each moment's prior; the page draws none rather than a wrong one."""
    model = model_of(prior=MixtureOfGaussians(2, 3))
    film = Film(digits.test_images, digits.test_labels)
    fit(model, digits.train_images, elbo, epochs=2, batch_size=50, progress=False, watch=film)
    assert torch.equal(film.frames[-1].prior, prior_parts(model))
    assert not torch.equal(film.frames[0].prior, film.frames[-1].prior)
    bubbles = Bubbles(film)
    assert bubbles.films[0]["prior"] == []
    assert "<img" in bubbles.still()
    model = model_of()
    fit(model, digits.train_images, elbo, epochs=1, batch_size=50, progress=False, watch=film)
    assert Bubbles(film).films[0]["prior"] == [[0, 0, 1, 1]]
