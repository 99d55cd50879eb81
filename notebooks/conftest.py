"""nbval runs the notebooks on the embedded set, with one thread each; the kernels it starts inherit this."""

import os

import pytest

os.environ.setdefault("VAE_TEACH_DATASET", "strokes")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # see tests/conftest.py


def pytest_collection_modifyitems(items):
    """All cells of a notebook run in one process, in order."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.xdist_group(item.path.name))
