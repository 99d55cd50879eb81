"""The images one can choose below the latent plane: their q(z|x), and the true posterior in the lens."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from vae_teach.data.strokes import strokes
from vae_teach.explorers import LatentPlane
from vae_teach.explorers.latent_plane.latent_plane import SIDE
from vae_teach.models import Autoencoder
from vae_teach.models.vae import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit


@pytest.fixture(scope="module")
def trained():
    digits = strokes(train=3000, test=50, seed=0)
    torch.manual_seed(0)
    model = VAE(2, hidden=(64,))
    fit(model, digits.train_images, elbo, epochs=5, lr=3e-3, progress=False)
    plane = LatentPlane(model, digits.test_images, digits.test_labels, choices=6, posterior=True)
    return model, digits.test_images, plane


def shades(plane, index):
    return np.frombuffer(plane.posteriors, np.uint8).reshape(-1, SIDE, SIDE)[index] / 255


def test_the_ellipses_are_the_encoder_s(trained):
    model, images, plane = trained
    with torch.no_grad():
        mean, log_variance = model.encoder(images[:6]).chunk(2, dim=1)
    wanted = torch.cat([mean, (log_variance / 2).exp()], 1)
    assert torch.tensor(plane.gauss) == pytest.approx(wanted, abs=1e-6)


def test_the_lens_shows_bayes_rule(trained):
    model, images, plane = trained
    for index in (0, 3):
        middle_1, middle_2, half = plane.windows[index]
        row, column = 10, 40  # from the top, from the left
        peak = np.unravel_index(shades(plane, index).argmax(), (SIDE, SIDE))

        def log_joint(at, a=middle_1, b=middle_2, half=half, x=images[index]):
            z1 = a + half * ((at[1] + 0.5) / SIDE * 2 - 1)
            z2 = b - half * ((at[0] + 0.5) / SIDE * 2 - 1)
            z = torch.tensor([z1, z2], dtype=torch.float32)
            with torch.no_grad():
                logits = model.decoder(z[None])[0]
            likelihood = x * logits - torch.nn.functional.softplus(logits)  # greys: by the formula
            return likelihood.sum() + Normal(0.0, 1.0).log_prob(z).sum()

        for at in ((row, column), (30, 30), (peak[0] + 1, peak[1])):
            ratio = log_joint(at) - log_joint(peak)
            assert shades(plane, index)[at] == pytest.approx(ratio.exp().item(), abs=0.004)


def test_the_lens_holds_q_and_the_posterior(trained):
    model, images, plane = trained
    side = torch.linspace(-8, 8, 401)
    z = torch.cartesian_prod(side, side)
    with torch.no_grad():
        logits = model.decoder(z).flatten(1)
    free = -torch.nn.functional.softplus(logits).sum(1) - z.square().sum(1) / 2  # of the image
    for index, (a, b, half) in enumerate(plane.windows):
        x = images[index].flatten()
        share = torch.softmax(logits @ x + free, 0)
        inside = ((z - torch.tensor([a, b])).abs() <= half).all(1)
        assert share[inside].sum() > 0.97
        mean, sd = torch.tensor(plane.gauss[index]).split(2)
        assert ((mean - torch.tensor([a, b])).abs() + 2.9 * sd <= half + 1e-5).all()


def test_what_cannot_be_chosen_is_named(trained):
    model, images, _ = trained
    labels = torch.zeros(len(images), dtype=torch.int64)
    with pytest.raises(ValueError, match="choices is 30, 0 to 24 is needed"):
        LatentPlane(model, images, labels, choices=30)
    with pytest.raises(ValueError, match="give choices=8"):
        LatentPlane(model, images, labels, posterior=True)
    with pytest.raises(ValueError, match="an autoencoder has no q"):
        LatentPlane(Autoencoder(2), images, labels, choices=4)
