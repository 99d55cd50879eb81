"""Networks that the page evaluates: layers and weights, sent to it once for all explorers."""

import base64
import weakref

import torch
import traitlets as t
from torch import nn

from vae_teach import checks
from vae_teach.models.interface import (
    device_of,
    encoded,
    has_prior,
    image_shape_of,
    latent_dim_of,
    likelihood_of,
    looking,
)
from vae_teach.models.posteriors import DiagonalGaussian
from vae_teach.page.shared import Shared
from vae_teach.pictures import pixels

_SHARED = weakref.WeakKeyDictionary()  # nn.Sequential -> Network


class Network(Shared):
    """A network's layers and weights, in the page once for all explorers that use it."""

    layers = t.List().tag(sync=True)
    # As text: JupyterLab's own "save widget state" loses the bytes of any model but anywidget's.
    weights = t.Bytes().tag(sync=True, to_json=lambda value, _: base64.b64encode(value).decode())

    @classmethod
    def of(cls, sequential, name, end=()):
        """The network of these weights, as they are now: float16, under half a grey level of 255 off.

        Args:
            sequential: an nn.Sequential.
            name: what to call it in errors, such as "model.decoder".
            end: layers to append, such as ["sigmoid"].

        Raises:
            ValueError: a network, layer or weight that the page cannot evaluate.
        """
        layers, weights = pack(sequential, name)
        layers += [list(layer) for layer in end]
        return cls.shared(sequential, layers, weights)

    @classmethod
    def shared(cls, module, layers, weights):
        """The one network with this module's layers and weights, for a page that knows such layers."""
        shared = _SHARED.get(module)
        if (
            shared is None
            or shared.comm is None
            or (shared.layers, shared.weights) != (layers, weights)
        ):
            shared = _SHARED[module] = cls(layers=layers, weights=weights)
        return shared

    @classmethod
    def decoder(cls, model):
        """The mean image of p(x|z), or an autoencoder's image, from a code.

        Raises:
            ValueError: the page cannot compute what `model.decode` says, or not by what it is told.
        """
        likelihood, decoder = likelihood_of(model), getattr(model, "decoder", None)
        end = likelihood.page if has_prior(model) else (("clamp",),)
        if end is None and hasattr(model, "likelihood"):
            raise ValueError(
                f"model.likelihood, {type(likelihood).__name__}, does not say how a page gets its mean "
                'image from the decoder\'s numbers: give it page = (("sigmoid",),) or (("clamp",),), '
                "where that is right; pictures.manifold draws without."
            )
        if end is None or decoder is None:
            raise ValueError(
                "the page draws what model.decoder, an nn.Sequential from codes to pixels, and "
                "model.likelihood say together: set both, for example model.likelihood = "
                "likelihoods.Bernoulli() where decoder gives logits; pictures.manifold draws without."
            )
        network = cls.of(decoder, "model.decoder", end)
        with looking(model):
            z = torch.linspace(-1, 1, latent_dim_of(model), device=device_of(model))[None]
            shown, wanted = decoder(z), pixels.mean_images(model, z)
            if has_prior(model):
                shown = likelihood.mean_image(likelihood(shown.reshape(wanted.shape)))
        if not torch.allclose(shown.cpu().clamp(0, 1).reshape(wanted.shape), wanted, atol=1e-3):
            raise ValueError(
                f"model.decode does not return the mean that model.decoder followed by "
                f"{' and '.join(name for name, *_ in end)} gives, which is what the page would draw: "
                "set model.likelihood to the part that decode stands for."
            )
        return network

    @classmethod
    def encoder(cls, model):
        """Means, then log-variances (not clamped) of q(z|x), from an image.

        Raises:
            ValueError: `model.encode` says something else, or the page cannot compute it.
        """
        if not hasattr(model, "encoder"):
            raise ValueError(
                "model.encoder is missing: the page needs it, an nn.Sequential from images to the means, "
                "then the log-variances, of q(z|x)."
            )
        network = cls.of(model.encoder, "model.encoder")
        with looking(model):
            x = torch.zeros(1, *image_shape_of(model), device=device_of(model))
            outputs, q = model.encoder(x), encoded(model, x)
            agree = outputs.shape[1:] == (2 * q.event_shape[0],)
            if agree:
                read = DiagonalGaussian()(outputs)
                agree = torch.allclose(read.mean, q.mean, atol=1e-3)
                agree = agree and torch.allclose(read.stddev, q.stddev, atol=1e-3)
        if not agree:
            raise ValueError(
                "model.encode does not return the Gaussian whose means, then log-variances, model.encoder "
                "gives, which is what the page would draw."
            )
        return network

    def empty(self):
        """Forget the weights."""
        self.weights = b""
        self.layers = []


