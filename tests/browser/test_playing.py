"""A film of bubbles on a page of its own: it plays, and stops when it should."""

import pytest
import torch

from vae_teach.explorers.bubbles.bubbles import Bubbles
from vae_teach.explorers.bubbles.film import Film
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

LAST = 25  # frames of 36 steps, from 0


@pytest.fixture(scope="module")
def address(digits, tmp_path_factory):
    torch.manual_seed(0)
    film = Film(digits.test_images, digits.test_labels)
    how = {"epochs": 3, "batch_size": 50, "progress": False}
    fit(VAE(2, hidden=(16,)), digits.train_images, elbo, watch=film, **how)
    path = tmp_path_factory.mktemp("page") / "bubbles.html"
    path.write_text(Bubbles(film).to_html(), "utf-8")
    return path.as_uri()


class Shown:
    def __init__(self, page):
        self.page, self.button = page, page.locator(".vae-teach button")
        self.slider = page.locator(".vae-teach input[type=range]")

    @property
    def frame(self):
        return int(self.slider.input_value())

    def stands(self):
        """Paused, and the picture with it."""
        before = self.frame
        self.page.wait_for_timeout(300)
        return self.button.text_content() == "Play" and self.frame == before


@pytest.fixture
def shown(browser, address, request):
    page = browser.new_page(reduced_motion=getattr(request, "param", "no-preference"))
    page.goto(address)
    page.wait_for_selector(".vae-teach-live")
    yield Shown(page)
    page.close()


def test_plays_by_keyboard_to_the_end_and_rests(shown):
    assert shown.frame == LAST
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Space")
    assert shown.button.text_content() == "Pause"
    shown.page.wait_for_function(
        "document.querySelector('.vae-teach button').textContent == 'Play'"
    )
    assert shown.frame == LAST
    assert shown.stands()
    words = shown.slider.get_attribute("aria-valuetext")
    assert words.startswith("step 36 of 36; KL ")
    assert "−reconstruction" in words
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Home")
    shown.page.wait_for_timeout(200)
    assert shown.slider.get_attribute("aria-valuetext").startswith("step 0 of 36")


@pytest.mark.parametrize(
    "stop",
    [
        "document.querySelector('.vae-teach button').click()",
        "for (const input of document.querySelectorAll('input')) {"
        "input.value = 3; input.dispatchEvent(new Event('input')); }",
        "document.querySelector('main').style.paddingTop = '5000px'",
        "document.querySelector('main').style.display = 'none'",
    ],
    ids=["pause", "scrub", "out of sight", "hidden"],
)
def test_stops(shown, stop):
    shown.button.click()
    shown.page.wait_for_timeout(150)
    assert shown.button.text_content() == "Pause"
    shown.page.evaluate(stop)
    shown.page.wait_for_timeout(200)
    assert shown.frame < LAST
    assert shown.stands()


@pytest.mark.parametrize("shown", ["reduce"], indirect=True)
def test_jumps_for_readers_who_want_less_motion(shown):
    frames = set()
    shown.button.click()
    while shown.button.text_content() == "Pause":
        frames.add(shown.frame)
    assert frames <= {0, 5, 10, 15, 20, LAST}
    assert len(frames) > 2
