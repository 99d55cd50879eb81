"""Chapter 02 prints what it promises, held against SciPy and closed forms."""

import math
import re

import numpy as np
import pytest
from notebook_runs import printed
from scipy.integrate import dblquad
from scipy.special import softmax

NUMBER = r"-?\d+\.\d+"
T = np.linspace(0, 1.94 * math.pi, 32)
CENTRES = np.stack([2 * T / math.pi - 2, 1.3 * np.sin(T)], axis=1)


@pytest.fixture(scope="module")
def text(solved):
    return printed(solved("02_denoising_contractive"))


def numbers(text, start):
    """The numbers with a point in the first line that begins so, behind its beginning."""
    line = re.search(rf"^{re.escape(start)}(.*)$", text, re.MULTILINE)[1]
    return [float(v) for v in re.findall(NUMBER, line)]


def table(text, header, rows):
    """Rows of numbers below a header line; percentages as they are printed."""
    lines = text.split(header, 1)[1].splitlines()[1 : rows + 1]
    return np.array([[float(v) for v in re.findall(rf"{NUMBER}|\d+(?=%)", s)] for s in lines])


def test_noise_moves_images_as_far_as_the_formulas_say(text):
    for start in ("rate 0.2:", "rate 0.5:", "σ    0.2:", "σ    0.5:"):
        measured, formula = numbers(text, start)
        assert measured == pytest.approx(formula, rel=0.02)


def test_the_autoencoder_wins_on_clean_images_and_each_denoiser_on_its_noise(text):
    clean, rate, sigma = table(text, "squared error        clean", 3).T
    assert clean.argmin() == 0
    assert rate.argmin() == 1
    assert rate[1] < 0.7 * rate[0]
    assert sigma.argmin() == 2
    assert sigma[2] < 0.7 * sigma[0]
    assert math.sqrt(clean[2] / 784) == pytest.approx(0.1, abs=0.02)  # the σ read off a clean image


def test_who_undoes_what_nobody_was_trained_on(text):
    """Of 20 levels, at how many a network has the least error and at how many the largest."""
    counts = {
        kind: [
            (int(least), int(most))
            for least, most in re.findall(
                r"(\d+) \((\d+)\)", re.search(rf"^{kind} .*\d\)$", text, re.MULTILINE)[0]
            )
        ]
        for kind in ("salt and pepper", "blank square", "blur")
    }
    assert all(sum(least for least, _ in row) == 20 for row in counts.values())
    _, masks, noise = counts["salt and pepper"]
    assert masks[1] >= 17  # worse than the AE at nearly every rate
    assert noise[0] >= 17
    assert counts["blank square"][1][0] >= 8
    assert counts["blur"][1] == (0, 20)


def test_the_best_denoiser_is_the_score(text):
    """Against the mixture's score in NumPy, and E[x | x̃] by SciPy's adaptive quadrature."""
    point, sigma, width = np.array([0.6, 0.9]), 0.4, 0.2
    total = width**2 + sigma**2
    weights = softmax(-((point - CENTRES) ** 2).sum(1) / (2 * total))
    score = weights @ (CENTRES - point) / total

    def joint(x2, x1):
        x = np.array([x1, x2])
        near = np.exp(-((x - CENTRES) ** 2).sum(1) / (2 * width**2)).mean() / width**2
        return (
            near * np.exp(-((point - x) ** 2).sum() / (2 * sigma**2)) / sigma**2 / (4 * math.pi**2)
        )

    window, precise = (-2.6, 2.6, -2.2, 2.2), {"epsabs": 1e-8, "epsrel": 1e-7}
    evidence = dblquad(joint, *window, **precise)[0]
    mean = [
        dblquad(lambda b, a, i=i: (a, b)[i] * joint(b, a), *window, **precise)[0] for i in (0, 1)
    ]
    assert numbers(text, "p_σ(x̃):") == pytest.approx([evidence] * 2, abs=1e-7)
    for start in ("∇ log p_σ ", "(1)", "(2)", "(3)"):
        assert numbers(text, start) == pytest.approx(score, abs=1e-6), start
    assert (np.array(mean) / evidence - point) / sigma**2 == pytest.approx(score, abs=1e-6)
    for line in re.findall(r"^g = .*$", text, re.MULTILINE):
        total_error, _, _, parts = [float(v) for v in re.findall(r"\d+\.\d{8}", line)]
        assert total_error == pytest.approx(parts, abs=1e-6)


