"""Pictures draw all of what they are given, or refuse it in one sentence."""

import re

import pytest
import torch
from matplotlib.colors import to_hex

from vae_teach import pictures
from vae_teach.chapters.autoencoder.figures import captioned

ALT = "What is drawn."
X = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def sentence(call, kind=(TypeError, ValueError)):
    """The one by which this is refused."""
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_and_grids_show_colours_as_they_are():
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(2, 3, 8, 8)
    for picture in (
        pictures.image_rows({"": red}, ALT),
        pictures.image_grid(red, 2, ALT),
        captioned({"red": red}, {}, ALT),
    ):
        shown = picture.figure.axes[0].images[0].get_array()
        assert shown[4, 4].tolist() == [255, 0, 0]


@pytest.mark.fault("Silent input", "images that a picture would cut or clip", "one sentence")
@pytest.mark.parametrize("draw", [pictures.image_rows, lambda rows, alt: captioned(rows, {}, alt)])
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"a": X, "b": 2 * X - 1}, r"rows\['b'\] lies in .*use \(rows\['b'\] \+ 1\) / 2"),
        ({"a": 255 * X}, r"rows\['a'\] lies in .* / 255"),
        ({"a": X, "b": X[:3]}, r"rows\['b'\] holds 3 images, the first row 4"),
        ({"a": torch.rand(4, 2, 8, 8)}, r"rows\['a'\] have 2 channels, 1 or 3 are needed"),
        ({}, r"rows is \{\}, a dict of row name -> images"),
        ([X, X], r"rows is \[.*, a dict of row name -> images"),
    ],
)
def test_rows_that_would_be_cut_or_clipped_are_refused(draw, rows, words):
    assert re.match(words, sentence(lambda: draw(rows, ALT)))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"a": X}, r"rows\['a'\] has shape \(4, 1, 28, 28\), \(N, H, W\) is needed"),
        ({"a": X[:, 0], "b": X[:2, 0]}, r"rows\['b'\] has shape \(2, 28, 28\)"),
        ({"a": X[:, 0] / 0}, r"rows\['a'\] holds \d+ values that are NaN or infinite"),
        ({"a": X[:, 0].numpy()}, r"rows\['a'\] is ndarray, a tensor \(N, H, W\) is needed"),
    ],
)
def test_components_of_another_form(rows, words):
    assert re.match(words, sentence(lambda: pictures.components(rows, ALT)))


@pytest.mark.parametrize("count", [1, 10, 12, 20, 40])
def test_every_curve_has_a_look_of_its_own(count):
    picture = pictures.lines(range(5), {f"c{i}": [i] * 5 for i in range(count)}, ALT)
    axes = picture.figure.axes[0]
    looks = {(to_hex(line.get_color()), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == count
    legend = axes.get_legend() or picture.figure.legends[0]
    assert len(legend.get_texts()) == count
    assert len(picture.png()) > 1000


def test_curves_that_cannot_be_told_apart_or_do_not_fit():
    x, y = torch.arange(5), torch.arange(5.0)
    lines = pictures.lines
    many = {f"c{i}": y for i in range(41)}
    assert "ys holds 41 curves, a dict of 1 to 40" in sentence(lambda: lines(x, many, ALT))
    assert sentence(lambda: lines(x, {}, ALT)).startswith("ys holds 0 curves")
    assert sentence(lambda: lines(x, {"a": y[:4]}, ALT)).startswith(
        "ys['a'] has shape (4,), x has (5,)"
    )
    assert sentence(lambda: lines(x, {"a": "no"}, ALT)).startswith("ys['a'] is str, numbers (N,)")
    two = {"a": y, "b": y}
    assert "1 colours for 2 curves" in sentence(lambda: lines(x, two, ALT, colours=["red"]))
    assert lines(x, {"a": y.requires_grad_()}, ALT).png()
