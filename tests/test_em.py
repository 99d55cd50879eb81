"""EM against scikit-learn, SciPy and torch.distributions."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal, kl_divergence

from vae_teach import em


@pytest.fixture(scope="module")
def points():
    """Three overlapping clouds in three dimensions."""
    draws = torch.Generator().manual_seed(0)
    spread = torch.randn(3, 3, 3, generator=draws, dtype=torch.double)
    centres = 1.5 * torch.randn(3, 3, generator=draws, dtype=torch.double)
    noise = torch.randn(3, 60, 3, generator=draws, dtype=torch.double)
    return (centres[:, None] + noise @ spread.mT).reshape(-1, 3)


@pytest.fixture(scope="module")
def start(points):
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.double)
    return em.Mixture(weights, points[::70].clone(), 5 * torch.eye(3).double().repeat(3, 1, 1))


def scikit_learn(points, start, steps, ridge):
    fitted = GaussianMixture(
        3,
        weights_init=start.weights.numpy(),
        means_init=start.means.numpy(),
        precisions_init=torch.linalg.inv(start.covariances).numpy(),
        max_iter=steps,
        tol=0,
        reg_covar=ridge,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fitted.fit(points.numpy())


@pytest.mark.parametrize("steps", [1, 7, 200])
@pytest.mark.parametrize("ridge", [0, 1e-3])
def test_mixture_walks_with_scikit_learn(points, start, steps, ridge):
    theirs = scikit_learn(points, start, steps, ridge)
    last = em.mixture(points, start, steps, ridge)[-1]
    assert last.log_likelihood == pytest.approx(theirs.score(points.numpy()), abs=1e-6)
    assert np.allclose(last.model.means, theirs.means_, atol=1e-5)
    assert np.allclose(last.model.covariances, theirs.covariances_, atol=1e-5)
    assert np.allclose(last.model.weights, theirs.weights_, atol=1e-6)
    assert np.allclose(
        em.e_step(last.model, points), theirs.predict_proba(points.numpy()), atol=1e-5
    )


def test_densities_are_scipys(points, start):
    expected = [
        stats.multivariate_normal(m, c).logpdf(points.numpy()) + np.log(w)
        for w, m, c in zip(
            *(t.numpy() for t in (start.weights, start.means, start.covariances)), strict=True
        )
    ]
    assert np.allclose(start.log_joint(points), np.stack(expected, 1), atol=1e-10)
    family = MixtureSameFamily(
        Categorical(start.weights), MultivariateNormal(start.means, start.covariances)
    )
    assert torch.allclose(start.log_prob(points), family.log_prob(points))


def test_the_staircase(points, start):
    path = em.mixture(points, start, 30, ridge=0)
    assert [h.name for h in path[:5]] == ["start", "E", "M", "E", "M"]
    for before, after in itertools.pairwise(path):
        assert after.elbo >= before.elbo - 1e-12
        assert after.log_likelihood >= before.log_likelihood - 1e-12
        if after.name == "E":
            assert after.elbo == pytest.approx(after.log_likelihood, abs=1e-12)
            assert after.log_likelihood == before.log_likelihood
        else:
            assert after.elbo <= after.log_likelihood + 1e-12
    assert path[2].elbo < path[2].log_likelihood - 1e-4


def test_elbo_and_gap_add_up(points, start):
    draws = torch.Generator().manual_seed(1)
    r = torch.randn(len(points), 3, generator=draws, dtype=torch.double).softmax(1)
    gap = kl_divergence(Categorical(r), Categorical(logits=start.log_joint(points)))
    assert torch.allclose(em.elbo(start, points, r) + gap, start.log_prob(points))
    one_hot = torch.nn.functional.one_hot(r.argmax(1), 3).double()
    assert torch.isfinite(em.elbo(start, points, one_hot)).all()


def test_m_step_is_the_top(points, start):
    r = em.e_step(start, points)
    model = em.m_step(points, r, ridge=0)
    top = em.elbo(model, points, r).mean()
    draws = torch.Generator().manual_seed(2)
    for _ in range(20):
        weights = (
            model.weights.log() + 0.1 * torch.randn(3, generator=draws, dtype=torch.double)
        ).softmax(0)
        means = model.means + 0.1 * torch.randn(3, 3, generator=draws, dtype=torch.double)
        other = em.Mixture(weights, means, model.covariances * 1.05)
        assert em.elbo(other, points, r).mean() < top


def test_far_points_do_not_underflow(start):
    far = torch.full((4, 3), 1e4, dtype=torch.double)
    assert torch.isfinite(start.log_prob(far)).all()
    assert torch.allclose(em.e_step(start, far).sum(1), torch.ones(4).double())


@pytest.fixture(scope="module")
def flat():
    """200 points in eight dimensions, most of their spread in three."""
    draws = torch.Generator().manual_seed(3)
    z = torch.randn(200, 3, generator=draws, dtype=torch.double) * torch.tensor([4.0, 3.0, 2.0])
    W = torch.randn(3, 8, generator=draws, dtype=torch.double)
    return z @ W + torch.randn(200, 8, generator=draws, dtype=torch.double) + 5


@pytest.mark.parametrize("d", [1, 3, 7])
def test_closed_form_is_scikit_learns_pca(flat, d):
    model = em.ppca(flat, d)
    # scikit-learn divides the covariance by N − 1: hand it the same one.
    n = len(flat)
    theirs = PCA(d, svd_solver="full").fit(
        (flat.mean(0) + (flat - flat.mean(0)) * ((n - 1) / n) ** 0.5).numpy()
    )
    assert model.log_prob(flat).mean().item() == pytest.approx(theirs.score(flat.numpy()), abs=1e-8)
    assert model.variance.item() == pytest.approx(theirs.noise_variance_)
    assert subspace_angles(model.loadings.numpy(), theirs.components_.T).max() < 1e-6


def test_ppca_density_and_posterior_are_the_joint_gaussians(flat):
    model = em.ppca(flat, 3)
    covariance = model.loadings @ model.loadings.T + model.variance * torch.eye(8).double()
    expected = stats.multivariate_normal(model.mean.numpy(), covariance.numpy()).logpdf(
        flat.numpy()
    )
    assert np.allclose(model.log_prob(flat), expected)
    q = model.posterior(flat[:5])  # log p(x) = log p(x, z) − log p(z|x) for every z
    z = torch.ones(5, 3, dtype=torch.double)
    log_x = stats.norm(
        (z @ model.loadings.T + model.mean).numpy(), model.variance.sqrt().item()
    ).logpdf(flat[:5].numpy())
    joint = log_x.sum(1) + stats.norm.logpdf(z.numpy()).sum(1)
    assert np.allclose(joint - q.log_prob(z).numpy(), expected[:5])


def ppca_by_em(x, d, steps):
    """EM for PPCA (Tipping & Bishop 1999, eq. 29 and 30), another way to the same place."""
    S, eye = torch.cov(x.T, correction=0), torch.eye(d).to(x)
    variance = S.diagonal().mean()
    W = variance.sqrt() * torch.randn(len(S), d, generator=torch.Generator().manual_seed(0)).to(x)
    for _ in range(steps):
        yield em.PPCA(x.mean(0), W, variance)
        inverse = torch.linalg.inv(W.T @ W + variance * eye)
        cross = S @ W @ inverse
        W = torch.linalg.solve(variance * inverse + inverse @ W.T @ cross, cross, left=False)
        variance = (S.trace() - (cross * W).sum()) / len(S)


def test_ppca_by_em_reaches_the_closed_form(flat):
    best = em.ppca(flat, 3)
    path = list(ppca_by_em(flat, 3, steps=600))
    heights = torch.stack([m.log_prob(flat).mean() for m in path])
    assert (heights.diff() > -1e-10).all()
    assert heights[-1].item() == pytest.approx(best.log_prob(flat).mean().item(), abs=1e-6)
    assert subspace_angles(path[-1].loadings.numpy(), best.loadings.numpy()).max() < 1e-4


def test_bad_input_is_named(points, start):
    with pytest.raises(TypeError, match="floating-point"):
        em.mixture(points.long(), start, 2)
    with pytest.raises(TypeError, match="list"):
        em.mixture([[0.0]], start, 2)
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        em.mixture(points[:, 0], start, 2)
    with pytest.raises(ValueError, match="NaN"):
        em.mixture(torch.where(points > 4, torch.nan, points), start, 2)
    with pytest.raises(ValueError, match="at least one for each of 3"):
        em.mixture(points[:2], start, 2)
    with pytest.raises(ValueError, match=r"start.means has shape \(3, 3\), \(3, 2\)"):
        em.mixture(points[:, :2], start, 2)
    with pytest.raises(ValueError, match="sum to 2"):
        em.mixture(points, em.Mixture(2 * start.weights, start.means, start.covariances), 2)
    with pytest.raises(ValueError, match="positive definite"):
        em.mixture(points, em.Mixture(start.weights, start.means, -start.covariances), 2)
    with pytest.raises(ValueError, match="steps"):
        em.mixture(points, start, 0)
    with pytest.raises(ValueError, match="fewer are needed"):
        em.ppca(points, 3)
    with pytest.raises(ValueError, match="the noise variance is 0"):
        em.ppca(points @ torch.ones(3, 3).double(), 2)


def test_collapse_is_named(points, start):
    lost = em.Mixture(start.weights, start.means + torch.tensor([[0.0], [0.0], [1e3]]).double(),
                      start.covariances)  # fmt: skip
    with pytest.raises(ValueError, match="component 2 is responsible for .* it has collapsed"):
        em.mixture(points, lost, 2)
    one = torch.zeros(len(points), 2).double()
    one[0, 0], one[1:, 1] = 1, 1
    with pytest.raises(ValueError, match="covariance of component 0 is singular"):
        em.m_step(points, one, ridge=0)
    assert torch.isfinite(em.m_step(points, one).log_prob(points)).all()  # the default ridge
