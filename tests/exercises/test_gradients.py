"""Exercises that ask for gradients: detached, half detached and by NumPy, each gets its line."""

import pytest
import torch

from vae_teach.exercises import Exercise
from vae_teach.exercises.gradients import with_gradients
from vae_teach.exercises.judge import NOT_YET, judge

X = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
squares = Exercise(
    "Squares, through which a gradient goes: x (B, D) -> (B, D).",
    right=lambda x: x**2,
    mistakes={
        "nothing gets through.": lambda x: (x**2).detach(),
        "half of it gets through.": lambda x: x.detach() * x,
    },
    inputs=[(X,), (X.clone().requires_grad_(),)],
    ask=with_gradients,
)
NOTHING = "Not yet: nothing gets through."


@pytest.mark.fault(
    "Checks", "right numbers with wrong gradients", "not accepted where the gradient is the lesson"
)
def test_the_same_numbers_with_other_gradients():
    assert judge(squares, lambda x: x * x) == "Right."
    assert judge(squares, lambda x: x.detach() ** 2) == NOTHING
    assert judge(squares, lambda x: x.data**2) == NOTHING
    assert judge(squares, lambda x: torch.tensor(x.tolist()) ** 2) == NOTHING
    assert judge(squares, lambda x: x.numpy() ** 2) == NOTHING
    assert judge(squares, lambda x: x * x.detach()) == "Not yet: half of it gets through."


def test_wrong_numbers_are_spoken_of_first():
    assert judge(squares, lambda x: 2 * x.detach()).startswith("Not yet: the largest difference")
    assert judge(squares, lambda x: x.sum()).endswith("shape () where (2, 2) is expected.")
    assert judge(squares, lambda x: x @ x[0, 0]).startswith("Your function raised RuntimeError: ")
    changed = "but your function changes its arguments."
    assert judge(squares, lambda x: (x.sub_(1) + 1) ** 2).endswith(changed)
    assert judge(squares, lambda x: None) == NOT_YET
