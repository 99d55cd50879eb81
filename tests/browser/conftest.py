"""A real JupyterLab and a real browser; skipped where either is missing."""

import lab as labs
import pytest
from room import Room
from table import BROKEN, TRAIN


@pytest.fixture(scope="session")
def browser():
    try:
        with labs.chromium() as chromium:
            yield chromium
    except labs.Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def page(browser):
    return labs.new_page(browser)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    try:
        with labs.jupyterlab(tmp_path_factory.mktemp("lab")) as lab:
            yield lab
    except labs.Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def rooms():
    return []


@pytest.fixture(scope="module")
def room(lab, page, rooms):
    """All explorers in one notebook; it stays open until another is opened in its place."""
    if not rooms or not rooms[-1].is_open():
        rooms.append(Room(lab, page, cells=[BROKEN, TRAIN]))
    return rooms[-1]
