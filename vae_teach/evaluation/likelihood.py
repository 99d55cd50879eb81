"""log p(x) by grids and by importance sampling, in nats for each image."""

import math

import torch
from torch.distributions import Bernoulli, Independent, MixtureSameFamily, Normal

from vae_teach import checks

# Halving the step takes a relative error e of the sum over a Gaussian peak to about e⁴, so halves of
# a grid that agree within 0.1 nats leave far less to the whole grid.
GRID_TOLERANCE = 0.1
FINEST_GRID = 6400
NEGLIGIBLE = 40  # nats below an image's peak; a cell there adds nothing that float32 could hold


@torch.no_grad()
def exact_log_likelihood(model, x, grid=200):
    """log p(x) by summing p(x|z) p(z) over a grid, for models with one or two latent dimensions.

    The grid spans 6 prior standard deviations each way. Its every second point in each dimension
    is again a grid; images for which those coarser grids disagree by more than 0.1 nats are done
    again with each cell cut in half in each dimension, where they have mass at all. A narrow
    posterior is thus not missed between two points.

    Args:
        model: has `decode`, `prior` (event shape (1,) or (2,)) and `latent_dim`.
        x: images (B, C, H, W) in [0, 1].
        grid: points a side to begin with, at least 2.

    Returns:
        (B,) in nats.

    Raises:
        ValueError: more than two latent dimensions, or bad images.
    """
    _check_grid(model, x, grid)
    size = max(1, 20_000_000 // grid**model.latent_dim)  # images at a time: 80 MB
    return torch.cat([_exact(model, part, grid) for part in x.split(size)])


def _exact(model, x, grid):
    dims, prior = model.latent_dim, model.prior
    span = 12 * prior.stddev
    cells = torch.cartesian_prod(*[torch.arange(grid, device=x.device)] * dims).reshape(-1, dims)
    result = torch.empty(len(x), device=x.device)
    todo = torch.arange(len(x), device=x.device)
    while True:
        z = prior.mean + span * ((cells + 0.5) / grid - 0.5)
        log_joint = log_joint_at(model, x[todo], z)  # (B, G)
        result[todo] = log_joint.logsumexp(1) + (span / grid).log().sum()
        group = (cells % 2) @ (2 ** torch.arange(dims, device=x.device))
        coarser = torch.stack([log_joint[:, group == g].logsumexp(1) for g in range(2**dims)])
        open_ = coarser.amax(0) - coarser.amin(0) > GRID_TOLERANCE
        if not open_.any() or 2 * grid > FINEST_GRID:
            return result
        todo, log_joint = todo[open_], log_joint[open_]
        peak = log_joint.amax(1, keepdim=True)
        cells = cells[(log_joint > peak - NEGLIGIBLE).any(0)]
        corners = torch.cartesian_prod(*[torch.arange(2, device=x.device)] * dims)
        cells = (2 * cells[:, None] + corners.reshape(-1, dims)).reshape(-1, dims)
        grid *= 2


@torch.no_grad()
def posterior_on_grid(model, x, grid=200, extent=4.0):
    """True posterior p(z|x) of a 2-D model at the points of a grid, by Bayes' rule.

    Args:
        model: latent_dim 2.
        x: images (B, C, H, W) in [0, 1].
        grid: points a side.
        extent: the grid spans [-extent, extent] in each dimension.

    Returns:
        (points, log_density): the grid's coordinates along one side (grid,), and log p(z|x) there,
        (B, grid, grid), indexed [image, second coordinate, first coordinate]. The density sums to
        1 over the grid, which must therefore cover the posterior.
    """
    _check_grid(model, x, grid)
    if model.latent_dim != 2:
        raise ValueError(f"latent_dim is {model.latent_dim}, posterior_on_grid needs 2.")
    points = torch.linspace(-extent, extent, grid, device=x.device)
    z = torch.cartesian_prod(points, points)  # first coordinate varies slowest
    log_joint = log_joint_at(model, x, z)
    log_cell = 2 * math.log(2 * extent / (grid - 1))
    log_density = log_joint - log_joint.logsumexp(1, keepdim=True) - log_cell
    return points, log_density.reshape(-1, grid, grid).transpose(1, 2)


@torch.no_grad()
def log_likelihood(model, x, samples=5000, seed=0):
    """log p(x) by importance sampling (Rezende et al. 2014, eq. E.2) with adapted proposals.

    p(x) = E_r[p(x|z) p(z) / r(z)] for every density r that covers the posterior. The encoder alone
    is a poor r: where it misses a mode of p(z|x), the estimate falls short by tens of nats. Here
    half of the samples explore, in three rounds. The first draws from the encoder, the encoder at
    twice its width and the prior. Places where a round found mass become centres of Gaussians, at 8,
    3 and at last 1 times the encoder's width, mixed with the first three (a defensive mixture,
    Hesterberg 1995; adapted as in population Monte Carlo, Cappé et al. 2004). Only the other half
    of the samples is averaged, with the density of the whole mixture below the line, so the
    estimate of p(x) is unbiased; that of log p(x) is on average low, by less the more samples.

    Args:
        model: has `encode`, `decode` and `prior`.
        x: images (B, C, H, W) in [0, 1].
        samples: draws for each image, at least 2, half of them to explore.
        seed: of the draws; the caller's random state is left as it was.

    Returns:
        (B,) in nats.
    """
    checks.positive_int(samples, "samples")
    checks.images(x, "x", model.image_shape)
    if samples < 2:
        raise ValueError("samples is 1, at least 2 are needed: half of them explore.")
    size = max(1, 25_000 // samples)  # images at a time: 30 MB for 20 dimensions
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.cat([_importance(model, part, samples) for part in x.split(size)])


def _importance(model, x, samples, centres=24):
    """Estimate log p(x) of a few images (B,) with `samples` draws each."""
    q = model.encode(x)
    mean, scale = q.base_dist.loc, q.base_dist.scale  # (B, d)
    prior_mean, prior_scale = model.prior.mean.expand_as(mean), model.prior.stddev.expand_as(mean)
    means = torch.stack([mean, mean, prior_mean], 1)  # (B, 3, d)
    scales = torch.stack([scale, 2 * scale, prior_scale], 1)
    proposal = _mixture(means, scales, torch.tensor([0.2, 0.2, 0.6]))
    shares = torch.cat([torch.full((3,), 0.1), torch.full((centres,), 0.7 / centres)])
    for width in (8, 3, 1):
        z = proposal.sample((max(1, samples // 6),))  # (S, B, d)
        weights = _log_joint(model, x, z) - proposal.log_prob(z)  # (S, B)
        # The square root of the weights spreads the centres over every mode that was touched.
        chosen = torch.distributions.Categorical(logits=weights.t() / 2).sample((centres,))
        found = z[chosen, torch.arange(len(x))].transpose(0, 1)  # (B, centres, d)
        proposal = _mixture(
            torch.cat([means, found], 1),
            torch.cat([scales, width * scale[:, None].expand_as(found)], 1),
            shares,
        )
    z = proposal.sample((samples - samples // 2,))
    weights = _log_joint(model, x, z) - proposal.log_prob(z)
    return weights.logsumexp(0) - math.log(len(z))


def _mixture(means, scales, shares):
    """Gaussian mixture with batch (B,), event (d,), from means and scales (B, K, d), shares (K,)."""
    shares = shares.to(means).expand(means.shape[:2])
    parts = Independent(Normal(means, scales, validate_args=False), 1)
    return MixtureSameFamily(
        torch.distributions.Categorical(probs=shares), parts, validate_args=False
    )


def _log_joint(model, x, z, chunk=2_000):
    """log p(x|z) + log p(z), shape (S, B), for z (S, B, d); a few samples of all images at a time."""
    rows = max(1, chunk // len(x))
    return torch.cat(
        [model.decode(part).log_prob(x) + model.prior.log_prob(part) for part in z.split(rows)]
    )


def log_joint_at(model, x, z):
    """log p(x|z) + log p(z), in nats.

    Args:
        model: has `decode` and `prior`.
        x: images (B, C, H, W) in [0, 1].
        z: codes (G, d).

    Returns:
        (B, G), of every image at every code.
    """
    return torch.cat(
        [
            pairwise_log_prob(model.decode(part), x) + model.prior.log_prob(part)
            for part in z.split(2_000)  # larger pieces stay in the allocator
        ],
        dim=1,
    )


def pairwise_log_prob(likelihood, x):
    """log p(x_b | z_g) of every image under every code's distribution, as one matrix product.

    Args:
        likelihood: p(x|z) with batch shape (G,) over images, Bernoulli or Gaussian.
        x: images (B, C, H, W).

    Returns:
        (B, G) in nats.
    """
    x, pixels = x.flatten(1), likelihood.base_dist
    if isinstance(pixels, Bernoulli):  # x log p + (1 - x) log(1 - p) = x logit - log(1 + e^logit)
        logits = pixels.logits.flatten(1)
        return x @ logits.t() - torch.nn.functional.softplus(logits).sum(1)
    if isinstance(pixels, Normal):
        mean, precision = pixels.loc.flatten(1), pixels.scale.flatten(1).pow(-2)
        constant = (mean**2 * precision - precision.log() + math.log(2 * math.pi)).sum(1)
        return x @ (mean * precision).t() - 0.5 * (x**2 @ precision.t() + constant)
    raise TypeError(f"likelihood is {pixels}, Bernoulli or Normal is needed.")


def _check_grid(model, x, grid):
    checks.images(x, "x", model.image_shape)
    checks.positive_int(grid, "grid")
    if grid < 2:
        raise ValueError(f"grid is {grid}, at least 2 points a side are needed.")
    if model.latent_dim > 2:
        raise ValueError(
            f"latent_dim is {model.latent_dim}: a grid of {grid} points a side would have "
            f"{grid}^{model.latent_dim} points; for more than two dimensions use log_likelihood."
        )
