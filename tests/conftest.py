"""How tests share the machine; data for them: the embedded set, and MNIST where it lies on disk."""

import os
import re
from pathlib import Path

import faults
import pytest
from kernels import environment
from notebook_runs import Twice
from xdist.scheduler import LoadScopeScheduling

from vae_teach.building import build

# One thread a process: two that share a core with a neighbour spend most of their time waiting for each
# other. PyTorch reads this when it is imported, so nothing above may import it; kernels inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).resolve().parent


def pytest_addoption(parser):
    """`--faults`: write what the tests marked `fault` saw into FAULTS.md."""
    parser.addoption("--faults", action="store_true", help="renew tests/FAULTS.md")


def pytest_configure(config):
    """One process writes: that which hears of all tests."""
    if config.getoption("faults") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(faults.Writer())


def pytest_xdist_auto_num_workers():
    """`-n auto`: a process for each core that we may use; on a single one pytest's own is enough."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores if cores > 1 else 0


def pytest_collection_modifyitems(items):
    """Slow are the tests in a browser, and those of a notebook that is run for them."""
    faults.count_cases(items)
    for item in items:
        if item.path.is_relative_to(HERE / "browser") or "solved" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.slow)


def group(test):
    """Tests of one group run in one process: those of a file, and with a chapter's those of test_runs.py that
    ask for its run, which is then made once."""
    run = re.fullmatch(r"tests/test_runs\.py::\w+\[\d+_(\w+)\]", test)
    return f"tests/chapters/test_{run[1]}.py" if run else test.partition("::")[0]


def pytest_xdist_make_scheduler(config, log):
    """Hand out tests by these groups, in the order of the command line."""

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group(nodeid)

    return ByGroup(config, log)


@pytest.fixture(scope="session")
def mnist_on_disk():
    """True where the four files lie whole in the data directory; nothing is downloaded."""
    from vae_teach.data.downloaded import on_disk

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
def solved(mnist_on_disk, pytestconfig):
    """Each notebook's run with solutions in, made once: name -> executed notebook, see `Twice`.

    A solution runs where its exercise stands, and not again in its own cell: that one runs as shipped.
    """
    runs = {}

    def run(name):
        if name not in runs:
            with pytest.MonkeyPatch.context() as patch:
                if mnist_on_disk:
                    patch.delenv(
                        "VAE_TEACH_DATASET", raising=False
                    )  # MNIST, as in the stored notebooks
                else:
                    patch.setenv("VAE_TEACH_DATASET", "strokes")
                for variable, value in environment(pytestconfig).items():
                    patch.setenv(variable, value)
                source = build.NOTEBOOKS / "source" / f"{name}.py"
                notebook = build.with_solutions(build.unexecuted(source))
                notebook.cells = [
                    cell for cell in notebook.cells if "solution" not in build.tags(cell)
                ]
                runs[name] = build.execute(notebook, Twice)
        return runs[name]

    return run
