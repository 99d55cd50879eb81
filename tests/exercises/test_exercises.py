"""Each check says "Right" to right answers, names known mistakes, and keeps Run All going.

The answers are in `mistakes/chapter_NN.py`, one file a chapter: RIGHT holds (check, attempt), WRONG
(check, attempt, words that the verdict must contain).
"""

import importlib
import inspect
import pkgutil

import pytest

import vae_teach.chapters

CHAPTERS = [module.name for module in pkgutil.iter_modules(vae_teach.chapters.__path__)]
ANSWERS = [importlib.import_module(f"mistakes.{name}") for name in CHAPTERS]
RIGHT = [case for answers in ANSWERS for case in answers.RIGHT]
WRONG = [case for answers in ANSWERS for case in answers.WRONG]
CHECKS = [
    check
    for name in CHAPTERS
    for key, check in vars(importlib.import_module(f"vae_teach.chapters.{name}.exercises")).items()
    if key.startswith("check_") and inspect.isfunction(check)
]
IDS = [f"{c.__module__.rsplit('.', 1)[1]}-{c.__name__}" for c in CHECKS]


def said(check, attempt, capsys):
    check(attempt)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(("check", "attempt"), RIGHT)
def test_right_answers(check, attempt, capsys):
    assert said(check, attempt, capsys) == "Right."


@pytest.mark.parametrize(("check", "attempt", "hint"), WRONG)
def test_mistakes_are_named(check, attempt, hint, capsys):
    line = said(check, attempt, capsys)
    assert not line.startswith("Right")
    assert hint in line


@pytest.mark.parametrize("check", CHECKS, ids=IDS)
@pytest.mark.parametrize("nothing", [None, ...])
def test_not_attempted(check, nothing, capsys):
    assert said(check, lambda *_: nothing, capsys).startswith("Not attempted yet")


@pytest.mark.parametrize("check", CHECKS, ids=IDS)
def test_each_check_is_fed_a_right_answer_and_three_mistakes(check):
    assert any(case[0] is check for case in RIGHT)
    assert len({case[2] for case in WRONG if case[0] is check}) >= 3
