"""Bubbles and their film: recording touches nothing, the page's numbers are torch's."""

import base64
import math
import re

import numpy as np
import pytest
import torch
from node_runs import node

from vae_teach.explorers.bubbles.bubbles import Bubbles, _limits
from vae_teach.explorers.bubbles.film import Film, Frame
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import NonFiniteLoss, fit

SCRIPTS = [f"explorers/bubbles/{name}.js" for name in ("many_ellipses", "bubbles")]
PRIOR = torch.tensor([[[0.0, 0.0], [1.0, 1.0]]])  # N(0, I)
HOW = {"epochs": 3, "batch_size": 50, "progress": False, "lr": 3e-3}


def train(digits, watch=None, objective=elbo, **how):
    torch.manual_seed(0)
    model = VAE(2, hidden=(32,))
    fit(model, digits.train_images, objective, watch=watch, **HOW | how)
    return model


@pytest.fixture(scope="module")
def film(digits):
    """30 test images over 36 steps; the one below: 20 over 28."""
    film = Film(digits.test_images[:30], digits.test_labels[:30])
    film.model = train(digits, film)
    return film


@pytest.fixture(scope="module")
def shorter(digits):
    film = Film(digits.test_images[:20], digits.test_labels[:20])
    train(digits, film, lambda model, x: elbo(model, x, beta=0), epochs=2, batch_size=44)
    return film


def sent(bubbles):
    packed = {
        name: base64.b64encode(getattr(bubbles, name)).decode() for name in ("codes", "labels")
    }
    return {"films": bubbles.films, **packed}


READ = """
const view = (text) => new DataView(Uint8Array.from(Buffer.from(text, "base64")).buffer);
const films = unpack(given.films, view(given.codes), view(given.labels));
"""


def test_frames_are_what_the_model_says_at_steps_that_grow(film, digits):
    steps = [frame.step for frame in film.frames]
    assert steps == [*range(17), 18, 20, 22, 24, 26, 29, 32, 35, 36]
    last, model = film.frames[-1], film.model
    with torch.no_grad():
        q = model.encode(digits.test_images[:30])
        several = elbo(model, digits.test_images[:30], samples=200)
    assert torch.equal(last.mean, q.mean.half())
    assert torch.equal(last.sd, q.stddev.half())
    assert last.kl == pytest.approx(several.kl.mean().item(), rel=1e-5)
    assert last.reconstruction == pytest.approx(several.reconstruction.mean().item(), abs=5)
    assert repr(film) == "Film of 30 images: 26 frames, steps 0 to 36"


def test_a_long_training_has_few_frames():
    model, film = VAE(2, hidden=(2,)), Film(torch.rand(1, 1, 28, 28), torch.tensor([3]))
    for step in range(5001):
        film(model, step)
    assert [frame.step for frame in film.frames][-1] == 5000
    assert 70 <= len(film.frames) <= 90


def test_training_with_a_film_gives_the_same_weights(digits):
    film = Film(digits.test_images, digits.test_labels)
    watched, alone = train(digits, film), train(digits)
    for a, b in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a.grad, b.grad)


@pytest.mark.fault(
    "Random state", "a film of training", "the caller's is as before, and so is the model"
)
def test_a_film_leaves_mode_randomness_and_gradients_alone(digits):
    model, film = VAE(2, hidden=(8,)), Film(digits.test_images, digits.test_labels)
    model.encoder.eval()  # a part on its own, as when it is frozen
    elbo(model, digits.test_images).bound.mean().backward()
    modes = [module.training for module in model.modules()]
    assert True in modes and False in modes  # noqa: PT018
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    state = torch.random.get_rng_state()
    film(model, 0)
    assert torch.equal(state, torch.random.get_rng_state())
    assert [module.training for module in model.modules()] == modes
    for parameter, before in zip(model.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, before)
    assert not film.frames[0].mean.requires_grad


