"""Kernels for tests: a warning is an error, and no cell can rely on random numbers that another one left."""

import tempfile
from pathlib import Path

# IPython runs it before the first cell. It leaves no name behind, which could stand in for a missing import.
START = """
def start():
    import itertools, random, warnings
    import numpy, torch
    seeds = itertools.count(1_000_000)

    def scramble(*_):
        for seed in (torch.manual_seed, numpy.random.seed, random.seed):
            seed(next(seeds))

    get_ipython().events.register("pre_run_cell", scramble)
    {filters}
    warnings.filterwarnings("ignore", module="ipykernel")  # the kernel's own, which no cell causes

start()
del start
"""
FOLDER = tempfile.TemporaryDirectory(prefix="ipython-")  # removed when the tests end


def environment(config):
    """Variables for kernels that start this way.

    Args:
        config: pytest's, whose filters of warnings hold in the kernels, too.
    """
    filters = "\n    ".join(map(_filter, config.getini("filterwarnings")))
    start = Path(FOLDER.name, "profile_default", "startup", "start.py")
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text(START.format(filters=filters), "utf-8")
    return {"IPYTHONDIR": FOLDER.name}


def _filter(line):
    """`action:message:category`, as pytest takes it, in Python."""
    action, message, category = [*line.split(":"), "", ""][:3]
    return f"warnings.filterwarnings({action!r}, {message!r}, {category or 'Warning'})"
