"""Draw a digit, without a browser: pen, centring and numbers of the page against independent ones."""

import base64
import json
import re

import pytest
import torch
from node_runs import node
from some_models import vae
from torch.distributions import Bernoulli, Normal, kl_divergence

from vae_teach.explorers.draw_digit.draw_digit import DrawDigit
from vae_teach.models import VAE, Autoencoder
from vae_teach.models.likelihoods import Gaussian
from vae_teach.pictures import pixels

SCRIPTS = [f"explorers/draw_digit/{name}.js" for name in ("paper", "draw_digit")]
SCRIPTS += ["page/network.js"]
IMAGES = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(30) % 10
SEVEN = [[3.0, 2.0], [11.0, 2.0], [6.0, 12.0]]  # corners of a drawing, pixels from the left and top
DRAW = """
const paper = new Float32Array(given.size[0] * given.size[1] * FINE ** 2);
for (let i = 1; i < given.corners.length; i++)
  line(paper, given.size, given.corners[i - 1], given.corners[i], given.erase === i);
answer({ paper: [...paper], seen: [...seenImage(paper, given.size, given.centred)] });
"""
ENCODE = """
const bytes = (text) => new DataView(Uint8Array.from(Buffer.from(text, "base64")).buffer);
const [encoder, decoder] = [given.encoder, given.decoder].map(([layers, weights]) => {
  const numbers = halves(bytes(weights));
  return (x, shape) => evaluate(layers, numbers, x, shape);
});
const times = [];
const run = (x) => {
  const start = performance.now();
  const q = gaussian(encoder(x, given.shape)), mean = decoder(q.mean);
  times.push(performance.now() - start);
  return { ...q, pixels: [...mean], nats: minusLog(mean, x), squares: squares(mean, x) };
};
const all = given.images.map(run);
for (let i = 0; i < given.repeat; i++) run(given.images[0]);
answer({ all, quickest: Math.min(...times) });
"""


def drawn(corners=SEVEN, centred=False, size=(28, 28), erase=0):
    given = {"corners": corners, "centred": centred, "size": size, "erase": erase}
    answer = node(DRAW, given, *SCRIPTS)
    fine = len(answer["paper"]) // (size[0] * size[1])
    side = int(fine**0.5)
    paper = torch.tensor(answer["paper"]).reshape(size[0] * side, size[1] * side)
    return paper, torch.tensor(answer["seen"]).reshape(size)


def centre(image):
    """Column and row of the centre of mass."""
    column, row = torch.arange(image.shape[1]), torch.arange(image.shape[0])
    mass = image.sum()
    return [(image.sum(0) * column).sum() / mass, (image.sum(1) * row).sum() / mass]


def test_a_line_is_as_thick_as_mnists_and_soft_at_its_edge():
    _, seen = drawn([[6.3, 14.0], [22.0, 14.0]])
    assert seen[:, 10:18].sum(0).mean().item() == pytest.approx(2.7, abs=0.02)
    assert seen.max() == 1
    assert ((seen > 0.05) & (seen < 0.95)).any()
    assert seen[:11].max() == seen[18:].max() == seen[:, 25:].max() == 0
    _, dot = drawn([[14.0, 14.0], [14.0, 14.0]])
    assert torch.equal(dot, dot.T)
    assert torch.equal(dot, dot.flip(0))


def test_a_line_may_leave_the_paper_and_the_eraser_takes_it_away():
    assert drawn([[-30.0, -30.0], [60.0, 60.0]])[1].diagonal().min() > 0.9
    assert drawn([[-30.0, -30.0], [-40.0, 60.0]])[1].max() == 0
    assert drawn([[5.0, 5.0], [20.0, 9.0], [5.0, 5.0]], erase=2)[1].max() == 0


@pytest.mark.parametrize("size", [(28, 28), (20, 28)], ids=str)
def test_a_drawing_is_moved_to_where_mnist_has_its_centre_of_mass(size):
    left, centred = drawn(size=size)[1], drawn(size=size, centred=True)[1]
    assert centre(left)[0] < 8
    wanted = pytest.approx([size[1] / 2, size[0] / 2], abs=0.13)  # the paper has 4 dots a pixel
    assert [v.item() for v in centre(centred)] == wanted
    assert centred.sum().item() == pytest.approx(left.sum().item(), rel=0.01)
    assert torch.equal((centred * 255).round() / 255, centred), "the kernel gets bytes"
    assert drawn([[1.0, 1.0]], centred=True)[1].max() == 0, "an empty paper has no centre"


