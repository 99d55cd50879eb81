"""Whatever a check of images prints as a remedy, done literally, gives images that it accepts."""

import re

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from vae_teach import checks, data

GREY = torch.randint(0, 256, (12, 1, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
GREY[0, 0, 0, 0], GREY[-1, 0, -1, -1] = 0, 255
GOOD = GREY.float() / 255
INK = (GREY > 127).float()


def followed(x, shape=None, name="images"):
    """What a user has who does what each sentence says, and how many sentences it took."""
    for sentences in range(6):
        try:
            checks.images(x, name, shape)
        except (TypeError, ValueError) as error:
            said = str(error)
            assert "\n" not in said
            remedy = re.search(r"use (\S.*)\.$", said)
            assert remedy, said
            x = eval(remedy[1], {"torch": torch, "numpy": numpy, name: x})
        else:
            return x, sentences
    raise AssertionError(f"no end: {said}")


class Pictures(torch.utils.data.Dataset):
    """As torchvision's, without a transform."""

    def __len__(self):
        return len(GREY)

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError
        return Image.fromarray(GREY[index, 0].numpy()), index


labelled = TensorDataset(GOOD, torch.arange(len(GOOD)))
CASES = {
    "uint8": (GREY, GOOD),
    "uint8 of ink": (INK.byte(), INK),
    "int64": (GREY.long(), GOOD),
    "bool": (INK.bool(), INK),
    "half": (GOOD.half(), GOOD),
    "0..255": (GREY.float(), GOOD),
    "0..16, as scikit-learn's digits": ((GOOD * 16).round(), (GOOD * 16).round() / 16),
    "-1..1": (2 * GOOD - 1, GOOD),
    "as MNIST is often normalized": ((GOOD - 0.1307) / 0.3081, GOOD),
    "(N, H, W)": (GOOD[:, 0], GOOD),
    "(N, H, W) of uint8": (GREY[:, 0], GOOD),
    "channels last": (GOOD.permute(0, 2, 3, 1), GOOD),
    "one image": (GOOD[0], GOOD[:1]),
    "one image (H, W)": (GOOD[0, 0], GOOD[:1]),
    "rows": (GOOD.flatten(1), GOOD),
    "one row": (GOOD[0].flatten(), GOOD[:1]),
    "float array": (GOOD.numpy(), GOOD),
    "double array": (GOOD.double().numpy(), GOOD),
    "byte array": (GREY.numpy(), GOOD),
    "byte array (N, H, W)": (GREY[:, 0].numpy(), GOOD),
    "array of ink": (INK.bool().numpy(), INK),
    "array read backwards": (GOOD.numpy()[::-1], GOOD.flip(0)),
    "array of the other byte order": (GOOD.numpy().astype(">f4"), GOOD),
    "array of uint16": (GREY.numpy().astype("uint16"), GOOD),
    "list of tensors": (list(GOOD), GOOD),
    "tuple of batches of one": (tuple(GOOD[:, 0]), GOOD),
    "nested lists": (GOOD.tolist(), GOOD),
    "list of arrays": (list(GREY[:, 0].numpy()), GOOD),
    "data set": (labelled, GOOD),
    "data set of pictures": (Pictures(), GOOD),
    "loader": (DataLoader(labelled, batch_size=5), GOOD),
    "loader that shuffles": (DataLoader(labelled, batch_size=5, shuffle=True), GOOD),
    "loader of tensors": (DataLoader(GOOD, batch_size=5), GOOD),
}


@pytest.mark.fault(
    "Remedies",
    "what people have instead of a batch of images",
    "the printed remedy, done literally, makes one of it",
)
@pytest.mark.parametrize("name", CASES)
def test_a_remedy_works_as_it_is_written(name):
    x, wanted = CASES[name]
    found, sentences = followed(x, (1, 28, 28))
    assert sentences >= 1
    assert found.dtype in (torch.float32, torch.float64)
    torch.testing.assert_close(found.float(), wanted, atol=1e-3, rtol=0)


def test_an_image_set_and_nothing(digits):
    checks.images(followed(digits)[0])
    for nothing in (None, "mnist", {}, object()):
        with pytest.raises(TypeError, match=r"images such as data\.course_set\(\)\.train_images"):
            checks.images(nothing)
    assert data.course_set


@pytest.mark.fault(
    "Remedies",
    "numbers of any range and dtype",
    "the printed remedy keeps their order, at full contrast",
)
@given(
    low=st.floats(-1e4, 1e4, width=32),
    span=st.floats(0.0009765625, 1e4, width=32),
    kind=st.sampled_from(["float32", "float64", "float16", "int64", "int16", "uint8"]),
)
@settings(max_examples=200, deadline=None)
def test_any_range_has_a_remedy_that_keeps_the_order(low, span, kind):
    ramp = torch.linspace(0, 1, 784, dtype=torch.float64).reshape(1, 1, 28, 28)
    dtype = getattr(torch, kind)
    x = low + span * ramp
    x = (x.clamp(0, 255) if kind == "uint8" else x).to(dtype)
    found, _ = followed(x)
    steps = found.double().flatten().diff()
    assert steps.min() >= -1e-6, "darker stays darker"
    assert 0 <= found.min() + checks.ROUNDING
    assert found.max() <= 1 + checks.ROUNDING


@pytest.mark.fault("Remedies", "pixels 1e-6 beyond their range", "accepted")
@pytest.mark.parametrize("beyond", [1e-6, -1e-6])
def test_rounding_is_no_reason_to_refuse(beyond):
    checks.images(GOOD + beyond)
