"""A real JupyterLab and a real browser; skipped where either is missing."""

import pytest
import real_lab
from explorers_notebook import ExplorersNotebook
from tested_explorers import BROKEN, TRAIN


@pytest.fixture(scope="session")
def browser():
    try:
        with real_lab.chromium() as chromium:
            yield chromium
    except real_lab.Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def page(browser):
    return real_lab.new_page(browser)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    try:
        with real_lab.jupyterlab(tmp_path_factory.mktemp("lab")) as lab:
            yield lab
    except real_lab.Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def all_opened():
    return []


@pytest.fixture(scope="module")
def opened(lab, page, all_opened):
    """All explorers in one notebook; it stays open until another is opened in its place."""
    if not all_opened or not all_opened[-1].is_open():
        all_opened.append(ExplorersNotebook(lab, page, cells=[BROKEN, TRAIN]))
    return all_opened[-1]
