"""What the judge says of an answer that is no known mistake, by its likeness to the right one."""

import numpy as np
import pytest
import torch

from vae_teach.exercises import Exercise
from vae_teach.exercises.judge import judge

X = torch.arange(6.0).reshape(2, 3) - 1
wide = Exercise(
    "Cubes, in nats: x (B, D) -> (B, D).",
    lambda x: x**3,
    {"these are squares.": lambda x: x**2},
    inputs=[(X,), (X.T + 0.5,)],
)
LIKE = {
    "your numbers are 2 times the right ones, less 1.": lambda x: 2 * x**3 - 1,
    "your numbers are too large by `x`.": lambda x: x**3 + x,
    "your numbers are the right ones times the square of `x`.": lambda x: x**5,
    "the sizes are right, but 5 of 12 signs are turned.": lambda x: (
        x**3 * (1 - 2 * (torch.arange(6).reshape(x.shape) % 2))
    ),
    "4 of your 12 numbers are NaN or infinite: look for a division by 0, the log or root of a "
    "number below 0, exp of a large one.": lambda x: (x - 0.5).log(),
    "you returned `x` unchanged.": lambda x: x,
    "the sign is turned.": lambda x: -(x**3),
    "the sign is turned, and one thing more: these are squares.": lambda x: -(x**2),
    "your numbers are 2 times the right ones.": lambda x: x**3 * 2,
    "your numbers are −1/3 times the right ones.": lambda x: x**3 / -3,
    "your numbers are √2 times the right ones.": lambda x: x**3 * 2**0.5,
    "your numbers are 0.7342 times the right ones.": lambda x: x**3 * 0.7342,
    "these are bits, nats are asked for: take the natural logarithm.": lambda x: x**3 / np.log(2),
    "this is the logarithm to the base 10: take the natural one.": lambda x: x**3 / np.log(10),
    "each of your numbers is too large by 1.": lambda x: x**3 + 1,
    "each of your numbers is too small by 1/2.": lambda x: x**3 - 0.5,
    "your numbers are the right ones divided by the length of axis 0 of `x`: "
    "a mean where a sum belongs.": lambda x: x**3 / len(x),
    "divide by the length of axis 1 of `x`, not by one less.": (
        lambda x: x**3 * x.shape[1] / (x.shape[1] - 1)
    ),
    "your numbers are too large by the logarithm of the length of axis 0 of `x`: "
    "it has to be subtracted.": lambda x: x**3 + np.log(len(x)),
    "the numbers are right, but transposed: shape (3, 2) where (2, 3) is expected.": (
        lambda x: (x**3).T
    ),
    "the numbers are right, but in reverse order along axis 1.": lambda x: (x**3).flip(1),
    "the numbers are right, but in another order.": lambda x: (x**3).roll(1, 0).roll(1, 1),
    "you took the mean over axes 0, 1 of what is asked for: shape () where (2, 3) is expected.": (
        lambda x: (x**3).mean()
    ),
    "your numbers are the right ones without their sign (absolute values).": lambda x: (x**3).abs(),
    "your numbers are the squares of the right ones: one square too many.": lambda x: x**6,
    "you rounded to 0 decimals: give all of them.": lambda x: (x**3).round(),
    "every number you give is 3, whatever you are given.": lambda x: 0 * x + 3,
    "7 of 12 numbers are right; the first wrong one is at index (1, 0), and the largest difference "
    "is 91.12.": lambda x: x**3 * (torch.arange(6).reshape(x.shape) % 2 == 0),
    "the shape is right for some inputs only: shape (3, 3) where (3, 2) is expected.": (
        lambda x: torch.zeros(len(x), 3)
    ),
}


@pytest.mark.parametrize("sentence", LIKE)
def test_what_is_no_known_mistake_is_named_by_its_likeness(sentence):
    judged = judge(wide, LIKE[sentence])
    assert judged == f"Not yet: {sentence}"


def test_bits_are_called_bits_where_they_are_asked_for():
    bits = Exercise("Bits: x (B, D) -> (B, D).", lambda x: x / np.log(2), {}, inputs=[(X,)])
    line = "Not yet: these are nats, bits are asked for: divide by ln 2."
    assert judge(bits, lambda x: x + 0) == line.replace(line[9:], "you returned `x` unchanged.")
    squares = Exercise("Bits: x (B, D) -> (B, D).", lambda x: x**2 / np.log(2), {}, inputs=[(X,)])
    assert judge(squares, lambda x: x**2) == line


def test_likeness_says_nothing_of_a_single_number():
    one = Exercise("x () -> ()", lambda x: 3 * x, {}, inputs=[(torch.tensor(2.0),)])
    assert judge(one, lambda x: 5 * x) == (
        "Not yet: the largest difference from the right numbers is 4."
    )


def test_an_argument_without_effect_is_named():
    product = Exercise(
        "a (B,), b (B,) -> (B,)",
        lambda a, b: a.exp() + b,
        {},
        inputs=[(X[0], X[1]), (X[1], X[0] - 2)],
    )
    line = "Not yet: `sigma` makes no difference to your numbers, and it should."
    assert judge(product, lambda mean, sigma: mean.exp() + 2 * mean) == line
    assert judge(product, lambda mean, sigma: mean.exp() + sigma.sign()) != line
    constant = Exercise("a, b", lambda a, b: X[0] ** 2, {}, inputs=[(X[0], X[1])])
    assert judge(constant, lambda a, b: a.exp()).startswith("Not yet: the largest difference")


SPREAD = Exercise(
    "m1, s1, m2, s2 (B,) -> (B,)",
    lambda m1, s1, m2, s2: (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2),
    {},
    inputs=[
        (X[0] - 0.3, X[1], X[1] * 2, X[0].exp()),
        (X[1], X[0] + 2, X[0].exp(), torch.tensor([0.3, 1.3, 2])),
    ],
)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (
            lambda m, s, n, t: (t / s).log() + (s + (m - n) ** 2) / (2 * t**2),
            "`s` is 1: look at what you do with `s`.",
        ),
        (
            lambda m, s, n, t: (t / s).log() + (s**2 + (m + n) ** 2) / (2 * t**2),
            "`m` is 0 or `n` is 0: look at what you do with `m`.",
        ),
        (
            lambda m, s, n, t: (t / s).log() + (s**2 + (m - n).abs()) / (2 * t**2),
            "`m` and `n` are equal: look at how you combine them.",
        ),
    ],
)
def test_where_an_answer_is_right_is_said(answer, where, capsys):
    def prints(m, s, n, t):
        print("seen")
        return answer(m, s, n, t)

    assert judge(SPREAD, prints) == f"Not yet: your numbers are right where {where}"
    assert capsys.readouterr().out.count("seen") == 4  # twice for each input
