"""log p(x) by grids and by importance sampling, in nats for each image."""

import math

import torch
from torch.distributions import Independent, MixtureSameFamily, Normal

from vae_teach import checks
from vae_teach.models.interface import (
    decoded,
    encoded,
    images_for,
    latent_dim_of,
    likelihood_of,
    looks,
    prior_of,
)
from vae_teach.models.priors import box, centres

# Halving the step takes a relative error e of the sum over a Gaussian peak to about e⁴, so halves of
# a grid that agree within 0.1 nats leave far less to the whole grid.
GRID_TOLERANCE = 0.1
FINEST_GRID = 6400
PIECE = 2_000  # codes decoded at a time; larger pieces stay in the allocator
NEGLIGIBLE = 40  # nats below an image's peak; a cell there adds nothing that float32 could hold


@looks
def exact_log_likelihood(model, x, grid=200):
    """log p(x) by summing p(x|z) p(z) over a grid, for models with one or two latent dimensions.

    The grid spans 6 prior standard deviations each way, those of all components of a mixture. Its
    every second point in each dimension is again a grid; images for which those coarser grids disagree
    by more than 0.1 nats are done again with each cell cut in half in each dimension, where they have
    mass at all. A narrow posterior is thus not missed between two points.

    Args:
        model: has `decode` and `prior` (event shape (1,) or (2,)).
        x: images (B, C, H, W) in [0, 1].
        grid: points a side to begin with, at least 2.

    Returns:
        (B,) in nats.

    Raises:
        TypeError, ValueError: more than two latent dimensions, bad images, or a posterior so narrow
            that the finest grid, 6,400 points a side, may miss it.
    """
    x = _checked(model, x, grid)
    size = max(1, 20_000_000 // grid ** latent_dim_of(model))  # images at a time: 80 MB
    return torch.cat([_exact(model, part, grid) for part in x.split(size)])


def _exact(model, x, grid):
    dims, (low, high) = latent_dim_of(model), box(prior_of(model), 6)
    middle, span = (low + high) / 2, high - low
    cells = torch.cartesian_prod(*[torch.arange(grid, device=x.device)] * dims).reshape(-1, dims)
    result = x.new_empty(len(x))
    todo = torch.arange(len(x), device=x.device)
    while True:
        z = middle + span * ((cells + 0.5) / grid - 0.5)
        log_joint = log_joint_at(model, x[todo], z)  # (B, G)
        result[todo] = log_joint.logsumexp(1) + (span / grid).log().sum()
        group = ((cells % 2) * 2 ** torch.arange(dims, device=x.device)).sum(1)
        parts = [log_joint[:, group == g] for g in range(2**dims)]
        coarser = torch.stack([part.logsumexp(1) for part in parts])
        # A peak half-way between two points is as high on either: then each grid has it in one cell.
        highest = torch.stack([part.amax(1) for part in parts])
        missed = (coarser - highest < GRID_TOLERANCE).any(0)
        open_ = missed | (coarser.amax(0) - coarser.amin(0) > GRID_TOLERANCE)
        finest = 2 * grid > FINEST_GRID
        if finest and missed.any():
            raise ValueError(
                f"the posterior of an image is narrower than a grid of {grid} points a side can tell: "
                "use log_likelihood, or a likelihood with a larger sigma."
            )
        if finest or not open_.any():
            return result
        todo, log_joint = todo[open_], log_joint[open_]
        peak = log_joint.amax(1, keepdim=True)
        cells = cells[(log_joint >= peak - NEGLIGIBLE).any(0)]
        corners = torch.cartesian_prod(*[torch.arange(2, device=x.device)] * dims)
        cells = (2 * cells[:, None] + corners.reshape(-1, dims)).reshape(-1, dims)
        grid *= 2


@looks
def posterior_on_grid(model, x, grid=200, extent=None):
    """True posterior p(z|x) of a 2-D model at the points of a grid, by Bayes' rule.

    Args:
        model: latent_dim 2.
        x: images (B, C, H, W) in [0, 1].
        grid: points a side.
        extent: the grid spans [-extent, extent] in each dimension. None is 4 standard deviations of
            the prior, or as far as 4 of every component of a mixture: 4.0 for a standard normal.

    Returns:
        (points, log_density): the grid's coordinates along one side (grid,), and log p(z|x) there,
        (B, grid, grid), indexed [image, second coordinate, first coordinate]. The density sums to
        1 over the grid, which must therefore cover the posterior.

    Raises:
        TypeError, ValueError: another latent_dim, no such images or grid, or extent not above 0.
    """
    x = _checked(model, x, grid)
    if latent_dim_of(model) != 2:
        raise ValueError(f"latent_dim is {latent_dim_of(model)}, posterior_on_grid needs 2.")
    if extent is not None:
        checks.positive(extent, "extent")
    else:
        extent = torch.stack(box(prior_of(model), 4)).abs().max().item()
    points = torch.linspace(-extent, extent, grid, device=x.device)
    z = torch.cartesian_prod(points, points)  # first coordinate varies slowest
    log_joint = log_joint_at(model, x, z)
    log_cell = 2 * math.log(2 * extent / (grid - 1))
    log_density = log_joint - log_joint.logsumexp(1, keepdim=True) - log_cell
    return points, log_density.reshape(-1, grid, grid).transpose(1, 2)


@looks
def log_likelihood(model, x, samples=5000, seed=0):
    """log p(x) by importance sampling (Rezende et al. 2014, eq. E.2) with adapted proposals.

    p(x) = E_r[p(x|z) p(z) / r(z)] for every density r that covers the posterior. The encoder alone
    is a poor r: where it misses a mode of p(z|x), the estimate falls short by tens of nats. Here
    half of the samples explore, in three rounds. The first draws from the encoder, the encoder at
    twice its width and the prior (its mean and spread, or those of each component of a mixture). Places
    where a round found mass become centres of Gaussians, at 8, 3 and at last 1 times the encoder's
    width, mixed with the first ones (a defensive mixture, Hesterberg 1995; adapted as in population
    Monte Carlo, Cappé et al. 2004). Only the other half of the samples is averaged, with the density of
    the whole mixture below the line, so the estimate of p(x) is unbiased; that of log p(x) is on
    average low, by less the more samples.

    Args:
        model: has `encode`, `decode` and `prior`.
        x: images (B, C, H, W) in [0, 1].
        samples: draws for each image, at least 2, half of them to explore.
        seed: of the draws; the caller's random state is left as it was.

    Returns:
        (B,) in nats.

    Raises:
        TypeError, ValueError: no such images, samples or seed.
    """
    checks.positive_int(samples, "samples")
    checks.seed(seed)
    x = images_for(model, x)
    if samples < 2:
        raise ValueError("samples is 1, at least 2 are needed: half of them explore.")
    size = max(1, 25_000 // samples)  # images at a time: 30 MB for 20 dimensions
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.cat([_importance(model, part, samples) for part in x.split(size)])


def _importance(model, x, samples, found_count=24):
    """Estimate log p(x) of a few images (B,) with `samples` draws each."""
    q = encoded(model, x)
    mean, scale = q.mean, q.stddev  # (B, d)
    prior = [part.expand(len(x), -1, -1) for part in centres(prior_of(model))]  # (B, K, d)
    count = prior[0].shape[1]
    means = torch.cat([mean[:, None], mean[:, None], prior[0]], 1)  # (B, 2 + K, d)
    scales = torch.cat([scale[:, None], 2 * scale[:, None], prior[1]], 1)
    proposal = _mixture(means, scales, torch.tensor([0.2, 0.2] + [0.6 / count] * count))
    shares = [0.1, 0.1] + [0.1 / count] * count + [0.7 / found_count] * found_count
    for width in (8, 3, 1):
        z = proposal.sample((max(1, samples // 6),))  # (S, B, d)
        weights = _log_joint(model, x, z) - proposal.log_prob(z)  # (S, B)
        # The square root of the weights spreads the centres over every mode that was touched.
        chosen = torch.distributions.Categorical(logits=weights.t() / 2).sample((found_count,))
        found = z[chosen, torch.arange(len(x))].transpose(0, 1)  # (B, found_count, d)
        proposal = _mixture(
            torch.cat([means, found], 1),
            torch.cat([scales, width * scale[:, None].expand_as(found)], 1),
            torch.tensor(shares),
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


def _log_joint(model, x, z, chunk=PIECE):
    """log p(x|z) + log p(z), shape (S, B), for z (S, B, d); a few samples of all images at a time."""
    rows, prior = max(1, chunk // len(x)), prior_of(model)
    joint = x.new_empty(z.shape[:2])
    for into, part in zip(joint.split(rows), z.split(rows), strict=True):
        into.copy_(decoded(model, part).log_prob(x) + prior.log_prob(part))
    return joint


def log_joint_at(model, x, z):
    """log p(x|z) + log p(z), in nats.

    Args:
        model: has `decode` and `prior`.
        x: images (B, C, H, W) in [0, 1].
        z: codes (G, d).

    Returns:
        (B, G), of every image at every code.
    """
    prior = prior_of(model)
    joint = x.new_empty(len(x), len(z))  # pieces kept one by one would pin the memory between them
    for into, part in zip(joint.split(PIECE, 1), z.split(PIECE), strict=True):
        into.copy_(_pairwise(model, part, x) + prior.log_prob(part))
    return joint


def pairwise_log_prob(model, z, x):
    """log p(x_b | z_g) of every image at every code; by matrix products where the likelihood has them.

    Args:
        model: has `decode`.
        z: codes (G, d).
        x: images (B, C, H, W).

    Returns:
        (B, G) in nats.

    Raises:
        TypeError, ValueError: no such images, or no codes.
    """
    checks.codes(z, latent_dim_of(model), least=1)
    return _pairwise(model, z, images_for(model, x))


def _pairwise(model, z, x):
    return likelihood_of(model).pairwise_log_prob(decoded(model, z), x)


def _checked(model, x, grid):
    """The images, where they and the grid can be used."""
    x = images_for(model, x)
    checks.positive_int(grid, "grid")
    if grid < 2:
        raise ValueError(f"grid is {grid}, at least 2 points a side are needed.")
    dims = latent_dim_of(model)
    if dims > 2:
        raise ValueError(
            f"latent_dim is {dims}: a grid of {grid} points a side would have "
            f"{grid}^{dims} points; for more than two dimensions use log_likelihood."
        )
    return x
