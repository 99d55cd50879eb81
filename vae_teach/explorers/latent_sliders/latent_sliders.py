"""Traversals: a slider for each latent dimension, and the image decoded from what they say."""

import math

import torch
import traitlets as t

from vae_teach import checks
from vae_teach.evaluation import USED, kl_by_dimension
from vae_teach.models.interface import (
    as_it_is,
    has_prior,
    image_shape_of,
    latent_dim_of,
    looks,
    prior_of,
)
from vae_teach.models.priors import is_standard
from vae_teach.page.latent_map import prior_parts
from vae_teach.page.networks import Network, halves, network_trait
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import drawable, pixels

MOST = 64


class LatentSliders(WebExplorer):
    """Sliders for the numbers of a code, beside the image decoded from it: the mean of p(x|z).

    The decoder's weights travel to the page once, as float16 (under half a grey level of 255
    off), and are evaluated there: it answers within a frame, also while the kernel works.
    Widget and still picture show the model as it was when this was called.

    Args:
        model: a VAE with 1 or 3 image channels, a `MultiRateVAE.at(beta)`, an Autoencoder, or a module
            of your own with `encode`, `decode`, `prior`, a `decoder` that the page can evaluate and a
            `likelihood`.
        z: the code to start from, (d,) numbers. None is the first image's code (the mean of
            q(z|x)), or the origin where there are no images.
        dimensions: which latent dimensions get a slider; None is all, at most 64.
        images: float32 (N, C, H, W) in [0, 1]. Over these KL(q(z_i|x) || p(z_i)) is averaged, in nats;
            each slider shows it, the most used come first, those below 0.05 nats are called unused.
            An autoencoder has no KL; its sliders reach as far as the codes of these images.

    Attributes:
        z: the code shown now, a float32 tensor (d,); a copy. Setting it moves the page's sliders.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    decoder = network_trait()
    code = t.List(t.CFloat()).tag(**BOTH_WAYS)  # what the page shows and sets
    start = t.List(t.CFloat()).tag(sync=True)
    dimensions = t.List(t.Int()).tag(sync=True)  # of the sliders, in their order
    kl = t.List(t.CFloat()).tag(sync=True)  # of the sliders, in nats, or nothing
    used = t.Float(USED).tag(sync=True)
    count = t.Int(0).tag(sync=True)  # images that the KL is averaged over
    limit = t.Float(3.0).tag(sync=True)
    image_shape = t.List().tag(sync=True)
    prior = t.Bool(True).tag(sync=True)
    # Codes z ~ p(z) to choose from, float16, where the page cannot draw them: p(z) is not N(0, I).
    draws = t.Bytes().tag(sync=True)

    def __init__(self, model, z=None, dimensions=None, images=None):
        """Check the arguments, measure the dimensions and pack the decoder."""
        chosen = _check(model, dimensions, images)
        z = None if z is None else _code(z, latent_dim_of(model))
        start, kl, reach = _measured(model, z, images)
        if kl is not None:
            chosen.sort(key=lambda i: -kl[i])
        self._model = as_it_is(model)
        network = Network.decoder(model)
        super().__init__(
            decoder=network,
            code=start.tolist(),
            start=start.tolist(),
            dimensions=chosen,
            kl=[] if kl is None else [kl[i] for i in chosen],
            count=0 if kl is None else len(images),
            limit=reach,
            image_shape=list(image_shape_of(model)),
            prior=has_prior(model),
            draws=_draws(model),
        )

    @property
    def z(self):
        """The code shown now, float32 (d,); a copy."""
        return torch.tensor(self.code)

    @z.setter
    def z(self, value):
        z = _code(value, len(self.start))
        with self.hold_sync():
            self.limit = max(self.limit, _reach(z))
            self.code = z.tolist()

    @t.validate("code")
    def _a_code(self, proposal):
        """Also what comes from a page must be a code."""
        code = proposal["value"]
        if (self.start and len(code) != len(self.start)) or not all(map(math.isfinite, code)):
            raise t.TraitError(f"code is {code}, {len(self.start)} finite numbers are needed.")
        return code

    def still(self):
        """HTML of a picture: each row moves one slider from end to end (the first ten)."""
        rows, steps = self.dimensions[:10], torch.linspace(-self.limit, self.limit, 11)
        codes = self.z.repeat(len(rows), len(steps), 1)
        for row, i in enumerate(rows):
            codes[row, :, i] = steps
        images = pixels.mean_images(self._model, codes.flatten(0, 1))
        names = ", ".join(f"z{i + 1}" for i in rows)
        picture = pixels.to_array(pixels.tile(images, len(steps)))
        span = f"from −{self.limit:g} to {self.limit:g}"
        return pixels.still(
            pixels.small_png(picture.repeat(2, 0).repeat(2, 1)),
            f"{len(rows)} rows of decoded images; from left to right one number of z goes {span} "
            f"and the others stay; from the top: {names}.",
            f"What a slider does: each row moves one number of z {span} ({names}). "
            f"Run the cell to drag them.",
        )

    def __repr__(self):
        """One line: sliders, dimensions, how many are used, and the length of the code."""
        used = f", {sum(kl >= USED for kl in self.kl)} of them used," if self.kl else ""
        return (
            f"LatentSliders on {len(self.dimensions)} of {len(self.start)} dimensions{used} "
            f"at |z| = {self.z.norm().item():.2f}"
        )


@looks
def _measured(model, z, images):
    """The code to start from, KL of each dimension or None, and how far sliders reach."""
    seen, kl = torch.zeros(1, latent_dim_of(model)), None
    if images is not None:
        vae = has_prior(model)
        seen, _ = drawable.codes(model, images[:1] if vae else images)
        if vae:
            kl = kl_by_dimension(model, images).cpu()
            checks.finite(kl, "KL(q(z_i|x) || p(z_i))")
    start = seen[0] if z is None else z
    prior = prior_parts(model)
    ends = (prior[:, 0].abs() + 3 * prior[:, 1]).flatten()  # 3.0 for N(0, I)
    reached = start if kl is not None else torch.cat([seen.flatten(), start])
    return start, None if kl is None else kl.tolist(), _reach(torch.cat([reached, ends]))


def _draws(model, count=200):
    """Bytes of codes z ~ p(z), or none where the page draws from N(0, I) itself."""
    if not has_prior(model) or is_standard(prior_of(model)):
        return b""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        return halves(prior_of(model).sample((count,)), "draws from the prior")


def _reach(codes):
    return max(3.0, float(math.ceil(codes.abs().max())))


def _check(model, dimensions, images):
    """The dimensions that get a slider."""
    drawable.check(model)
    latent_dim = latent_dim_of(model)
    if images is not None:
        checks.images(images, "images", image_shape_of(model))
    if dimensions is None and latent_dim > MOST:
        raise ValueError(
            f"model.latent_dim is {latent_dim}, {MOST} sliders at most: say which, "
            f"for example dimensions=range(20)."
        )
    chosen = _whole(range(latent_dim) if dimensions is None else dimensions)
    wrong = [i for i in chosen if i not in range(latent_dim)]
    if wrong or not chosen or len(set(chosen)) < len(chosen) or len(chosen) > MOST:
        raise ValueError(
            f"dimensions is {chosen}, from 1 to {MOST} different numbers from 0 to "
            f"{latent_dim - 1} are needed."
        )
    return chosen


def _whole(dimensions):
    """A list of the numbers as they are, those of NumPy and PyTorch as Python's."""
    try:
        return [i.item() if hasattr(i, "item") else i for i in dimensions]
    except TypeError:
        raise TypeError(
            f"dimensions is {dimensions!r}, a list of numbers is needed, such as range(20)."
        ) from None


def _code(z, count):
    """A code as float32 (count,) on the CPU."""
    try:
        z = torch.as_tensor(z).detach().cpu().float()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"z is {checks.kind(z)}, a tensor ({count},) is needed.") from None
    if z.shape != (count,):
        raise ValueError(f"z has shape {tuple(z.shape)}, ({count},) is needed.")
    checks.finite(z, "z")
    return z
