"""Chapter 05 prints what it promises."""

import re

import pytest
import torch
from notebook_runs import printed
from torch.distributions import Independent, Normal

from vae_teach.chapters.vae.figures import bubbles


def test_chapter_05_keeps_its_promises(solved, mnist_on_disk):
    text = printed(solved("05_vae"))
    table = text.split("log p(x)\n", 1)[1].splitlines()[:4]
    for line in table:  # ELBO + KL = sum, log p(x)
        bound, gap, total, truth = map(float, re.findall(r"-?\d+\.\d+", line))
        assert gap > 0
        assert total == pytest.approx(bound + gap, abs=0.02)
        assert total == pytest.approx(truth, abs=0.15)
    short = re.search(r"adapted mixture\s+short of log p\(x\) by\s+(-?[\d.]+)", text)
    bare = re.search(r"bare encoder\s+short of log p\(x\) by\s+(-?[\d.]+)", text)
    assert abs(float(short[1])) < 0.3 * float(bare[1])
    assert float(re.search(r"largest difference: (\S+) nats", text)[1]) < 1e-3
    quality = float(re.search(r"−ELBO, all \S+ test images\s+([\d.]+) nats", text)[1])
    assert quality <= 107 if mnist_on_disk else quality <= 140


def test_bubbles_count_what_lies_outside_their_frames():
    mean = torch.tensor([[0.0, 0.0], [1.0, -1.0], [0.0, 2.5], [-4.0, 0.0]])
    q = Independent(Normal(mean, torch.full_like(mean, 0.1)), 1)
    labels = torch.arange(4)
    picture = bubbles({"a": q, "b": q}, labels, alt="Two clouds.", caption="Codes.", extent=(2, 3))
    assert picture.caption == "Codes. Codes outside the frames, from the left: 2, 1."
    assert bubbles({"a": q}, labels, alt="A cloud.", caption="Codes.", extent=5).caption == "Codes."
