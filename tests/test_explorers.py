"""Explorers without a browser: node evaluates the page's decoder against PyTorch's numbers."""

import base64
import io
import json
import pathlib
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vae_teach.explorers import LatentPlane, LatentSliders, latent_plane, pixels
from vae_teach.models.vae import VAE

SCRIPT = pathlib.Path(latent_plane.__file__).with_suffix(".js")
IMAGES = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(50) % 10
CODES = [[0.0, 0.0], [1.5, -2.0], [-3.0, 0.25], [0.001, 4.0]]
NODE = """
import { readFileSync } from "node:fs";
import { decode, halves } from SCRIPT;
const { layers, weights, codes } = JSON.parse(readFileSync(0, "utf8"));
const bytes = Buffer.from(weights, "base64");
// One byte off, as a message's buffer may be: a float16 view must not need alignment.
const shifted = new Uint8Array(bytes.length + 1);
shifted.set(bytes, 1);
const numbers = halves(new DataView(shifted.buffer, 1));
console.log(JSON.stringify(codes.map((z) => [...decode(layers, numbers, z)])));
"""


def model_of(**how):
    torch.manual_seed(0)
    model = VAE(2, **how)
    last = [layer for layer in model.decoder if hasattr(layer, "weight")][-1]
    with torch.no_grad():  # an untrained decoder is nearly flat: spread its pixels over [0, 1]
        if model.likelihood == "bernoulli":
            last.weight.mul_(5)
        else:
            last.bias.add_(0.5)
    return model


def decoded_by_node(model):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    layers, weights = latent_plane.pack(model)
    told = {"layers": layers, "weights": base64.b64encode(weights).decode(), "codes": CODES}
    command = [
        node,
        "--input-type=module",
        "-e",
        NODE.replace("SCRIPT", json.dumps(SCRIPT.as_uri())),
    ]
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return torch.tensor(json.loads(done.stdout)).reshape(len(CODES), *model.image_shape)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"hidden": (200, 200)},
        {"network": "strided"},
        {"network": "pooled", "image_shape": (3, 16, 24), "hidden": (4, 8)},
        {"likelihood": "gaussian", "sigma": 0.1},
        {"likelihood": "gaussian", "network": "strided"},
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


def test_the_page_knows_every_layer_it_promises():
    model = model_of()
    model.decoder = nn.Sequential(
        *(nn.Linear(2, 18, bias=False), nn.Tanh(), nn.Unflatten(-1, (2, 3, 3)), nn.LeakyReLU(0.2)),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(2, 1, 3, padding="same"), nn.Sigmoid()),
    )
    model.image_shape = (1, 6, 6)
    wanted = pixels.mean_images(model, torch.tensor(CODES))
    assert (decoded_by_node(model) - wanted).abs().max() < 1e-3


@pytest.mark.parametrize(
    "layer",
    [
        nn.GELU(),
        nn.Conv2d(1, 1, 5, padding=2),
        nn.Conv2d(1, 1, 3, stride=2, padding=1),
        nn.Conv2d(2, 2, 3, padding=1, groups=2),
        nn.Upsample(scale_factor=3),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    ],
    ids=str,
)
def test_a_layer_the_page_cannot_evaluate_is_named(layer):
    model = model_of()
    model.decoder.append(layer)
    with pytest.raises(ValueError, match=re.escape(f"decoder[4] is {layer}")):
        LatentPlane(model, IMAGES, LABELS)


def test_weights_too_large_for_float16_are_refused():
    model = model_of()
    with torch.no_grad():
        model.decoder[0].weight[0, 0] = 1e6
    with pytest.raises(ValueError, match="float16"):
        LatentPlane(model, IMAGES, LABELS)


def test_other_latent_dimensions_are_sent_to_the_sliders():
    with pytest.raises(ValueError, match=r"latent_dim is 3, 2 is needed.*LatentSliders"):
        LatentPlane(VAE(3), IMAGES, LABELS)


@pytest.mark.parametrize(
    ("images", "labels", "error", "words"),
    [
        (IMAGES * 255, LABELS, ValueError, "images / 255"),
        (IMAGES, LABELS[:-1], ValueError, "one label an image"),
        (IMAGES, LABELS.float(), TypeError, "int64"),
        (IMAGES, LABELS - 1, ValueError, r"labels lie in \[-1, 8\]"),
        (IMAGES, LABELS + 30, ValueError, r"\[0, 35\] is needed"),
    ],
)
def test_wrong_data_is_named(images, labels, error, words):
    with pytest.raises(error, match=words):
        LatentPlane(VAE(2), images, labels)


def test_the_plane_carries_at_most_2000_codes_where_the_encoder_puts_them():
    images, labels = IMAGES.repeat(50, 1, 1, 1), LABELS.repeat(50)
    model = model_of()
    plane = LatentPlane(model, images, labels)
    count = 2000
    assert len(plane.points) == 5 * count
    codes = np.frombuffer(plane.points[: 4 * count], "<f2").reshape(count, 2)
    chosen = torch.linspace(0, 2499, count).round().long()
    with torch.no_grad():
        wanted = model.encode(images[chosen]).mean.numpy()
    assert np.abs(codes - wanted).max() < 2e-3
    assert list(plane.points[4 * count :]) == labels[chosen].tolist()
    assert repr(plane) == "LatentPlane of 2,000 images at z = (0.00, 0.00)"


