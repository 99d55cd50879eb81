"""Everything of the package that takes images: name -> (what messages call them, what is done with them)."""

import torch

from vae_teach import evaluation, pictures
from vae_teach.chapters.autoencoder.figures import captioned
from vae_teach.data import ImageSet, corruptions
from vae_teach.explorers import (
    BetaSlider,
    DrawDigit,
    Film,
    Interpolation,
    LatentPlane,
    LatentSliders,
)
from vae_teach.models import VAE, Autoencoder, AutoencoderFamily, Classifier, MultiRateVAE
from vae_teach.models.autoencoder import family_squared_error, squared_error
from vae_teach.models.classifier import fraction_sure, log_probability
from vae_teach.objectives import beta_tcvae, elbo, multi_rate
from vae_teach.pictures import drawable
from vae_teach.training import fit

ALT = "What is drawn."
SHAPE = (1, 28, 28)


def models(shape=SHAPE):
    """A small one of each kind, always the same."""
    torch.manual_seed(0)
    return {
        "vae": VAE(2, shape, hidden=(8,)),
        "autoencoder": Autoencoder(2, shape, hidden=(8,)),
        "family": AutoencoderFamily(3, shape, hidden=8),
        "classifier": Classifier(shape, 10),
        "multirate": MultiRateVAE(2, shape, hidden=(8,)),
    }


def counted(x):
    """Labels of whatever this is, 0, 1, 2, ..."""
    return torch.arange(len(x) if hasattr(x, "__len__") else 1) % 10


def trained(model, images, **settings):
    fit(
        model,
        images,
        lambda m, x, *_: elbo(m, x),
        epochs=1,
        batch_size=4,
        progress=False,
        **settings,
    )
    return [weight.detach().clone() for weight in model.parameters()]


def png(picture):
    return torch.tensor(list(picture.png()))


def sent(explorer, *names):
    """What travels to the page."""
    return [torch.tensor(list(getattr(explorer, name))) for name in names]


def filmed(m, images):
    film = Film(images, counted(images))
    film(m["vae"], 0)
    return [film.images, film.frames[0].mean, film.frames[0].sd]


def image_set(m, images):
    made = ImageSet("mine", images, counted(images), images, counted(images))
    return [made.train_images, made.test_images]


SEEDED = {  # in training mode, with gradients, from one seed
    "VAE.encode": ("x", lambda m, x: m["vae"].encode(x).mean),
    "Autoencoder": ("x", lambda m, x: m["autoencoder"](x)),
    "AutoencoderFamily": ("x", lambda m, x: m["family"](x, 2)),
    "Classifier": ("x", lambda m, x: m["classifier"](x)),
    "MultiRateVAE": ("x", lambda m, x: m["multirate"].at(2.0).encode(x).mean),
    "elbo": ("x", lambda m, x: elbo(m["vae"], x).bound),
    "beta_tcvae": ("x", lambda m, x: beta_tcvae(m["vae"], x, 2.0, 100).bound),
    "multi_rate": ("x", lambda m, x: multi_rate(m["multirate"], x).bound),
    "squared_error": ("x", lambda m, x: squared_error(m["autoencoder"], x)),
    "family_squared_error": ("x", lambda m, x: family_squared_error(m["family"], x, 2)),
    "log_probability": ("x", lambda m, x: log_probability(m["classifier"], x, counted(x))),
}
LOOKS = {
    "blur": ("x", lambda m, x: corruptions.blur(x, 1.0)),
    "blank_square": ("x", lambda m, x: corruptions.blank_square(x, 5)),
    "salt_and_pepper": ("x", lambda m, x: corruptions.salt_and_pepper(x, 0.0, x)),
    "ImageSet": ("train_images", image_set),
    "exact": ("x", lambda m, x: evaluation.exact_log_likelihood(m["vae"], x, 20)),
    "importance": ("x", lambda m, x: evaluation.log_likelihood(m["vae"], x, 20)),
    "posterior": ("x", lambda m, x: evaluation.posterior_on_grid(m["vae"], x, 9)[1]),
    "kl_by_dimension": ("x", lambda m, x: evaluation.kl_by_dimension(m["vae"], x)),
    "kl_parts": ("x", lambda m, x: torch.tensor(evaluation.kl_parts(m["vae"], x))),
    "active_units": ("x", lambda m, x: evaluation.active_units(m["vae"], x)),
    "pairwise": (
        "x",
        lambda m, x: evaluation.pairwise_log_prob(m["vae"], torch.zeros(3, 2), x).detach(),
    ),
    "fraction_sure": ("images", lambda m, x: fraction_sure(m["classifier"], x, 0.1)),
    "codes": ("images", lambda m, x: drawable.codes(m["vae"], x)),
    "image_rows": ("rows['a']", lambda m, x: png(pictures.image_rows({"a": x}, ALT))),
    "image_grid": ("images", lambda m, x: png(pictures.image_grid(x, 3, ALT))),
    "captioned": ("rows['a']", lambda m, x: png(captioned({"a": x}, {}, ALT))),
    "LatentPlane": (
        "images",
        lambda m, x: sent(LatentPlane(m["vae"], x, counted(x)), "points"),
    ),
    "LatentPlane's choices": (
        "images",
        lambda m, x: sent(LatentPlane(m["vae"], x, counted(x), choices=1), "images", "gauss"),
    ),
    "LatentSliders": ("images", lambda m, x: sent(LatentSliders(m["vae"], images=x), "kl")),
    "DrawDigit": (
        "images",
        lambda m, x: sent(DrawDigit(m["vae"], x, counted(x)), "points", "images", "usual"),
    ),
    "DrawDigit.image": ("image", lambda m, x: drawn(m, x)),
    "Interpolation": ("images", lambda m, x: sent(Interpolation(m["vae"], x), "images")),
    "BetaSlider": (
        "images",
        lambda m, x: sent(BetaSlider(m["multirate"], x), "images", "kl", "distortion"),
    ),
    "Film": ("images", filmed),
}
FITS = {
    "fit": ("images", lambda m, x: trained(m["vae"], x)),
    "fit's validation": (
        "validation",
        lambda m, x: trained(m["vae"], torch.zeros(4, *m["vae"].image_shape), validation=x),
    ),
}
PAPER = DrawDigit(models()["vae"], torch.zeros(3, *SHAPE), [0, 1, 2])


def drawn(m, x):
    PAPER.image = x
    return PAPER.image
