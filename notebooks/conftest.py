"""nbval runs the notebooks on the embedded set, with one thread each; the kernels it starts inherit this."""

import os

from kernels import environment

os.environ.setdefault("VAE_TEACH_DATASET", "strokes")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # see tests/conftest.py


def pytest_configure(config):
    """A warning in a cell is an error, too."""
    os.environ.update(environment(config))
