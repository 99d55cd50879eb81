"""EM stepper: what the page is sent, and the colours it mixes, run by node."""

import re

import numpy as np
import pytest
import torch
from node_runs import node

from vae_teach import em
from vae_teach.chapters.em.figures import COMPONENTS, ellipse
from vae_teach.explorers.em_stepper.em_stepper import EmStepper


@pytest.fixture(scope="module")
def walk():
    draws = torch.Generator().manual_seed(0)
    centres = torch.tensor([[-3.0, 0], [3, 0], [0, 4]]).double()
    x = (centres + torch.randn(30, 3, 2, generator=draws, dtype=torch.double)).reshape(-1, 2)
    weights = torch.full((3,), 1 / 3, dtype=torch.double)
    means = torch.tensor([[-1.0, 0], [1, 0], [0, 1]]).double()
    start = em.Mixture(weights, means, torch.eye(2).double().repeat(3, 1, 1))
    path = [
        (h.name, *vars(h.model).values(), h.responsibilities, h.log_likelihood, h.elbo)
        for h in em.mixture(x, start, steps=5)
    ]
    return x, path


def shares(stepper, half_step):
    sets = np.frombuffer(stepper.shares, np.uint8).reshape(-1, len(stepper._x), 3)
    return sets[stepper.owners[half_step]]


def test_the_page_gets_each_half_step(walk):
    x, path = walk
    stepper = EmStepper(x, path)
    points = np.frombuffer(stepper.points, "<f2").reshape(-1, 2)
    assert np.abs(points - x.numpy()).max() < 4e-3  # a hundredth of a pixel
    for i, (name, weights, means, covariances, r, log_p, bound) in enumerate(path):
        assert np.abs(shares(stepper, i) / 255 - r.numpy()).max() < 0.002
        assert stepper.names[i] == name
        assert stepper.weights[i] == pytest.approx(weights.tolist())
        assert stepper.log_p[i] == pytest.approx(float(log_p))
        assert stepper.bound[i] == pytest.approx(float(bound))
        for k, (m1, m2, a, b, c) in enumerate(stepper.shapes[i]):  # as the page draws them
            t = np.linspace(0, 2 * np.pi, 80)
            drawn = [m1 + 2 * a * np.cos(t), m2 + 2 * (b * np.cos(t) + c * np.sin(t))]
            assert np.allclose(drawn, ellipse(means[k], covariances[k]))
    assert len(set(stepper.owners)) == 6  # the start and five E steps: M steps keep them


def test_the_page_mixes_the_colours(walk):
    given = shares(EmStepper(*walk), 3).tolist()
    mixtures = node("answer(given.map(mixture))", given, "explorers/em_stepper/em_stepper.js")
    r = walk[1][3][4].numpy()
    for mixed, own in zip(mixtures, r, strict=True):
        assert np.abs(mixed["colour"] - 255 * own @ COMPONENTS).max() < 2
        assert own[mixed["kind"]] > own.max() - 0.005


def test_the_still_shows_the_half_step(walk):
    stepper = EmStepper(*walk, caption="Toy.")
    stepper.half_step = 3
    page = stepper.still()
    alt = re.search(r'<img alt="([^"]*)"', page).group(1)
    assert "after half step 3 (E)" in alt
    assert "0.0000 nats apart" in alt
    assert "Toy. Run the cell to step and play." in page
    assert repr(stepper) == "EmStepper of 90 points: half step 3 of 10 (E)"
    stepper.half_step = 4
    assert stepper.still() != page
    assert "data-explorer" in stepper.to_html()
    with pytest.raises(Exception, match="0 to 10 is needed"):
        stepper.half_step = 11


def test_what_does_not_fit_is_named(walk):
    x, path = walk
    with pytest.raises(ValueError, match="path is empty"):
        EmStepper(x, [])
    with pytest.raises(ValueError, match=r"\(N, 2\) is needed"):
        EmStepper(x[:, :1], path)
    with pytest.raises(ValueError, match=r"responsibilities have shape \(90, 3\), \(89, 3\)"):
        EmStepper(x[1:], path)
    broken = [(*path[0][:5], float("nan"), path[0][6])]
    with pytest.raises(ValueError, match=r"path\[0\]'s log p\(x\) are not all finite"):
        EmStepper(x, broken)
