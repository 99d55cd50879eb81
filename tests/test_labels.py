"""Labels and the classes' names in every form, over everything that takes them."""

import re

import numpy
import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from vae_teach import evaluation
from vae_teach.chapters.autoencoder.figures import sureness
from vae_teach.chapters.vae.figures import bubbles
from vae_teach.data import ImageSet
from vae_teach.explorers import Bubbles, DrawDigit, Film, Interpolation, LatentPlane
from vae_teach.models import VAE, Autoencoder, Classifier
from vae_teach.models.classifier import log_probability

X = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
WORDS = ["ant", "bee", "cat", "cat", "bee", "ant"]
torch.manual_seed(0)
PLANE, CLASSIFIER, AE = VAE(2, hidden=(8,)), Classifier(), Autoencoder(2, hidden=(8,))
CODES = torch.randn(6, 2)
ALT = "Codes."


def filmed(labels, classes=None):
    film = Film(X, labels)
    film(PLANE, 0)
    return Bubbles(film, classes)


def made(labels, classes=tuple("0123456789")):
    return ImageSet("mine", X, labels, X, LABELS, classes=classes).train_labels


USES = {
    "LatentPlane": lambda y: LatentPlane(PLANE, X, y).points,
    "DrawDigit": lambda y: " ".join(DrawDigit(PLANE, X, y).names).encode(),
    "Interpolation": lambda y: " ".join(Interpolation(PLANE, X, y).names).encode(),
    "Bubbles": lambda y: filmed(y).labels,
    "ImageSet": lambda y: bytes(made(y).tolist()),
    "bubbles": lambda y: bubbles({"": Independent(Normal(CODES, torch.ones(6, 2)), 1)}, y, ALT).png(),
    "sureness": lambda y: sureness(AE, CLASSIFIER, CODES, y, ALT, side=4).png(),
    "log_probability": lambda y: log_probability(CLASSIFIER, X, y).detach().numpy().tobytes(),
}  # fmt: skip
SAME = {
    "int32": LABELS.int(),
    "uint8": LABELS.byte(),
    "float32": LABELS.float(),
    "float64": LABELS.double(),
    "float16": LABELS.half(),
    "requires_grad": LABELS.float().requires_grad_(),
    "NumPy int64": LABELS.numpy(),
    "NumPy float32": LABELS.numpy().astype("f4"),
    "NumPy of the other byte order": LABELS.numpy().astype(">i4"),
    "NumPy read backwards": LABELS.flip(0).numpy()[::-1],
    "NumPy uint16": LABELS.numpy().astype("u2"),
    "list": LABELS.tolist(),
    "list of floats": LABELS.double().tolist(),
    "tuple": tuple(LABELS.tolist()),
    "list of tensors": list(LABELS),
    "list of NumPy numbers": list(LABELS.numpy()),
}
REMEDIED = {
    "column": LABELS[:, None],
    "column in NumPy": LABELS.numpy()[:, None],
    "column as a list": LABELS[:, None].tolist(),
    "one-hot": torch.eye(3).long()[LABELS],
    "one-hot floats": torch.eye(3)[LABELS],
    "one-hot in NumPy": np.eye(3)[LABELS],
    "one-hot as a list": torch.eye(3)[LABELS].tolist(),
    "words": WORDS,
    "words in NumPy": np.array(WORDS),
}
REFUSED = {
    "a half": LABELS + 0.5,
    "NaN": LABELS.float().log().sqrt(),
    "infinity": 1 / LABELS.flip(0).float(),
    "None": None,
    "list with None": [0, 1, None, 1, 2, 0],
    "number": 3,
    "word": "labels",
    "dict": dict(enumerate(WORDS)),
    "ragged": [[0], [1, 2]],
    "complex": LABELS * 1j,
    "too few": LABELS[:5],
    "too many": torch.zeros(7).long(),
    "none": LABELS[:0],
    "an empty list": [],
}


@pytest.mark.parametrize("use", USES)
def test_labels_with_a_clear_meaning_work(use):
    wanted = USES[use](LABELS)
    assert [form for form, y in SAME.items() if USES[use](y) != wanted] == []
    assert USES[use](LABELS.roll(1)) != wanted


def refused(use, y):
    with pytest.raises((TypeError, ValueError)) as caught:
        USES[use](y)
    said = str(caught.value)
    assert "\n" not in said
    assert re.match(r"(train_)?labels (is|has|holds|lie) ", said), said
    return said


@pytest.mark.fault(
    "Remedies", "labels in other forms", "the remedy, followed literally, gives the same picture"
)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("form", REMEDIED)
def test_other_labels_become_the_same_by_the_remedy(use, form):
    y = REMEDIED[form]
    for _ in range(3):
        said = refused(use, y)
        code = re.search(
            r"(?:use |one-hot rows |an image, )(torch\.\S.*|(?:train_)?labels\..*)\.$", said
        )[1]
        code = code.split(", for one-hot rows ")[-1]
        y = eval(code, {"torch": torch, "numpy": numpy, said.split()[0]: y})
        try:
            found = USES[use](y)
            break
        except ValueError:
            continue
    assert found == USES[use](LABELS)


