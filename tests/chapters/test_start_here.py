"""Chapter 00 prints what it promises, and its toy is exact."""

import math
import re

import pytest
import torch
from notebook_runs import printed
from scipy.integrate import quad
from scipy.stats import norm

from vae_teach.chapters.start_here.panels import log_joint, two_classes_panel


def test_the_joint_of_two_classes_is_exact():
    for x, share in ((-1.0, 0.5), (0.3, 0.2), (7.0, 0.9)):
        wanted = [share * norm.pdf(x), (1 - share) * norm.pdf(x, loc=2)]
        found = log_joint(torch.tensor(x, dtype=torch.double), share).exp().tolist()
        assert found == pytest.approx(wanted, rel=1e-5)
    mass = quad(lambda x: log_joint(torch.tensor(x), 0.3).exp().sum().item(), -12, 14, limit=200)[0]
    assert mass == pytest.approx(1, abs=1e-5)


def test_far_away_the_class_is_sure_and_the_evidence_is_not():
    panel = two_classes_panel()
    for control, value in zip(panel._controls.values(), (11.0, 0.3), strict=True):
        control.value = value
    assert panel.values == {"x": 11.0, "share": 0.3}
    assert not panel.error
    assert "p(B | x) is nearly 1" in panel.caption
    joint = log_joint(torch.tensor(11.0), 0.3)
    assert joint.softmax(0)[1] > 0.9999
    assert joint.logsumexp(0).exp() < 1e-15


def test_chapter_00_keeps_its_promises(solved):
    text = printed(solved("00_start_here"))
    slope, offset = map(float, re.search(r"learnt:\s+(\S+) x \+ \((\S+)\)", text).groups())
    assert (slope, offset) == pytest.approx((2, -2), abs=0.1)
    assert re.search(r"exact:\s+2\.00 x \+ \(-2\.00\)", text)
    generative, discriminative = (
        float(re.search(rf"{kind} model right on\s+([\d.]+)%", text)[1])
        for kind in ("generative", "discriminative")
    )
    assert 90 < generative < discriminative
    table = {
        name: [
            float(v)
            for v in re.search(rf"^{name}\s+(\d+)%\s+(-?\d+) nats\s+(\d+)%", text, re.M).groups()
        ]
        for name in ("digit", "flipped", "negative", "shuffled", "blank")
    }
    assert table["digit"][0] > 90
    assert table["negative"][0] > 30  # the classifier is sure of what is no digit
    assert table["negative"][2] == table["shuffled"][2] == 100
    assert table["blank"][2] == 0
    assert table["flipped"][2] < 50
    bounds = {name: row[1] for name, row in table.items()}
    assert bounds["blank"] > bounds["digit"] > bounds["flipped"] > bounds["shuffled"]
    # Bits are counted where p(x) is a probability: of black and white, likelier than of grey here.
    nats, bits = (
        float(re.search(pattern, text)[1])
        for pattern in (r"at least (-\d+) nats on average", r"at most ([\d.]+) bits a pixel")
    )
    assert nats > bounds["digit"]
    assert bits == pytest.approx(-nats / math.log(2) / 784, abs=0.006)
