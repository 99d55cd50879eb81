"""What chapter 03 draws: derivations as tables, and its panels to drag."""

import statistics
import time

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vae_teach.chapters.bayes_elbo.derivation import Derivation
from vae_teach.chapters.bayes_elbo.panels import bayes_rule_panel, two_directions_panel

ALT = "Curves that move with the sliders above."
Z = torch.linspace(-8, 8, 4001, dtype=torch.double)


def rule():
    def bayes(prior_mean, prior_width, sigma, x):
        prior = Normal(prior_mean, prior_width).log_prob(Z).exp()
        likelihood = Normal(0.5 * Z**2, sigma).log_prob(torch.tensor(x)).exp()
        evidence = (prior * likelihood).sum() * 0.004
        return prior, likelihood, prior * likelihood / evidence, evidence

    return bayes_rule_panel(Z, bayes, lambda z: 0.5 * z**2, ALT, "Toy.")


def divergences(mean, width):
    q, p = Normal(float(mean), float(width)), Normal(0.0, 1.0)
    return q.log_prob(Z).exp(), kl_divergence(q, p), kl_divergence(p, q)


def directions():
    return two_directions_panel(
        Z, Normal(0.0, 1.0).log_prob(Z).exp(), divergences, ([(0, 1)], [(0, 1)]), ALT
    )


def texts(panel):
    figure = panel._draw(**panel.values)
    return [t.get_text() for axes in figure.axes for t in axes.texts if t.get_animated()]


@pytest.mark.parametrize("make", [rule, directions])
def test_sliders_redraw_in_time_and_leave_a_still(make):
    panel = make()
    before, times = panel._pixels, []
    slider = next(c for c in panel._controls.values() if hasattr(c, "step"))
    for i in range(15):
        started = time.process_time()  # of this process: other programs do not count
        slider.value += slider.step * (1 if i < 8 else -1)
        times.append(time.process_time() - started)
    assert (panel._pixels != before).any()
    assert statistics.median(times) < 0.05
    assert ALT in panel.still()
    assert not panel.error


def test_the_evidence_is_printed():
    panel = rule()
    assert "evidence p(x) = 0.2393" in texts(panel)


def test_both_divergences_are_printed_and_zero_where_equal():
    panel = directions()
    panel._controls["mean"].value = 1.0
    assert texts(panel) == ["0.500 nats", "0.500 nats"]
    panel._controls["mean"].value = 0.0
    assert texts(panel) == ["0.000 nats", "0.000 nats"]


def test_a_derivation_is_a_table_and_plain_text():
    steps = Derivation("Two lines")
    steps.add("", r"\log p(x)", -1.25, "the goal")
    steps.add("≥", r"\mathrm{KL}(q\|p(z|x))", torch.tensor(-2.0), "as p(x|z) is")
    table = steps._repr_markdown_().splitlines()
    assert table[-1] == (r"| ≥ | $\mathrm{KL}(q\Vert p(z\mid x))$ | −2.00000000 | as p(x\|z) is |")
    for line in table[2:]:  # a bare bar would end the cell
        assert line.replace(r"\|", "").count("|") == 5
    assert steps.values == [-1.25, -2.0]
    assert repr(steps).splitlines()[0] == "Two lines"
    with pytest.raises(ValueError, match="a finite number is needed"):
        steps.add("=", "x", float("nan"), "no")
