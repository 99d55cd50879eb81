"""The β slider: the page's decoder against PyTorch's at many β, and what the kernel computes for it."""

import re
import time

import numpy as np
import pytest
import torch
from node_runs import node

from vae_teach import pretrained
from vae_teach.evaluation import kl_by_dimension
from vae_teach.explorers.beta_slider.beta_slider import STEPS, USED, BetaSlider, pack_decoder
from vae_teach.models import VAE, MultiRateVAE

BETAS = (0.05, 0.3, 1.0, 4.7, 20.0)
NODE = """
const bytes = Buffer.from(given.weights, "hex");
const numbers = halves(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
const { turn, decode } = multiRate(given.layers, numbers);
answer(given.betas.map((beta, i) => {
  turn(beta);
  return [...decode(Float32Array.from(given.codes[i].flat()), given.codes[i].length)];
}));
"""


def network_of(latent_dim=20, image_shape=(1, 28, 28), hidden=(400,), **how):
    """A network in which β matters in every place, and pixels are spread over [0, 1]."""
    torch.manual_seed(0)
    network = MultiRateVAE(latent_dim, image_shape, hidden, **how)
    with torch.no_grad():
        for layer in (network.scale_and_shift, network.into_code, network.out_of_code):
            layer.weight.normal_(0, 0.1)
        network.decoder[-1].weight.mul_(8)
    return network


def decoded_by_node(network, betas, codes):
    """What the page draws: float32 (betas, codes, C, H, W)."""
    layers, weights = pack_decoder(network)
    given = {"layers": layers, "weights": weights.hex(), "betas": betas, "codes": codes.tolist()}
    made = node(NODE, given, "page/network.js", "explorers/beta_slider/multi_rate.js")
    return torch.tensor(made).reshape(len(betas), codes.shape[1], *network.image_shape)


@torch.no_grad()
def decoded(network, betas, codes):
    return torch.stack(
        [network.at(beta).decode(z).mean for beta, z in zip(betas, codes, strict=True)]
    )


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"latent_dim": 3, "image_shape": (1, 5, 7), "hidden": (9, 6), "lowest": 0.01},
        {"image_shape": (3, 4, 4), "hidden": (30, 20, 10)},
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 6, 40])
def test_the_page_decodes_what_pytorch_decodes(how, count):
    network = network_of(**how)
    codes = 2 * torch.randn(len(BETAS), count, network.latent_dim)
    codes[:, 0] = 0  # inputs that are 0 are left out
    wanted = decoded(network, BETAS, codes)
    assert (wanted[1:] - wanted[:-1]).abs().max() > 0.05, "β must matter"
    shown = decoded_by_node(network, BETAS, codes)
    for parameter in network.parameters():  # what is left is arithmetic alone
        parameter.data = parameter.half().float()
    assert (shown - decoded(network, BETAS, codes)).abs().max() < 1e-4


@pytest.mark.parametrize("name", ["mnist", "strokes"])
def test_the_shipped_network_agrees_to_a_thousandth(name, digits):
    network, images = pretrained.load(f"multirate_{name}"), digits.test_images
    slider = BetaSlider(network, images[:8])
    steps = [0, 30, 50, 77, STEPS - 1]
    betas = [slider.betas[step] for step in steps]
    sent = np.frombuffer(slider.codes, "<f4").reshape(STEPS, 8, 20)[steps]
    codes = torch.cat([torch.tensor(sent), torch.randn(5, 32, 20)], 1)
    shown = decoded_by_node(network, betas, codes)
    assert (shown - decoded(network, betas, codes)).abs().max() < 1e-3
    for beta, row in zip(betas, shown, strict=True):
        with torch.no_grad():
            wanted = network.at(beta).decode(network.at(beta).encode(images[:8]).mean).mean
        assert (row[:8] - wanted).abs().max() < 1e-3


@pytest.fixture(scope="module")
def small(digits):
    return network_of(5, hidden=(16,)), digits.test_images


