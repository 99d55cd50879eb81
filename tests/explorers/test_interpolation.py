"""Interpolation, without a browser: the page's ways between codes against other formulas for them."""

import base64
import json
import math
import re

import pytest
import torch
from node_runs import node
from some_models import vae

from vae_teach.explorers.interpolation.interpolation import Interpolation, along_sphere
from vae_teach.models import VAE, Autoencoder
from vae_teach.models.likelihoods import Gaussian
from vae_teach.pictures import drawable, pixels

SCRIPTS = ("page/network.js", "explorers/interpolation/interpolation.js")
IMAGES = torch.rand(14, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(14) % 10
T = torch.linspace(0, 1, 9, dtype=torch.double)
WAYS = """
answer(given.pairs.map(([a, b]) => {
  const way = sphere(a, b);
  return { kind: way.kind, sphere: given.t.map(way.at), straight: given.t.map((t) => straight(a, b, t)) };
}));
"""
DECODE = """
const weights = new DataView(Uint8Array.from(Buffer.from(given.weights, "base64")).buffer);
const numbers = halves(weights), [a, b] = given.ends, way = sphere(a, b);
const decoded = (z) => [...evaluate(given.layers, numbers, z)];
answer([given.t.map((t) => decoded(straight(a, b, t))), given.t.map((t) => decoded(way.at(t)))]);
"""


def ways(*pairs):
    return node(WAYS, {"pairs": pairs, "t": T.tolist()}, *SCRIPTS)


def rotated(a, b, t):
    """Turn a toward b by the matrix exponential of a rotation in their plane; norms are linear in t."""
    u, v = a / a.norm(), b / b.norm()
    angle = torch.acos(u @ v)
    w = (v - (u @ v) * u) / (v - (u @ v) * u).norm()
    turn = torch.linalg.matrix_exp(t * angle * (torch.outer(w, u) - torch.outer(u, w)))
    return ((1 - t) * a.norm() + t * b.norm()) * (turn @ u)


@pytest.mark.parametrize("d", [2, 3, 20, 64])
def test_the_way_along_the_sphere_turns_evenly(d):
    torch.manual_seed(d)
    a, b = torch.randn(2, d, dtype=torch.double) * torch.tensor([[1.0], [1.7]])
    (got,) = ways([a.tolist(), b.tolist()])
    assert got["kind"] == "sphere"
    z = torch.tensor(got["sphere"], dtype=torch.double)
    wanted = torch.stack([rotated(a, b, t) for t in T])
    assert (z - wanted).abs().max() < 1e-9
    assert (z - along_sphere(a, b, T)).abs().max() < 1e-9
    assert (z.norm(dim=1) - torch.lerp(a.norm(), b.norm(), T)).abs().max() < 1e-12
    line = torch.tensor(got["straight"], dtype=torch.double)
    assert (line - torch.lerp(a, b, T[:, None])).abs().max() < 1e-12
    assert (line.norm(dim=1)[1:-1] < z.norm(dim=1)[1:-1]).all()


def test_it_is_whites_slerp_for_codes_of_equal_norm():
    """White 2016, arXiv:1609.04468: sin((1-t)w)/sin(w) a + sin(tw)/sin(w) b."""
    torch.manual_seed(0)
    a, b = torch.nn.functional.normalize(torch.randn(2, 8, dtype=torch.double)) * math.sqrt(8)
    w = torch.acos(a @ b / 8)
    wanted = torch.sin((1 - T[:, None]) * w) * a + torch.sin(T[:, None] * w) * b
    z = torch.tensor(ways([a.tolist(), b.tolist()])[0]["sphere"], dtype=torch.double)
    assert (z - wanted / torch.sin(w)).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0, -1.0], [1.0, 2.0, -1.0]),
        ([1.0, 2.0, -1.0], [3.0, 6.0, -3.0]),
        ([1.0, 2.0, -1.0], [1.0, 2.0 + 1e-9, -1.0]),
        ([0.0, 0.0, 0.0], [1.0, 2.0, -1.0]),
        ([1.0, 2.0, -1.0], [0.0, 0.0, 0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1.5], [-2.0]),
    ],
    ids=["equal", "one direction", "nearly equal", "from 0", "to 0", "both 0", "one dimension"],
)
def test_without_a_turn_the_sphere_goes_straight(a, b):
    (got,) = ways([a, b])
    assert got["kind"] == "straight"
    assert torch.tensor(got["sphere"]).flatten().tolist() == pytest.approx(
        torch.tensor(got["straight"]).flatten().tolist(), abs=1e-8
    )
    line = along_sphere(torch.tensor(a), torch.tensor(b), T.float())
    assert (line - torch.tensor(got["straight"])).abs().max() < 1e-6


