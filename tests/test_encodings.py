"""Files are read and lines printed alike under every locale."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
USE = """
import importlib, pkgutil, warnings
warnings.filterwarnings("error", category=EncodingWarning, module="vae_teach")
import torch, vae_teach
for module in pkgutil.walk_packages(vae_teach.__path__, "vae_teach."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from vae_teach import data, pretrained
from vae_teach.building import build, contents, stamp
from vae_teach.explorers import LatentSliders
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.say import say
from vae_teach.training import fit
sliders = LatentSliders(VAE(2, hidden=(8,)))
assert "</html>" in sliders.to_html()
assert pretrained.load("vae20_strokes").latent_dim == 20
fit(VAE(2, hidden=(8,)), torch.rand(40, 1, 28, 28), elbo, epochs=1)
say(chr(0x2212) + "ELBO of " + chr(0x3BC))
"""


@pytest.mark.slow
@pytest.mark.fault(
    "Encodings and warnings", "a locale in ASCII, cp1252 or GBK", "all is read and printed"
)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk"])
def test_everything_is_read_and_printed(encoding):
    """`-X warn_default_encoding` tells of each file that is opened in the locale's encoding."""
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment |= {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", USE],
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    assert b"ELBO of" in done.stdout
