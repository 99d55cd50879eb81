"""A panel draws what its controls say, quickly, and keeps the last value."""

import base64
import gc
import io
import json
import math
import re
import threading
import weakref

import numpy as np
import pytest
import torch
from ipywidgets import (
    Checkbox,
    Dropdown,
    FloatLogSlider,
    FloatSlider,
    IntSlider,
    RadioButtons,
    SelectionSlider,
    Text,
    ToggleButtons,
)
from matplotlib.figure import Figure
from node_runs import node
from PIL import Image

from vae_teach.page import Panel
from vae_teach.page import inputs as controls
from vae_teach.page import panel as panels
from vae_teach.page.panel import _Screen

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
    assert panel.error == "ArithmeticError: too small"
    slider.value = 0.8
    assert panel.error == ""


def test_bad_input_is_named():
    with pytest.raises(TypeError, match=r"controls\['a'\] is int.*one of FloatSlider"):
        Panel(lambda a: None, {"a": 3}, ALT)
    with pytest.raises(TypeError, match=r"controls\['a'\] is Text.*Dropdown"):
        Panel(lambda a: None, {"a": Text("none")}, ALT)
    with pytest.raises(TypeError, match="draw returned NoneType"):
        Panel(lambda a: None, {"a": FloatSlider()}, ALT)


def test_a_still_is_left_behind():
    panel = Panel(moving_line(), {"height": FloatSlider(0.5, min=0, max=1)}, ALT, "Toy data.")
    assert ALT in panel.still()
    assert "<figcaption>Toy data. Run the cell to drag.</figcaption>" in panel.still()


def of_every_kind():
    return {
        "plain": FloatSlider(0.33, min=0, max=1, step=0.1),
        "whole": IntSlider(3, min=-2, max=7, description="n"),
        "log": FloatLogSlider(1.0, min=-2, max=1, step=0.25, base=10, readout_format=".1f"),
        "some": SelectionSlider(options=[("low", 0.5), ("high", 2.5)], value=2.5),
        "drop": Dropdown(options={"one": 1, "two": 2}),
        "toggle": ToggleButtons(options=["left", "right"]),
        "radio": RadioButtons(options=["x", "y"], value="y"),
        "check": Checkbox(True),
    }


def asked(panel, number, **values):
    """A request as the page sends it."""
    content = {"number": number, "values": values}
    data = {"method": "custom", "content": content}
    panel._handle_msg({"content": {"data": data}, "buffers": []})


def test_a_request_of_the_page_sets_all_controls_and_draws_once():
    seen, inputs = [], of_every_kind()

    def draw(**values):
        seen.append(values)
        return torch.full((1, 4, 4), values["plain"])

    panel = Panel(draw, inputs, ALT)
    assert seen == [panel.values]
    start = {"plain": 0.33, "whole": 3, "log": 1.0, "some": 1}
    assert panel.shown == start | {"drop": 0, "toggle": 0, "radio": 1, "check": True}
    given = {"plain": 0.8, "whole": 5, "log": 0.1, "some": 0}
    given |= {"drop": 1, "toggle": 1, "radio": 0, "check": False}
    messages = []
    panel._send = lambda message, buffers=None: messages.append((message, buffers))
    asked(panel, 7.25, **given)
    wanted = {"plain": 0.8, "whole": 5, "log": 0.1, "some": 0.5}
    wanted |= {"drop": 2, "toggle": "right", "radio": "x", "check": False}
    assert panel.values == wanted
    assert {name: control.value for name, control in inputs.items()} == wanted
    assert seen[1:] == [wanted]
    ((message, buffers),) = messages  # picture, number and values arrive together
    assert message["state"] == {"answered": 7.25, "shown": given}
    assert message["buffer_paths"] == [["image"]]
    assert (np.asarray(Image.open(io.BytesIO(buffers[0]))) == 51).all()


def test_a_request_is_answered_also_if_it_fails():
    def draw(a):
        return torch.zeros(1, 4, 4) if a < 1 else None

    panel = Panel(draw, {"a": FloatSlider(0.5, min=0, max=1)}, ALT)
    before = panel.image
    asked(panel, 3.5, a=1.0)
    assert panel.answered == 3.5
    assert panel.error.startswith("TypeError: draw returned NoneType")
    assert panel.image == before
    asked(panel, 4.5, a=0.25)
    assert (panel.answered, panel.error) == (4.5, "")


def test_a_closed_panel_lets_go_of_all():
    draw = moving_line()
    slider = FloatSlider(0.2, min=0, max=1)
    panel = Panel(draw, {"height": slider}, ALT)
    held = [weakref.ref(thing) for thing in (draw, panel, panel._screen.figure, slider.style)]
    before = panel._pixels
    panel.close()
    panel.close()
    assert slider.comm is None
    slider.value = 0.7
    assert panel._pixels is before
    assert "height = 0.7" in repr(panel)
    del draw, panel, slider
    gc.collect()
    assert [thing() for thing in held] == [None] * 4


