"""Explorers without a browser: what they share, and what the latent plane holds."""

import base64
import inspect
import io
import json
import re

import numpy as np
import pytest
import torch
from comm import base_comm
from ipykernel import kernelbase
from node_runs import node
from PIL import Image

from vae_teach.explorers import LatentPlane, LatentSliders
from vae_teach.models import VAE
from vae_teach.page.files import needed, text
from vae_teach.pictures import pixels

IMAGES = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(50) % 10


def model_of():
    torch.manual_seed(0)
    return VAE(2)


def test_explorers_of_one_model_share_its_weights_until_the_last_is_closed():
    model = model_of()
    plane, sliders = LatentPlane(model, IMAGES, LABELS), LatentSliders(model)
    network = plane.decoder
    assert sliders.decoder is network
    assert LatentSliders(model_of()).decoder is not network
    with torch.no_grad():
        model.decoder[0].bias.add_(1)
    later = LatentSliders(model)
    assert later.decoder is not network, "each explorer shows the model as it was"
    plane.close()
    assert network.comm is not None
    assert sliders.decoder is network
    sliders.close()
    assert network.comm is None
    assert later.decoder.comm is not None
    assert LatentSliders(model).decoder is later.decoder


def explorers():
    model = model_of()
    chosen = LatentPlane(model, IMAGES, LABELS, choices=3)
    return [chosen, LatentSliders(VAE(20)), LatentSliders(model, images=IMAGES)]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["plane", "sliders", "sliders with images"])
def test_a_still_picture_has_words_and_a_name_without_an_address(which):
    explorer = explorers()[which]
    page = explorer.still()
    alt = re.search(r'<img alt="([^"]*)"', page).group(1)
    assert len(alt) > 40
    assert re.search(r"<figcaption>[^<]{20,}Run the cell to drag[^<]*</figcaption>", page)
    assert 'class="vae-teach-still"' in page
    assert not re.search(r"0x|object at", repr(explorer))
    assert repr(explorer) == repr(explorers()[which])


@pytest.mark.parametrize("which", [0, 1, 2], ids=["plane", "sliders", "sliders with images"])
def test_a_page_of_its_own_holds_everything(which):
    explorer = explorers()[which]
    page = explorer.to_html("Some title")
    assert "<title>Some title</title>" in page
    assert "http" not in page
    assert f'data-explorer="{explorer.model_id}"' in page
    assert explorer.still() in page
    state = json.loads(re.search(r'id="vae-teach-state">(.*?)</script>', page)[1])
    network = state[explorer.decoder.model_id]
    assert base64.b64decode(network["state"]["weights"]) == explorer.decoder.weights
    assert not network["buffers"], "JupyterLab would lose them when it saves the state"
    saved = state[explorer.model_id]["state"]
    assert saved["decoder"] == f"IPY_MODEL_{explorer.decoder.model_id}"
    files = [state[reference.removeprefix("IPY_MODEL_")]["state"] for reference in saved["files"]]
    assert [file["path"] for file in files] == needed(files[-1]["path"])
    assert all(file["text"] == text(file["path"]) for file in files)


def test_a_picture_is_ink_on_paper_and_never_rescaled():
    assert pixels.to_array(torch.full((1, 2, 2), 0.25)).tolist() == [[191, 191], [191, 191]]
    assert pixels.to_array(torch.tensor([1.0, 0.0, 0.5]).reshape(3, 1, 1)).tolist() == [
        [[255, 0, 128]]
    ]
    tiles = pixels.tile(torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 2, 2), 2)
    assert tiles[0, ::2, ::2].tolist() == [[0, 1], [2, 0]]


def test_other_latent_dimensions_are_sent_to_the_sliders():
    with pytest.raises(ValueError, match=r"latent_dim is 3, 2 is needed.*LatentSliders"):
        LatentPlane(VAE(3), IMAGES, LABELS)


