"""How every answer is judged: against the right one, then against the known mistakes."""

import copy

import numpy as np
import torch

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
    if _missing(attempt):
        return NOT_YET
    if any(exercise.inputs) and exercise.ask is result and not callable(attempt):
        return f"Not yet: you gave {_named(attempt)}. Give the function: its name, no brackets."
    with torch.random.fork_rng(devices=[]):
        try:
            (answers, left), (again, _) = (_trials(exercise, attempt) for _ in range(2))
        except Exception as error:  # whatever a learner's code raises is the learner's to read
            first_line = (str(error).splitlines() or [""])[0]
            return f"Your function raised {type(error).__name__}: {first_line}"
        return NOT_YET if _missing(answers) else _verdict(exercise, attempt, answers, again, left)


def _trials(exercise, answer):
    """What an answer gives in each trial, and what it leaves of the arguments."""
    with torch.inference_mode(False), torch.enable_grad():
        arguments = copy.deepcopy(list(exercise.inputs))
        if isinstance(answer, torch.nn.Module):  # it may count what it sees, or change its mode
            answer = copy.deepcopy(answer)
        return [exercise.ask(answer, *trial) for trial in arguments], arguments


def _verdict(exercise, attempt, answers, again, left):
    def same(a, b):
        return _same(_plain(a), _plain(b), exercise.tolerance)

    wanted, _ = _trials(exercise, exercise.right)
    if same(answers, wanted):
        before, after = sum(exercise.inputs, ()), sum(left, ())
        pairs = [(a, b) for a, b in zip(before, after, strict=True) if isinstance(a, torch.Tensor)]
        if all(torch.equal(a, b) for a, b in pairs):
            return "Right."
        return "Not yet: the numbers are right, but your function changes its arguments."
    comparable = same(answers, answers)
    if comparable and not same(answers, again):
        return "Not yet: it answers differently each time. Draw nothing, use what you are given."
    for sentence, wrong in exercise.mistakes.items():
        if same(answers, _trials(exercise, wrong)[0]):
            return f"Not yet: {sentence}"
    gave = "your function returned" if callable(attempt) else "you gave"
    first = next(pair for pair in zip(answers, wanted, strict=True) if not same(*pair))
    return f"Not yet: {_difference(*first, same, gave)}"


def _difference(answer, right, same, gave):
    """Say how an answer differs from the right one, where that is no known mistake."""
    a, b = _plain(answer), _plain(right)
    if isinstance(b, tuple) and isinstance(a, tuple) and len(a) == len(b):
        parts = enumerate(zip(answer, right, strict=True), start=1)
        place, part = next((place, part) for place, part in parts if not same(*part))
        return f"at place {place} of {len(b)}, {_difference(*part, same, gave)}"
    if isinstance(b, str) and isinstance(a, str):
        return f"{answer!r} is none of the answers to choose from."
    numbers = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    is_array = isinstance(answer, torch.Tensor | np.ndarray)
    if not numbers or (a.shape != b.shape and not is_array):
        return f"{gave} {_named(answer)}, {_expected(b)} is expected."
    if a.shape != b.shape:
        return f"shape {tuple(a.shape)} where {tuple(b.shape)} is expected."
    if not torch.isfinite(a).all():
        return "some of the numbers are NaN or infinite."
    if a.ndim == 0 and gave == "you gave":  # a guess: the distance would give the answer away
        return "too large." if a > b else "too small."
    return f"the largest difference from the right numbers is {(a - b).abs().max().item():.4g}."


def _missing(answer):
    parts = answer if isinstance(answer, tuple | list) else [answer]
    return any(part is None or part is ... for part in parts)


def _plain(answer):
    """An answer as it is compared: a string, numbers in double precision, a tuple; else None."""
    if isinstance(answer, str):
        return answer.strip().casefold()
    if isinstance(answer, tuple | list):
        return tuple(_plain(part) for part in answer)
    try:
        if not isinstance(answer, torch.Tensor):
            answer = torch.tensor(np.array(answer, order="C"))
        return None if answer.is_complex() else answer.detach().cpu().to_dense().double()
    except Exception:  # whatever it is, it is no array of numbers
        return None


def _same(a, b, tolerance):
    if isinstance(b, torch.Tensor) and isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.allclose(
            a, b, rtol=tolerance, atol=tolerance, equal_nan=True
        )
    if isinstance(b, tuple) and isinstance(a, tuple):
        return len(a) == len(b) and all(_same(*pair, tolerance) for pair in zip(a, b, strict=True))
    return isinstance(b, str) and a == b


def _named(answer):
    name = type(answer).__name__
    number = f" of {len(answer)}" if isinstance(answer, tuple | list) else ""
    return f"a{'n' * (name[0].lower() in 'aeiou')} {name}{number}"


def _expected(right):
    if isinstance(right, tuple):
        return f"a tuple of {len(right)}"
    return "a string" if isinstance(right, str) else "a tensor" if right.ndim else "a number"