def test_networks_find_the_score(text):
    share = table(text, "error of the score", 4)[:, -1]
    assert share[0] < 2
    assert share[1] < 4
    assert share[2] < 15
    assert (np.diff(share) > 0).all()  # dividing by a smaller σ²
    smoothing = table(text, "∇log p_σ instead of ∇log p", 6)[:, -1]
    assert (np.diff(smoothing) < 0).all()  # and a smaller σ is nearer to p
    assert smoothing[-1] < 0.1
    both = table(text, "network instead of ∇log p", 4)[:, -1]
    assert (np.diff(both) < 0).all()
    assert both[-1] > 2 * smoothing[3]  # most of it is the network's own


def test_the_contractive_penalty_is_exact(text):
    lines = [numbers(text, start) for start in ("torch.func ", "numeric ", "closed form")]
    assert lines[0] == pytest.approx(lines[1], abs=1e-6)
    assert lines[0] == pytest.approx(lines[2], abs=1e-6)
    assert float(re.search(r"difference of an entry: (\S+)", text)[1]) < 1e-8


def test_the_penalty_shrinks_the_singular_values_unevenly(text):
    for name in ("without penalty", "with penalty"):
        squares, penalty = re.search(
            rf"{name} +Σ s² = ({NUMBER}), ‖∂h/∂x‖² = ({NUMBER})", text
        ).groups()
        assert float(squares) == pytest.approx(float(penalty), rel=1e-4)
    without, penalized = table(text, "error   penalty    moved", 2)
    assert penalized[1] < 0.6 * without[1]
    assert without[0] < penalized[0] < 1.6 * without[0]
    assert penalized[4] > 1.1 * without[4]
    kept = numbers(text, "with / without")  # at ranks 1, 10, 30, 60 and 100
    assert max(kept[2:4]) < 0.8 * min(kept[:2])


def test_a_little_noise_penalizes_the_jacobian(text):
    bracket = numbers(text, "‖∂r/∂x‖²")[-1]
    assert numbers(text, "σ = 0.01:")[-1] == pytest.approx(bracket, abs=2e-3)
    assert abs(numbers(text, "σ =  0.1:")[-1] - bracket) < 0.1 * bracket


def test_generation_keeps_its_promises(text):
    data, mean, draw = (
        numbers(text, start)[0]
        for start in ("draws from p ", "noise, then mean ", "noise, then draw ")
    )
    entropy_spread = 0.06  # three standard errors of 1,500 points
    assert abs(draw - data) < 2 * entropy_spread
    assert mean > data + 0.2
    sure = {
        name: int(re.search(rf"^{re.escape(name)} +sure +(\d+)%", text, re.MULTILINE)[1])
        for name in ("test images", "walk from noise", "random codes, decoded")
    }
    assert sure["test images"] > 90
    assert sure["walk from noise"] > 50
    ones, ink, copies = (
        {
            name: float(
                re.search(rf"^{re.escape(name)} .*{words} +([\d.]+)", text, re.MULTILINE)[1]
            )
            for name in ("test images", "walk from noise", "x ← r(x) from noise")
        }.values()
        for words in ("read as 1", "mean ink", "most copies")
    )
    assert list(ones) == sorted(ones, reverse=True)
    assert list(ink) == sorted(ink)
    shares = list(copies)
    assert max(shares[:2]) < 3 <= shares[2]


def test_only_the_exact_score_forgets_the_path(text):
    difference = numbers(text, "log p_σ(b) − log p_σ(a)")[0]
    straight, wave = numbers(text, "straight "), numbers(text, "along the wave ")
    assert straight[0] == pytest.approx(difference, abs=2e-6)
    assert wave[0] == pytest.approx(difference, abs=2e-6)
    assert abs(straight[1] - wave[1]) > 1e-3
