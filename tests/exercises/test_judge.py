"""The judge: each kind of answer, what it says without a known mistake, what it leaves alone."""

import numpy as np
import pytest
import torch
from torch import nn

from vae_teach.exercises import Exercise
from vae_teach.exercises.judge import NOT_YET, judge

X = torch.arange(6.0).reshape(2, 3) - 1
DRAWS = "Not yet: it answers differently each time. Draw nothing, use what you are given."
row_sums = Exercise(
    "Sums of the rows: x (B, D) -> (B,).",
    inputs=[(X,), (X.T**2,)],
    right=lambda x: x @ torch.ones(x.shape[1]),
    mistakes={
        "these are means.": lambda x: x.mean(1),
        "sum over the rows.": lambda x: x.sum(0),
        "the sign is turned.": lambda x: -x.sum(1),
    },
)


@pytest.fixture(autouse=True)
def seeded():
    """Two draws of a few dropped numbers can be the same, once in many runs."""
    torch.manual_seed(0)


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x.sum(1),
        lambda x: x.sum(1).double().requires_grad_(),
        lambda x: x.sum(1).numpy(),
        lambda x: np.sum(x.numpy()[::-1], 1)[::-1],
        lambda x: x.sum(1).to(torch.int64),
        lambda x: x.sum(1).to_sparse(),
    ],
)
def test_right_forms(answer):
    assert judge(row_sums, answer) == "Right."


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda x: x.mean(1), "Not yet: these are means."),
        (lambda x: x.sum(0), "Not yet: sum over the rows."),
        (lambda x: x @ x, "Your function raised RuntimeError: "),
        (lambda x: x.sum(1).item(), "Your function raised RuntimeError: "),
        (lambda: 1, "Your function raised TypeError: "),
        (lambda x: 1 / 0, "Your function raised ZeroDivisionError: "),
        (lambda x: 3.0, "Not yet: your function returned a float, a tensor is expected."),
        (lambda x: (x, x), "Not yet: your function returned a tuple of 2, a tensor is expected."),
        (lambda x: {}, "Not yet: your function returned a dict, a tensor is expected."),
        (lambda x: x.sum(1) + torch.randn(len(x)), DRAWS),
        (lambda x: nn.functional.dropout(x).sum(1), DRAWS),
        (lambda x: x.sum(), "Not yet: you took the sum over axis 0 of what is asked for: shape ()"),
        (lambda x: x, "Not yet: you returned `x` unchanged."),
        (lambda x: 1 * x.numpy()[None], "Not yet: the sum over axes 0, 2 is still missing: shape"),
        (lambda x: x[0, 0], "Not yet: shape () where (2,) is expected."),
        (lambda x: x.sum(1) / 0, "Not yet: 5 of your 5 numbers are NaN or infinite: look"),
        (lambda x: x.sum(1) > 0, "Not yet: the largest difference from the right numbers is 8."),
        (lambda x: x.amax(1), "Not yet: the largest difference from the right numbers is 5."),
        (X.sum(1), "Not yet: you gave a Tensor. Give the function: its name, no brackets."),
        (lambda x: x.sub_(1).sum(1) + x.shape[1], "Not yet: the numbers are right, but your "),
    ],
)
def test_functions(answer, line):
    assert judge(row_sums, answer).startswith(line)


def test_an_answer_must_be_right_in_every_trial():
    """Right in the first only, or in all but not by the same mistake: neither is taken for it."""
    line = "Not yet: it is right for 1 of 2 inputs, and wrong for `x` of shape"
    one, other = f"{line} (3, 2): there the largest difference is 17.", f"{line} (2, 3): there the"
    assert judge(row_sums, lambda x: x.sum(1) if len(x) == 2 else 2 * x.sum(1)) == one
    assert judge(row_sums, lambda x: x.mean(1) if len(x) == 2 else x.sum(1)).startswith(other)


def test_the_first_mistake_that_agrees_is_named():
    alike = {"first.": lambda x: 2 * x, "second.": lambda x: x + x}
    twice = Exercise("x () -> ()", lambda x: 3 * x, alike, inputs=[(torch.tensor(1.0),)])
    assert judge(twice, alike["second."]) == "Not yet: first."


def test_a_mistake_may_give_numbers_that_are_not_finite():
    logs = {"log of a negative number.": lambda x: x.log()}
    exercise = Exercise("x () -> ()", lambda x: x.abs().log(), logs, inputs=[(X - 9,)])
    assert judge(exercise, torch.log) == "Not yet: log of a negative number."


nats = Exercise(
    "log 8 in nats, by head", right=np.log(8), tolerance=0.05, mistakes={"these are bits.": 3}
)


@pytest.mark.parametrize("number", [2.08, 2.0, np.float32(2.1), np.array(2.08), torch.tensor(2.1)])
def test_a_number_is_right_within_the_tolerance(number):
    assert judge(nats, number) == "Right."


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (3.0, "Not yet: these are bits."),
        (7, "Not yet: too large."),
        (True, "Not yet: too small."),
        (float("nan"), "Not yet: some of the numbers are NaN or infinite."),
        ("2.08", "Not yet: you gave a str, a number is expected."),
        (X, "Not yet: shape (2, 3) where () is expected."),
        (..., NOT_YET),
    ],
)
def test_numbers(answer, line):
    assert judge(nats, answer) == line


choice = Exercise(
    "What keeps the codes together?",
    right="KL",
    mistakes={"it pulls at the images, not at the codes.": "reconstruction"},
)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("KL", "Right."),
        (" kl ", "Right."),
        ("reconstruction", "Not yet: it pulls at the images, not at the codes."),
        ("σ", "Not yet: 'σ' is none of the answers to choose from."),
        (3, "Not yet: you gave an int, a string is expected."),
        (None, NOT_YET),
    ],
)
def test_strings(answer, line):
    assert judge(choice, answer) == line