def network_trait():
    """A trait that holds a Network; the page finds it by `network(model, name)`."""

    def to_json(value, _widget):
        return value and f"IPY_MODEL_{value.model_id}"

    return t.Instance(Network, allow_none=True).tag(sync=True, to_json=to_json)


def pack(sequential, name):
    """Everything a page needs to evaluate a network.

    Returns:
        (layers, weights): a list of [name, ...sizes], and bytes of float16: for each layer with
        weights those, row by row, then its biases.
    """
    if not isinstance(sequential, nn.Sequential):
        raise ValueError(
            f"{name} is {type(sequential).__name__}, an nn.Sequential is needed: "
            f"the page evaluates it layer by layer."
        )
    layers, numbers = [], [torch.zeros(0)]
    for index, layer in enumerate(sequential):
        layers.append(_describe(layer, f"{name}[{index}]"))
        if isinstance(layer, nn.Linear | nn.Conv2d):
            numbers.append(in_order(layer.weight, layer.bias))
    return layers, halves(torch.cat(numbers), f"{name}'s weights in float16")


def in_order(weight, bias):
    """A layer's numbers in the order that every page reads: weights row by row, then biases."""
    bias = torch.zeros(len(weight)) if bias is None else bias.detach().cpu()
    return torch.cat([weight.detach().cpu().flatten(), bias])


def halves(numbers, name):
    """Bytes of float16, lowest first, for the page's function of the same name."""
    packed = numbers.detach().cpu().to(torch.float16)
    checks.finite(packed, name)
    return packed.numpy().astype("<f2").tobytes()


def _describe(layer, name):
    match layer:
        case nn.Linear():
            return ["linear", layer.in_features, layer.out_features]
        case nn.ReLU():
            return ["relu"]
        case nn.LeakyReLU():
            return ["leaky_relu", layer.negative_slope]
        case nn.Tanh():
            return ["tanh"]
        case nn.Sigmoid():
            return ["sigmoid"]
        case nn.Flatten():
            return ["flatten"]
        case nn.Unflatten() if layer.dim in (1, -1):
            return ["unflatten", *layer.unflattened_size]
        case nn.Upsample() if layer.mode == "nearest" and layer.scale_factor in (2, (2, 2)):
            return ["upsample"]
        case nn.MaxPool2d() if layer.kernel_size == 2 and layer.stride == 2 and not layer.padding:
            return ["maxpool"]
        case nn.Conv2d() if _is_plain(layer):
            return ["conv", layer.in_channels, layer.out_channels, layer.stride[0]]
    raise ValueError(
        f"{name} is {layer}: the page evaluates Linear, ReLU, LeakyReLU, Tanh, Sigmoid, Flatten, "
        f"Unflatten, Upsample(scale_factor=2), MaxPool2d(2) and Conv2d(kernel_size=3, padding=1) of "
        f"stride 1 or 2 only."
    )


def _is_plain(conv):
    return (
        conv.kernel_size == (3, 3)
        and conv.padding in ((1, 1), "same")
        and conv.stride in ((1, 1), (2, 2))
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
    )
