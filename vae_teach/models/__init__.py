"""Floor 2: latent-variable models, each one three distributions.

A model is an `nn.Module` with `prior` (p(z)), `encode(x)` (q(z|x)) and `decode(z)` (p(x|z)), all
`torch.distributions`. Batches of them have batch shape (B,) and a whole code or image as their
event, so `log_prob` and `kl_divergence` give one number an image. First come the parts that a model is
put together from: `priors`, `posteriors`, `likelihoods`, `networks`. Autoencoders and the classifier,
which models are compared with, return tensors.
"""

from vae_teach.models import likelihoods, networks, posteriors, priors
from vae_teach.models.autoencoder import Autoencoder, AutoencoderFamily
from vae_teach.models.classifier import Classifier
from vae_teach.models.multi_rate import MultiRateVAE
from vae_teach.models.networks import conv_decoder, conv_encoder, mlp_decoder, mlp_encoder
from vae_teach.models.vae import VAE

__all__ = [
    "VAE",
    "Autoencoder",
    "AutoencoderFamily",
    "Classifier",
    "MultiRateVAE",
    "conv_decoder",
    "conv_encoder",
    "likelihoods",
    "mlp_decoder",
    "mlp_encoder",
    "networks",
    "posteriors",
    "priors",
]