def test_mnist_itself_is_where_drawings_are_moved(mnist):
    middle = torch.tensor([centre(x[0]) for x in mnist.test_images[:300]])
    assert (middle.mean(0) - 14).abs().max() < 0.05


def test_an_image_put_on_the_paper_is_seen_as_it_is():
    source = """
const [height, width] = given.size, wide = width * FINE, paper = new Float32Array(height * wide * FINE);
for (let i = 0; i < paper.length; i++)
  paper[i] = given.image[Math.floor(i / wide / FINE) * width + Math.floor((i % wide) / FINE)];
answer([...seenImage(paper, given.size, false)]);
"""
    image = (IMAGES[0] * 255).round() / 255
    seen = node(source, {"size": [28, 28], "image": image.flatten().tolist()}, *SCRIPTS)
    assert torch.equal(torch.tensor(seen), image.flatten())


def model_of(**how):
    torch.manual_seed(0)
    model = vae(2, **how)
    with torch.no_grad():  # an untrained network is nearly flat
        for network in (model.encoder, model.decoder):
            [layer for layer in network if hasattr(layer, "weight")][-1].weight.mul_(5)
    return model


def page_of(model, images, repeat=0):
    explorer = DrawDigit(model, IMAGES, LABELS)
    given = {
        name: [net.layers, base64.b64encode(net.weights).decode()]
        for name, net in (("encoder", explorer.encoder), ("decoder", explorer.decoder))
    }
    given |= {"images": images.flatten(1).tolist(), "shape": [1, 28, 28], "repeat": repeat}
    return node(ENCODE, given, *SCRIPTS)


@pytest.mark.parametrize(
    "how", [{"hidden": (200, 200)}, {"network": "strided"}, {"network": "pooled"}], ids=str
)
def test_the_page_encodes_and_reconstructs_as_pytorch_does(how):
    model = model_of(**how)
    x = torch.cat([drawn(centred=True)[1][None, None], IMAGES[:3]])
    got = page_of(model, x)["all"]
    with torch.no_grad():
        q = model.encode(x)
        p = model.decode(q.mean)
        kl = kl_divergence(q, model.prior)
    assert p.mean.std() > 0.01
    for name, wanted in {
        "mean": q.mean,
        "sd": q.stddev,
        "pixels": p.mean.flatten(1),
    }.items():
        shown = torch.tensor([one[name] for one in got])
        assert (shown - wanted).abs().max() < 1e-3, name
    close = {"rel": 1e-3, "abs": 1e-3}
    assert [one["kl"] for one in got] == pytest.approx(kl.tolist(), **close)
    assert [one["nats"] for one in got] == pytest.approx((-p.log_prob(x)).tolist(), **close)
    squares = (p.mean - x).square().flatten(1).sum(1)
    assert [one["squares"] for one in got] == pytest.approx(squares.tolist(), **close)


def test_the_log_variance_is_held_as_in_the_model():
    outputs = [[0.5, -3.0, 30.0, -50.0], [0.0, 0.0, 0.0, 0.0], [2.0, 1.0, -20.0, 19.9]]
    for out, got in zip(
        outputs, node("answer(given.map(gaussian));", outputs, *SCRIPTS), strict=True
    ):
        mean, log_variance = torch.tensor(out, dtype=torch.double).chunk(2)
        q = Normal(mean, (log_variance.clamp(-20, 20) / 2).exp())
        assert got["mean"] == mean.tolist()
        assert got["sd"] == pytest.approx(q.stddev.tolist(), rel=1e-12)
        assert got["kl"] == pytest.approx(kl_divergence(q, Normal(0.0, 1.0)).sum().item(), rel=1e-9)


def test_a_pixel_that_is_certain_and_wrong_costs_no_infinity():
    got = node("answer(minusLog([1, 0, 1, 0], [1, 0, 0, 1]));", None, *SCRIPTS)
    p = Bernoulli(torch.tensor([1.0, 0, 1, 0]))
    assert got == pytest.approx(-p.log_prob(torch.tensor([1.0, 0, 0, 1])).sum().item(), rel=0.01)


def test_encoding_and_decoding_take_at_most_3_ms():
    assert page_of(model_of(hidden=(200, 200)), IMAGES[:1], repeat=60)["quickest"] < 3


