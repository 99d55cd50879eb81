"""Where the gradient is the lesson, right numbers alone are not right."""

import pytest
import torch

from vae_teach.chapters.__main__ import exercises
from vae_teach.exercises import Exercise
from vae_teach.exercises.differentiation import gradients
from vae_teach.exercises.judge import judge

X = torch.arange(6.0).reshape(2, 3) - 1
draws = Exercise(
    "m + s ε, to be differentiated: m, s, e (B,) -> (B,).",
    lambda m, s, e: m + s * e,
    {"the noise is missing.": lambda m, s, e: m},
    inputs=[(X[0], X[1], torch.tensor([1.0, -0.5, 2.0]))],
    gradients=True,
)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda m, s, e: s * e + m, "Right."),
        (
            lambda m, s, e: torch.addcmul(m.double(), s, e.double())[:, None],
            "Right. The shape (3,)",
        ),
        (lambda m, s, e: (m + s * e).detach(), "Not yet: the numbers are right, but no gradient "),
        (torch.no_grad()(draws.right), "Not yet: the numbers are right, but no gradient flows"),
        (torch.inference_mode()(draws.right), "Not yet: the numbers are right, but no gradient"),
        (
            lambda mean, sigma, e: mean + sigma.detach() * e,
            "Not yet: the numbers are right, but no gradient reaches `sigma`: it was detached",
        ),
        (
            lambda m, s, e: torch.tensor((m + s * e).tolist()),
            "Not yet: the numbers are right, but no gradient flows",
        ),
        (
            lambda m, s, e: m.numpy() + s.numpy() * e.numpy(),
            "Not yet: the numbers are right, but inputs that ask for gradients raise RuntimeError",
        ),
        (
            lambda m, s, e: m + (2 * s - s.detach()) * e,
            "Not yet: the numbers are right, but the gradient for `s` is not",
        ),
        (lambda m, s, e: m, "Not yet: the noise is missing."),
    ],
)
def test_gradients_where_they_are_the_lesson(answer, line):
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            assert judge(draws, answer).startswith(line)


def test_a_right_answer_without_gradients_is_told_so():
    """In every exercise that asks for them; its own right answer has them."""
    for exercise in [draws, *(e for *_, e in exercises() if e.gradients)]:
        for trial in exercise.inputs:
            found = gradients(exercise, exercise.right, trial)
            assert any(gradient.any() for gradient in found.values())
        for right in (exercise.right, *exercise.also_right):
            line = judge(exercise, lambda *a, right=right: right(*a).detach())
            assert line.startswith("Not yet: the numbers are right, but no gradient flows")
