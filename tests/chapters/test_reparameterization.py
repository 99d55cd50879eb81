"""Chapter 04 prints what it promises; the truths come from SciPy and closed forms, not from it."""

import math
import re

import pytest
import torch
from notebook_runs import printed
from scipy import integrate, stats
from torch.distributions import Normal, kl_divergence

from vae_teach.models import VAE

NUMBER = r"-?\d[\d,]*\.?\d*"


@pytest.fixture(scope="module")
def text(solved):
    return printed(solved("04_reparameterization"))


def numbers(text, start, lines=1):
    """All numbers in the lines after the one that begins with `start`, that one included."""
    found = re.search(rf"^{re.escape(start)}.*(?:\n.*){{{lines - 1}}}", text, re.MULTILINE)[0]
    return [float(n.replace(",", "")) for n in re.findall(NUMBER, found[len(start) :])]


def test_every_line_of_both_derivations_is_the_same_number(text):
    def average(function):
        return integrate.quad(lambda z: stats.norm.pdf(z, 0.8, 0.6) * function(z), -6, 7)[0]

    by_score = (
        average(lambda z: math.sin(3 * z) * (z - 0.8) / 0.36),
        average(lambda z: math.sin(3 * z) * ((z - 0.8) ** 2 - 0.36) / 0.216),
    )
    rows = re.findall(r"^(\S.*?)∂/∂μ (-0\.\d{6}), ∂/∂σ (-0\.\d{6})$", text, re.MULTILINE)
    assert len(rows) == 5
    for _, mu, sigma in rows:
        assert (float(mu), float(sigma)) == pytest.approx(by_score, abs=2e-6)


def test_z_scores_tell_right_estimators_from_wrong_ones(text):
    rows = re.findall(r"^(\w+) +z-scores: mean +(\S+), sd (\S+);", text, re.MULTILINE)
    scores = {name: (float(mean), float(sd)) for name, mean, sd in rows}
    for name in ("reparameterized", "with_the_score"):
        assert abs(scores[name][0]) < 0.15
        assert scores[name][1] == pytest.approx(1, abs=0.1)
    assert scores["forgot_the_r"][0] < -5
    assert scores["drawn_from_the_prior"][0] < -5
    one = re.findall(r"^(\w+) .*\(z-score +(\S+)\).*\(z-score +(\S+)\)$", text, re.MULTILINE)
    worst = {name: max(abs(float(a)), abs(float(b))) for name, a, b in one}
    assert max(worst["reparameterized"], worst["with_the_score"]) < 4
    assert min(worst["forgot_the_r"], worst["drawn_from_the_prior"]) > 50


def test_the_truth_of_the_small_elbo(text):
    def bound(mean, log_sigma):
        q = stats.norm(mean, math.exp(log_sigma))

        def inside(z):
            return q.pdf(z) * (stats.norm.logpdf(z) + stats.norm.logpdf(3, z) - q.logpdf(z))

        return integrate.quad(inside, -9, 9)[0]

    slopes = (
        (bound(0.801, -0.5) - bound(0.799, -0.5)) / 0.002,
        (bound(0.8, -0.499) - bound(0.8, -0.501)) / 0.002,
    )
    for name in ("truth  ", "quadrature  "):
        assert numbers(text, name) == pytest.approx(slopes, abs=1e-3)


def test_a_step_defeats_the_pathwise_estimator_only(text):
    truth, _ = integrate.quad(lambda z: 4 * stats.norm.pdf(z, 0.8, 0.6) * (z - 0.8) / 0.36, 0, 8)
    rows = re.findall(r"^(score function|pathwise) +∂/∂μ (\S+) ± (\S+),", text, re.MULTILINE)
    (_, score, error), (_, path, _) = rows
    assert abs(float(score) - truth) < 4 * float(error)
    assert float(path) == 0


def test_variance_grows_as_worked_out(text):
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+) +([\d.]+) +\d+ ×, with", text, re.MULTILINE)
    assert [int(r[0]) for r in rows] == [1, 3, 10, 30, 100, 300]
    for d, score, baseline, pathwise in (tuple(map(float, r)) for r in rows):
        assert score == pytest.approx(4 * d**2 + 14 * d + 12, rel=0.12)
        assert baseline == pytest.approx(6 * d + 12, rel=0.12)
        assert pathwise == pytest.approx(4, rel=0.06)


def test_laplace_draws_and_their_gradients(text):
    assert float(re.search(r"SciPy's Laplace: p = (\S+)", text)[1]) > 0.01
    scores = re.findall(r"^∂/∂\w: .* z-score (\S+)$", text, re.MULTILINE)
    assert len(scores) == 2
    assert all(abs(float(z)) < 4 for z in scores)


def test_relaxation_trades_bias_for_variance(text):
    assert numbers(text, "by autograd") == pytest.approx(numbers(text, "by formula"), abs=2e-6)
    assert numbers(text, "shares drawn") == pytest.approx(numbers(text, "probabilities"), abs=0.006)
    assert float(re.search(r"torch's gumbel_softmax: (\S+)", text)[1]) < 1e-9
    score = numbers(text, "score function    largest |z-score| of a logit, each τ:")
    relaxed = numbers(text, "Gumbel-softmax    largest |z-score| of a logit, each τ:")
    assert max(score) < 4
    assert relaxed[-1] > 100 > 4 > relaxed[0]
    assert relaxed[2:] == sorted(relaxed[2:])


