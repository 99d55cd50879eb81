"""Lines are printed whatever the console's encoding."""

import io
import sys

import pytest
import torch

from vae_teach.chapters.__main__ import exercises
from vae_teach.say import say


@pytest.mark.fault(
    "Encodings and warnings", "a console in ASCII, cp1252 or GBK", "every line is printed"
)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk", "utf-8"])
def test_any_console_takes_any_line(encoding, monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", console)
    say("−ELBO of μ and σ² → 12 nats")
    for _, _, exercise in exercises():
        exercise(lambda *_: torch.zeros(0))
        exercise.hint()
    console.flush()
    text = console.buffer.getvalue().decode(encoding)
    assert "ELBO of" in text
    assert ("?" not in text.splitlines()[0]) == (encoding == "utf-8")