def test_places_are_even_and_hold_what_the_controls_say():
    inputs = of_every_kind()
    few = [inputs[name] for name in ("plain", "drop", "check")]
    assert controls.places(few, 16) == [pytest.approx([0, 0.33, 0.7, 1]), [0, 1], [False, True]]
    everything = controls.places(list(inputs.values()), 1)
    assert math.prod(map(len, everything)) == 16, "every choice, and what the sliders say"
    assert everything[:4] == [[0.33], [3], [1.0], [1]]
    low = FloatSlider(0.5, min=0.3, max=2, step=0.05)
    assert controls.places([low], 4) == [pytest.approx([0.3, 0.5, 1.45, 2])], "both ends stay"
    (whole,) = controls.places([inputs["whole"]], 100)
    assert whole == list(range(-2, 8))
    sliders = controls.places([inputs["plain"], inputs["log"]], 100)
    assert [len(values) for values in sliders] == [10, 10]
    assert sliders[1][0] == pytest.approx(0.01)


def page_state(html):
    text = re.search(r'id="vae-teach-state">(.*?)</script>', html, re.DOTALL).group(1)
    (saved,) = (one for one in json.loads(text).values() if "specs" in one["state"])
    buffers = {b["path"][0]: base64.b64decode(b["data"]) for b in saved["buffers"]}
    return saved["state"] | buffers


def test_a_page_holds_pictures_drawn_beforehand():
    inputs = {
        "height": FloatSlider(0.5, min=0, max=1),
        "seen": Dropdown(options=[("yes", True), ("no", False)]),
    }
    draw_line = moving_line()
    here = Panel(lambda height, seen: draw_line(height if seen else 9), inputs, ALT)
    before = here._pixels.copy()
    state = page_state(here.to_html(most=11))
    heights, seen = state["grid"]
    assert seen == [0, 1]
    assert heights == pytest.approx([0, 0.2, 0.5, 0.8, 1])
    assert len(state["which"]) == 10
    assert len(state["ends"]) == 6, "all lines that are not seen are one picture"
    pictures = [
        state["frames"][a:b] for a, b in zip([0, *state["ends"]], state["ends"], strict=False)
    ]
    shown = np.asarray(Image.open(io.BytesIO(pictures[state["which"][2 * heights.index(0.5)]])))
    assert (shown == before).all()
    assert here.values == {"height": 0.5, "seen": True}
    assert (here._screen.pixels(draw_line(0.5)) == before).all()
    assert "frames" not in here.keys, "the notebook's state stays light"


def test_pictures_too_heavy_for_a_page_are_fewer(monkeypatch):
    noise = torch.rand(1, 40, 40, generator=torch.Generator().manual_seed(0))
    here = Panel(lambda a: noise * a, {"a": FloatSlider(0.5, min=0, max=1, step=0.01)}, ALT)
    monkeypatch.setattr(panels, "HEAVIEST", 8 * len(here.image))
    state = page_state(here.to_html())
    assert 4 <= len(state["which"]) < 60
    assert len(state["frames"]) <= 8 * len(here.image)


SCALES = """
const all = given.map((spec) => {
  const scale = spec.values ? listed(spec.values) : stepped(spec);
  const values = Array.from({ length: scale.last + 1 }, (_, k) => scale.at(k));
  return {
    values, back: values.every((v, k) => scale.place(v) === k),
    text: values.map((v) => written(v, spec.format)),
  };
});
answer(all);
"""


def test_the_page_places_a_slider_where_the_kernel_does():
    inputs = [
        FloatSlider(0.5, min=-0.3, max=1, step=0.1),
        FloatSlider(0, min=0, max=1, step=0.3, readout_format=".1f"),
        IntSlider(0, min=-2, max=3),
        FloatLogSlider(1.0, min=-3, max=3, step=0.5),
    ]
    specs = [controls.described("a", control) for control in inputs]
    scales = node(SCALES, specs, "page/panel.js")
    for control, page in zip(inputs, scales, strict=True):
        assert page["values"] == pytest.approx(controls._every(control))
        assert page["back"]
    assert scales[0]["text"][:4] == ["−0.30", "−0.20", "−0.10", "0.00"]
    assert scales[1]["text"] == ["0.0", "0.3", "0.6", "0.9", "1.0"]
    assert scales[2]["text"] == ["−2", "−1", "0", "1", "2", "3"]
    assert scales[3]["text"][::2] == ["0.00100", "0.0100", "0.100", "1.00", "10.0", "100", "1000"]
