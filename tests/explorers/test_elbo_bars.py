"""ELBO bars: the page's sums, run by node, against the chapter's and against closed forms."""

import base64
import math
import re
from pathlib import Path

import pytest
import torch
from node_runs import node
from torch.distributions import Normal, kl_divergence

from vae_teach.explorers.elbo_bars.elbo_bars import ElboBars

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "03_bayes_elbo.py"
Z = torch.linspace(-8, 8, 2001, dtype=torch.double)
PRIOR = Normal(torch.tensor(0.5).double(), 1.5)
GUESSES = [(0.0, 1.0), (1.366, 0.362), (-1.27, 0.399), (0.238, 0.929), (-3.0, 1.25), (2.9, 0.25)]
NODE = """
const { logs, grid, guesses } = given;
const bytes = Buffer.from(logs, "base64");
// One byte off, as a message's buffer may be: a view must not need alignment.
const shifted = new Uint8Array(bytes.length + 1);
shifted.set(bytes, 1);
const numbers = singles(new DataView(shifted.buffer, 1));
const cases = numbers.length / guesses.count;
const prior = numbers.subarray(0, guesses.count), all = [];
for (let i = 1; i < cases; i++) {
  const joint = numbers.subarray(i * guesses.count, (i + 1) * guesses.count);
  const evidence = logEvidence(joint, grid[1]);
  all.push(guesses.list.map(([mean, width]) => {
    const t = elboTerms(joint, prior, evidence, grid, mean, width);
    return [t.reconstruction, t.rate, t.elbo, t.gap, evidence];
  }));
}
answer(all);
"""


def likelihood(decoder, x=1.2, sigma=0.5):
    return Normal(decoder(Z), sigma).log_prob(torch.tensor(x))


def toy(**how):
    decoders = {"energy": lambda z: z**2 / 2, "speed": lambda z: z}
    log_likelihoods = {name: likelihood(decoder) for name, decoder in decoders.items()}
    return ElboBars(Z, PRIOR.log_prob(Z), log_likelihoods, **how)


def terms(bars):
    """What the page computes: case by case and guess by guess the five numbers."""
    count = len(bars.logs) // 4 // (len(bars.cases) + 1)
    given = {"logs": base64.b64encode(bars.logs).decode(), "grid": bars.grid}
    given["guesses"] = {"count": count, "list": GUESSES}
    return node(NODE, given, "explorers/elbo_bars/elbo_bars.js")


def test_the_page_computes_the_closed_forms():
    _, speed = terms(toy())
    evidence = Normal(0.5, math.hypot(1.5, 0.5)).log_prob(torch.tensor(1.2)).item()
    precision = 1 / 1.5**2 + 1 / 0.5**2
    posterior = Normal((0.5 / 1.5**2 + 1.2 / 0.5**2) / precision, precision**-0.5)
    for (mean, width), numbers in zip(GUESSES, speed, strict=True):
        square = (1.2 - mean) ** 2 + width**2
        reconstruction = -square / (2 * 0.5**2) - math.log(0.5 * math.sqrt(2 * math.pi))
        q = Normal(torch.tensor(mean).double(), width)
        rate, gap = kl_divergence(q, PRIOR).item(), kl_divergence(q, posterior).item()
        wanted = [reconstruction, rate, reconstruction - rate, gap, evidence]
        assert numbers == pytest.approx(
            wanted, abs=1e-3, rel=1e-3
        )  # four widths hold q but for 3e-5


def test_the_page_agrees_with_the_chapter():
    """The chapter's own cells make the explorer, and its `split` the numbers."""
    cells = re.split(r"^# %%.*\n", SOURCE.read_text("utf-8"), flags=re.MULTILINE)
    wanted = (r"def log_normal", r"z = torch", r"x, log_q = 1\.2", r"def split", r"ElboBars\(")
    chapter = {"math": math, "torch": torch, "ElboBars": ElboBars}
    for words in wanted:
        (cell,) = (cell for cell in cells if re.search(f"^{words}", cell, re.MULTILINE))
        cell = re.sub(r"^ElboBars\(", "bars = ElboBars(", cell, flags=re.MULTILINE)
        exec(cell, chapter)
    bars = chapter["bars"]
    for name, rows in zip(bars.cases, terms(bars), strict=True):
        for guess, (reconstruction, rate, elbo, gap, evidence) in zip(GUESSES, rows, strict=True):
            split = [v.item() for v in chapter["split"](chapter["decoders"][name], *guess)]
            assert [elbo, gap] == pytest.approx(split, abs=1e-3)
            assert reconstruction - rate == pytest.approx(elbo, abs=1e-3)
            assert elbo + gap == pytest.approx(evidence, abs=1e-3)
    assert bars.widths[0] < 0.362 < 0.929 < bars.widths[1]  # the best q's of the chapter
    assert len(bars.logs) < 50_000


def test_the_still_shows_what_the_page_computes():
    bars, numbers = toy(caption="Toy."), None
    for case, rows in zip(bars.cases, terms(bars), strict=True):
        for (mean, width), numbers in zip(GUESSES, rows, strict=True):
            bars.case, bars.mean, bars.width = case, mean, width
            _, rate = bars._elbo()
            assert rate == pytest.approx(numbers[2], abs=1e-3)
    page = bars.still()
    alt = re.search(r'<img alt="([^"]*)"', page).group(1)
    assert f"{numbers[2]:.3f} nats" in alt
    assert "mean 2.90 and width 0.25" in alt
    assert "Toy. Run the cell to drag q." in page
    assert repr(bars) == "ElboBars of energy, speed at q = N(2.90, 0.25²)"
    assert "data-explorer" in bars.to_html()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"z": Z[:5]}, ValueError, "at least 10 points"),
        ({"z": Z**3 / 64}, ValueError, "torch.linspace"),
        ({"log_prior": PRIOR.log_prob(Z).exp()}, ValueError, "logarithm of a density"),
        ({"log_likelihoods": likelihood(torch.abs)}, TypeError, "dict of a decoder's name"),
        ({"log_likelihoods": {"a": likelihood(torch.abs)[1:]}}, ValueError, "one number a point"),
        ({"log_likelihoods": {"a": likelihood(torch.abs).log()}}, ValueError, "NaN"),
        ({"means": (3, -3)}, ValueError, "a lower and a higher one"),
        ({"means": (-7.5, 7.5)}, ValueError, "no room for a q"),
    ],
)
def test_what_does_not_fit_is_named(change, error, words):
    given = {
        "z": Z,
        "log_prior": PRIOR.log_prob(Z),
        "log_likelihoods": {"a": likelihood(torch.abs)},
    }
    with pytest.raises(error, match=words):
        ElboBars(**given | change)


def test_a_wrong_setting_is_named():
    bars = toy()
    with pytest.raises(Exception, match="one of"):
        bars.case = "boat"
    with pytest.raises(Exception, match="positive"):
        bars.width = 0
    with pytest.raises(Exception, match="finite"):
        bars.mean = float("nan")
    assert (bars.case, bars.mean, bars.width) == ("energy", 0.0, 1.0)
