"""A film of training: where q(z|x) puts some images, taken while `fit` runs."""

from typing import NamedTuple

import torch
from torch import Tensor

from vae_teach import checks
from vae_teach.models.interface import (
    decoded,
    encoded,
    has_prior,
    images_for,
    latent_dim_of,
    looking,
    prior_of,
)
from vae_teach.objectives import kl_term
from vae_teach.page.latent_map import marked, prior_parts

IMAGES = 500  # at most, so that a film of 60 frames weighs a quarter of a megabyte
GROWTH = 1.1  # each frame is taken this much later than the last: training slows down, too


class Frame(NamedTuple):
    """All images at one step of the optimizer."""

    step: int
    mean: Tensor
    """Of q(z|x), float16 (N, 2)."""
    sd: Tensor
    """Its standard deviation, float16 (N, 2)."""
    reconstruction: float
    """E_q[log p(x|z)], mean over the images, nats; one draw of z, its noise always the same."""
    kl: float
    """KL(q(z|x) || p(z)), mean over the images, nats; from the same draw without a closed form."""
    prior: Tensor
    """(K, 2, 2): mean and standard deviation of each of p(z)'s K parts."""


class Film:
    """Takes part in `fit(..., watch=film)` and leaves model, random state and gradients untouched.

    Frames are taken before training, then at steps that grow by a tenth, and at the last step: 60 in
    a thousand steps, 78 in five thousand. A further `fit` with the same film starts it anew.

    Args:
        images: float32 (N, C, H, W) in [0, 1]; at most 500 of them, evenly picked, are encoded.
        labels: (N,) whole numbers from 0 to 35.

    Attributes:
        images, labels: the picked ones.

    Raises:
        TypeError, ValueError: images or labels that do not fit; when called, a model whose
            q(z|x) is no Gaussian over two dimensions.
    """

    def __init__(self, images, labels):
        checks.images(images)
        labels, _ = marked(labels, None, len(images))
        picked = torch.linspace(0, len(images) - 1, min(len(images), IMAGES)).round().long()
        self.images, self.labels = images[picked], labels[picked]
        self._noise = torch.randn(len(picked), 2, generator=torch.Generator().manual_seed(0))
        self._frames, self._due, self._seen = [], 0, None

    def __call__(self, model, step):
        """Take a frame if one is due at this step."""
        if step == 0:
            self._frames, self._due = [], 0
        self._seen = model, _state(model), step
        if step >= self._due:
            self._take(model, step)
            self._due = max(step + 1, round(GROWTH * step))

    @property
    def frames(self):
        """The frames so far; also of the last step, if the model has not been changed since."""
        if self._seen is not None:
            (model, state, step), self._seen = self._seen, None
            last = self._frames[-1].step if self._frames else -1
            if _state(model) == state and step > last:
                self._take(model, step)
        return list(self._frames)

    def __repr__(self):
        """One line: images, frames and steps."""
        frames = self.frames
        steps = f", steps {frames[0].step:,} to {frames[-1].step:,}" if frames else ""
        return f"Film of {len(self.images)} images: {len(frames)} frames{steps}"

    def _take(self, model, step):
        if not has_prior(model) or latent_dim_of(model) != 2:
            raise ValueError(
                f"the model has latent_dim {latent_dim_of(model)}"
                f"{'' if has_prior(model) else ' and no prior'}: "
                "a film needs a VAE with latent_dim 2."
            )
        x = images_for(model, self.images)
        with looking(model):
            q = encoded(model, x)
            z = q.mean + q.stddev * self._noise.to(x.device)
            reconstruction = decoded(model, z).log_prob(x).mean().item()
            kl = kl_term(q, prior_of(model), z).mean().item()
        codes = q.mean.cpu().half(), q.stddev.cpu().half()
        frame = Frame(step, *codes, reconstruction, kl, prior_parts(model))
        numbers = torch.cat([frame.mean.flatten(), frame.sd.flatten()]).float()
        if (numbers.sum() + reconstruction + kl).isfinite():  # otherwise `fit` says what is wrong
            self._frames.append(frame)


def _state(model):
    """How often each of its parameters was written to: cheaper than a copy to compare with."""
    return [parameter._version for parameter in model.parameters()]
