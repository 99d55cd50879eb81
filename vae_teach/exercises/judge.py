"""How every answer is judged: against the right one, the known mistakes, then by its likeness."""

import contextlib
import copy
import functools
import inspect
import io
import random
import re
import warnings

import numpy as np
import torch

from vae_teach.exercises.likeness import described, likeness
from vae_teach.exercises.numbers import equal, fitted, named, plain
from vae_teach.exercises.probes import probe

DISTANCE = "the largest difference"
NOT_YET = "Not attempted yet: replace the ... and run the cell again."


def result(answer, *inputs):
    """What is compared of an answer: what a function or module returns, a value as it is."""
    return answer(*inputs) if callable(answer) else answer


def judge(exercise, attempt):
    """Say in one line what is right or wrong with a learner's answer.

    It is asked twice, which shows whether it draws. The caller's random state, the exercise's
    inputs and a module's own state stay as they are, whatever the answer does with them.

    Args:
        exercise: an `Exercise`.
        attempt: the learner's answer, of any type. It is, or returns, `...` or None while not
            attempted.

    Returns:
        The line. It begins with "Right" only for a right answer.
    """
    try:
        with _as_before():
            return _line(exercise, attempt)
    except Exception:  # an object that raises when it is looked at: no answer to any exercise
        kind = type(attempt).__name__
        return f"Not yet: a {kind} came that cannot be read. Give plain numbers or tensors."


@contextlib.contextmanager
def _as_before():
    """Bring back the global states that an answer may change: random numbers, default dtype."""
    dtype, numpy_state, python_state = (
        torch.get_default_dtype(),
        np.random.get_state(),  # noqa: NPY002
        random.getstate(),
    )
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_default_dtype(dtype)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


class _Failed(Exception):
    """An answer raised, in this trial."""

    def __init__(self, error, trial):
        self.error, self.trial = error, trial


def _line(exercise, attempt):
    if _missing(attempt):
        return NOT_YET
    if any(exercise.inputs) and exercise.ask is result and not callable(attempt):
        return f"Not yet: you gave {named(attempt)}. Give the function: its name, no brackets."
    try:
        (answers, left), (again, _) = (_trials(exercise, attempt) for _ in range(2))
    except _Failed as failed:
        return _raised(exercise, attempt, failed)
    return NOT_YET if _missing(answers) else _verdict(exercise, attempt, answers, again, left)


def _trials(exercise, answer, inputs=None):
    """What an answer gives in each trial, and what it leaves of the arguments.

    Args:
        exercise: whose `ask` and, if no others are given, whose inputs are taken.
        answer: the learner's, or the right one, or a mistake.
        inputs: a tuple of arguments for each trial.
    """
    with torch.inference_mode(False):
        arguments = copy.deepcopy(list(exercise.inputs if inputs is None else inputs))
        if isinstance(answer, torch.nn.Module):  # it may count what it sees, or change its mode
            with contextlib.suppress(Exception):  # what holds results of autograd cannot be copied
                answer = copy.deepcopy(answer)
    answers = []
    for number, trial in enumerate(arguments):
        try:
            with torch.inference_mode(False), torch.enable_grad():
                answers.append(exercise.ask(answer, *trial))
        except (Exception, SystemExit) as error:
            raise _Failed(error, number) from None
    return answers, arguments


@functools.lru_cache(maxsize=1024)
def _own(exercise, sentence=None):
    """What the right answer, or a known mistake, gives in each trial: asked for once."""
    answer = exercise.right if sentence is None else exercise.mistakes[sentence]
    return [plain(a) for a in _trials(exercise, answer)[0]]


def _raised(exercise, attempt, failed):
    """What a learner's code raises is the learner's to read."""
    try:
        first_line = (str(failed.error).splitlines() or [""])[0]
    except Exception:
        first_line = ""
    line = f"Your function raised {type(failed.error).__name__}: {first_line}"
    if failed.trial:
        arguments = exercise.inputs[failed.trial]
        given = described([plain(a) for a in arguments], _names(attempt, arguments))
        line += f" (with {given}; other inputs went well)" if given else ""
    return line


def _verdict(exercise, attempt, answers, again, left):
    def same(a, b):
        return equal(a, b, exercise.tolerance)

    wanted = _own(exercise)
    given, repeated = [plain(a) for a in answers], [plain(a) for a in again]
    names = _names(attempt, exercise.inputs[0])
    if all(map(same, given, given)) and not all(map(same, given, repeated)):
        return "Not yet: it answers differently each time. Draw nothing, use what you are given."
    exact = all(map(same, given, wanted))
    known = {}  # sentence -> what this mistake gives
    if not exact:
        for sentence in exercise.mistakes:
            known[sentence] = _own(exercise, sentence)
            if all(map(same, given, known[sentence])):
                return f"Not yet: {sentence}"
    forms = [fitted(a, b) for a, b in zip(given, wanted, strict=True)]
    given = [form for form, _ in forms]
    if all(map(same, given, wanted)):
        if not _unchanged(sum(exercise.inputs, ()), sum(left, ())):
            return "Not yet: the numbers are right, but your function changes its arguments."
        shapes = [(s, b) for (_, s), b in zip(forms, wanted, strict=True) if s is not None]
        return f"Right.{_on_shape(*shapes[0])}" if shapes else "Right."
    if not callable(attempt):
        place = next(i for i, pair in enumerate(zip(given, wanted, strict=True)) if not same(*pair))
        return (
            f"Not yet: {_difference(answers[place], given[place], wanted[place], same, 'you gave')}"
        )
    for sentence, wrong in known.items():
        if "sign" not in sentence and _opposite(given, wrong, same):
            return f"Not yet: the sign is turned, and one thing more: {sentence}"
    sentence = _unknown(exercise, answers, given, wanted, names, same)
    if sentence.startswith(DISTANCE) and (where := _where(exercise, attempt, names, same)):
        return f"Not yet: {where}"
    return f"Not yet: {sentence}"