def test_what_is_measured_is_kl_and_distortion(small):
    network, images = small
    slider = BetaSlider(network, images)
    kl = np.frombuffer(slider.kl, "<f4").reshape(STEPS, 5)
    for step in (0, STEPS // 2, STEPS - 1):  # three of the 25 β that are measured
        model = network.at(slider.betas[step])
        assert kl[step] == pytest.approx(kl_by_dimension(model, images).numpy(), rel=1e-4)
        torch.manual_seed(1)
        with torch.no_grad():
            z = model.encode(images).sample((20,))
            wanted = -model.decode(z).log_prob(images).mean().item()
        assert slider.distortion[step] == pytest.approx(wanted, rel=0.01)
    assert slider.betas[STEPS // 2] == 1.0
    assert slider.rate == pytest.approx(kl[STEPS // 2].sum(), rel=1e-5)
    assert slider.used == USED


def test_a_curve_that_is_given_is_interpolated_in_log_beta(small):
    network, images = small
    betas = torch.tensor([0.1, 1.0, 10.0])
    kl = torch.tensor([[3.0], [2.0], [0.0]]).expand(3, 5)
    slider = BetaSlider(network, images[:3], betas, kl, torch.tensor([60.0, 80.0, 120.0]))
    assert slider.betas[0] == pytest.approx(0.1)
    assert slider.betas[-1] == pytest.approx(10)
    shares = np.frombuffer(slider.kl, "<f4").reshape(STEPS, 5)
    assert shares[[0, 25, 50, 75, 100], 0] == pytest.approx([3, 2.5, 2, 1, 0], abs=1e-5)
    assert slider.distortion[75] == pytest.approx(100)
    assert len(slider.images) == 3 * 784


def test_beta_moves_to_the_nearest_step(small):
    network, images = small
    slider = BetaSlider(network, images)
    for beta, step in ((0.05, 0), (1.01, 50), (19.9, 100), (1000.0, 100)):
        slider.beta = beta
        assert slider.step == step
    slider.set_state({"step": 0})  # as the page sends it
    assert slider.beta == pytest.approx(0.05)
    with pytest.raises(ValueError, match="above 0"):
        slider.beta = -1
    slider.chosen = 7
    with pytest.raises(Exception, match="-1 to 7 is needed"):
        slider.chosen = 8
    assert slider.chosen == 7


def test_words_picture_and_weight(digits):
    slider = BetaSlider(pretrained.load("multirate_strokes"), digits.test_images)
    still = slider.still()
    alt = re.search(r'<img alt="([^"]*)"', still).group(1)
    assert "at β = 1 R is" in alt
    assert len(alt) > 100
    assert "Run the cell to drag" in still
    assert len(still) < 60_000
    assert re.fullmatch(
        r"BetaSlider from 0.05 to 20.00 at β = 1.00: R = [\d.]+, D = [\d.]+ nats", repr(slider)
    )
    assert 1_000_000 < len(slider.to_html()) < 1_300_000


def test_explorers_of_one_network_share_its_weights(digits):
    network, images = network_of(5, hidden=(16,)), digits.test_images
    one, other = BetaSlider(network, images), BetaSlider(network, images[:2])
    assert one.decoder is other.decoder
    one.close()
    assert other.decoder.comm is not None
    sent = other.decoder
    other.close()
    assert sent.comm is None
    again = BetaSlider(network, images)
    assert again.decoder is not sent
    with torch.no_grad():
        network.decoder[0].bias[0] += 1
    assert BetaSlider(network, images).decoder is not again.decoder


def test_the_kernel_prepares_it_quickly(digits):
    network = pretrained.load("multirate_strokes")
    curve = torch.tensor([0.05, 20.0]), torch.ones(2, 20), torch.ones(2)
    start = time.perf_counter()
    BetaSlider(network, digits.test_images, *curve)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"network": VAE(2)}, TypeError, "network is VAE, a MultiRateVAE is needed"),
        ({"images": torch.rand(2, 1, 9, 9)}, ValueError, r"\(N, 1, 28, 28\) is needed"),
        ({"kl": None}, ValueError, "give all of betas, kl and distortion"),
        ({"betas": [1.0, 0.5]}, ValueError, "rising"),
        ({"betas": [0.001, 1.0]}, ValueError, "0.05 <= beta <= 20"),
        ({"kl": torch.ones(2, 4)}, ValueError, r"kl has shape \(2, 4\), \(2, 5\) is needed"),
        ({"distortion": torch.ones(3)}, ValueError, r"distortion has shape \(3,\)"),
        ({"distortion": [1.0, float("nan")]}, ValueError, "NaN"),
    ],
)
def test_what_does_not_fit_is_named(small, change, error, words):
    network, images = small
    given = {"network": network, "images": images, "betas": [0.1, 1.0]}
    given |= {"kl": torch.ones(2, 5), "distortion": torch.ones(2)}
    with pytest.raises(error, match=words):
        BetaSlider(**given | change)
