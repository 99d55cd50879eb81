"""The panels and stills of chapter 07 draw what they are given."""

import numpy as np
import pytest
import torch

from vae_teach import em
from vae_teach.chapters.em.figures import clusters, ellipse, gap_map, staircase
from vae_teach.chapters.em.panels import small_variance_panel

ALT = "what a reader who cannot see the picture needs"


@pytest.fixture(scope="module")
def x():
    draws = torch.Generator().manual_seed(0)
    centres = torch.tensor([[-3.0, 0], [3, 0], [0, 4]]).double()
    return (centres + torch.randn(30, 3, 2, generator=draws, dtype=torch.double)).reshape(-1, 2)


@pytest.fixture(scope="module")
def path(x):
    means = torch.tensor([[-1.0, 0], [1, 0], [0, 1]]).double()
    weights = torch.full((3,), 1 / 3, dtype=torch.double)
    start = em.Mixture(weights, means, torch.eye(2).double().repeat(3, 1, 1))
    return [
        (h.name, *vars(h.model).values(), h.responsibilities, h.log_likelihood, h.elbo)
        for h in em.mixture(x, start, steps=5)
    ]


def test_an_ellipse_lies_two_deviations_out():
    covariance = torch.tensor([[2.0, 0.5], [0.5, 1.0]]).double()
    offsets = ellipse([1.0, -1.0], covariance) - np.array([[1.0], [-1.0]])
    distance = (offsets * np.linalg.solve(covariance.numpy(), offsets)).sum(0)
    assert np.allclose(distance, 4)


def test_small_variance_runs_from_k_means_to_no_idea(x):
    def fixed_point(sigma):
        asked.append(sigma)
        far = -torch.cdist(x, centres).square() / (2 * sigma**2)
        return centres, far.softmax(1)

    asked, centres = [], torch.tensor([[-3.0, 0], [3, 0], [0, 4]]).double()
    panel = small_variance_panel(x, fixed_point, centres)
    assert len(asked) == len(set(asked))  # once for each σ, none while dragging
    (slider,) = (c for c in panel._controls.values() if hasattr(c, "options"))
    before = panel._pixels.copy()
    slider.value = slider.options[-1][1]
    assert (panel._pixels != before).any()
    assert len(asked) == len(slider.options)


def test_stills_have_alternative_text(x, path):
    last = path[-1]
    labels = torch.arange(90) % 3
    pictures = [
        staircase(*zip(*[(p[0], p[5], p[6]) for p in path], strict=True), ALT),
        clusters(x, labels, (0, 1, 2), last[4], last[2], last[3], ALT),
        gap_map(x, {"one": torch.rand(10, 10), "two": torch.zeros(10, 10)}, ALT),
    ]
    for picture in pictures:
        assert ALT in picture._repr_html_()
