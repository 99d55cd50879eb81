"""Five seconds of benchmarks/soak.py, and how it judges memory."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from tested_explorers import EXPLORERS

PATH = Path(__file__).resolve().parent.parent / "benchmarks" / "soak.py"


@pytest.fixture(scope="module")
def soak():
    spec = importlib.util.spec_from_file_location("soak", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.fault(
    "Memory", "random events, training, interrupts and loads, for seconds", "no error"
)
def test_five_seconds():
    command = [sys.executable, str(PATH), "--minutes", str(5 / 60), "--seed", "1"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no error" in done.stdout


def test_an_error_ends_it_and_names_the_deed(soak, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("in a deed")

    lines = []
    monkeypatch.setattr(soak.People, "__init__", lambda self, seed: setattr(self, "random", RANDOM))
    monkeypatch.setattr(soak.People, "move", broken)
    with pytest.raises(ZeroDivisionError, match="in a deed"):
        soak.soak(1, 7, lines.append)
    assert lines == ["seed 7, deed 1 (move) went wrong:"]


class RANDOM:
    """It always draws the first."""

    choices = staticmethod(lambda names, weights: names[:1])


def test_every_explorer_is_moved(soak):
    assert set(soak.MOVES) == {explorer.name for explorer in EXPLORERS}


def test_memory_is_judged_after_the_first_fifth(soak):
    flat = [(at, 500.0 if at > 10 else 300.0) for at in range(100)]
    assert soak.growth(flat) == 0
    assert soak.growth([(at, 500 + at) for at in range(100)]) > soak.GROWTH