def _names(attempt, arguments):
    """What the learner calls the arguments."""
    try:
        parameters = inspect.signature(attempt).parameters.values()
        found = [f"`{p.name}`" for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    except Exception:  # it has none that can be read
        found = []
    if len(found) != len(arguments):
        found = [f"argument {number}" for number, _ in enumerate(arguments, start=1)]
    return found


def _where(exercise, attempt, names, same):
    """What other inputs show of where the mistake is, or None."""

    def asked(answer):
        def values(inputs):
            try:
                return [plain(a) for a in _trials(exercise, answer, inputs)[0]]
            except _Failed:  # neither need take any other numbers
                return None

        return values

    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),  # what the answer prints is printed already
    ):
        warnings.simplefilter("ignore")
        return probe(asked(attempt), asked(exercise.right), exercise.inputs, names, same)


def _unchanged(before, after):
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if isinstance(a, torch.Tensor)]
    return all(equal(plain(a), plain(b), 0.0) for a, b in pairs)


def _on_shape(shape, right):
    asked = next(b for b in (right if isinstance(right, tuple) else (right,)) if b is not None)
    if isinstance(right, tuple):
        return " Drop the axes of length 1."
    return f" The shape {tuple(asked.shape)} is meant, not {shape}: drop the axes of length 1."


def _opposite(given, wrong, same):
    """Whether the answer is a mistake's, with the sign turned; not where all is 0."""
    pairs = list(zip(given, wrong, strict=True))
    return all(
        isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) and same(-a, b)
        for a, b in pairs
    ) and not all(same(a, -a) for a, _ in pairs)


def _unknown(exercise, answers, given, wanted, names, same):
    """Say how a function's answers differ from the right ones, where that is no known mistake."""
    parts = [b for b in wanted if isinstance(b, tuple)]
    if parts and len(parts) == len(wanted) and len({len(b) for b in parts}) == 1:
        if all(isinstance(a, tuple) and len(a) == len(parts[0]) for a in given):
            columns = [list(zip(*side, strict=True)) for side in (answers, given, wanted)]
            for place, column in enumerate(zip(*columns, strict=True), start=1):
                if not all(map(same, *column[1:])):
                    where = f"at place {place} of {len(parts[0])}, "
                    return where + _unknown(exercise, *column, names, same)
    if all(isinstance(t, torch.Tensor) for t in (*given, *wanted)):
        arguments = [tuple(map(plain, trial)) for trial in exercise.inputs]
        arguments = [
            tuple(a if isinstance(a, torch.Tensor) else None for a in trial) for trial in arguments
        ]
        bits = re.search(r"\bbits?\b", exercise.task, re.IGNORECASE) is not None
        if sentence := likeness(given, wanted, arguments, names, same, bits):
            return sentence
    place = next(i for i, pair in enumerate(zip(given, wanted, strict=True)) if not same(*pair))
    return _difference(answers[place], given[place], wanted[place], same, "your function returned")


def _difference(answer, a, b, same, gave):
    """Say how an answer differs from the right one in a trial.

    Args:
        answer: as it was given.
        a: the same, plain and fitted.
        b: the right one, plain.
        same: whether two plain answers are equal.
        gave: how the sentence begins that says what kind of thing it is.
    """
    if isinstance(b, tuple) and isinstance(a, tuple) and len(a) == len(b):
        parts = enumerate(zip(answer, a, b, strict=True), start=1)
        place, part = next((place, part) for place, part in parts if not same(*part[1:]))
        return f"at place {place} of {len(b)}, {_difference(*part, same, gave)}"
    if isinstance(b, str) and isinstance(a, str):
        return f"{answer[:60]!r} is none of the answers to choose from."
    numbers = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    is_array = isinstance(answer, torch.Tensor | np.ndarray)
    if not numbers or (a.shape != b.shape and not is_array):
        return f"{gave} {named(answer)}, {_expected(b)} is expected."
    if a.shape != b.shape:
        return f"shape {tuple(a.shape)} where {tuple(b.shape)} is expected."
    if not torch.isfinite(a).all():
        return "some of the numbers are NaN or infinite."
    if a.ndim == 0 and gave == "you gave":  # a guess: the distance would give the answer away
        return "too large." if a > b else "too small."
    return f"{DISTANCE} from the right numbers is {(a - b).abs().max().item():.4g}."


def _missing(answer):
    parts = answer if isinstance(answer, tuple | list) else [answer]
    return any(part is None or part is ... for part in parts)


def _expected(right):
    if isinstance(right, tuple):
        return f"a tuple of {len(right)}"
    return "a string" if isinstance(right, str) else "a tensor" if right.ndim else "a number"
