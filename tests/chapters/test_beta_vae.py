"""Chapter 06 prints what it promises; the loss-scale doctor is right."""

import itertools
import json
import re

import numpy as np
import pytest
import torch
from notebook_runs import printed
from scipy.stats import norm
from torch.nn import functional as F

from vae_teach import pretrained
from vae_teach.building import build
from vae_teach.objectives import loss_scale

NUMBER = r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?"


def numbers(line):
    return [float(v) for v in re.findall(NUMBER, line)]


@pytest.fixture(scope="module")
def text(solved):
    return printed(solved("06_beta_vae"))


def rows(text, heading, count):
    return [numbers(line) for line in text.split(heading, 1)[1].split("\n")[1 : 1 + count]]


def test_the_curve(text):
    table = rows(text, "D + βR", 5)
    for b, r, d, both, weighted in table:
        assert both == pytest.approx(r + d, abs=0.11)
        assert weighted == pytest.approx(d + b * r, rel=0.01)
    rates, distortions, sums = np.array(table).T[[1, 2, 3]]
    assert (np.diff(rates) < 0).all()
    assert (np.diff(distortions) > 0).all()
    assert sums.argmin() == 2  # beta = 1


def test_gaps_and_border(text):
    for beta, alone, together, gap, live in rows(text, "the live one", 3):
        assert gap == pytest.approx(together - alone, abs=0.02)
        assert gap < max(0.5, 0.05 * alone * (beta > 1))
        assert live < 1.4 * alone
    found = re.findall(rf"R \+ D = +({NUMBER}) ≥ −log p̂\(x\) = +({NUMBER})", text)
    assert len(found) == 5
    assert all(float(total) > float(floor) for total, floor in found)


def test_slope_is_minus_beta(text):
    table = rows(text, "−ΔD/ΔR", 7)
    middle = [slope / beta for beta, slope in table if 0.25 < beta < 6]
    assert middle == pytest.approx([1] * len(middle), rel=0.35)


def test_dimensions_die_where_predicted(text):
    best, closed = re.search(
        rf"with the best encoder ({NUMBER}), closed form ({NUMBER})", text
    ).groups()
    assert float(best) == pytest.approx(float(closed), abs=1e-4)
    levels = re.findall(r"λ / βσ² (.+)\n.+predicted(.+)\n.+found (.+)", text)
    counts = re.findall(r"(\d+) of 8 predicted alive", text)
    assert len(levels) == len(counts) == 2
    for count, (level, predicted, found) in zip(counts, levels, strict=True):
        level, predicted, found = (np.array(numbers(part)) for part in (level, predicted, found))
        assert found == pytest.approx(predicted, abs=0.03)
        assert predicted == pytest.approx(0.5 * np.log(np.maximum(level, 1)), abs=0.006)
        assert (level > 1).sum() == int(count) == (found > 0.002).sum()


def test_three_parts(text):
    pairs = re.findall(rf"estimated ({NUMBER}), exact ({NUMBER})", text)
    assert len(pairs) == 3
    assert all(float(a) == pytest.approx(float(b), abs=0.03) for a, b in pairs)
    for _, *parts, total, rate in rows(text, "(log N", 5):
        assert sum(parts) == pytest.approx(total, abs=0.02)
        assert total == pytest.approx(rate, rel=0.06, abs=0.1)
    grows = re.findall(
        rf"^N = .* mutual information ({NUMBER}), .* ({NUMBER})$", text, re.MULTILINE
    )
    information, correlation = np.array(grows, dtype=float).T
    assert (np.diff(information) > 0).all()
    assert (np.diff(correlation) < 0).all()


def test_doctor_in_the_notebook(text):
    found = re.findall(rf"by the doctor +({NUMBER}), measured +({NUMBER})", text)
    assert len(found) == 3
    assert all(float(a) == pytest.approx(float(b), rel=1e-3) for a, b in found)
    mean_error, sums, grey_levels = map(int, re.findall(r"ink²: (\d+) of 20 kept", text))
    assert (mean_error, grey_levels) == (0, 20)
    assert sums > 15  # β far above 1, and yet hardly any dimension dies


def test_known_codes(text):
    score = {name: numbers(rest) for name, rest in re.findall(r"(\w+) +MIG (\d.+)", text)}
    assert score["perfect"][0] > 0.95
    assert min(score["perfect"]) > 0.9
    assert score["rotated"][0] < 0.2
    assert score["rotated"][-1] > 0.9
    assert score["constant"] == [0, 0, 0, 0, 0]
    assert score["rotated"][1] < score["entangled"][1] < score["perfect"][1]  # bins of equal width
    predicted = re.search(r"^sprites  predicted  (.+)$", text, re.MULTILINE)[1]
    predicted = dict(re.findall(rf"(\w+) ({NUMBER})", predicted))
    assert float(predicted["shape"]) > 0.3  # the decoder draws a blot, the code still tells
    assert float(predicted["rotation"]) < 0.1
    gap, perfect = numbers(re.search(r"gap of the rotation (.+)$", text, re.MULTILINE)[1])
    assert gap < 0.02
    assert perfect == pytest.approx(0.8, abs=0.02)
    straight, turned = (
        numbers(re.search(rf"{name} .+short by(.+)nats", text)[1])[0]
        for name in ("as trained", "rotated")
    )
    assert straight < 0.03
    assert turned > 0.1


