"""Chapter 07 prints what it promises; scikit-learn and SciPy are asked again, from outside."""

import re

import numpy as np
import pytest
from notebook_runs import printed
from scipy import integrate, stats
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from vae_teach import data

NUMBER = r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?"


@pytest.fixture(scope="module")
def text(solved):
    return printed(solved("07_em"))


@pytest.fixture(scope="module")
def digits(mnist_on_disk):
    return data.load("mnist" if mnist_on_disk else "strokes")


def numbers(text, start):
    """All numbers in the line that begins with `start`, after it."""
    found = re.search(rf"^{re.escape(start)}(.*)$", text, re.MULTILINE)[1]
    return [float(n.replace(",", "")) for n in re.findall(NUMBER, found)]


def test_log_p_is_elbo_plus_gap(text):
    table = text.split("sum         log p(x)\n", 1)[1].splitlines()[:3]
    for line in table:
        bound, gap, total, truth = [float(n) for n in re.findall(r"-?\d+\.\d+", line)]
        assert total == pytest.approx(bound + gap, abs=2e-5)
        assert total == pytest.approx(truth, abs=2e-5)
    assert gap == 0  # of the E step, the last line
    for line in re.findall(r"^.* with log p\(z\) alone +(-?[\d.]+),", text, re.MULTILINE):
        assert float(line) <= 0


def test_m_step_is_where_the_slopes_vanish(text):
    assert numbers(text, "slopes for the weights ") == [1, 1, 1]
    assert numbers(text, "largest slope for the means ")[0] < 1e-12
    assert numbers(text, "largest slope for the covariances ")[0] < 1e-12


def test_staircase(text):
    assert numbers(text, "E steps: largest gap after one")[0] < 1e-12
    assert numbers(text, "M steps: smallest gain of ELBO")[0] > 0
    assert numbers(text, "log p:   largest fall")[0] < 1e-12


def test_same_optimum_as_scikit_learn(text, digits):
    keep = np.flatnonzero(np.isin(digits.train_labels.numpy(), (0, 3, 7)))[:600]
    pixels = digits.train_images.numpy()[keep].reshape(600, -1).astype(np.float64)
    x = PCA(2, svd_solver="full").fit_transform(pixels)
    theirs = GaussianMixture(3, n_init=20, tol=1e-12, reg_covar=0, max_iter=1000, random_state=0)
    for steps in (" 10 steps: ours ", "300 steps: ours "):
        height, off, packaged = numbers(text, steps)
        assert abs(off) < 1e-6
        assert abs(packaged) < 1e-9
    assert height == pytest.approx(theirs.fit(x).score(x), abs=1e-6)  # the best of 20 starts


def test_four_ways_to_one_top(text):
    ways = ("exact EM ", "partial E ", "free q, by gradient ", "amortized q, by gradient ")
    rows = [numbers(text, way) for way in ways]
    for below, bound_below, *_ in rows:
        assert below < 2e-3
        assert bound_below < 5e-3
    steps = [row[2] for row in rows]
    assert steps[0] < min(steps[1:])
    assert numbers(text, "partial E: smallest gain of ELBO in a step")[0] > -1e-12


def test_amortization_gap(text):
    gaps = {
        (net, place): numbers(text, f"{net:16} {place:18} mean gap")[0]
        for net in ("16 hidden units", "linear in x")
        for place in ("training points", "new images", "grid of the plane")
    }
    for net in ("16 hidden units", "linear in x"):
        assert gaps[net, "grid of the plane"] > 3 * gaps[net, "training points"] > 0
    assert gaps["linear in x", "training points"] > 10 * gaps["16 hidden units", "training points"]


def test_k_means_is_the_limit(text):
    rows = re.findall(
        r"^σ = +([\d.]+): .* KMeans +([\d.]+)%; means apart ([\d.]+)", text, re.MULTILINE
    )
    sigma, same, apart = np.array(rows, dtype=float).T
    assert (np.diff(sigma) < 0).all()
    assert same[-1] == 100
    assert apart[-1] == 0
    assert (np.diff(apart) < 0).all()
    root = numbers(text, "square root of the data's largest eigenvalue, √λ₁ =")[0]
    assert sigma[0] < root < 6.8  # the slider's end: beyond the root all means are one