def test_one_draw_for_each_image_is_the_best_use_of_a_draw(text):
    rows = {name: numbers(text, name) for name in ("64 × 1 ", "64 × 4 ", "64 × 16 ", "256 × 1 ")}
    (images, one, *_), (_, four, *_), (_, sixteen, *_), _ = rows.values()
    for name, count, k in (("64 × 1 ", 64, 1), ("64 × 4 ", 64, 4), ("256 × 1 ", 256, 1)):
        A, C, best = numbers(text, f"{name:9} A =")
        assert pytest.approx(rows[name][:2], rel=0.01) == [A / count, C / count / k]
        cost = {
            k: (1 + k) * (A + C / k) for k in range(1, 20)
        }  # an encoder pass and k decoder passes
        assert abs(min(cost, key=cost.get) - best) < 1
        assert min(cost, key=cost.get) in (1, 2)
    assert four == pytest.approx(one / 4, rel=0.35)
    assert sixteen == pytest.approx(one / 16, rel=0.35)
    for total in (2, 5):  # of the encoder, of the decoder
        assert rows["256 × 1 "][total] < 0.8 * rows["64 × 4 "][total]
    assert rows["256 × 1 "][2] < rows["64 × 16 "][2]
    assert images > 0
    assert numbers(text, "without        about")[0] > 1000
    assert 10 < numbers(text, "with baseline  about")[0] < 100


def test_kl_closed_and_sampled(text):
    q, p = stats.norm(0.8, 0.6), stats.norm(-0.3, 1.5)
    gaussian, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -6, 7)
    q, p = stats.laplace(0.8, 0.6), stats.laplace(-0.3, 1.5)
    laplace, _ = integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -20, 20, points=(-0.3, 0.8)
    )
    assert numbers(text, "∫ q (log q − log p)  ", 5)[::1][0] == pytest.approx(gaussian, abs=2e-6)
    for name in ("(5), averaged ", "(6), closed form "):
        assert numbers(text, name)[0] == pytest.approx(gaussian, abs=2e-6)
    assert numbers(text, "Laplace ‖ Laplace ") == pytest.approx([laplace, laplace], abs=2e-6)
    assert numbers(text, "torch  ")[0] == pytest.approx(gaussian, abs=2e-6)
    for name in ("KL   ", "∂KL/∂μ"):
        assert abs(numbers(text, name)[2]) < 4
    noise = dict(re.findall(r"^(\w+ +\S.*?) +noise of the .* draws +(\S+)$", text, re.MULTILINE))
    noise = {re.sub(" +", " ", name): float(value) for name, value in noise.items()}
    assert noise["untrained sampled"] > 3 * noise["untrained closed form"]
    assert noise["trained closed form"] < noise["trained sampled"]
    assert noise["trained sampled, q held"] < noise["trained closed form"]


def test_with_sample_for_rsample_the_kl_is_all_the_encoder_learns(digits):
    """No error and no reconstruction; a loss that holds nothing but the draw does raise."""
    torch.manual_seed(0)
    model, x = VAE(3, hidden=(8,)), digits.test_images[:20]
    weights = list(model.encoder.parameters())
    q = model.encode(x)
    kl = kl_divergence(q, model.prior).mean()
    loss = kl - model.decode(q.sample()).log_prob(x).mean()
    found = torch.autograd.grad(loss, weights, retain_graph=True)
    torch.testing.assert_close(found, torch.autograd.grad(kl, weights))
    with pytest.raises(RuntimeError, match="does not require grad"):
        Normal(torch.tensor(0.8, requires_grad=True), 1.0).sample().square().backward()


def test_a_support_that_moves_defeats_the_score_function():
    """z uniform on (0, φ), f(z) = z: E[f] = φ/2, and the score is −1/φ."""
    phi = 1.7
    estimate, _ = integrate.quad(lambda z: z * (-1 / phi) / phi, 0, phi)
    assert estimate == pytest.approx(-0.5)
    ends = (stats.uniform(0, e).mean() for e in (phi + 1e-3, phi - 1e-3))
    assert (next(ends) - next(ends)) / 2e-3 == pytest.approx(0.5)


def test_a_moving_edge_at_which_q_vanishes_does_no_harm():
    """q(z) = 2 (φ − z) / φ² on (0, φ), f(z) = z: E[f] = φ/3, and the score is 1 / (φ − z) − 2 / φ."""
    phi = 1.7
    estimate, _ = integrate.quad(lambda z: z * (2 / phi**2 - 4 * (phi - z) / phi**3), 0, phi)
    assert estimate == pytest.approx(1 / 3)


def test_on_the_square_the_score_functions_noise_falls_before_it_rises():
    """f(z) = z²: variance μ⁴/σ² + 14μ² + 15σ², least at σ = μ / 15^¼."""
    mu, epsilon = 0.8, torch.randn(1_000_000, generator=torch.Generator().manual_seed(0)).double()
    best = mu / 15**0.25
    assert best == pytest.approx(0.4, abs=0.01)
    found = []
    for sigma in (0.6, best, 0.1):
        estimates = (mu + sigma * epsilon) ** 2 * epsilon / sigma
        found.append(estimates.var().item())
        assert found[-1] == pytest.approx(mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2, rel=0.03)
    assert found[1] < min(found[0], found[2])


def test_z_from_the_prior_gives_a_loose_bound_whose_best_q_is_the_prior():
    """Prior N(0, 1), likelihood N(x; z, 1), x = 3: log p(x) is that of N(0, 2)."""
    inside, _ = integrate.quad(lambda z: stats.norm.pdf(z) * stats.norm.logpdf(3, z), -9, 9)
    assert (
        inside < stats.norm.logpdf(3, scale=2**0.5) - 1
    )  # less any KL, which is least for the prior
