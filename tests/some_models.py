"""Models that several tests put together: the networks' forms, a learner's own module, a mixture."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from vae_teach.models import VAE, Autoencoder, conv_decoder, conv_encoder
from vae_teach.models.likelihoods import Bernoulli as BernoulliPart
from vae_teach.models.likelihoods import ContinuousBernoulli, Gaussian, Laplace
from vae_teach.models.priors import MixtureOfGaussians

NETWORKS = ["mlp", "strided", "pooled"]
LIKELIHOODS = {
    "bernoulli": BernoulliPart,
    "gaussian": Gaussian,
    "continuous": ContinuousBernoulli,
    "laplace": Laplace,
}


def vae(latent_dim, image_shape=(1, 28, 28), network="mlp", channels=(16, 32), **parts):
    """A VAE with networks of this form."""
    if network == "mlp":
        return VAE(latent_dim, image_shape, **parts)
    down = {"strided": "stride", "pooled": "pool"}[network]
    encoder = conv_encoder(latent_dim, image_shape, channels, down)
    decoder = conv_decoder(latent_dim, image_shape, channels)
    return VAE(latent_dim, image_shape, encoder=encoder, decoder=decoder, **parts)


def autoencoder(latent_dim, image_shape=(1, 28, 28), network="mlp"):
    """An Autoencoder with networks of this form; "linear" has one matrix each way."""
    if network == "mlp":
        return Autoencoder(latent_dim, image_shape)
    if network == "linear":
        made = Autoencoder(latent_dim, image_shape, hidden=())
        return Autoencoder(latent_dim, image_shape, encoder=made.encoder, decoder=made.decoder[:-1])
    down = {"strided": "stride", "pooled": "pool"}[network]
    encoder = conv_encoder(latent_dim, image_shape, downsample=down, numbers=1)
    decoder = conv_decoder(latent_dim, image_shape).append(nn.Sigmoid())
    return Autoencoder(latent_dim, image_shape, encoder=encoder, decoder=decoder)


def spread(model):
    """The model with pixels spread over [0, 1]: an untrained decoder draws nearly flat images."""
    last = [layer for layer in model.decoder if hasattr(layer, "weight")][-1]
    with torch.no_grad():
        if model.likelihood.page == (("clamp",),):
            last.bias.add_(0.5)
        else:
            last.weight.mul_(5)
    return model


def mixture(latent_dim=2):
    """A prior of three Gaussians far apart, of unlike widths and weights."""
    prior = MixtureOfGaussians(latent_dim, 3)
    with torch.no_grad():
        prior.means.copy_(torch.tensor([[-4.0], [0.0], [5.0]]).expand(3, latent_dim))
        prior.log_scales.copy_(torch.tensor([[0.5], [1.0], [0.7]]).log().expand(3, latent_dim))
        prior.logits.copy_(torch.tensor([0.5, 0.2, 0.3]).log())
    return prior


class Own(nn.Module):
    """As a learner writes it: three distributions and nothing of the package."""

    def __init__(self, latent_dim=2, pixels=784):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 32), nn.ReLU())
        self.encoder.append(nn.Linear(32, 2 * latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, pixels))
        self.prior = Independent(Normal(torch.zeros(latent_dim), torch.ones(latent_dim)), 1)

    def encode(self, x):
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)

    def decode(self, z):
        logits = self.decoder(z).unflatten(-1, (1, 28, 28))
        return Independent(Bernoulli(logits=logits, validate_args=False), 3)


class Tuples(Own):
    """Its `encode` returns what many tutorials return."""

    def encode(self, x):
        return self.encoder(x).chunk(2, 1)
