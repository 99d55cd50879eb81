"""Data for the tests: the embedded set, and MNIST where it lies on disk."""

from pathlib import Path

import pytest

from vae_teach.building import build
from vae_teach.data.downloaded import on_disk


def pytest_collection_modifyitems(items):
    """Slow are the tests in a browser, and those of a notebook that is run for them."""
    browser = Path(__file__).resolve().parent / "browser"
    for item in items:
        if item.path.is_relative_to(browser) or "solved" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def mnist_on_disk():
    """True where the four files lie whole in the data directory; nothing is downloaded."""
    try:
        return bool(on_disk("mnist"))
    except OSError:
        return False


@pytest.fixture(scope="session")
def mnist(mnist_on_disk):
    if not mnist_on_disk:
        pytest.skip("MNIST is not on this machine (VAE_TEACH_DATA points at no copy)")
    from vae_teach import data

    return data.load("mnist")


@pytest.fixture(scope="session")
def digits():
    """A few hundred images of the embedded set."""
    from vae_teach.data.strokes import strokes

    return strokes(train=600, test=100)


@pytest.fixture(scope="session")
def solved(mnist_on_disk):
    """Each notebook's run with solutions in, made once: name -> executed notebook."""
    runs = {}

    def run(name):
        if name not in runs:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("VAE_TEACH_DATASET", "mnist" if mnist_on_disk else "strokes")
                source = build.NOTEBOOKS / "source" / f"{name}.py"
                runs[name] = build.execute(build.with_solutions(build.unexecuted(source)))
        return runs[name]

    return run
