"""A small classifier of images: a judge of what the generative models draw."""

from torch import nn
from torch.nn import functional as F

from vae_teach import checks


class Classifier(nn.Module):
    """Two stages of convolution and 2×2 max-pooling, then one linear layer.

    Args:
        image_shape: (C, H, W); H and W multiples of 4.
        classes: number of classes K.
    """

    def __init__(self, image_shape=(1, 28, 28), classes=10):
        super().__init__()
        self.image_shape = tuple(image_shape)
        channels, height, width = self.image_shape
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
        checks.images(x, "x", self.image_shape)
        return self.last(self.features(x)[1])


def log_probability(model, x, labels):
    """log p(label | x), (B,) in nats: the objective that trains a `Classifier` with `fit`."""
    return -F.cross_entropy(model(x), labels, reduction="none")
