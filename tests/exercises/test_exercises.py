"""Every exercise of every chapter: right forms are right, each mistake gets its own sentence."""

import pytest
import torch

from vae_teach.chapters.__main__ import exercises
from vae_teach.exercises.judge import NOT_YET

EXERCISES = {f"{chapter}-{name}": exercise for chapter, name, exercise in exercises()}
MISTAKES = [
    pytest.param(exercise, sentence, id=f"{name}-{number}")
    for name, exercise in EXERCISES.items()
    for number, sentence in enumerate(exercise.mistakes, start=1)
]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def said(exercise, answer, capsys):
    exercise(answer)
    return capsys.readouterr().out.removesuffix("\n")


def test_none_is_lost():
    """`python -m vae_teach.chapters` prints the counts."""
    assert len(EXERCISES) >= 37
    assert len(MISTAKES) >= 600


@pytest.mark.parametrize(("exercise", "sentence"), MISTAKES)
def test_each_mistake_gets_its_sentence(exercise, sentence, capsys):
    assert said(exercise, exercise.mistakes[sentence], capsys) == f"Not yet: {sentence}"


@each_exercise
def test_right_answers_are_right(exercise, capsys):
    assert exercise.also_right
    for answer in (exercise.right, *exercise.also_right):
        assert said(exercise, answer, capsys) == "Right."
        with torch.no_grad():
            assert said(exercise, answer, capsys) == "Right."


@each_exercise
@pytest.mark.parametrize("nothing", [None, ...])
def test_not_attempted(exercise, nothing, capsys):
    assert said(exercise, nothing, capsys) == NOT_YET
    assert said(exercise, lambda *_: nothing, capsys) == NOT_YET


@each_exercise
def test_three_mistakes_are_known_and_the_task_is_said(exercise):
    assert len(exercise.mistakes) >= 3
    assert "->" in exercise.__doc__


ODD = [True, 10**400, "text", {}, [], (1, "a"), object(), 1j, torch.tensor([True]), torch.empty(0)]


@each_exercise
def test_whatever_is_handed_in_gets_one_line(exercise, capsys):
    for odd in ODD:
        for answer in (odd, lambda *_, odd=odd: odd):
            line = said(exercise, answer, capsys)
            assert line.startswith("Not yet: ")
            assert "\n" not in line
