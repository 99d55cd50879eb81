"""Chapter 03 prints what it promises, held against SciPy's integrators and closed forms."""

import functools
import itertools
import math
import re

import numpy as np
import pytest
import torch
from notebook_runs import code_cells, printed
from scipy.integrate import quad
from scipy.ndimage import minimum_filter
from scipy.stats import entropy, norm

from vae_teach.chapters.bayes_elbo import figures

NUMBER = r"[-−]?\d+\.\d+(?:e[+-]\d+)?"


@pytest.fixture
def text(solved):
    return printed(solved("03_bayes_elbo"))


def numbers(line):
    return [float(n.replace("−", "-")) for n in re.findall(NUMBER, line)]


def line_with(text, words, which=0):
    return [line for line in text.splitlines() if words in line][which]


def tables(notebook):
    """Road number -> the values of its lines, from what the notebook shows."""
    found = {}
    for cell in code_cells(notebook):
        for output in cell.outputs:
            plain = output.get("data", {}).get("text/plain", "")
            if plain.startswith("Road "):
                assert "$" in output.data["text/markdown"]  # and as a table with formulas
                rows = plain.splitlines()[1:]
                found[int(plain[5])] = [numbers(row)[0] for row in rows]
    return found


def log_joint(z, x, m0=0.5, s0=1.5, sigma=0.5):
    squares = ((z - m0) / s0) ** 2 + ((x - 0.5 * z**2) / sigma) ** 2
    return -0.5 * squares - math.log(2 * math.pi * s0 * sigma)


@functools.cache
def log_evidence(x, m0=0.5, s0=1.5):
    bumps = [-math.sqrt(2 * x), math.sqrt(2 * x)] if x > 0 else [0.0]
    area, _ = quad(lambda z: math.exp(log_joint(z, x, m0, s0)), -9, 9, points=bumps, epsabs=1e-12)
    return math.log(area)


def elbo(x, m, s, m0=0.5, s0=1.5, sigma=0.5):
    """In closed form, by the moments of a Gaussian."""
    square = x**2 - x * (m**2 + s**2) + (m**4 + 6 * m**2 * s**2 + 3 * s**4) / 4
    kl = math.log(s0 / s) + (s**2 + (m - m0) ** 2) / (2 * s0**2) - 0.5
    return -0.5 * square / sigma**2 - math.log(sigma * math.sqrt(2 * math.pi)) - kl


def test_the_roads_meet(solved):
    roads = tables(solved("03_bayes_elbo"))
    truth, bound = log_evidence(1.2), elbo(1.2, 0.8, 1.0)
    log_q = norm(0.8, 1).logpdf
    by_quad, _ = quad(lambda z: math.exp(log_q(z)) * (log_joint(z, 1.2) - log_q(z)), -8, 9)
    assert by_quad == pytest.approx(bound, abs=1e-7)
    assert roads[1] == pytest.approx(5 * [truth] + 2 * [bound], abs=1e-6)
    assert roads[2] == pytest.approx(3 * [truth] + 2 * [bound], abs=1e-6)
    # Two draws: log a = ∫ (e^-t − e^-ta) / t dt turns the double integral into single ones.
    z = np.linspace(-8, 9, 3401)
    q, w = norm.pdf(z, 0.8, 1) * 0.005, np.exp(log_joint(z, 1.2) - log_q(z))

    def integrand(u):  # t = e^u
        return math.exp(-math.exp(u)) - (q @ np.exp(-w * math.exp(u) / 2)) ** 2

    ends = (-40, -5, 5, 20, 60, 200, 690)  # tiny weights make a long tail
    pair = sum(quad(integrand, *part, limit=300)[0] for part in itertools.pairwise(ends))
    assert roads[3] == pytest.approx(3 * [truth] + [pair] + 2 * [bound], abs=1e-6)
    assert truth > pair > bound