def test_numbers_in_prose_are_those_of_the_records():
    """What the chapter says of five methods and of one network, held against both files."""
    prose = (build.NOTEBOOKS / "source" / "06_beta_vae.py").read_text("utf-8").replace("\n# ", " ")
    table = json.loads((pretrained.HERE / "disentanglement.json").read_text("utf-8"))

    def values(name, method, score):
        return [r[score] for r in table[name] if r["method"] == method]

    def mean(*key):
        return np.mean(values(*key))

    said = re.search(
        rf"MIG from ({NUMBER}) to ({NUMBER}) and .* from ({NUMBER}) to ({NUMBER}),", prose
    )
    wanted = [
        mean("sprites", method, score)
        for score in ("mig", "disentanglement")
        for method in ("VAE", "β-VAE")
    ]
    assert [float(v) for v in said.groups()] == pytest.approx(wanted, abs=0.005)
    assert mean("strokes", "β-VAE", "mig") < mean("strokes", "VAE", "mig")
    assert mean("strokes", "β-VAE", "disentanglement") < mean("strokes", "VAE", "disentanglement")
    every = json.loads((pretrained.HERE / "rate_distortion.json").read_text("utf-8"))
    assert "At the two smaller β the one network is better" in prose
    assert "at 4 worse: 1 to 2½ nats each way" in prose
    for name, beta in itertools.product(("mnist", "strokes"), (0.25, 1.0, 4.0)):
        alone, together = (
            np.mean(
                [
                    r["distortion"] + beta * r["rate"]
                    for r in every[name][kind]
                    if r["beta"] == pytest.approx(beta)
                ]
            )
            for kind in ("single", "multi")
        )
        assert (together < alone) == (beta < 4)
        assert 1 <= abs(together - alone) <= 2.5


REDUCTIONS = [("sum", 1.0), ("half the sum", 0.5), ("mean", 1 / 48)]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1), (0, 255)])
@pytest.mark.parametrize("kl_reduction", ["sum", "mean"])
def test_loss_scale_has_the_gradients_of_a_likelihood(reduction, pixel_range, kl_reduction):
    """At the sigma it names, the loss is c (−log p + KL); at the stated one, c (−log p + beta KL)."""
    name, weight = reduction
    low, high = pixel_range
    found = loss_scale(name, pixel_range, 48, 0.7, 0.2, kl_reduction, 6)
    x, y = torch.rand(2, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y.requires_grad_()
    error = weight * F.mse_loss(low + (high - low) * y, low + (high - low) * x, reduction="sum")
    (slope,) = torch.autograd.grad(error, y)
    kl_weight = 0.7 / (6 if kl_reduction == "mean" else 1)
    for sigma, beta in ((found.sigma, 1.0), (0.2, found.beta)):
        step = 1e-4 * sigma  # derivative of −log p by SciPy, one pixel
        a, b = (-norm.logpdf(x[0].item(), y[0].item() + e, sigma) for e in (-step, step))
        assert (b - a) / (2 * step) / slope[0].item() == pytest.approx(beta / kl_weight, rel=1e-4)


def test_loss_scale_of_one_knob():
    for sigma in (0.1, 0.5):
        found = loss_scale("mean", (0, 1), 784, 2.0, sigma)
        assert found.beta == pytest.approx((found.sigma / sigma) ** 2)
    assert loss_scale("half the sum", (0, 1), 784) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("average", (0, 1), 784), "reduction is 'average'"),
        (("sum", (1, 0), 784), "width of pixel_range"),
        (("sum", (0, 1), 0), "pixels is 0"),
        (("sum", (0, 1), 784, 0.0), "beta is 0"),
        (("sum", (0, 1), 784, 1.0, -1.0), "sigma is -1"),
        (("sum", (0, 1), 784, 1.0, 1.0, "max"), "kl_reduction is 'max'"),
        (("sum", (0, 1), 784, 1.0, 1.0, "mean", 0), "latent_dim is 0"),
    ],
)
def test_loss_scale_says_what_is_wrong(arguments, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        loss_scale(*arguments)


def test_panels_move(digits):
    from vae_teach.chapters.beta_vae import panels

    made = [
        panels.water_level_panel(torch.linspace(1, 0.01, 30), 0.1, "b" * 20),
        panels.doctor_panel(digits.test_images[0], 0.15, "c" * 20),
    ]
    for panel in made:
        pictures = []
        for beta in (0.3, 4.0, 0.3):
            panel._controls["beta"].value = beta
            pictures.append(panel._pixels.copy())
            assert not panel.error
        assert (pictures[0] != pictures[1]).any()
        assert (pictures[0] == pictures[2]).all()  # nothing is left behind
        assert 'alt="' in panel.still()
    doctor = made[1]
    for name, control in itertools.islice(doctor._controls.items(), 2):
        before = doctor._pixels.copy()
        control.value = control.options[-1]
        assert (doctor._pixels != before).any(), name
