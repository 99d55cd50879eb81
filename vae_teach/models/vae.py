"""The variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114; Rezende et al. 2014)."""

from torch import nn

from vae_teach import checks
from vae_teach.models.likelihoods import Bernoulli
from vae_teach.models.networks import mlp_decoder, mlp_encoder, precision, taken
from vae_teach.models.posteriors import DiagonalGaussian
from vae_teach.models.priors import StandardNormal


class VAE(nn.Module):
    """Five parts: two networks, and what their numbers mean. Each can be handed in.

    `VAE(20)` has a standard normal prior, a diagonal Gaussian posterior, a Bernoulli likelihood and
    fully connected networks with one hidden layer of 400 units.

    Args:
        latent_dim: dimensions d of the code z.
        image_shape: (C, H, W).
        hidden: sizes of the hidden layers of the fully connected networks, from the image's side.
        prior: a part of `models.priors`, or anything that called without arguments returns p(z).
        posterior: a part of `models.posteriors`: the encoder's numbers -> q(z|x).
        likelihood: a part of `models.likelihoods`: the decoder's numbers -> p(x|z).
        encoder: a network images (B, C, H, W) -> (B, posterior.numbers · d), instead of the fully
            connected one, for example `networks.conv_encoder(latent_dim, image_shape)`.
        decoder: a network codes (B, d) -> (B, likelihood.numbers · C, H, W), likewise.

    Raises:
        TypeError, ValueError: latent_dim is no whole number >= 1, or the prior is no distribution
            over codes of d numbers; when called, a network whose numbers do not fit.
    """

    def __init__(
        self,
        latent_dim,
        image_shape=(1, 28, 28),
        hidden=(400,),
        *,
        prior=None,
        posterior=None,
        likelihood=None,
        encoder=None,
        decoder=None,
    ):
        super().__init__()
        checks.positive_int(latent_dim, "latent_dim")
        self.latent_dim, self.image_shape = latent_dim, checks.image_shape(image_shape)
        self.prior_part = prior or StandardNormal(latent_dim)
        self.posterior = posterior or DiagonalGaussian()
        self.likelihood = likelihood or Bernoulli()
        checks.networks(encoder=encoder, decoder=decoder)
        _check_parts(self)
        channels, *size = self.image_shape
        self._numbers = self.likelihood.numbers * channels, *size
        self.encoder = encoder or mlp_encoder(
            latent_dim, self.image_shape, hidden, self.posterior.numbers
        )
        self.decoder = decoder or mlp_decoder(latent_dim, self._numbers, hidden)

    @property
    def prior(self):
        """p(z), batch shape () and event shape (d,)."""
        return self.prior_part()

    def encode(self, x):
        """q(z|x), with batch shape (B,) and event shape (d,).

        Args:
            x: float32 images (B, C, H, W) in [0, 1].
        """
        x = taken(self, x)
        outputs = self.encoder(x)
        count = self.posterior.numbers * self.latent_dim
        checks.outputs(outputs, (len(x), count), "encoder")
        return self.posterior(outputs)

    def decode(self, z):
        """p(x|z) with batch shape (...) and event shape (C, H, W), for codes z (..., d)."""
        checks.codes(z, self.latent_dim)
        codes = z.reshape(-1, self.latent_dim)
        outputs = self.decoder(codes.to(precision(self)))
        checks.outputs(outputs, (len(codes), *self._numbers), "decoder")
        return self.likelihood(outputs.reshape(*z.shape[:-1], *self._numbers))


def _check_parts(model):
    """Raise unless the parts that were handed in can be used."""
    for name, part in (("posterior", model.posterior), ("likelihood", model.likelihood)):
        if not (callable(part) and hasattr(part, "numbers")):
            raise TypeError(
                f"{name} is {part!r}, a part such as {_EXAMPLES[name]} of models is needed."
            )
    if not callable(model.prior_part):
        raise TypeError(
            f"prior is {model.prior_part!r}, a part such as {_EXAMPLES['prior']} of models is needed."
        )
    checks.distribution(model.prior, "prior()", 1)
    if model.prior.event_shape != (model.latent_dim,):
        raise ValueError(
            f"prior has {model.prior.event_shape[0]} dimensions, latent_dim is {model.latent_dim}: "
            "the two must be the same."
        )


_EXAMPLES = {
    "prior": "priors.MixtureOfGaussians(latent_dim, 10)",
    "posterior": "posteriors.DiagonalGaussian()",
    "likelihood": "likelihoods.Gaussian()",
}