def test_the_road_of_entropies(solved):
    values = tables(solved("03_bayes_elbo"))[4]

    def population(x):
        return math.exp(log_evidence(x, 1.2, 0.7))

    def averaged(f):
        return quad(lambda x: population(x) * f(x), -3, 15, epsabs=1e-8, limit=200)[0]

    entropy_of_x = averaged(lambda x: -log_evidence(x, 1.2, 0.7))
    bound = averaged(lambda x: -elbo(x, math.sqrt(2 * math.log1p(math.exp(x))), 0.4))
    assert values == pytest.approx(3 * [entropy_of_x] + 3 * [bound], abs=1e-6)


def test_what_the_rough_encoder_never_says_costs_a_third_of_its_gap(text):
    def no_reverse(x):  # Pop(x) · −log p(z > 0 | x)
        ahead = quad(lambda z: math.exp(log_joint(z, x)), 0, 9, points=[math.sqrt(2 * max(x, 0))])[
            0
        ]
        return math.exp(log_evidence(x, 1.2, 0.7)) * (log_evidence(x) - math.log(ahead))

    wanted = quad(no_reverse, -2.5, 12, epsabs=1e-6, limit=200)[0]
    gap = numbers(line_with(text, "= KL(Pop‖p(x))"))[-1]
    cost, rest = numbers(line_with(text, "never saying reverse"))
    assert cost == pytest.approx(wanted, abs=2e-4)
    assert cost + rest == pytest.approx(gap, abs=2e-4)
    assert cost < rest / 2


def test_bayes(text):
    assert numbers(line_with(text, "evidence p(1.2)"))[1:] == pytest.approx(
        2 * [math.exp(log_evidence(1.2))], abs=1e-9
    )
    wide = numbers(line_with(text, "784 pixels, linear"))
    assert wide[0] == pytest.approx(wide[1], abs=1e-5)
    three = numbers(line_with(text, "torch.distributions"))
    by_hand = sum(
        p * norm.pdf(1.2, 0.5 * z**2, 0.5) for z, p in ((-1.5, 0.2), (0, 0.3), (1.5, 0.5))
    )
    assert three[1:] == pytest.approx([by_hand, by_hand], abs=1e-6)
    many = numbers(line_with(text, "65 states"))[0]
    assert many == pytest.approx(math.exp(log_evidence(1.2)), abs=1e-6)


def test_monte_carlo(text):
    mean, spread, better, its_spread = numbers(line_with(text, "d = 20, mean"))
    assert mean < -10
    assert spread > 1
    assert abs(better) < 0.3
    assert its_spread < 0.5
    c = norm.pdf(0, 0, 0.3 * math.sqrt(2)) * norm.pdf(1, 0, math.sqrt(1.045))
    c /= norm.pdf(1, 0, math.sqrt(1.09)) ** 2
    assert numbers(line_with(text, "c = "))[0] == pytest.approx(c, abs=1e-3)
    short = [numbers(line) for line in text.splitlines() if "log p(x) too low by" in line]
    means = [pair[0] for pair in short]
    assert means == sorted(means, reverse=True)
    assert means[0] > 5
    assert means[-1] >= -0.05


def test_code_lengths(text):
    assert "1750 bits, 1.75 a letter" in text
    assert "2625 bits, 2.625 a letter" in text
    assert text.count("decoded without loss: True") == 2
    p, q = [1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 8, 1 / 8, 1 / 4, 1 / 2]
    assert numbers(line_with(text, "cross-entropy"))[-1] == entropy(p, q, base=2) == 0.875
    kl, extra = numbers(line_with(text, "sent in excess"))
    assert abs(kl - extra) < 0.2
    best, sent = numbers(line_with(text, "bits a letter, sent"))[:2]
    assert best <= sent < best + 1


def test_two_directions(text):
    left, right = (numbers(line_with(text, "reverse KL from", i))[1:] for i in (0, 1))
    assert left[:2] == pytest.approx([-1.5, 0.3], abs=1e-2)
    assert right[:2] == pytest.approx([1.7, 0.4], abs=1e-2)
    assert left[2] < right[2]
    mean = 0.6 * -1.5 + 0.4 * 1.7
    width = math.sqrt(0.6 * (0.09 + 1.5**2) + 0.4 * (0.16 + 1.7**2) - mean**2)
    for i in (0, 1):  # forward: the moments of p
        assert numbers(line_with(text, "forward KL from", i))[1:3] == pytest.approx(
            [mean, width], abs=5e-3
        )