both = Exercise(
    "The term, and its weights for two images",
    right=("KL", torch.tensor([1.0, 4.0])),
    mistakes={"this is 1 / β.": ("KL", torch.tensor([1.0, 0.25]))},
)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (("KL", np.array([1, 4])), "Right."),
        (["kl", torch.tensor([1, 4])], "Right."),
        (("KL", np.array([1, 0.25])), "Not yet: this is 1 / β."),
        (("KL", np.array([1, 2])), "Not yet: at place 2 of 2, the largest difference"),
        (("KL", 4), "Not yet: at place 2 of 2, you gave an int, a tensor is expected."),
        (("KL",), "Not yet: you gave a tuple of 1, a tuple of 2 is expected."),
        (4, "Not yet: you gave an int, a tuple of 2 is expected."),
        (("KL", ...), NOT_YET),
    ],
)
def test_tuples(answer, line):
    assert judge(both, answer).startswith(line)


class Halves(nn.Module):
    """Halves its input; `dead` forgets the weight, `noisy` drops out."""

    def __init__(self, dead=False, noisy=False):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.0 if dead else 0.5))
        self.last = nn.Dropout(0.5) if noisy else nn.BatchNorm1d(3, affine=False)

    def encode(self, x):
        return self.weight * x

    def forward(self, x):
        return self.last(self.encode(x))


def test_modules():
    repair = Exercise(
        "A module that halves", Halves(), {"the weight is 0.": Halves(dead=True)}, inputs=[(X,)]
    )
    assert judge(repair, Halves()) == "Right."
    assert judge(repair, Halves(dead=True)) == "Not yet: the weight is 0."
    assert judge(repair, Halves(noisy=True)) == DRAWS
    assert judge(repair, nn.Linear(2, 1)).startswith("Your function raised RuntimeError: ")
    learners = Halves()
    judge(repair, learners)
    assert learners.last.num_batches_tracked == 0


def test_what_is_compared_can_be_asked():
    """Gradients, or a method: of a module, and of what cannot be called."""

    def code_and_slope(model, x):
        code = model.encode(x)
        return code, torch.autograd.grad(code.sum(), model.weight)[0]

    def stopped(self, x):
        return (0 * self.weight + 0.5) * x  # the right numbers without the gradient

    wrong = type("Stopped", (Halves,), {"encode": stopped})
    exercise = Exercise(
        "encode", Halves(), {"it learns nothing.": wrong()}, inputs=[(X,)], ask=code_and_slope
    )
    assert judge(exercise, Halves()) == "Right."
    assert judge(exercise, wrong()) == "Not yet: it learns nothing."
    assert judge(exercise, object()).startswith("Your function raised AttributeError: ")


def by_autograd(x):
    weights = torch.ones(len(x), requires_grad=True)
    return torch.autograd.grad((weights @ x).sum(), weights)[0]


def test_answers_may_differentiate_wherever_they_are_judged():
    with torch.no_grad():
        assert judge(row_sums, by_autograd) == "Right."
    with torch.inference_mode():
        assert judge(row_sums, by_autograd) == "Right."


def test_the_caller_is_left_as_it_was():
    def careless(x):
        torch.manual_seed(3)
        torch.set_grad_enabled(False)
        return x.zero_().sum(1) + torch.randn(len(x))

    state, kept = torch.get_rng_state(), X.clone()
    judge(row_sums, careless)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(X, kept)


def test_printed_line_docstring_and_hints(capsys):
    halves = Exercise("½ of what?", 1.0, {}, hints=("Think of σ.", "It is σ² / 2."))
    halves(1.0)
    halves.hint()
    halves.hint(2)
    halves.hint(3)
    lines = ["Right.", "Think of σ.", "It is σ² / 2.", "There are 2 hints here."]
    assert capsys.readouterr().out.splitlines() == lines
    assert halves.__doc__ == "½ of what?"


def test_inputs_are_one_tuple_for_each_trial():
    with pytest.raises(TypeError, match="one tuple of arguments for each trial"):
        Exercise("mean", torch.mean, {}, inputs=(X,))


def test_an_error_in_a_later_trial_says_for_which_arguments():
    line = judge(row_sums, lambda x: x.sum(1) + torch.zeros(2))
    assert line.startswith("Your function raised RuntimeError: The size of tensor a (3)")
    assert line.endswith("(with `x` of shape (3, 2); other inputs went well)")


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        (lambda x: x.sum(1, keepdim=True), (2, 1)),
        (lambda x: x.sum(1)[None], (1, 2)),
        (lambda x: x.sum(1)[:, None].numpy(), (2, 1)),
        (lambda x: x.sum(1)[:, None].tolist(), (2, 1)),
    ],
)
def test_further_axes_of_length_1_are_right_with_a_word(answer, shape):
    assert judge(row_sums, answer) == (
        f"Right. The shape (2,) is meant, not {shape}: drop the axes of length 1."
    )


@pytest.mark.parametrize(
    "answer",
    [lambda x: x.sum(1).tolist(), lambda x: [row.sum() for row in x], lambda x: [*x.sum(1)]],
)
def test_a_list_of_numbers_is_right(answer):
    assert judge(row_sums, answer) == "Right."


def test_an_answer_that_is_right_only_now_and_then_draws():
    calls = []
    assert judge(row_sums, lambda x: x.sum(1) + (calls.append(x), len(calls) > 2)[1]) == DRAWS