def test_the_last_step_is_kept_unless_the_model_has_changed_since(digits):
    films = [Film(digits.test_images, digits.test_labels) for _ in range(2)]
    first, second = (train(digits, film) for film in films)
    with torch.no_grad():
        second.encoder[1].weight.add_(1)
    assert [film.frames[-1].step for film in films] == [36, 35]
    film = films[0]
    fit(first, digits.train_images, elbo, watch=film, **HOW | {"epochs": 1})
    assert (film.frames[0].step, film.frames[-1].step) == (0, 12), "a new fit starts it anew"


def test_ruined_weights_leave_no_frame(digits):
    film = Film(digits.test_images, digits.test_labels)

    def poisoned(model, x):
        terms = elbo(model, x)
        nothing = (model.encoder[1].weight * 0).abs().sum().sqrt()  # its gradient is NaN
        return terms._replace(bound=terms.bound + nothing)

    with pytest.raises(NonFiniteLoss):
        train(digits, film, poisoned)
    assert [frame.step for frame in film.frames] == [0]
    Bubbles(film)


def test_what_does_not_fit_is_named(film, digits):
    images, labels = digits.test_images, digits.test_labels
    with pytest.raises(ValueError, match="images / 255"):
        Film(images * 255, labels)
    with pytest.raises(ValueError, match="one label an image"):
        Film(images, labels[:3])
    with pytest.raises(ValueError, match="latent_dim 3: a film needs a VAE with latent_dim 2"):
        fit(VAE(3), digits.train_images, elbo, watch=Film(images, labels), **HOW)
    with pytest.raises(ValueError, match=r"no frames: record some with fit\(model"):
        Bubbles(Film(images, labels))
    with pytest.raises(TypeError, match=r"list, an explorers.Film is needed"):
        Bubbles([film])
    with pytest.raises(ValueError, match="3 films, 1 or 2 are needed"):
        Bubbles({"a": film, "b": film, "c": film})
    with pytest.raises(ValueError, match="labels holds 9, classes has 2 names"):
        Bubbles(film, classes=["one", "two"])
    with pytest.raises(Exception, match="frame is 26, 0 to 25 is needed"):
        Bubbles(film).frame = 26


def test_the_pages_numbers_are_torchs(film, shorter):
    bubbles = Bubbles({"with": film, "without": shorter})
    assert bubbles.steps == [*range(17), 18, 20, 22, 24, 26, 28, 29, 32, 35, 36]
    answer = """
    answer(given.places.map(([f, step]) => {
      const film = films[f], at = place(film.steps, step), out = new Float32Array(film.size);
      return [[...moment(film.values, film.size, at, out)], [...film.labels], between(film.kl, at)];
    }))"""
    places = [[0, 0], [0, 18], [0, 36], [1, 24], [1, 28], [1, 36]]
    asked = sent(bubbles) | {"places": [*places, [0, 28]]}
    *shown, between = node(READ + answer, asked, *SCRIPTS)
    frames = [{frame.step: frame for frame in each.frames} for each in (film, shorter)]
    for (number, step), (numbers, labels, kl) in zip(places, shown, strict=True):
        frame = frames[number].get(step, frames[1][28])  # the shorter film stays at its end
        wanted = torch.cat([frame.mean, frame.sd]).float()
        assert torch.equal(torch.tensor(numbers).reshape(-1, 2), wanted)
        assert kl == pytest.approx(frame.kl, abs=1e-3)
        assert labels == (film, shorter)[number].labels.tolist()
    before, after = frames[0][26], frames[0][29]  # this film has no frame at step 28
    wanted = torch.cat([torch.lerp(before[i].float(), after[i].float(), 2 / 3) for i in (1, 2)])
    torch.testing.assert_close(torch.tensor(between[0]).reshape(-1, 2), wanted)
    assert between[2] == pytest.approx((before.kl + 2 * after.kl) / 3, abs=1e-3)


