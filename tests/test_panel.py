"""A panel draws what its controls say, quickly, and keeps the last value."""

import threading

import pytest
import torch
from ipywidgets import FloatSlider
from matplotlib.figure import Figure

from vae_teach.explorers import Panel
from vae_teach.explorers.panel import _Screen

ALT = "A line that moves with the slider above it."


def moving_line():
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = axes.plot([0, 1], [0, 0], animated=True)

    def draw(height):
        line.set_ydata([height, height])
        return figure

    return draw


def test_only_what_moves_is_drawn_anew_and_nothing_is_left_of_the_old():
    slider = FloatSlider(0.2, min=0, max=1)
    panel = Panel(moving_line(), {"height": slider}, ALT)
    first = panel._pixels
    slider.value = 0.9
    assert (panel._pixels != first).any()
    slider.value = 0.2
    assert (panel._pixels == first).all()
    fresh = moving_line()
    assert (_Screen().pixels(fresh(height=0.2)) == first).all()


def test_images_are_shown_on_a_fixed_scale():
    slider = FloatSlider(0.5, min=0, max=1)
    panel = Panel(lambda ink: torch.full((1, 28, 28), ink), {"ink": slider}, ALT)
    assert (panel._pixels == 128).all()
    assert panel._pixels.shape == (336, 336)
    assert panel.values == {"ink": 0.5}
    assert repr(panel) == "Panel at ink = 0.5"


def test_the_last_value_wins_from_several_threads():
    sliders = {name: FloatSlider(0, min=0, max=1, step=0.001) for name in "ab"}
    panel = Panel(lambda a, b: torch.tensor([[[a, b]]]), sliders, ALT)

    def push(slider):
        for value in torch.linspace(0, 1, 40).tolist():
            slider.value = value

    threads = [threading.Thread(target=push, args=(s,)) for s in sliders.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (panel._pixels == 0).all()


def test_an_error_in_a_callback_is_shown_and_goes_away():
    slider = FloatSlider(1, min=0, max=1)
    panel = Panel(lambda a: torch.ones(1, 4, 4) / (a > 0), {"a": slider}, ALT)

    def draw(a):
        if a < 0.5:
            raise ArithmeticError("too small")
        return torch.ones(1, 4, 4)

    panel._draw = draw
    slider.value = 0.2
    assert "ArithmeticError: too small" in panel._message.value
    assert panel._message.layout.display != "none"
    slider.value = 0.8
    assert panel._message.layout.display == "none"


def test_bad_input_is_named():
    with pytest.raises(TypeError, match=r"controls\['a'\] is int"):
        Panel(lambda a: None, {"a": 3}, ALT)
    with pytest.raises(TypeError, match="draw returned NoneType"):
        Panel(lambda a: None, {"a": FloatSlider()}, ALT)


def test_a_still_is_left_behind():
    panel = Panel(moving_line(), {"height": FloatSlider(0.5, min=0, max=1)}, ALT, "Toy data.")
    assert ALT in panel.still()
    assert "<figcaption>Toy data. Run the cell to drag.</figcaption>" in panel.still()
