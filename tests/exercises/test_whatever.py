"""No traceback comes from inside the judge, whatever is handed in, and the caller stays as it was."""

import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from vae_teach.exercises import Exercise
from vae_teach.exercises.judge import judge

X = torch.arange(6.0).reshape(2, 3) - 1
sums = Exercise(
    "Sums of the rows: x (B, D) -> (B,).",
    lambda x: x.sum(1),
    {"these are means.": lambda x: x.mean(1), "NaN.": lambda x: x.sum(1) / 0},
    inputs=[(X,), (X.T**2,)],
)
number = Exercise("A number, by head", 2.0, {"this is 3.": 3})
text = Exercise("Which one?", "KL", {"not at the codes.": "reconstruction"})
pair = Exercise("Two: x (B, D) -> (), (B,)", lambda x: (x.sum(), x.sum(1)), {}, inputs=[(X,)])
KINDS = (sums, number, text, pair)

shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)
DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn),
    *(torch.complex64, torch.bool, torch.uint8, torch.int8, torch.int64),
]


@st.composite
def tensors(draw):
    """Of every dtype, in every layout."""
    made = torch.rand(draw(shapes), generator=torch.Generator().manual_seed(0)) * 3 - 1
    tensor = made.to(draw(st.sampled_from(DTYPES)))
    layouts = {
        "strided": lambda t: t,
        "expanded": lambda t: t.expand(2, *t.shape),
        "transposed": lambda t: t.mT if t.ndim > 1 else t,
        "sparse": lambda t: t.to_sparse(),
        "csr": lambda t: t.to_sparse_csr() if t.ndim == 2 else t,
        "meta": lambda t: t.to("meta"),
        "nested": lambda t: torch.nested.nested_tensor([t, t]),
        "conjugate": lambda t: t.conj(),
        "parameter": lambda t: nn.Parameter(t) if t.is_floating_point() else t,
        "computed": lambda t: nn.Parameter(t) * 1 if t.is_floating_point() else t,
        "inference": _in_inference,
        "numpy": lambda t: t.numpy(),
        "strings": lambda t: np.full(t.shape, "a"),
        "objects": lambda t: np.full(t.shape, None),
        "masked": lambda t: np.ma.masked_array(np.ones(t.shape), True),
    }
    try:
        return layouts[draw(st.sampled_from(sorted(layouts)))](tensor)
    except (RuntimeError, NotImplementedError, TypeError):  # not every dtype has every layout
        return tensor


def _in_inference(t):
    with torch.inference_mode():
        return t.clone()


class Hostile:
    """It raises whenever it is looked at."""

    def _raise(self, *_):
        raise ValueError("no")

    __len__ = __iter__ = __str__ = __eq__ = __float__ = __array__ = __bool__ = _raise
    __hash__ = object.__hash__


class HostileList(list):
    """So does this list."""

    __len__ = __iter__ = Hostile._raise
    __repr__ = object.__repr__


class HostileError(Exception):
    """An error that cannot be printed."""

    __str__ = Hostile._raise


def _within_itself():
    loop = [1.0]
    loop.append(loop)
    return loop


scalars = st.one_of(
    st.none(),
    st.just(...),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.builds(Fraction, st.integers(), st.integers(1)),
    st.decimals().map(Decimal),
    st.sampled_from(
        [object(), Hostile(), HostileList([1]), int, np.float32(1), np.datetime64("2000-01-01")]
    ),
    st.builds(_within_itself),
    st.builds(iter, st.just([1.0, 2.0])),
    st.builds(range, st.integers(0, 4)),
    st.sets(st.integers(), max_size=2),
)
things = st.recursive(
    scalars | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=6,
)


def _raises(error):
    def answer(*_):
        raise error

    return answer


def _does(action, returned):
    def answer(*arguments):
        action(*arguments)
        return returned

    return answer


ACTIONS = [
    lambda *_: torch.manual_seed(1),
    lambda *_: np.random.seed(1),  # noqa: NPY002
    lambda *_: random.seed(1),
    lambda *_: torch.set_grad_enabled(False),
    lambda *_: torch.set_default_dtype(torch.float64),
    lambda *a: [t.zero_() for t in a],
    lambda *a: [t.resize_(0) for t in a],
    lambda *a: [t.requires_grad_() for t in a],
    lambda *a: [setattr(t, "data", torch.zeros(1)) for t in a],
    lambda *a: [t.t_() for t in a],
    lambda *a: [t.fill_(float("nan")) for t in a],
]
ERRORS = [
    ValueError("first\nsecond"),
    ValueError(""),
    KeyError(),
    SystemExit(1),
    StopIteration(),
    RecursionError(),
    HostileError(),
    UnicodeDecodeError("utf8", b"a", 0, 1, "x"),
]
functions = st.one_of(
    things.map(lambda thing: lambda *_: thing),
    st.builds(_does, st.sampled_from(ACTIONS), things),
    st.integers(0, len(ERRORS) - 1).map(lambda i: _raises(ERRORS[i])),
    st.sampled_from(
        [print, len, sum, torch.sum, nn.Linear(3, 1), nn.Identity(), Hostile, lambda: 1]
    ),
)


def check(exercise, answer):
    numpy_state, python_state = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    state = torch.get_rng_state()
    line = judge(exercise, answer)
    assert isinstance(line, str)
    assert "\n" not in line
    assert line.startswith(("Right.", "Not yet: ", "Your function raised ", "Not attempted yet"))
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert random.getstate() == python_state
    assert torch.equal(X, torch.arange(6.0).reshape(2, 3) - 1)
    return line


@pytest.mark.fault(
    "Checks", "anything at all in place of an answer", "one line, no traceback, nothing changed"
)
@pytest.mark.filterwarnings("ignore")  # of PyTorch's, on layouts that are new
@settings(max_examples=250, deadline=None)
@given(st.sampled_from(KINDS), things | functions)
def test_whatever_is_handed_in_gets_one_line_and_leaves_no_trace(exercise, answer):
    check(exercise, answer)


@pytest.mark.fault(
    "Checks", "an answer that changes arguments, seeds or switches", "one line, and all is put back"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("exercise", KINDS)
def test_right_numbers_whatever_is_done_on_the_way(exercise, action):
    def answer(*arguments):
        found = exercise.right(*arguments) if callable(exercise.right) else exercise.right
        action(*arguments)
        return found

    check(exercise, answer)


@pytest.mark.fault("Checks", "an answer that raises", "its error in one line")
@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_errors_are_the_learner_s_to_read(error):
    line = check(sums, _raises(error))
    assert line.startswith(f"Your function raised {type(error).__name__}")


@pytest.mark.fault(
    "Interrupts", "an interrupt while an answer is judged", "it is not taken for the answer's error"
)
def test_an_interrupt_is_not_held_up():
    with pytest.raises(KeyboardInterrupt):
        judge(sums, _raises(KeyboardInterrupt()))


@pytest.mark.fault("Checks", "a right number in another form", "accepted")
@pytest.mark.parametrize(
    "two", [2, 2.0, True + 1, np.float16(2), np.array(2), np.array([2]), torch.tensor([[2]]), [2.0]]
)
def test_every_form_of_a_number_is_right(two):
    assert check(number, two).startswith("Right.")


@pytest.mark.parametrize("two", [Fraction(4, 2), torch.tensor(2, dtype=torch.int8)])
def test_fractions_and_small_integers_are_numbers(two):
    assert check(number, two) == "Right."