def test_z_and_its_two_numbers_agree_whichever_is_set():
    plane = LatentPlane(model_of(), IMAGES, LABELS)
    seen = []
    plane.observe(lambda change: seen.append(change["new"]), "z")
    plane.z = [0.5, -1.2]
    assert (plane.z1, plane.z2) == (0.5, -1.2)
    plane.z2 = 3
    assert plane.z == (0.5, 3.0)
    plane.set_state({"z1": 1.0, "z2": 2.0})  # as the page sends it
    assert plane.z == (1.0, 2.0)
    assert seen[0] == (0.5, -1.2)
    assert seen[-1] == (1.0, 2.0)
    with pytest.raises(Exception, match="finite"):
        plane.z = [float("nan"), 0]
    assert plane.z == (1.0, 2.0)


def test_the_saved_state_of_a_plane_stays_light():
    images, labels = torch.rand(3000, 1, 28, 28), torch.arange(3000) % 10
    plane = LatentPlane(VAE(2, hidden=(200, 200)), images, labels)
    state = plane.get_manager_state(widgets=[plane])
    assert 500_000 < len(json.dumps(state)) < 560_000
    assert len(plane.still()) < 85_000  # base64 of 60 kB and the words


def explorers():
    return LatentPlane(model_of(), IMAGES, LABELS), LatentSliders(VAE(20))


@pytest.mark.parametrize("which", [0, 1], ids=["plane", "sliders"])
def test_a_still_picture_has_words_and_a_name_without_an_address(which):
    explorer = explorers()[which]
    page = explorer.still()
    alt = re.search(r'<img alt="([^"]*)"', page).group(1)
    assert len(alt) > 40
    assert re.search(r"<figcaption>[^<]{20,}</figcaption>", page)
    assert 'class="vae-teach-still"' in page
    assert not re.search(r"0x|object at", repr(explorer))
    assert repr(explorer) == repr(explorers()[which])


def test_a_picture_is_ink_on_paper_and_never_rescaled():
    grey = torch.full((1, 2, 2), 0.25)
    shown = np.asarray(Image.open(io.BytesIO(pixels.to_png(grey, 10))))
    assert shown.shape == (10, 10)
    assert np.unique(shown).tolist() == [191]
    assert pixels.to_array(torch.tensor([1.0, 0.0, 0.5]).reshape(3, 1, 1)).tolist() == [
        [[255, 0, 128]]
    ]
    tiles = pixels.tile(torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 2, 2), 2)
    assert tiles[0, ::2, ::2].tolist() == [[0, 1], [2, 0]]


def test_sliders_draw_the_code_they_show():
    model = VAE(3)
    sliders = LatentSliders(model, z=torch.tensor([0.5, 0.0, -1.0]), dimensions=[0, 2])
    first = sliders._image.value
    sliders._sliders[1].value = 2.0
    assert sliders.z.tolist() == [0.5, 0.0, 2.0]
    wanted = pixels.to_png(pixels.mean_images(model, sliders.z[None])[0], 336)
    assert sliders._image.value == wanted != first
    for value in torch.linspace(-3, 1.25, 40).tolist():
        sliders._sliders[0].value = value
    assert sliders.z[0] == 1.25
    assert sliders._image.value == pixels.to_png(pixels.mean_images(model, sliders.z[None])[0], 336)
    reset, random = sliders.children[0].children[2].children
    reset.click()
    assert sliders.z.tolist() == [0.5, 0.0, -1.0]
    assert sliders._image.value == first
    torch.manual_seed(1)
    random.click()
    assert 0 < (sliders.z - sliders._start).abs().max() <= 4
    assert sliders.z[1] == 0


def test_sliders_moved_by_many_threads_end_on_what_they_show():
    model = VAE(4)
    sliders = LatentSliders(model)

    def push(slider):
        for value in torch.linspace(-3, 3, 30).tolist():
            slider.value = value

    threads = [threading.Thread(target=push, args=(slider,)) for slider in sliders._sliders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sliders.z.tolist() == [3.0] * 4
    assert sliders._image.value == pixels.to_png(pixels.mean_images(model, sliders.z[None])[0], 336)


def test_an_error_in_a_callback_is_shown_and_goes_away():
    model = VAE(2)
    sliders = LatentSliders(model)
    decoder, model.decoder = model.decoder, nn.Linear(3, 784)
    sliders._sliders[0].value = 1.0
    assert "RuntimeError" in sliders._message.value
    assert sliders._message.layout.display != "none"
    model.decoder = decoder
    sliders._sliders[0].value = 1.5
    assert sliders._message.layout.display == "none"


@pytest.mark.parametrize("count", [1, 20, 64])
def test_sliders_for_few_and_many_dimensions(count):
    sliders = LatentSliders(VAE(count, hidden=(8,)))
    assert len(sliders._sliders) == count
    assert sliders.still()


def test_too_many_or_unknown_dimensions_are_named():
    with pytest.raises(ValueError, match="dimensions=range"):
        LatentSliders(VAE(65, hidden=(8,)))
    with pytest.raises(ValueError, match="from 0 to 1 are needed"):
        LatentSliders(VAE(2), dimensions=[2])
    with pytest.raises(ValueError, match=r"\(2,\) is needed"):
        LatentSliders(VAE(2), z=torch.zeros(1, 2))