def test_the_reverse_kl_has_one_minimum_a_bump_and_no_third():
    z = np.linspace(-9, 9, 1801)
    log_p = np.logaddexp(
        math.log(0.6) + norm(-1.5, 0.3).logpdf(z), math.log(0.4) + norm(1.7, 0.4).logpdf(z)
    )
    means, widths = np.linspace(-4, 4, 161), np.geomspace(0.15, 3, 100)
    cost = np.empty((100, 161))
    for row, width in zip(cost, widths, strict=True):
        log_q = norm(means[:, None], width).logpdf(z)
        row[:] = (np.exp(log_q) * (log_q - log_p)).sum(1) * 0.01
    lowest = (cost == minimum_filter(cost, 3))[1:-1, 1:-1]  # among the eight neighbours
    assert sorted(means[1:-1][np.nonzero(lowest)[1]]) == pytest.approx([-1.5, 1.7], abs=0.06)


def test_the_gap_closes_and_can_close_while_the_model_gets_worse(text):
    for i in range(3):
        line = line_with(text, "speedometer, z, start", i)
        assert "KL 0.000000" in line
        linear = numbers(line)[1:3]
        exact = numbers(line_with(text, "speedometer, closed form"))
        assert linear == pytest.approx(exact, abs=2e-3)
    starts = [numbers(line_with(text, "energy meter, ½z², start", i)) for i in range(3)]
    for _, mean, width, bound, gap, truth in starts:
        assert bound == pytest.approx(elbo(1.2, mean, width), abs=2e-3)
        assert bound + gap == pytest.approx(truth, abs=2e-4)
    gaps = [row[4] for row in starts]
    assert gaps == sorted(gaps)  # the larger bump, over both, the smaller bump
    assert gaps == pytest.approx([0.501, 0.920, 1.088], abs=2e-3)
    mean, width = starts[0][1:3]
    levels, reverse = [], []
    for words in ("before m₀", "after  m₀"):
        m0, bound, gap, truth, behind = numbers(line_with(text, words))
        assert truth == pytest.approx(log_evidence(1.2, m0), abs=2e-3)
        assert bound == pytest.approx(elbo(1.2, mean, width, m0), abs=2e-3)
        assert bound + gap == pytest.approx(truth, abs=2e-4)
        mass, _ = quad(lambda z, m0=m0: math.exp(log_joint(z, 1.2, m0)), -9, 0, points=[-1.5])
        assert behind == pytest.approx(mass / math.exp(truth), abs=2e-3)
        levels.append((bound, truth))
        reverse.append(behind)
    assert reverse[1] < reverse[0]  # less probable, not given up
    (old_bound, old_truth), (new_bound, new_truth) = levels
    assert new_bound > old_bound + 0.1
    assert new_truth < old_truth - 0.05


def test_the_jensen_picture_says_what_lies_outside_its_frame():
    z_q = 0.8 + torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    log_w = log_joint(z_q.double().numpy(), 1.2) - norm(0.8, 1).logpdf(z_q.double().numpy())
    picture = figures.jensen(np.exp(log_w), alt="…", caption="A caption.")
    below, beyond = re.search(
        r"([\d.]+)% lie below the frame, ([\d.]+)% right", picture.caption
    ).groups()
    axes = picture.figure.axes[0]
    z = np.linspace(-8, 9, 34001)
    mass, log_weight = norm.pdf(z, 0.8, 1) * 0.0005, log_joint(z, 1.2) - norm(0.8, 1).logpdf(z)
    outside = log_weight < axes.get_ylim()[0], log_weight > math.log(axes.get_xlim()[1])
    exact = [100 * mass[where].sum() for where in outside]
    assert [float(below), float(beyond)] == pytest.approx(exact, abs=0.3)
    assert exact == pytest.approx([5.96, 3.1], abs=0.3)
