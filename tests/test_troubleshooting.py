"""What TROUBLESHOOTING.md tells people to do exists, and a kernel that dies says where."""

import os
import re
import runpy
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from jupyter_client.manager import KernelManager

from vae_teach.data.load import NAMES
from vae_teach.page.widgets import MISSING

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "TROUBLESHOOTING.md").read_text("utf-8")
CODE = re.findall(r"`([^`]+)`", PAGE)
SETTINGS = ROOT / "jupyter" / "etc" / "jupyter" / "jupyter_server_config.py"
CRASH = "import ctypes; ctypes.string_at(0)"


def variables():
    """Names of environment variables on the page."""
    return set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bPYTHON[A-Z]+\b", "\n".join(CODE)))


@pytest.fixture
def settings(monkeypatch):
    """The variables that the course's JupyterLab hands on to kernels."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ.pop("PYTHONFAULTHANDLER", None)
    runpy.run_path(str(SETTINGS), {"get_config": MagicMock()})
    return os.environ


def test_every_make_command_is_a_target():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    used = {word for code in CODE for word in re.findall(r"\bmake ([\w-]+)", code)}
    assert {"lab", "clean"} <= used <= set(targets)


def test_every_variable_is_read_by_somebody():
    theirs = {"CUDA_VISIBLE_DEVICES", "KMP_DUPLICATE_LIB_OK"}  # PyTorch's and OpenMP's
    ours = [*(ROOT / "vae_teach" / "data").glob("*.py"), SETTINGS, ROOT / "Makefile"]
    text = "\n".join(path.read_text("utf-8") for path in ours)
    assert len(variables()) > 5
    for name in variables() - theirs:
        assert name in text, name


def test_every_set_is_known():
    for name in re.findall(r"VAE_TEACH_DATASET=(\w+)", PAGE):
        assert name in NAMES


def test_the_remedy_without_widgets_is_the_one_that_is_printed():
    (remedy,) = [code for code in CODE if code.startswith("%pip")]
    assert remedy in MISSING


def test_people_are_led_there():
    assert "(TROUBLESHOOTING.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "TROUBLESHOOTING.md" in (ROOT / "notebooks/source/00_start_here.py").read_text("utf-8")


@pytest.mark.fault("Kernel death", "a crash inside a library", "the terminal says where it was")
def test_a_kernel_that_crashes_says_where(settings, tmp_path):
    manager = KernelManager(kernel_name="python3")
    with open(tmp_path / "terminal", "w+") as terminal:
        manager.start_kernel(env=settings, stderr=terminal, stdout=terminal)
        client = manager.blocking_client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=60)
            client.execute(CRASH)
            manager.provisioner.process.wait(30)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
        terminal.seek(0)
        said = terminal.read()
    assert "Fatal Python error: Segmentation fault" in said
    assert "string_at" in said