def test_three_roads_to_one_likelihood(text, digits):
    images = digits.train_images[:10_000].unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
    x = images.reshape(10_000, -1).double().numpy()
    theirs = PCA(6, svd_solver="full").fit(x * (1 - 1e-4) ** 0.5)  # its covariance: over N − 1
    theirs.mean_ = x.mean(0)
    closed = numbers(text, "closed form  ")
    assert closed[0] == pytest.approx(theirs.score(x), abs=1e-5)
    roads = {name: numbers(text, name) for name in ("EM     ", "linear VAE   ")}
    assert roads["EM     "][1] <= 1e-6
    assert roads["linear VAE   "][1] <= 0.02
    assert roads["EM     "][2] < 0.01
    assert roads["linear VAE   "][2] < 0.5
    gap = numbers(text, "linear VAE, ELBO below its own log p(x):")[0]
    below = numbers(text, "linear VAE, ELBO below the closed form:")[0]
    assert below == pytest.approx(gap + roads["linear VAE   "][1], abs=1e-4)
    assert 0.1 * below < gap < 0.9 * below  # some is paid in the gap, some in log p
    cosines = numbers(text, "|cos| to the VAE's nearest column")
    count = re.search(r"\|cos\| > 0.95: (\d) of 6", text)[1]
    assert sum(c > 0.95 for c in cosines) == int(count)
    formula, (drawn, noise) = numbers(text, "by formula"), numbers(text, "by draws")
    assert abs(formula[0] - drawn) < 4 * noise + 0.002


def test_dimensions_of_x_do_no_harm_but_a_bend_does(text):
    rows = [
        [float(n) for n in re.findall(NUMBER, line)]
        for line in re.findall(r"^(?:closed form|grid over z) \[(.*)\]$", text, re.MULTILINE)
    ]
    assert rows[0] == pytest.approx(rows[1], abs=2e-6)
    widths = [numbers(text, f"{n:3} pixels: standard deviations of p(z|x)") for n in (49, 196, 784)]
    assert widths[0] == pytest.approx([2 * w for w in widths[1]], rel=0.2)
    assert widths[1] == pytest.approx([2 * w for w in widths[2]], rel=0.1)
    assert numbers(text, "linear     KL(posterior ‖ Gaussian, same mean and variance)")[0] < 1e-5

    def joint(z):
        near = stats.norm(1.3 * z, 0.7).pdf(0.1) * stats.norm(z**2 - 1, 0.7).pdf(1.6)
        return stats.norm.pdf(z) * near

    def integral(f):
        return integrate.quad(f, -5, 5, points=(-1.3, 1.3), limit=200)[0]

    total = integral(joint)
    mean = integral(lambda z: z * joint(z)) / total
    variance = integral(lambda z: (z - mean) ** 2 * joint(z)) / total
    gaussian = stats.norm(mean, variance**0.5)
    gap = integral(
        lambda z: (
            joint(z) / total * (np.log(joint(z) / total) - gaussian.logpdf(z))
            if joint(z) > 0
            else 0.0
        )
    )
    printed_gap = numbers(text, "nonlinear  KL(posterior ‖ Gaussian, same mean and variance)")[0]
    assert printed_gap == pytest.approx(gap, abs=1e-4)


def test_sampled_e_steps_cost_decoder_evaluations(text):
    target = numbers(text, "to log p(x) =")[0]
    rows = {name: numbers(text, name) for name in ("VAE  ", "MC-EM, kept  ", "MC-EM, restarted  ")}
    for _, _, _, reached in rows.values():
        assert reached >= target - 1
    assert rows["MC-EM, restarted  "][1] > 5 * rows["VAE  "][1]
    assert rows["MC-EM, kept  "][1] > rows["VAE  "][1]
