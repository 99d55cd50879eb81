"""One-edit mutants of solutions: a few of each here, all of them by `python tests/exercises/mutants.py`."""

import importlib.util
from pathlib import Path

import pytest
import torch

from vae_teach.exercises import Exercise

spec = importlib.util.spec_from_file_location("mutants", Path(__file__).with_name("mutants.py"))
mutants = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutants)

SOLVED = {f"{chapter}-{check}": rest for chapter, check, *rest in mutants.solved()}


def test_edits_are_made_once_each():
    made = list(mutants.mutants("def f(x, y):\n    return x.log() - 2 * y"))
    bodies = [mutant.split("return ")[1] for mutant in made]
    assert len(bodies) == len(set(bodies)) > 25
    wanted = {"x.log() + 2 * y", "x.log() - 4 * y", "x.exp() - 2 * y", "2 * y - x.log()", "x.log()"}
    assert wanted | {"y.log() - 2 * y", "x.log() - y", "-(x.log() - 2 * y)"} <= set(bodies)


def test_a_check_that_is_fooled_is_found():
    """A single trial of ones cannot tell a square from a product."""
    fooled = Exercise("x (N,) -> ()", lambda x: (x**2).sum(), {}, inputs=[(torch.ones(3),)])
    source = "def f(x):\n    return (x ** 2).sum()"
    seen = {mutant: (line, wrong) for mutant, line, wrong in mutants.examine(fooled, source, "f")}
    assert seen["def f(x):\n    return (x ** 3).sum()"] == ("Right.", True)
    assert seen["def f(x):\n    return (x ** 2).sum().abs()"] == ("Right.", False)


@pytest.mark.fault("Checks", "one edit in a solution", "none is accepted whose value differs")
@pytest.mark.filterwarnings("ignore")  # a mutant may do what NumPy or PyTorch warns of
@pytest.mark.parametrize(("exercise", "source", "name"), SOLVED.values(), ids=SOLVED)
def test_solutions_are_right_and_their_mutants_are_not(exercise, source, name):
    assert mutants.judge(exercise, mutants.function(source, name)) == "Right."
    fooled = [
        mutant
        for mutant, line, wrong in mutants.examine(exercise, source, name, only=5)
        if wrong and line.startswith("Right")
    ]
    assert not fooled
