"""Networks in the page: node evaluates them against PyTorch's numbers, without a browser."""

import base64
import math
import re

import pytest
import torch
from node_runs import node
from scipy import integrate
from some_models import autoencoder, spread, vae
from torch import nn

from vae_teach.explorers import LatentPlane, LatentSliders
from vae_teach.models.likelihoods import ContinuousBernoulli, Gaussian, Laplace
from vae_teach.page.networks import Network, pack
from vae_teach.pictures import pixels

IMAGES = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(50) % 10
CODES = [[0.0, 0.0], [1.5, -2.0], [-3.0, 0.25], [0.001, 4.0]]
EVALUATE = """
const bytes = Buffer.from(given.weights, "base64");
// One byte off, as a message's buffer may be: a float16 view must not need alignment.
const shifted = new Uint8Array(bytes.length + 1);
shifted.set(bytes, 1);
const numbers = halves(new DataView(shifted.buffer, 1));
answer(given.inputs.map((x) => [...evaluate(given.layers, numbers, x, given.shape)]));
"""


def model_of(**how):
    torch.manual_seed(0)
    return spread(vae(2, **how))


def evaluated(layers, weights, inputs, shape=None):
    given = {"layers": layers, "weights": base64.b64encode(weights).decode(), "inputs": inputs}
    return torch.tensor(
        node(EVALUATE, given | ({"shape": shape} if shape else {}), "page/network.js")
    )


def decoded_by_node(model):
    sent = Network.decoder(model)
    return evaluated(sent.layers, sent.weights, CODES).reshape(len(CODES), *model.image_shape)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"hidden": (200, 200)},
        {"network": "strided"},
        {"network": "strided", "image_shape": (1, 64, 64), "channels": (8, 16, 16)},
        {"network": "pooled", "image_shape": (3, 16, 24), "channels": (4, 8)},
        {"likelihood": Gaussian(0.1)},
        {"likelihood": Gaussian(), "network": "strided"},
        {"likelihood": Laplace()},
        {"likelihood": ContinuousBernoulli()},
        {"likelihood": ContinuousBernoulli(), "network": "pooled"},
    ],
    ids=str,
)
def test_the_page_decodes_what_pytorch_decodes(how):
    model = model_of(**how)
    wanted = pixels.mean_images(model, torch.tensor(CODES))
    assert wanted.std() > 0.01, "a flat image would compare equal to anything flat"
    shown = decoded_by_node(model)
    assert (shown - wanted).abs().max() < 1e-3
    for parameter in model.decoder.parameters():  # what is left is arithmetic alone
        parameter.data = parameter.half().float()
    assert (shown - pixels.mean_images(model, torch.tensor(CODES))).abs().max() < 1e-5


@pytest.mark.parametrize("network", ["linear", "mlp", "pooled"])
def test_the_page_decodes_an_autoencoder(network):
    torch.manual_seed(0)
    model = autoencoder(2, network=network)
    wanted = pixels.mean_images(model, torch.tensor(CODES))
    assert (decoded_by_node(model) - wanted).abs().max() < 1e-3


@pytest.mark.parametrize("network", ["mlp", "strided", "pooled"])
def test_the_page_encodes_what_pytorch_encodes(network):
    """Among the layers: convolutions of stride 2, max-pooling, flattening."""
    shape = (3, 16, 24)
    model = model_of(network=network, image_shape=shape)
    x = torch.rand(4, *shape, generator=torch.Generator().manual_seed(1))
    for parameter in model.encoder.parameters():
        parameter.data = parameter.half().float()
    wanted = model.encoder(x).detach()
    assert wanted.std() > 0.01
    shown = evaluated(*pack(model.encoder, "encoder"), x.flatten(1).tolist(), shape)
    assert (shown - wanted).abs().max() < 1e-5


@pytest.mark.parametrize("shape", [(2, 5, 7), (2, 6, 8), (2, 1, 1)], ids=str)
def test_the_page_knows_every_layer_it_promises_at_odd_sizes(shape):
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Flatten(), nn.Unflatten(-1, shape), nn.Conv2d(2, 3, 3, padding="same", bias=False)),
        *(nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2)),
        *(nn.Conv2d(3, 2, 3, padding=1), nn.Tanh(), nn.Upsample(scale_factor=2)),
        *(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.MaxPool2d(2), nn.Conv2d(3, 2, 3, 2, 1)),
        *(nn.Upsample(scale_factor=2), nn.Sigmoid(), nn.Upsample(scale_factor=2)),
    )
    for parameter in network.parameters():
        parameter.data = parameter.half().float()
    x = torch.randn(3, *shape)
    wanted = network(x).detach().flatten(1)
    shown = evaluated(*pack(network, "page/network.js"), x.flatten(1).tolist(), shape)
    assert (shown - wanted).abs().max() < 1e-5


def test_the_page_s_mean_of_a_continuous_bernoulli_is_exact_at_every_logit():
    """Against quadrature in double precision: near 0, where the formula is 0 / 0, and far out."""
    logits = [0.0, 1e-9, 1e-4, 0.0099, 0.0101, 0.3, 1.0, 7.0, 40.0, 800.0]
    logits += [-t for t in logits]
    shown = evaluated([["continuous_bernoulli"]], b"", [logits])[0].tolist()
    for t, found in zip(logits, shown, strict=True):
        ends = [min(1, 5 / max(1, abs(t))), max(0, 1 - 5 / max(1, abs(t)))]
        mass, moment = (
            integrate.quad(
                lambda x, k=k, t=t: x**k * math.exp(t * x - max(t, 0)), 0, 1,
                points=ends, limit=200, epsabs=0,
            )[0]
            for k in (0, 1)
        )  # fmt: skip
        assert found == pytest.approx(moment / mass, abs=1e-6)


def test_a_convolutional_decoder_of_64_by_64_pixels_takes_half_a_frame():
    torch.manual_seed(0)
    layers, weights = pack(vae(10, (1, 64, 64), "strided").decoder, "decoder")
    source = """
const numbers = Float32Array.from({ length: given.count }, () => Math.random() - 0.5);
let best = Infinity;
for (let i = 0; i < 500 && (i < 60 || best > 8); i++) { // more where other programs are in the way
  const start = performance.now();
  evaluate(given.layers, numbers, Array(10).fill(i / 60));
  best = Math.min(best, performance.now() - start);
}
answer(best);
"""
    best = node(source, {"layers": layers, "count": len(weights) // 2}, "page/network.js")
    print(f"\nbest: {best:.1f} ms")
    assert best <= 8


@pytest.mark.parametrize(
    "layer",
    [
        nn.GELU(),
        nn.Conv2d(1, 1, 5, padding=2),
        nn.Conv2d(1, 1, 3, stride=3, padding=1),
        nn.Conv2d(2, 2, 3, padding=1, groups=2),
        nn.ConvTranspose2d(1, 1, 3),
        nn.MaxPool2d(3),
        nn.Upsample(scale_factor=3),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    ],
    ids=str,
)
def test_a_layer_the_page_cannot_evaluate_is_named(layer):
    model = model_of()
    model.decoder.append(layer)
    for make in (lambda: LatentPlane(model, IMAGES, LABELS), lambda: LatentSliders(model)):
        with pytest.raises(ValueError, match=re.escape(f"decoder[4] is {layer}")):
            make()


def test_weights_too_large_for_float16_are_refused():
    model = model_of()
    with torch.no_grad():
        model.decoder[0].weight[0, 0] = 1e6
    with pytest.raises(ValueError, match="float16"):
        LatentPlane(model, IMAGES, LABELS)
