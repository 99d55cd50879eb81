"""What every data set of the course looks like."""

from dataclasses import dataclass

import torch

from vae_teach import checks, labels


class NoData(RuntimeError):
    """A data set is neither on disk nor to be had from the network."""

    def __init__(self, sentence):
        """Keep the sentence; what no terminal can show of a path in it becomes a question mark."""
        super().__init__(sentence.encode(errors="replace").decode())

    def _render_traceback_(self):
        """What Jupyter shows: the sentence alone, for no line of code is at fault."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Factors:
    """The known causes of generated images.

    Attributes:
        names: K factor names.
        train: float32 (N, K), one row for each training image.
        test: float32 (M, K).
        train_pen: the pen's path where there is one, float32 (N, T, 3): x and y in pixels from the
            upper left corner, and 1 while the pen touches the paper, else 0. None for sets without.
        test_pen: float32 (M, T, 3) or None.
    """

    names: tuple[str, ...]
    train: torch.Tensor
    test: torch.Tensor
    train_pen: torch.Tensor | None = None
    test_pen: torch.Tensor | None = None


@dataclass(frozen=True)
class ImageSet:
    """A data set in memory.

    Attributes:
        name: what it was loaded as.
        train_images: float32 (N, 1, H, W), ink in [0, 1].
        train_labels: int64 (N,); other whole numbers, in an array or a list, become such.
        test_images: float32 (M, 1, H, W).
        test_labels: int64 (M,).
        factors: the known causes, or None for photographs and handwriting.
        classes: the names of the labels; a list or an array becomes a tuple of str.
    """

    name: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    factors: Factors | None = None
    classes: tuple[str, ...] = tuple("0123456789")

    def __post_init__(self):
        """Check images, that each has a label, and that each label has a name."""
        classes, shape = labels.names(self.classes), None
        object.__setattr__(self, "classes", classes)
        for part in ("train", "test"):
            images, name = getattr(self, f"{part}_images"), f"{part}_labels"
            checks.images(images, f"{part}_images", shape)
            found = labels.checked(getattr(self, name), len(images), name, classes=classes)
            object.__setattr__(self, name, found)
            shape = tuple(images.shape[1:])

    def __repr__(self):
        """One line: name, counts, size of an image."""
        size = "×".join(map(str, self.train_images.shape[1:]))
        factors = f", factors {', '.join(self.factors.names)}" if self.factors else ""
        return (
            f"ImageSet {self.name}: {len(self.train_images):,} train and "
            f"{len(self.test_images):,} test images, {size}, float32 in [0, 1]{factors}"
        )
