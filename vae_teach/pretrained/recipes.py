"""How the shipped weights are made: `python -m vae_teach.pretrained.make [name ...]`."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from vae_teach.models import VAE, AutoencoderFamily, Classifier, MultiRateVAE
from vae_teach.models.autoencoder import family_squared_error
from vae_teach.models.classifier import log_probability
from vae_teach.objectives import elbo, multi_rate
from vae_teach.training import fit


@dataclass(frozen=True)
class Kind:
    """One kind of model that is shipped.

    Attributes:
        model: () -> untrained model.
        objective: (model, x[, labels]) -> (B,), for `fit`.
        epochs: passes over 60,000 images; smaller sets get as many steps.
        settings: further arguments of `fit`.
        score: (model, ImageSet) -> float on the test images.
        unit: of the score, in words.
        labelled: the objective wants labels.
    """

    model: Callable
    objective: Callable
    epochs: int
    settings: dict
    score: Callable
    unit: str
    labelled: bool = False

    def train(self, model, image_set, quick=False):
        """Train in place; `quick` is for a learner who waits: about a third of the steps."""
        images = image_set.train_images
        data = (images, image_set.train_labels) if self.labelled else images
        epochs = self.epochs * 60_000 / len(images) / (3 if quick else 1)
        return fit(
            model,
            data,
            self.objective,
            epochs=max(1, round(epochs)),
            one_cycle=True,
            **self.settings,
        )


@torch.no_grad()
def accuracy(model, image_set):
    """Share of test images whose most probable class is their label."""
    return (model(image_set.test_images).argmax(1) == image_set.test_labels).float().mean().item()


@torch.no_grad()
def family_error(model, image_set):
    """Σ over pixels of the squared error, averaged over test images and bottlenecks 1 to 32."""
    x = image_set.test_images
    errors = [(model(x, k) - x).square().flatten(1).sum(1).mean() for k in range(1, 33)]
    return torch.stack(errors).mean().item()


@torch.no_grad()
def mean_loss(model, image_set, draws=4):
    """−ELBO averaged over the test images and a few draws of the code for each, seeded."""
    return _seeded_loss([(model, 1.0)], image_set, draws)


MEAN_BETAS = (0.05, 0.25, 1.0, 4.0, 20.0)


@torch.no_grad()
def mean_multi_rate_loss(model, image_set, draws=2):
    """D + βR averaged over the test images, five β and a few draws of the code for each, seeded."""
    return _seeded_loss([(model.at(beta), beta) for beta in MEAN_BETAS], image_set, draws)


def _seeded_loss(models, image_set, draws):
    """D + βR averaged over the test images and the pairs (model, β)."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        bounds = [elbo(m, image_set.test_images, beta, draws).bound.mean() for m, beta in models]
    return -torch.stack(bounds).mean().item()


KINDS = {
    "classifier": Kind(
        Classifier,
        log_probability,
        epochs=6,
        settings=dict(batch_size=128, lr=5e-3),
        score=accuracy,
        unit="accuracy",
        labelled=True,
    ),
    "family": Kind(
        AutoencoderFamily,
        family_squared_error,
        epochs=30,
        settings=dict(batch_size=256, lr=3e-3, unit="squared error"),
        score=family_error,
        unit="squared error an image, mean over bottlenecks 1 to 32",
    ),
    "vae20": Kind(
        lambda: VAE(20),
        elbo,
        epochs=40,
        settings=dict(batch_size=256, lr=4e-3),
        score=mean_loss,
        unit="−ELBO in nats",
    ),
    "multirate": Kind(
        MultiRateVAE,
        multi_rate,
        epochs=15,
        settings=dict(batch_size=256, lr=4e-3),
        score=mean_multi_rate_loss,
        unit="D + βR in nats, mean over β = 0.05, 0.25, 1, 4, 20",
    ),
}
