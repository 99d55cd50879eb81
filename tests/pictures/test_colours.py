"""The course's colours stand in one file; every other form is made from it."""

import re

import pytest

from vae_teach.page.files import PACKAGE, text
from vae_teach.pictures import colours
from vae_teach.pictures.mixtures import COMPONENTS

NAMED = (colours.PRIOR, colours.ENCODER, colours.POSTERIOR, colours.DECODER, colours.KL)
FILES = [p for end in ("py", "js", "css", "j2") for p in PACKAGE.rglob(f"*.{end}")]


def spellings(colour):
    """The ways in which a colour may be written as a literal."""
    numbers = colours.rgb(colour)
    yield re.escape(colour)
    yield r",\s*".join(rf"\b{number}\b" for number in numbers)
    yield r",\s*".join(rf"0x{number:02x}" for number in numbers)


@pytest.mark.parametrize("colour", [*NAMED, *colours.LABELS])
def test_no_colour_is_written_twice(colour):
    found = re.compile("|".join(spellings(colour)), re.IGNORECASE)
    places = [p.name for p in FILES if found.search(p.read_text("utf-8"))]
    assert places == ["colours.py"]


def test_the_page_s_style_and_script_have_the_same_colours():
    style, script = text("page/common.css"), text("page/colours.js")
    assert f"--posterior: {colours.POSTERIOR};" in style
    assert f".vae-teach .c7 {{ --hue: {colours.LABELS[7]}; }}" in style
    assert "export const POSTERIOR = [131, 45, 182];" in script
    assert "export const COMPONENTS = [1, 7, 2];" in script
    assert (255 * COMPONENTS).round().tolist()[1] == [198, 82, 0]


def test_a_tint_lies_between_white_and_the_colour():
    assert colours.tint(colours.KL, 0) == (1, 1, 1)
    assert colours.tint("#804020", 1) == (128 / 255, 64 / 255, 32 / 255)
    assert colours.tint("#00ff00", 0.25) == (0.75, 1, 0.75)
