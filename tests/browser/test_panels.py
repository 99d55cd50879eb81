"""A panel in a real browser: drags, keys, errors, a restarted kernel, saved notebooks, pages of its own."""

import json

import pytest
import torch
from explorers_notebook import RUN
from ipywidgets import Dropdown, FloatSlider
from nbclient import NotebookClient
from real_lab import notebook

from vae_teach.page import Panel

MAKE = """
import json, time, torch
from ipywidgets import Checkbox, Dropdown, FloatSlider, ToggleButtons
from vae_teach.page import Panel

def draw(ink, kind, side, inverse):
    if kind == "broken":
        raise ValueError("there is no such picture")
    image = torch.full((1, 8, 8), 1 - ink if inverse else ink)
    image[:, :, 4 * (side == "right") :][:, :, :4] /= 2
    return image

controls = {
    "ink": FloatSlider(0.5, min=0, max=1, step=0.01, readout_format=".3f", description="ink"),
    "kind": Dropdown(options=["plain", "broken"], description="kind"),
    "side": ToggleButtons(options=["left", "right"], description="lighter side"),
    "inverse": Checkbox(False, description="inverse"),
}
panel = Panel(draw, controls, "A grey square.")
panel
"""
KERNEL = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
GREY = """
canvas => [0.25, 0.75].map((x) => canvas.getContext("2d")
  .getImageData(canvas.width * x, canvas.height / 2, 1, 1).data[0])
"""

OVERTAKEN = """
() => {
  const decode = window.inOrder = window.createImageBitmap;
  let count = 0, newest = 0;
  window.overtaken = 0;
  window.createImageBitmap = async (blob) => {
    const mine = ++count, bitmap = await decode.call(window, blob);
    if (mine % 2) await new Promise((go) => setTimeout(go, 150));
    if (mine < newest) window.overtaken++;
    newest = Math.max(newest, mine);
    return bitmap;
  };
}
"""


class Shown:
    """The panel of a page, as its reader has it."""

    def __init__(self, page):
        self.page, self.panel = page, page.locator(".vae-teach-panel")
        self.panel.locator("canvas").wait_for()
        self.ink = self.panel.get_by_role("slider", name="ink")

    def greys(self):
        return self.panel.locator("canvas").evaluate(GREY)

    def settle(self):
        self.page.wait_for_timeout(400)
        return self.greys()

    def value(self):
        return float(self.ink.get_attribute("aria-valuetext"))

    def drag(self, to, steps=100):
        box = self.ink.bounding_box()
        middle = box["y"] + box["height"] / 2
        share = self.value()
        self.page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), middle)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + 8 + to * (box["width"] - 16), middle, steps=steps)
        self.page.mouse.up()


def levels(ink, lighter="left"):
    both = [255 * (1 - ink / 2), 255 * (1 - ink)]
    return pytest.approx(both if lighter == "left" else both[::-1], abs=1)


@pytest.fixture(scope="module")
def live(lab, page):
    lab.save("panel.ipynb", notebook(MAKE))
    lab.open(page, "panel.ipynb", run=True)
    shown = Shown(page)
    lab.wait_for_kernel(page)
    shown.panel.scroll_into_view_if_needed()
    return shown


def run(page, code):
    status, text = page.evaluate(RUN, code)
    assert status == "ok", text
    return text


def values(page):
    return json.loads(run(page, "print(json.dumps(panel.values))"))


def test_a_drag_ends_on_its_last_value(live, page):
    for to in (0.1, 0.6, 0.25):
        live.drag(to)
    assert live.value() == pytest.approx(0.25, abs=0.02)
    assert live.settle() == levels(live.value())
    assert values(page)["ink"] == live.value()
    assert not page.locator(".vae-teach-still").is_visible()


def test_a_picture_that_is_decoded_after_its_successor_stops_nothing(live, page):
    page.evaluate(OVERTAKEN)
    try:
        live.drag(0.7)
        live.drag(0.4)
    finally:
        page.evaluate("() => { window.createImageBitmap = window.inOrder; }")
    assert page.evaluate("window.overtaken") > 0, "they came in order, so this proved nothing"
    assert live.settle() == levels(live.value())
    assert live.value() == values(page)["ink"] == pytest.approx(0.4, abs=0.02)


def test_it_says_what_the_kernel_sets_between_two_steps(live, page):
    for ink in (0.498, 0.502):  # both are at the place of 0.50
        run(page, f"controls['ink'].value = {ink}")
        page.wait_for_timeout(300)
        assert live.value() == pytest.approx(ink, abs=0.0006), live.ink.get_attribute(
            "aria-valuetext"
        )