@pytest.mark.fault("Silent input", "labels and images that do not fit a map", "one sentence")
@pytest.mark.parametrize(
    ("images", "labels", "how", "error", "words"),
    [
        (IMAGES * 255, LABELS, {}, ValueError, "images / 255"),
        (IMAGES, LABELS[:-1], {}, ValueError, "one label an image"),
        (IMAGES, LABELS + 0.5, {}, ValueError, "labels holds 0.5, whole numbers are needed"),
        (IMAGES, LABELS - 1, {}, ValueError, r"labels lie in \[-1, 8\]"),
        (IMAGES, LABELS + 30, {}, ValueError, r"\[0, 35\] is needed"),
        (IMAGES, LABELS, {"choices": 25}, ValueError, "choices is 25, 0 to 24"),
        (IMAGES, LABELS, {"posterior": True}, ValueError, "choices=8"),
    ],
)
def test_wrong_data_is_named(images, labels, how, error, words):
    with pytest.raises(error, match=words):
        LatentPlane(VAE(2), images, labels, **how)


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


def test_the_plane_carries_q_and_the_true_posterior_of_the_images_to_choose():
    model = model_of()
    plane = LatentPlane(model, IMAGES, LABELS, choices=3, posterior=True)
    with torch.no_grad():
        q = model.encode(IMAGES[:3])
    assert torch.allclose(torch.tensor(plane.gauss), torch.cat([q.mean, q.stddev], 1))
    shown = torch.frombuffer(bytearray(plane.images), dtype=torch.uint8).reshape(3, 1, 28, 28)
    assert (shown / 255 - IMAGES[:3]).abs().max() <= 0.5 / 255 + 1e-6
    shades = np.frombuffer(plane.posteriors, np.uint8).reshape(3, 64, 64)
    assert (shades.max((1, 2)) == 255).all()
    for (a, b, half), mean, sd in zip(plane.windows, q.mean, q.stddev, strict=True):
        assert ((mean - torch.tensor([a, b])).abs() + 3 * sd <= half + 1e-5).all()


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
    state = plane.get_manager_state(widgets=[plane, plane.decoder])
    assert 500_000 < len(json.dumps(state)) < 590_000
    assert len(plane.still()) < 85_000  # base64 of 60 kB and the words


def test_comms_still_work_the_way_that_explorers_rely_on():
    """`WebExplorer.open` sets these two attributes of a comm; unread, they would change nothing."""
    manager, kernel = inspect.getsource(base_comm.CommManager), inspect.getsource(kernelbase)
    sliders = LatentSliders(model_of())
    assert sliders.comm.handle_msg == sliders._handle_msg
    assert "comm.handle_msg(" in manager, (
        "comm calls no handle_msg any more: a panel that answers beside a running cell ends that "
        "cell's figure unless WebExplorer.open finds another way around IPython's events."
    )
    assert sliders.comm._reply_subshell_for is None
    if "subshell_id" in kernel:
        assert "_reply_subshell_for" in kernel, (
            "ipykernel asks no _reply_subshell_for any more: look whether a panel's first message "
            "waits for a running cell, and mend WebExplorer.open if it does."
        )


@pytest.mark.parametrize("shape", [(1, 3, 5), (3, 4, 6)])
def test_the_page_s_images_are_the_pixels(shape):
    """Without a canvas: browsers that guard against fingerprints give noise for those."""
    ink = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    address = node("answer(address(given.ink, given.shape))", {
        "ink": ink.flatten().tolist(), "shape": shape,
    }, "page/common.js")  # fmt: skip
    image = Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/bmp;base64,"))))
    light = 1 - ink.expand(3, -1, -1) if shape[0] == 1 else ink
    got = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    assert (got - 255 * light).abs().max() <= 0.501


def test_the_page_s_stamps_lie_over_one_another():
    """As a canvas lays a half transparent colour over another (source-over)."""
    answer = """
    const image = { data: new Uint8ClampedArray(4 * 12), width: 4, height: 3 };
    const sign = [-1, 0, 1, 0, 0, 0.5];
    stamp(image, sign, 1, 1, [200, 0, 0]);
    stamp(image, sign, 0, 1, [0, 100, 0]); // its first pixel is beyond the edge, its second on red
    stamp(image, sign, 3, 1, [0, 0, 50]); // its first pixel is beyond the first one's second
    stamp(image, sign, 0, 3, [9, 9, 9]); // below the image
    answer([...image.data])"""
    data = np.array(node(answer, {}, "page/common.js")).reshape(3, 4, 4)
    assert data[1].tolist() == [
        [100, 50, 0, 255],
        [200, 0, 0, 128],
        [0, 0, 50, 255],
        [0, 0, 50, 128],
    ]
    assert not data[[0, 2]].any()
