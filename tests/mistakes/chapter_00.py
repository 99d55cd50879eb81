"""Answers to the exercise of chapter 00, right and wrong: (check, attempt, what it must say)."""

from vae_teach.exercises.chapter_00 import check_mean

RIGHT = [(check_mean, lambda x: x.mean()), (check_mean, lambda x: x.sum() / len(x))]
WRONG = [
    (check_mean, lambda x: x.sum(), "this is the sum"),
    (check_mean, lambda x: x.sum() / (len(x) - 1), "divide by N, not by N − 1"),
    (check_mean, lambda x: x.median(), "largest difference"),
]
