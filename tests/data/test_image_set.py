"""What an ImageSet takes, and remedies that work when they are followed to the letter."""

import re

import numpy
import numpy as np
import pytest
import torch

from vae_teach.data import ImageSet

IMAGES = torch.rand(6, 1, 8, 8)
LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
TWO = torch.eye(3).long()[LABELS]


def make(labels=LABELS, classes=("a", "b", "c"), test_images=IMAGES):
    return ImageSet("mine", IMAGES, labels, test_images, LABELS, classes=classes)


@pytest.mark.fault(
    "Remedies",
    "labels as floats, bytes, words, lists or one-hot",
    "the printed remedy, done literally, makes the same of them",
)
@pytest.mark.parametrize(
    "labels",
    [
        LABELS.numpy(),
        LABELS.numpy().astype("f4"),
        LABELS.numpy().astype(">i4"),
        LABELS.numpy().astype("u2"),
        LABELS.flip(0).numpy()[::-1],
        LABELS.tolist(),
        LABELS.float(),
        LABELS.int(),
        LABELS[:, None],
        LABELS.numpy()[:, None],
        TWO,
        TWO.float(),
        TWO.numpy(),
        LABELS - 1,
        LABELS.numpy() - 1,
        np.array(["ant", "bee", "cat", "cat", "bee", "ant"]),
        ["ant", "bee", "cat", "cat", "bee", "ant"],
    ],
    ids=lambda labels: f"{type(labels).__name__} {getattr(labels, 'dtype', '')}",
)
def test_labels_of_another_kind_become_the_same_by_the_remedy(labels):
    for _ in range(3):  # a one-hot array is told two things
        try:
            found = make(labels)
            break
        except (TypeError, ValueError) as error:
            sentence = str(error)
            assert sentence.startswith("train_labels ")
            assert "\n" not in sentence
            remedy = re.search(r"(torch\.as_tensor\(.*|train_labels( -.*|\..*))\.$", sentence)[1]
            labels = eval(remedy, {"train_labels": labels, "torch": torch, "numpy": numpy})
    assert torch.equal(found.train_labels, LABELS)


@pytest.mark.fault("Remedies", "labels that have no name", "the printed remedy works")
def test_labels_without_a_name_are_refused_and_the_remedy_works():
    with pytest.raises(ValueError, match="train_labels holds 46, classes has 3 names") as caught:
        make(LABELS + 44)
    remedy = re.search(r"use classes=(.*)\.$", str(caught.value))[1]
    assert make(LABELS + 44, eval(remedy)).classes[46] == "46"


@pytest.mark.fault("Remedies", "classes as lists, arrays or numbers", "the printed remedy works")
@pytest.mark.parametrize(
    "classes",
    [["a", "b", "c"], np.array(["a", "b", "c"]), np.arange(3), range(3), (0, 1, 2)],
    ids=str,
)
def test_classes_of_another_kind_become_names(classes):
    assert make(classes=classes).classes in (("a", "b", "c"), ("0", "1", "2"))


@pytest.mark.parametrize("classes", [None, "abc", (), [], 3, np.array("a"), np.array([])], ids=repr)
def test_what_names_no_classes_is_refused(classes):
    with pytest.raises(TypeError, match="^classes is .*a tuple with a name") as caught:
        make(classes=classes)
    assert make(classes=eval(re.search(r"use (.*), or leave", str(caught.value))[1]))


def test_train_and_test_images_are_of_one_size():
    with pytest.raises(ValueError, match=r"test_images has shape \(6, 1, 9, 9\).*\(N, 1, 8, 8\)"):
        make(test_images=torch.rand(6, 1, 9, 9))
