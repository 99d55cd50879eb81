"""The objective of a network that serves every β."""

import torch

from vae_teach import checks
from vae_teach.objectives.elbo import Terms, kl_term


def multi_rate(model, x):
    """β-ELBOs for a `models.MultiRateVAE`, each image at a β of its own (Bae et al. 2022).

    log β is spread evenly over the network's range, on five sixths of the images; a twelfth of them is
    at each end, which would otherwise be learned from one side only. Images come in random order, so
    that β is independent of them. Above 1 the β-ELBO is divided by β^0.15, which keeps large β, whose
    objective has the largest gradients, from taking more than its share of the network.

    Args:
        model: has `at`, `prior`, `lowest`, `highest` and `image_shape`.
        x: images (B, C, H, W) in [0, 1].

    Returns:
        Terms of (B,) tensors in nats; bound is (reconstruction - beta * kl) / max(1, beta)^0.15 of
        each image's own beta.

    Raises:
        TypeError, ValueError: x is no batch of images in [0, 1].
    """
    checks.images(x, "x", model.image_shape)
    checks.differentiable(x, "x")
    even = (torch.arange(len(x), device=x.device) + torch.rand(len(x), device=x.device)) / len(x)
    even = (1.2 * even - 0.1).clamp(0, 1)
    beta = model.lowest * (model.highest / model.lowest) ** even
    view = model.at(beta)
    q = view.encode(x)
    z = q.rsample()
    reconstruction, kl = view.decode(z).log_prob(x), kl_term(q, view.prior, z)
    return Terms(reconstruction, kl, (reconstruction - beta * kl) / beta.clamp(min=1) ** 0.15)
