"""What a long calculation needs at its peak, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PEAK = """
import re, torch
from vae_teach import evaluation
from vae_teach.models import VAE

def megabytes(kind):
    text = open("/proc/self/status").read()
    return int(re.search(kind + r":\\s+(\\d+)", text)[1]) / 1024

torch.manual_seed(0)
model, x = VAE(2), torch.rand(3, 1, 28, 28)
model.encode(x), evaluation.posterior_on_grid(model, x, grid=50)  # all is loaded
open("/proc/self/clear_refs", "w").write("5")  # the peak is counted from here
before = megabytes("VmRSS")
evaluation.posterior_on_grid(model, x, grid=400)
print(megabytes("VmHWM") - before)
"""


@pytest.mark.fault("Memory", "a posterior at the 160,000 points of a grid", "at most 100 MB more")
@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's account of memory"
)
def test_a_grid_needs_little_beside_its_result():
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PEAK]
    more = float(subprocess.check_output(command, text=True, env=environment))
    assert more < 100