def test_what_the_page_draws_is_an_image_in_the_kernel_and_back():
    explorer = DrawDigit(model_of(), IMAGES, LABELS)
    assert explorer.image.shape == (1, 1, 28, 28)
    assert explorer.image.max() == 0
    assert repr(explorer) == "DrawDigit over a map of 30 images: empty paper"
    explorer.chosen = 3
    assert (explorer.image - IMAGES[3:4]).abs().max() <= 0.5 / 255 + 1e-6
    assert repr(explorer).endswith("test image 4, 3")
    explorer.set_state({"seen": memoryview(bytes(range(196)) * 4), "chosen": -1})  # from the page
    assert explorer.image.flatten()[:3].tolist() == pytest.approx([0, 1 / 255, 2 / 255])
    assert repr(explorer).endswith("a drawing")
    explorer.image = IMAGES[5:6]
    assert (explorer.image - IMAGES[5:6]).abs().max() <= 0.5 / 255 + 1e-6
    with pytest.raises(ValueError, match=r"image\[None"):
        explorer.image = IMAGES[0]
    with pytest.raises(Exception, match="at most 11"):
        DrawDigit(model_of(), IMAGES, LABELS).chosen = 12


def test_the_kernel_does_not_send_a_drawing_back():
    """It would undo what the hand drew in the meantime."""
    explorer, sent = DrawDigit(model_of(), IMAGES, LABELS), []
    explorer._send = lambda message, buffers=None: sent.append(message)
    explorer.set_state({"seen": memoryview(bytes([9]) * 784), "centred": False})
    assert explorer.seen == bytes([9]) * 784
    assert not [message for message in sent if "seen" in str(message)]


def test_the_usual_numbers_are_means_over_the_images():
    model = model_of()
    explorer = DrawDigit(model, IMAGES, LABELS)
    with torch.no_grad():
        q = model.encode(IMAGES)
        wanted = [
            kl_divergence(q, model.prior).mean(),
            -model.decode(q.mean).log_prob(IMAGES).mean(),
        ]
    assert explorer.usual == pytest.approx([v.item() for v in wanted], rel=1e-4)
    assert explorer.probable
    gaussian = DrawDigit(VAE(2, likelihood=Gaussian()), IMAGES, LABELS)
    assert not gaussian.probable
    assert gaussian.usual[1] > 0


def test_the_dashed_square_is_as_large_as_the_images_of_the_data(digits):
    small = torch.zeros(9, 1, 28, 28)
    small[:, :, 4:16, 10:13] = 1
    assert DrawDigit(VAE(2), small, LABELS[:9]).box == 12
    assert DrawDigit(VAE(2), IMAGES, LABELS).box == 0
    assert 16 <= DrawDigit(VAE(2), digits.test_images, digits.test_labels).box <= 22


@pytest.mark.parametrize(
    ("model", "images", "words"),
    [
        (VAE(3), IMAGES, "latent_dim is 3, 2 is needed"),
        (Autoencoder(2), IMAGES, "use a VAE"),
        (VAE(2, (3, 28, 28)), IMAGES.expand(-1, 3, -1, -1), "3 channels, 1 is needed"),
        (VAE(2), IMAGES * 255, "images / 255"),
    ],
    ids=["dimensions", "autoencoder", "colour", "range"],
)
def test_what_does_not_fit_is_named(model, images, words):
    with pytest.raises(ValueError, match=words):
        DrawDigit(model, images, LABELS)


def test_the_saved_state_is_light_and_the_still_has_words():
    model = VAE(2, hidden=(200, 200))
    explorer = DrawDigit(model, IMAGES, LABELS, classes=list("ABCDEFGHIJ"))
    own = explorer.get_manager_state(widgets=[explorer])
    assert len(json.dumps(own)) < 90_000, "the networks are not in it"
    assert explorer.names[1] == "test image 2, B"
    page = explorer.still()
    assert "codes of 30 images" in re.search(r'<img alt="([^"]*)"', page).group(1)
    assert "Run the cell to draw" in page
    assert len(page) < 85_000
    network = explorer.encoder
    explorer.close()
    assert network.comm is None, "nobody uses the encoder any more"


def test_a_page_of_its_own_holds_all_it_needs():
    page = DrawDigit(VAE(2, hidden=(8,)), IMAGES, LABELS).to_html()
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", page)
    assert pixels.PAGE_STYLE in page