def test_it_follows_beside_a_cell_that_runs(live, lab, page):
    lab.wait_for_kernel(page)
    page.evaluate(f"void {KERNEL}.requestExecute({{ code: 'over = 0; time.sleep(60); over = 1' }})")
    try:
        live.drag(0.9, steps=20)
        assert live.settle() == levels(live.value())
        assert live.value() == pytest.approx(0.9, abs=0.02)
    finally:
        page.evaluate(f"{KERNEL}.interrupt()")
    assert run(page, "print(over)") == "0\n", "the cell was over, so this proved nothing"


def test_every_input_is_moved_by_keys_alone(live, lab, page):
    lab.wait_for_kernel(page)
    live.ink.focus()
    page.keyboard.press("End")
    assert live.settle() == levels(1.0)
    page.keyboard.press("Home")
    assert live.settle() == levels(0.0)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert live.settle() == levels(0.05)
    assert live.value() == 0.05
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    assert live.panel.get_by_label("kind").evaluate("(e) => e === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert live.settle() == levels(1.0, lighter="right")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert live.settle()[0] == 255, "inverse: no ink at all"
    page.keyboard.press("Space")
    wanted = {"ink": 1.0, "kind": "plain", "side": "right", "inverse": False}
    live.settle()
    assert values(page) == wanted


def test_the_page_follows_what_the_kernel_sets(live, lab, page):
    run(page, "controls['side'].value = 'left'; controls['ink'].value = 0.3")
    assert live.settle() == levels(0.3)
    assert live.value() == 0.3
    assert live.panel.get_by_label("left").is_checked()


def test_an_error_is_told_and_goes(live, lab, page):
    before = live.settle()
    live.panel.get_by_label("kind").select_option("broken")
    alert = live.panel.get_by_role("alert").filter(visible=True)
    alert.wait_for()
    assert alert.text_content() == "ValueError: there is no such picture"
    assert live.greys() == before
    live.panel.get_by_label("kind").select_option("plain")
    alert.wait_for(state="hidden")


def test_a_slow_kernel_is_told_and_gets_no_queue(live, page):
    run(page, "quick, calls = panel._draw, []")
    slow = "lambda **values: (calls.append(values['ink']), time.sleep(3), quick(**values))[-1]"
    run(page, f"panel._draw = {slow}")
    live.ink.focus()
    page.keyboard.press("Home")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    waiting = live.panel.get_by_text("Waiting for the kernel")
    waiting.wait_for()
    page.wait_for_function("() => !document.querySelector('.vae-teach-panel .note').textContent")
    page.wait_for_timeout(4000)
    assert live.settle() == levels(0.1)
    assert run(page, "print(calls); panel._draw = quick") == "[0.0, 0.1]\n"


def test_a_lost_kernel_is_told(live, lab, page):
    page.evaluate(f"{KERNEL}.restart()")
    before = live.value()
    live.ink.focus()
    page.keyboard.press("ArrowRight")
    live.panel.get_by_text("Run the cell to drag").wait_for()
    assert live.value() == before, "the slider tells another value than the picture"


def test_a_saved_panel_shows_its_picture_and_what_it_needs(lab, page):
    written = notebook(MAKE)
    NotebookClient(written, store_widget_state=True).execute()
    lab.save("stored_panel.ipynb", written, trusted=True)
    lab.open(page, "stored_panel.ipynb")
    shown = Shown(page)
    assert shown.settle() == levels(0.5)
    assert shown.panel.get_by_text("Run the cell to drag").is_visible()
    assert not page.locator(".vae-teach-still").is_visible()


def test_a_page_of_its_own_is_live(browser, tmp_path):
    def draw(ink, kind):
        drawn.append(ink)
        image = torch.full((1, 8, 8), {"plain": ink, "dark": 1.0}[kind])
        image[:, :, :4] /= 2
        return image

    drawn = []
    slider = FloatSlider(0.52, min=0, max=1, step=0.01, description="ink")
    kind = Dropdown(options=["plain", "dark"], description="kind")
    panel = Panel(draw, {"ink": slider, "kind": kind}, "A square.")
    file = tmp_path / "panel.html"
    file.write_text(panel.to_html(most=22), "utf-8")
    assert len(drawn) == 1 + 22 + 1
    page = browser.new_page()
    page.goto(file.as_uri())
    shown = Shown(page)
    assert shown.settle() == levels(0.52)
    assert shown.panel.get_by_text("Drawn beforehand at 11 × 2 places.").is_visible()
    assert not page.locator(".vae-teach-still").is_visible()
    shown.drag(0.83)
    assert shown.value() == 0.8
    assert shown.settle() == levels(0.8)
    shown.ink.focus()
    page.keyboard.press("Home")
    assert shown.settle() == levels(0)
    shown.panel.get_by_label("kind").select_option("dark")
    assert shown.settle() == levels(1)
    page.close()
