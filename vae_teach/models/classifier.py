"""A small classifier of images: a judge of what the generative models draw."""

import torch
from torch import nn
from torch.nn import functional as F

from vae_teach import checks
from vae_teach import labels as labelling
from vae_teach.models.interface import images_for, looks
from vae_teach.models.networks import taken


class Classifier(nn.Module):
    """Two stages of convolution and 2×2 max-pooling, then one linear layer.

    Args:
        image_shape: (C, H, W); H and W multiples of 4.
        classes: number of classes K.

    Raises:
        TypeError, ValueError: another image_shape, or classes that are no whole number >= 1.
    """

    def __init__(self, image_shape=(1, 28, 28), classes=10):
        super().__init__()
        checks.positive_int(classes, "classes")
        self.image_shape = checks.image_shape(image_shape)
        channels, height, width = self.image_shape
        if height % 4 or width % 4:
            raise ValueError(
                f"image_shape is {self.image_shape}: height and width must be multiples of 4."
            )
        self.first = nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU())
        self.second = nn.Sequential(
            nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.last = nn.Sequential(nn.Flatten(), nn.Linear(2 * height * width, classes))

    def features(self, x):
        """Activations of both stages, (B, 16, H, W) and (B, 32, H/4, W/4)."""
        first = self.first(x)
        return first, self.second(first)

    def forward(self, x):
        """Logits (B, K) of images (B, C, H, W) in [0, 1]; softmax makes them p(class | x)."""
        return self.last(self.features(taken(self, x))[1])


def log_probability(model, x, labels):
    """log p(label | x), (B,) in nats: the objective that trains a `Classifier` with `fit`.

    Raises:
        TypeError, ValueError: labels that are no whole numbers from 0 to K - 1, one an image.
    """
    logits = model(x)
    labels = labelling.checked(labels, len(x), most=logits.shape[1] - 1)
    return -F.cross_entropy(logits, labels.to(logits.device), reduction="none")


@looks
def fraction_sure(classifier, images, threshold=0.9):
    """Share of images to which a classifier gives some class more than `threshold`.

    Args:
        classifier: images -> logits (B, K), such as a `Classifier`.
        images: float32 (B, C, H, W) in [0, 1].
        threshold: probability, from 0 up to but not including 1.

    Returns:
        A float in [0, 1]. It says how often an image looks like *some* digit to the classifier, not
        that it is a good one: classifiers may also be sure of nonsense.

    Raises:
        TypeError, ValueError: no such images, or a threshold outside [0, 1).
    """
    checks.non_negative(threshold, "threshold")
    if threshold >= 1:
        raise ValueError(f"threshold is {threshold}, a probability from 0 to below 1 is needed.")
    images = images_for(classifier, images, "images")
    surest = torch.cat([classifier(part).softmax(1).amax(1) for part in images.split(500)])
    return (surest > threshold).float().mean().item()