@pytest.mark.parametrize("off", [0.0, 1e-12, 1e-9])
def test_opposite_codes_are_joined_by_a_half_circle(off):
    a, b = [2.0, 0.0, 1.0, -2.0], [-4.0, off, -2.0, 4.0]
    (got,) = ways([a, b])
    assert got["kind"] == "any"
    z = torch.tensor(got["sphere"], dtype=torch.double)
    assert z[0].tolist() == pytest.approx(a, abs=1e-8)
    assert z[-1].tolist() == pytest.approx(b, abs=1e-8)
    assert (z.norm(dim=1) - (3 + 3 * T)).abs().max() < 1e-8
    u = z / z.norm(dim=1, keepdim=True)
    assert ((u @ u[0]).clamp(-1, 1).acos() - math.pi * T).abs().max() < 1e-6


def test_nearly_opposite_codes_still_turn_in_their_plane():
    (got,) = ways([[1.0, 0.0, 0.0], [-1.0, 1e-4, 0.0]])
    assert got["kind"] == "sphere"
    assert got["sphere"][4] == pytest.approx([0, 1, 0], abs=1e-3)


@pytest.mark.parametrize(
    "model",
    [
        VAE(20),
        vae(5, network="strided", likelihood=Gaussian()),
        vae(6, (3, 16, 24), network="pooled", channels=(4, 8)),
        Autoencoder(8, hidden=(64,)),
    ],
    ids=["mlp", "strided", "colour", "autoencoder"],
)
def test_the_page_decodes_both_ways_as_pytorch_does(model):
    torch.manual_seed(0)
    with torch.no_grad():
        [layer for layer in model.decoder if hasattr(layer, "weight")][-1].weight.mul_(5)
    images = torch.rand(3, *model.image_shape)
    explorer = Interpolation(model, images)
    ends = torch.tensor(explorer.codes)[:2]
    with torch.no_grad():
        assert (ends - drawable.codes(model, images[:2])[0]).abs().max() < 1e-6
    ends = [[4.0 * v for v in code] for code in ends.tolist()]  # untrained codes are all alike
    sent = explorer.decoder
    given = {"layers": sent.layers, "weights": base64.b64encode(sent.weights).decode()}
    given |= {"ends": ends, "t": T.tolist()}
    line, arc = (
        torch.tensor(way).reshape(9, *model.image_shape) for way in node(DECODE, given, *SCRIPTS)
    )
    a, b = torch.tensor(ends)
    t = T.float()
    assert (line - pixels.mean_images(model, torch.lerp(a, b, t[:, None]))).abs().max() < 1e-3
    assert (arc - pixels.mean_images(model, along_sphere(a, b, t))).abs().max() < 1e-3
    assert line.std() > 0.01


def test_an_autoencoder_has_no_sphere():
    plain = Interpolation(Autoencoder(3, hidden=(8,)), IMAGES)
    assert plain.radius == 0
    assert "sphere" not in plain.still()
    vae = Interpolation(VAE(9, hidden=(8,)), IMAGES)
    assert vae.radius == 3
    assert "prior&#x27;s sphere" in vae.still()


def test_the_two_ends_have_names_and_bounds():
    explorer = Interpolation(VAE(4, hidden=(8,)), IMAGES, LABELS, classes=list("ABCDEFGHIJ"))
    explorer.second, explorer.t = 11, 0.25
    assert repr(explorer) == "Interpolation from image 1, A to image 12, B at t = 0.25"
    assert len(explorer.names) == len(explorer.codes) == 12
    assert len(explorer.images) == 12 * 784
    for name in ("first", "second"):
        with pytest.raises(Exception, match=f"{name} is 12, a number from 0 to 11"):
            setattr(explorer, name, 12)
    with pytest.raises(Exception, match="not be greater than 1"):
        explorer.t = 1.5
    assert explorer.second == 11


def test_the_kernel_does_not_send_the_place_back():
    """It would pull the slider back under the hand."""
    explorer, sent = Interpolation(VAE(4, hidden=(8,)), IMAGES), []
    explorer._send = lambda message, buffers=None: sent.append(message)
    explorer.set_state({"t": 0.75})
    assert explorer.t == 0.75
    assert sent == []


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((IMAGES * 255,), ValueError, "images / 255"),
        ((IMAGES[:1],), ValueError, "at least 2 are needed"),
        ((IMAGES, LABELS[:3]), ValueError, "one label an image"),
        ((IMAGES, LABELS + 0.5), ValueError, "labels holds 0.5, whole numbers are needed"),
        ((IMAGES, LABELS, ["zero"]), ValueError, r"labels holds 9, classes has 1 names"),
        ((IMAGES, None, ["zero"]), ValueError, "use labels="),
    ],
)
def test_what_does_not_fit_is_named(arguments, error, words):
    with pytest.raises(error, match=words):
        Interpolation(VAE(4, hidden=(8,)), *arguments)


def test_the_saved_state_is_light_and_the_still_has_words():
    explorer = Interpolation(VAE(20), IMAGES, LABELS)
    own = explorer.get_manager_state(widgets=[explorer])
    assert len(json.dumps(own)) < 60_000, "the network is not in it"
    page = explorer.still()
    assert "from image 1, 0 to image 2, 1" in re.search(r'<img alt="([^"]*)"', page).group(1)
    assert "Run the cell to choose" in page
    assert len(page) < 85_000
    network = explorer.decoder
    explorer.close()
    assert network.comm is None
