"""How every exercise is judged: against the right answer, then against known mistakes."""

import torch

NOT_YET = "Not attempted yet: replace the ... and run the cell again."


def judge(attempt, arguments, right, mistakes, tolerance=1e-4):
    """Run a learner's function and say in one line what is right or wrong with it.

    Args:
        attempt: the learner's function. It returns `...` or None while not attempted.
        arguments: tuple of tensors it is called with, twice; copies are handed over.
        right: (arguments) -> the right tensor, from an independent source.
        mistakes: dict of message -> function that makes this mistake, in the order of likelihood.
        tolerance: relative and absolute, of an equal answer.

    Returns:
        The line, which the caller prints. It begins with "Right" only for a right answer.
    """
    try:
        answer, again = (attempt(*(a.clone() for a in arguments)) for _ in range(2))
    except Exception as error:  # whatever a learner's code raises is the learner's to read
        first_line = (str(error).splitlines() or [""])[0]
        return f"Your function raised {type(error).__name__}: {first_line}"
    if answer is None or answer is ...:
        return NOT_YET
    wanted = right(*arguments)
    if not isinstance(answer, torch.Tensor):
        return f"Your function returned a {type(answer).__name__}, a tensor is expected."
    if _equal(answer, wanted, tolerance):
        return "Right."
    if not _equal(answer, again, tolerance):
        return "Not yet: it answers differently each time. Draw nothing, use what you are given."
    for message, wrong in mistakes.items():
        if _equal(answer, wrong(*arguments), tolerance):
            return f"Not yet: {message}"
    if answer.shape != wanted.shape:
        return f"Not yet: shape {tuple(answer.shape)} where {tuple(wanted.shape)} is expected."
    if not torch.isfinite(answer).all():
        return "Not yet: some of the numbers are NaN or infinite."
    worst = (answer - wanted).abs().max().item()
    return f"Not yet: the largest difference from the right numbers is {worst:.4g}."


def _equal(a, b, tolerance):
    return a.shape == b.shape and torch.allclose(
        a.detach().double(), b.detach().double(), rtol=tolerance, atol=tolerance, equal_nan=True
    )
