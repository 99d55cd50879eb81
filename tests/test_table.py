"""What users pass and what works, as a table, for everything of the package that takes images.

Each form of the same images works and gives the same numbers as a plain float32 batch, or it is refused
by one sentence that names the argument; then nothing has changed, and the sentence's remedy, followed
literally, gives those numbers.
"""

import functools
import re

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_uses import FITS, LOOKS, SEEDED, models
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

GREY = torch.randint(0, 256, (6, 1, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
GREY[0, 0, 0, 0], GREY[-1, 0, -1, -1] = 0, 255
PLAIN = GREY.float() / 255
INK = (GREY > 127).float()
LABELS = torch.arange(6)
USES = {**SEEDED, **LOOKS, **FITS}


def spread(x):
    """The same numbers, not one after the other."""
    return torch.stack([x, x], -1)[..., 0]


def inferred():
    with torch.inference_mode():
        return PLAIN.clone()


def pictures(grey):
    return [Image.fromarray(one[0].numpy()) for one in grey]


# Form -> the images in it, the plain batch that it stands for, and what becomes of it.
WORKS, FOLLOWED, REFUSED = "works", "refused, and the remedy works", "refused"
NOT_NEEDED = "means that none are given"
FORMS = {
    "float32 (N, 1, H, W)": (lambda: PLAIN, PLAIN, WORKS),
    "float64": (lambda: PLAIN.double(), PLAIN, WORKS),
    "float16": (lambda: PLAIN.half(), PLAIN.half().float(), FOLLOWED),
    "bfloat16": (lambda: PLAIN.bfloat16(), PLAIN.bfloat16().float(), FOLLOWED),
    "uint8 0..255": (lambda: GREY, PLAIN, FOLLOWED),
    "uint8 0 and 1": (lambda: INK.byte(), INK, FOLLOWED),
    "bool": (lambda: INK.bool(), INK, FOLLOWED),
    "int64": (lambda: GREY.long(), PLAIN, FOLLOWED),
    "complex": (lambda: PLAIN.to(torch.complex64), PLAIN, FOLLOWED),
    "float 0..255": (lambda: GREY.float(), PLAIN, FOLLOWED),
    "float -1..1": (lambda: 2 * PLAIN - 1, (2 * PLAIN - 1 + 1) / 2, FOLLOWED),
    "(N, H, W)": (lambda: PLAIN[:, 0], PLAIN, FOLLOWED),
    "(H, W)": (lambda: PLAIN[0, 0], PLAIN[:1], FOLLOWED),
    "(1, H, W)": (lambda: PLAIN[0], PLAIN[:1], FOLLOWED),
    "(N, H, W, 1)": (lambda: PLAIN.permute(0, 2, 3, 1), PLAIN, FOLLOWED),
    "(H, W, 1)": (lambda: PLAIN[0].permute(1, 2, 0), PLAIN[:1], FOLLOWED),
    "(N, D)": (lambda: PLAIN.flatten(1), PLAIN, FOLLOWED),
    "(0, 1, H, W)": (lambda: PLAIN[:0], None, REFUSED),
    "(0, D)": (lambda: PLAIN.flatten(1)[:0], None, REFUSED),
    "NaN": (lambda: PLAIN.where(PLAIN < 0.9, torch.nan), None, REFUSED),
    "NumPy float32": (lambda: PLAIN.numpy(), PLAIN, FOLLOWED),
    "NumPy float64": (lambda: PLAIN.double().numpy(), PLAIN, FOLLOWED),
    "NumPy uint8 (N, H, W)": (lambda: GREY[:, 0].numpy(), PLAIN, FOLLOWED),
    "NumPy, read only": (lambda: numpy.broadcast_to(PLAIN.numpy(), PLAIN.shape), PLAIN, FOLLOWED),
    "nested lists": (lambda: PLAIN.tolist(), PLAIN, FOLLOWED),
    "list of images": (lambda: list(PLAIN), PLAIN, FOLLOWED),
    "list of arrays": (lambda: list(PLAIN.numpy()), PLAIN, FOLLOWED),
    "PIL image": (lambda: pictures(GREY)[0], PLAIN[:1], FOLLOWED),
    "list of PIL images": (lambda: pictures(GREY), PLAIN, FOLLOWED),
    "(images, labels)": (lambda: (PLAIN, LABELS), PLAIN, FOLLOWED),
    "(images, labels) in NumPy": (lambda: (PLAIN.numpy(), LABELS.numpy()), PLAIN, FOLLOWED),
    "(PIL image, label)": (lambda: (pictures(GREY)[0], 7), PLAIN[:1], FOLLOWED),
    "TensorDataset": (lambda: TensorDataset(PLAIN, LABELS), PLAIN, FOLLOWED),
    "DataLoader": (lambda: DataLoader(TensorDataset(PLAIN, LABELS), 4), PLAIN, FOLLOWED),
    "DataLoader of images": (lambda: DataLoader(PLAIN, 4), PLAIN, FOLLOWED),
    "sparse": (lambda: PLAIN.to_sparse(), PLAIN, FOLLOWED),
    "None": (lambda: None, None, REFUSED),
    "empty list": (lambda: [], None, REFUSED),
    "empty DataLoader": (lambda: DataLoader([], 4), None, REFUSED),
    "words": (lambda: "digits.png", None, REFUSED),
    "on meta": (lambda: PLAIN.to("meta"), None, REFUSED),
    "requires_grad": (lambda: PLAIN.clone().requires_grad_(), PLAIN, WORKS),
    "a parameter": (lambda: torch.nn.Parameter(PLAIN.clone()), PLAIN, WORKS),
    "not contiguous": (lambda: spread(PLAIN), PLAIN, WORKS),
    "channels last in memory": (
        lambda: PLAIN.to(memory_format=torch.channels_last),
        PLAIN,
        WORKS,
    ),
    "expanded": (lambda: PLAIN[:1].expand(6, -1, -1, -1), PLAIN[:1].repeat(6, 1, 1, 1), WORKS),
    "made in inference_mode": (inferred, PLAIN, WORKS),
}
# Where one of these forms fares otherwise.
EXCEPTIONS = {
    **{(use, "made in inference_mode"): FOLLOWED for use in (*SEEDED, "pairwise")},
    **{(use, form): WORKS for use in FITS for form in ("(images, labels)", "TensorDataset")},
}
EXCEPTIONS |= {(use, "None"): NOT_NEEDED for use in ("LatentSliders", "fit's validation")}
for form in ("(images, labels)", "TensorDataset"):  # the images have no labels there
    EXCEPTIONS["fit's validation", form] = REFUSED
# Without a model to say how large an image is, nobody knows that of a row of pixels.
BARE = ("blur", "blank_square", "salt_and_pepper", "ImageSet", "Film")
BARE += ("image_rows", "image_grid", "captioned")
EXCEPTIONS |= {(use, "(N, D)"): REFUSED for use in BARE}


def outcome(use, x, m=None):
    """What a use makes of x: tensors, or the sentence by which it is refused."""
    torch.manual_seed(0)
    try:
        found = USES[use][1](m or models(), x)
    except (TypeError, ValueError) as error:
        return str(error)
    found = [found] if isinstance(found, torch.Tensor | float) else found
    return [torch.as_tensor(part).detach().float() for part in found]


@functools.cache
def outcome_of_plain(use, plain):
    return outcome(use, plain)


def assert_refused(use, x):
    """The sentence, after a look at what it left behind."""
    m = models()
    before = {k: v.clone() for part in m for k, v in m[part].state_dict(prefix=part).items()}
    modes = [module.training for part in m.values() for module in part.modules()]
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    said = outcome(use, x, m)
    assert isinstance(said, str), "it works"
    assert "\n" not in said
    assert said.startswith((USES[use][0], "x ")), said
    assert torch.equal(state, torch.random.get_rng_state())
    assert modes == [module.training for part in m.values() for module in part.modules()]
    after = {k: v for part in m for k, v in m[part].state_dict(prefix=part).items()}
    assert all(torch.equal(before[k], v) for k, v in after.items())
    return said


def followed(use, x):
    """The images that one has who does what each sentence says."""
    for _ in range(6):
        said = outcome(use, x)
        remedy = re.search(r"use (\S.*)\.$", said) if isinstance(said, str) else None
        if not remedy:
            return x
        name = re.match(r"\S+", said)[0]
        code = remedy[1]
        if "'" in name:  # rows['a']
            name, code = "given", code.replace(name, "given")
        x = eval(code, {"torch": torch, "numpy": numpy, name.split("[")[0]: x})
    raise AssertionError(f"no end: {said}")


@pytest.mark.slow
@pytest.mark.fault(
    "Remedies",
    "images in each form that people pass (tests/test_table.py)",
    "they work, or one sentence whose remedy leads there",
)
@pytest.mark.parametrize("use", USES)
def test_every_form_works_or_is_refused_with_a_remedy(use):
    wrong = {}
    for form in FORMS:
        try:
            check(use, form)
        except (AssertionError, RuntimeError, AttributeError, IndexError, NameError) as error:
            wrong[form] = f"{type(error).__name__}: {error}"
    assert not wrong, "\n".join(f"{form}: {why}" for form, why in wrong.items())


def check(use, form):
    """Raise unless this form fares as the table says."""
    make, plain, verdict = FORMS[form]
    verdict = EXCEPTIONS.get((use, form), verdict)
    if verdict == NOT_NEEDED:
        assert not isinstance(outcome(use, make()), str)
        return
    if verdict != WORKS:
        assert_refused(use, make())
    if verdict == REFUSED:
        return
    found = outcome(use, make() if verdict == WORKS else followed(use, make()))
    wanted = outcome_of_plain(use, plain)
    assert isinstance(found, str) == isinstance(wanted, str), found
    if isinstance(wanted, str):  # too few images, and said so alike
        assert found == wanted
        return
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


DTYPES = {
    "float32": (lambda grey: grey.float() / 255, True),
    "float64": (lambda grey: grey.double() / 255, True),
    "float16": (lambda grey: (grey.float() / 255).half(), False),
    "uint8": (lambda grey: grey, False),
    "int64": (lambda grey: grey.long(), False),
}
SHAPES = {
    "(N, 1, H, W)": (lambda x: x, True),
    "(N, H, W)": (lambda x: x[:, 0], False),
    "(N, D)": (lambda x: x.flatten(1), False),
    "(N, H, W, 1)": (lambda x: x.permute(0, 2, 3, 1), False),
}
MODES = {
    "plain": (lambda x: x, True),
    "not contiguous": (spread, True),
    "requires_grad": (lambda x: x.requires_grad_() if x.is_floating_point() else x, True),
}
CONTAINERS = {
    "tensor": (lambda x: x, True),
    "NumPy": (lambda x: x.detach().numpy(), False),
    "list": (list, False),
    "TensorDataset": (TensorDataset, False),
    "DataLoader": (lambda x: DataLoader(TensorDataset(x.detach()), 4), False),
    "(images, labels)": (lambda x: (x, LABELS), False),
}


@pytest.mark.fault("Remedies", "any combination of such forms", "it works, or remedies lead there")
@given(
    *(st.sampled_from(list(choice)) for choice in (DTYPES, SHAPES, MODES, CONTAINERS)),
    st.sampled_from(["elbo", "exact", "kl_parts", "codes", "active_units", "fraction_sure"]),
)
@settings(max_examples=60, deadline=None)
def test_any_combination_works_or_is_refused_with_remedies_that_lead_there(
    dtype, shape, mode, container, use
):
    x, works = GREY.clone(), True
    for choice, name in zip(
        (DTYPES, SHAPES, MODES, CONTAINERS), (dtype, shape, mode, container), strict=True
    ):
        make, fits = choice[name]
        x, works = make(x), works and fits
    if not works:
        assert_refused(use, x)
        x = followed(use, x)
    for one, other in zip(outcome(use, x), outcome(use, PLAIN), strict=True):
        torch.testing.assert_close(one, other, atol=0.5 if dtype == "float16" else 1e-4, rtol=1e-3)


@pytest.mark.parametrize("use", FITS)
def test_training_leaves_no_gradient_in_the_images(use):
    x = PLAIN.clone().requires_grad_()
    outcome(use, x)
    assert x.grad is None


COLOURS = torch.rand(4, 3, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("use", USES)
def test_three_channels_are_drawn_in_colour_or_refused(use):
    """And none of them is dropped: the picture changes with each."""
    found = outcome(use, COLOURS, models((3, 28, 28)))
    if use.startswith("DrawDigit"):
        assert re.match(r"images? ha(ve 3 channels, 1 is needed|s shape)", found)
        return
    assert not isinstance(found, str), found
    if use in ("fraction_sure", "active_units", "fit's validation"):
        return  # a number of few values, or weights that do not depend on it
    for channel in range(3):
        other = COLOURS.clone()
        other[:, channel] = 0.5 * other[:, channel]
        changed = outcome(use, other, models((3, 28, 28)))
        assert any(
            a.shape != b.shape or not torch.equal(a, b) for a, b in zip(found, changed, strict=True)
        )