@pytest.mark.fault(
    "Silent input",
    "labels that are None, NaN, halves, too few, …",
    "one sentence before anything changes",
)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("form", REFUSED)
def test_labels_without_a_meaning_get_a_sentence(use, form):
    if (use, form) == ("Interpolation", "None"):
        return  # has images without labels
    refused(use, REFUSED[form])


@pytest.mark.fault(
    "Silent input", "labels −1 and beyond the last class", "one sentence before anything changes"
)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("shift", [-1, 8, 34])
def test_labels_out_of_range_get_a_sentence_before_anything_changes(use, shift):
    marks = {"LatentPlane": 36, "DrawDigit": 36, "Bubbles": 36}.get(use, 10)
    if use in ("Interpolation", "sureness") or 0 <= shift < marks - 2:
        assert USES[use](LABELS + shift)  # any number is a name there
        return
    said = refused(use, LABELS + shift)
    remedy = re.search(r"use (\w*labels - .*|torch.*)\.$", said)
    if remedy:
        y = eval(remedy[1], {"torch": torch, said.split()[0]: LABELS + shift})
        assert USES[use](y) == USES[use](LABELS)


NAMED = {
    "LatentPlane": lambda c: LatentPlane(PLANE, X, LABELS, c).classes,
    "DrawDigit": lambda c: (lambda d: [d.classes, d.names])(DrawDigit(PLANE, X, LABELS, c)),
    "Interpolation": lambda c: Interpolation(PLANE, X, LABELS, c).names,
    "Bubbles": lambda c: filmed(LABELS, c).classes,
    "ImageSet": lambda c: made(LABELS, c).tolist(),
}
NAMES = ("ant", "bee", "cat")


@pytest.mark.parametrize("use", NAMED)
@pytest.mark.parametrize("classes", [list(NAMES), np.array(NAMES), np.array(NAMES, object)])
def test_names_in_lists_and_arrays_are_the_same(use, classes):
    assert NAMED[use](classes) == NAMED[use](NAMES)


@pytest.mark.parametrize("use", NAMED)
@pytest.mark.parametrize("classes", [np.arange(3), torch.arange(3), range(3), [0, 1, 2]])
def test_numbers_are_names_too(use, classes):
    assert NAMED[use](classes) == NAMED[use](tuple("012"))


@pytest.mark.fault(
    "Silent input", "names of classes that are none", "one sentence before anything changes"
)
@pytest.mark.parametrize("use", NAMED)
@pytest.mark.parametrize(
    "classes",
    ["abc", (), [], 3, np.array("a"), np.array([]), dict(enumerate(NAMES)), set(NAMES)],
    ids=lambda names: type(names).__name__,
)
def test_what_names_no_classes_gets_a_sentence(use, classes):
    with pytest.raises(TypeError, match="^classes is .*a tuple with a name") as caught:
        NAMED[use](classes)
    assert "\n" not in str(caught.value)
    remedy = re.search(r"use (tuple\([^)]*\)*)(\.$|, or)", str(caught.value))[1]
    assert NAMED[use](eval(remedy, {"classes": classes}))


@pytest.mark.parametrize("use", NAMED)
@pytest.mark.parametrize("count", [1, 2])
def test_too_few_names_get_a_sentence_and_its_remedy_works(use, count):
    with pytest.raises(ValueError, match=f"labels holds 2, classes has {count} names") as caught:
        NAMED[use](np.array(NAMES[:count]))
    remedy = re.search(r"use classes=(.*)\.$", str(caught.value))[1]
    assert NAMED[use](eval(remedy)) == NAMED[use](tuple("012"))


def test_twelve_classes_have_marks_and_names_of_their_own():
    y, names = torch.arange(12), [f"kind {k}" for k in range(12)]
    x = X.repeat(2, 1, 1, 1)
    plane = LatentPlane(PLANE, x, y, names)
    assert plane.classes == {str(k): f"kind {k}" for k in sorted(map(int, plane.classes))}
    assert len(set(plane.classes.values())) == len(plane.classes) > 10
    assert plane.still() != LatentPlane(PLANE, x, y % 10, names).still(), "a, b are not 0, 1"


@pytest.mark.parametrize("measure", [evaluation.mig, evaluation.dci])
def test_scores_take_arrays_and_lists(measure):
    draws = torch.Generator().manual_seed(0)
    factors = torch.rand(60, 2, generator=draws)
    codes = factors @ torch.tensor([[1.0, 0.2], [0.0, 1.0]])
    wanted = measure(codes, factors)
    for kind in (lambda v: v.double().numpy(), lambda v: v.tolist(), lambda v: v.numpy()):
        assert measure(kind(codes), kind(factors))[0] == pytest.approx(wanted[0], abs=1e-6)
    labels = torch.arange(60) % 3
    with pytest.raises(
        ValueError, match=r"factors has shape \(60,\).*: for one column use "
    ) as caught:
        measure(codes, labels)
    remedy = re.search(r"use (.*)\.$", str(caught.value))[1]
    assert 0 <= measure(codes, eval(remedy, {"factors": labels}))[0] <= 1
    for bad in (None, "codes", [["a", "b"]] * 60, codes[:0], codes[:, :0]):
        with pytest.raises((TypeError, ValueError), match=r"^codes (is|has shape)") as caught:
            measure(bad, factors)
        assert "\n" not in str(caught.value)