def test_the_page_paints_ellipses_where_they_belong():
    codes = [[1.0, -0.5], [-1.5, 1.0]], [[0.5, 0.25], [0.05, 0.4]]
    given = {"values": torch.tensor(codes).flatten().tolist(), "limit": 3}
    answer = """
    const side = 320, pixels = new Uint32Array(side * side);
    const sums = new Float32Array(4 * side * (side + 2)), colours = [[250, 100, 0], [0, 50, 200]];
    paintEllipses(pixels, sums, side, Float32Array.from(given.values), [0, 1], given.limit, colours);
    answer([...new Uint8Array(pixels.buffer)])"""
    painted = np.array(node(answer, given, *SCRIPTS)).reshape(320, 320, 4)
    for (x, y), (a, b), colour in zip(*codes, [[250, 100, 0], [0, 50, 200]], strict=True):
        y1, x1 = np.nonzero((painted[..., 3] > 0) & (abs(painted[..., 0] - colour[0]) < 9))
        unit = 320 / 6
        assert (x1.mean() + 0.5) / unit - 3 == pytest.approx(x, abs=0.02)
        assert 3 - (y1.mean() + 0.5) / unit == pytest.approx(y, abs=0.02)
        area = (
            math.pi * (a * unit + 0.5) * (b * unit + 0.5) + 2 * b * unit
        )  # half a pixel at each end
        assert len(x1) == pytest.approx(area, rel=0.05)
        assert abs(painted[y1, x1, :3] - colour).max() <= 1
    assert (painted[..., 3] > 0).mean() < 0.03


def test_an_ellipse_that_just_touches_a_row_leaves_no_gap_in_another():
    """Its row's half-width is the root of 0, rounded: below 0 it would be NaN, and all the row empty."""
    answer = """
    const side = 320, pixels = new Uint32Array(side * side);
    const sums = new Float32Array(4 * side * (side + 2));
    const values = Float32Array.from([0, 0.396484375, 0, 0, 1, 0.208984375, 1, 1]);
    paintEllipses(pixels, sums, side, values, [0, 0], 3, [[250, 100, 0]]);
    answer([...new Uint8Array(pixels.buffer)])"""
    rows = np.array(node(answer, {}, *SCRIPTS)).reshape(320, 320, 4)[..., 3].any(1).nonzero()[0]
    assert len(rows) == rows[-1] - rows[0] + 1


def test_the_plane_holds_the_bubbles_and_zooms_seldom(film):
    spread = [
        Frame(i, torch.full((4, 2), i / 8), torch.full((4, 2), 0.5), 0, 0, PRIOR)
        for i in range(100)
    ]
    limits = _limits(spread)
    assert all(limit >= i / 8 + 0.5 for i, limit in enumerate(limits))
    assert (limits[0], limits[-1], len(set(limits))) == (3, 15, 8)
    assert set(limits) == {3, 4, 5, 6, 8, 10, 12, 15}
    assert len(_limits(film.frames)) == len(film.frames)


def test_state_is_light_and_the_still_has_words(film, shorter, digits):
    bubbles = Bubbles({"without KL": shorter, "with": film}, classes=digits.classes)
    assert len(bubbles.codes) == 8 * (30 * len(film.frames) + 20 * len(shorter.frames))
    assert repr(bubbles) == "Bubbles of 20 images, without KL and with: step 36 of 36"
    page = bubbles.to_html()
    still = re.search("<figure.*</figure>", page, re.DOTALL).group()
    assert "without KL above and with below" in re.search(r'<img alt="([^"]*)"', still).group(1)
    assert "Run the cell to play" in still
    assert len(still) < 85_000
    assert "http" not in re.sub(r'"data":"[^"]*"', "", page.replace("http://www.w3.org", ""))
    bubbles.frame = 0
    assert repr(Bubbles(film)) == "Bubbles of 30 images: step 36 of 36"
    assert repr(bubbles).endswith("step 0 of 36")
    bubbles.close()
