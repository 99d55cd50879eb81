"""Levels that images do not have are refused; what corruptions do is in the chapter's tests."""

import math

import pytest
import torch

from vae_teach.data.corruptions import blank_square, blur, salt_and_pepper

X = torch.rand(2, 1, 28, 28)


def salted(x, rate):
    return salt_and_pepper(x, rate, torch.rand_like(x))


@pytest.mark.parametrize(
    ("corrupt", "name", "highest", "beyond"),
    [(salted, "rate", 1, 1.01), (blank_square, "side", 28, 29), (blur, "sigma", 9, 9.01)],
    ids=["salt and pepper", "blank square", "blur"],
)
def test_levels_beyond_the_images_are_refused(corrupt, name, highest, beyond):
    before = X.clone()
    for level in (0, highest / 3, highest):
        assert corrupt(X, level).shape == X.shape
    for level in (beyond, 1e9):
        with pytest.raises(ValueError, match=f"^{name} is .*, at most {highest} is needed.*28×28"):
            corrupt(X, level)
    for level in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"^{name} is"):
            corrupt(X, level)
    for level in (None, "1"):
        with pytest.raises(TypeError, match=f"^{name} is"):
            corrupt(X, level)
    for x, kind in ((X[0], ValueError), (X.half(), TypeError), (X * 255, ValueError)):
        with pytest.raises(kind, match="^x "):
            corrupt(x, 1)
    assert torch.equal(X, before)


def test_a_square_as_large_as_the_image_leaves_nothing():
    assert blank_square(X, 28).sum() == 0


def test_noise_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"^noise has shape \(3, 1, 28, 28\)"):
        salt_and_pepper(X, 0.5, torch.rand(3, 1, 28, 28))
