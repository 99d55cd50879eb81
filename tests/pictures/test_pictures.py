"""Every picture draws, has alternative text in its HTML, keeps the scale 0..1 and is small."""

import io
import re
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch.distributions import Independent, Normal

from vae_teach import pictures
from vae_teach.chapters.vae.figures import bubbles, posteriors
from vae_teach.evaluation import posterior_on_grid
from vae_teach.models import VAE

ALT = 'What a reader who cannot see it needs to know, with <tags> & "quotes".'
X = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Q = Independent(Normal(torch.randn(40, 2), torch.rand(40, 2) + 0.01), 1)


@pytest.fixture(scope="module")
def drawn():
    torch.manual_seed(0)
    model = VAE(2, hidden=(16,))
    terms = {"reconstruction": [-200.0, -150.0], "kl": [3.0, 5.0], "bound": [-203.0, -155.0]}
    points, log_density = posterior_on_grid(model, X, grid=60)
    v = torch.linspace(-2, 4, 50)
    return {
        "image_rows": pictures.image_rows({"a": X, "b": X}, alt=ALT),
        "image_grid": pictures.image_grid(X, columns=3, alt=ALT),
        "manifold": pictures.manifold(model, alt=ALT, side=5),
        "curves": pictures.curves(
            SimpleNamespace(train=terms, validation=terms, seconds=[1, 1]), alt=ALT
        ),
        "bubbles": bubbles({"a": Q, "b": Q}, torch.arange(40) % 10, alt=ALT),
        "posteriors": posteriors(points, log_density, model.encode(X), X, alt=ALT),
        "lines": pictures.lines(v, {"a": v**2, "b": v.log()}, alt=ALT, caption="x < y"),
    }


NAMES = ["bubbles", "curves", "image_grid", "image_rows", "lines", "manifold", "posteriors"]


@pytest.mark.parametrize("name", NAMES)
def test_picture(drawn, name):
    page = drawn[name]._repr_html_()
    alt = re.search(r'<img [^>]*alt="([^"]*)"', page)[1]
    assert (
        alt
        == "What a reader who cannot see it needs to know, with &lt;tags&gt; &amp; &quot;quotes&quot;."
    )
    assert repr(drawn[name]) == f"[picture: {ALT}]"
    image = Image.open(io.BytesIO(drawn[name].png())).convert("L")
    low, high = image.getextrema()
    assert low < 150 < 250 < high, "something is drawn on white"
    assert len(drawn[name].png()) < 100_000


def test_grey_stays_grey():
    """`imshow` without limits would stretch a faint image to full contrast."""
    faint = pictures.image_rows({"": torch.full((1, 1, 28, 28), 0.3)}, alt=ALT)
    image = Image.open(io.BytesIO(faint.png())).convert("L")
    assert image.getpixel((image.width // 2, image.height // 2)) == pytest.approx(0.7 * 255, abs=3)


def test_pyplot_is_never_touched(drawn):
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []
