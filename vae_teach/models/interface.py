"""What the course asks of a model, ours or a learner's own: `encode`, `decode` and `prior`.

Everything above this floor goes through these functions, so that a model that says something else gets
one sentence. `latent_dim`, `image_shape` and `likelihood` are read off the model where it has them,
and else from the distributions it returns.
"""

import copy
from contextlib import contextmanager
from functools import wraps

import torch

from vae_teach import checks
from vae_teach.models.likelihoods import Likelihood


def encoded(model, x):
    """q(z|x) of images (B, C, H, W).

    Raises:
        TypeError, ValueError: no such images, or `encode` returned no Distribution over whole codes.
    """
    if not hasattr(model, "image_shape"):  # ours have one, and check it themselves
        checks.images(x, "x")
    return checks.distribution(model.encode(x), "encode", 1)


def decoded(model, z):
    """p(x|z) of codes (..., d).

    Raises:
        TypeError, ValueError: `decode` returned no Distribution over whole images.
    """
    return checks.distribution(model.decode(z), "decode", 3)


def prior_of(model):
    """p(z).

    Raises:
        TypeError, ValueError: `prior` is no Distribution over whole codes.
    """
    return checks.distribution(model.prior, "prior", 1)


def has_prior(model):
    """Whether this is a model of three distributions; an autoencoder's codes and images are tensors."""
    return hasattr(model, "prior")


def likelihood_of(model):
    """The model's likelihood part; one that knows nothing but the Distribution, where there is none."""
    return getattr(model, "likelihood", None) or Likelihood()


def latent_dim_of(model):
    """Dimensions of the code.

    Raises:
        TypeError: neither latent_dim nor a prior says so.
    """
    if hasattr(model, "latent_dim"):
        return model.latent_dim
    if has_prior(model):
        return prior_of(model).event_shape[0]
    raise TypeError(
        f"model is {type(model).__name__}, a VAE or an Autoencoder is needed, or a module of your own with "
        "encode, decode and prior."
    )


@torch.no_grad()
def image_shape_of(model):
    """(C, H, W)."""
    if hasattr(model, "image_shape"):
        return tuple(model.image_shape)
    z = torch.zeros(1, latent_dim_of(model), device=device_of(model))
    p = model.decode(z)
    return tuple(p.shape[1:] if isinstance(p, torch.Tensor) else decoded(model, z).event_shape)


def device_of(model):
    """Where the model's weights are; the CPU for a model without any."""
    return _weights_of(model, torch.empty(0)).device


def images_for(model, x, name="x"):
    """Images (B, C, H, W) as a model's weights are: checked, in their precision and where they lie.

    Raises:
        TypeError, ValueError: these are no such images.
    """
    knows = hasattr(model, "image_shape") or hasattr(model, "decode")
    checks.images(x, name, image_shape_of(model) if knows else None)
    checks.differentiable(x, name)
    weights = _weights_of(model, x)
    return x.to(weights.device, weights.dtype)


def as_it_is(model):
    """A copy of a model with weights of its own, which training the model further does not change."""
    return _copied(model, {})


def _copied(part, copies):
    """A copy of a module, or of what holds one. What is no weight, buffer or module is shared."""
    if id(part) in copies:  # two names of one thing
        return copies[id(part)]
    if isinstance(part, torch.Tensor):
        copies[id(part)] = part.detach().clone()
        return copies[id(part)]
    twin = copies[id(part)] = copy.copy(part)
    for name, value in vars(part).items():
        if name in ("_parameters", "_buffers", "_modules"):
            held = {key: one if one is None else _copied(one, copies) for key, one in value.items()}
            vars(twin)[name] = held
        elif isinstance(value, torch.nn.Module):
            vars(twin)[name] = _copied(value, copies)
    return twin


def _weights_of(model, otherwise):
    """One of a model's weights, or what stands for it where there are none."""
    return next(iter(model.parameters() if hasattr(model, "parameters") else ()), otherwise)


@contextmanager
def looking(model):
    """Look at a model in evaluation mode, without gradients; its modes are then as before.

    What draws random numbers restores their state itself: here that would disturb a training beside it.
    """
    modules = list(model.modules()) if isinstance(model, torch.nn.Module) else []
    modes = [(module, module.training) for module in modules]
    with torch.no_grad():
        try:
            for module in modules:
                module.training = False
            yield
        finally:
            for module, mode in modes:
                module.training = mode


def looks(function):
    """Decorate a function of (model, ...) that looks at the model and must not change it."""

    @wraps(function)
    def looked(model, *arguments, **settings):
        with looking(model):
            return function(model, *arguments, **settings)

    return looked
