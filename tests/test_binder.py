"""The image that binder/ describes, as far as it can be built without a container."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from vae_teach.data.downloaded import cache_directory

tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
IMAGE_S = ("OMP_NUM_THREADS", "CPU_LIMIT", "KERNEL_PYTHON_PREFIX")  # set in such an image
pytestmark = pytest.mark.skipif(os.name == "nt", reason="shell scripts of a Linux image")


def pinned():
    """Name -> version in binder/requirements.txt."""
    lines = (BINDER / "requirements.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def test_every_dependency_is_pinned_to_a_version_that_the_package_takes():
    pins = pinned()
    for needed in map(Requirement, PROJECT["dependencies"]):
        assert needed.specifier.contains(pins[needed.name]), needed
    assert pins["torch"].endswith("+cpu")
    assert pins["torchvision"].endswith("+cpu")
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in (
        BINDER / "requirements.txt"
    ).read_text("utf-8")


def test_python_is_fixed():
    name, version = re.fullmatch(r"(\w+)-(3\.\d+)\n", (BINDER / "runtime.txt").read_text()).groups()
    assert name == "python"
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


@pytest.fixture
def prefix(tmp_path, mnist_on_disk):
    """The image's environment: this Python, a pip that notes what it was asked for, MNIST twice."""
    if not mnist_on_disk:
        pytest.skip("MNIST is not on this machine")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "pip").write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/asked"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    for name in ("MNIST", "FashionMNIST"):  # files of the same sizes
        copy = tmp_path / "share" / "vae-teach" / name / "raw"
        copy.parent.mkdir(parents=True)
        copy.symlink_to((cache_directory() / "MNIST" / "raw").resolve())
    return tmp_path


def run(script, prefix, *arguments, **more):
    environment = {k: v for k, v in os.environ.items() if k not in IMAGE_S}
    environment |= {"NB_PYTHON_PREFIX": str(prefix), "PYTHONPATH": str(ROOT), **more}
    command = ["bash", str(BINDER / script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)


def test_the_image_is_prepared(prefix):
    done = run("postBuild", prefix)
    assert done.returncode == 0, done.stderr
    assert (prefix / "asked").read_text() == "install --no-cache-dir --no-deps -e .\n"
    assert "vae20_mnist: as shipped" in done.stdout
    settings = json.loads((prefix / "etc/jupyter/jupyter_server_config.json").read_text())
    for page in settings.values():
        assert (ROOT / page["default_url"].removeprefix("/lab/tree/")).is_file()
    assert json.loads((prefix / "share/jupyter/lab/settings/overrides.json").read_text())
    assert (prefix / "etc/jupyter/jupyter_server_config.py").is_file()


@pytest.mark.parametrize("step", ["pip", "python"])
def test_a_step_that_fails_stops_the_build(prefix, step):
    (prefix / "bin" / step).write_text("#!/bin/sh\nexit 3\n")
    assert run("postBuild", prefix).returncode == 3
    assert not (prefix / "etc").exists()


def test_a_session_becomes_what_it_was_asked_to_run(tmp_path):
    say = "sh", "-c", 'echo "$OMP_NUM_THREADS $VAE_TEACH_DATA"'
    limits = [
        ({"CPU_LIMIT": "3.7"}, None, "3"),
        ({"CPU_LIMIT": "0.5"}, None, "1"),
        ({}, None, "2"),
        ({}, "max 100000", "2"),
        ({"CPU_LIMIT": "8"}, "400000 100000", "4"),  # the container's own limit has the say
        ({}, "50000 100000", "1"),
    ]
    for variables, quota, threads in limits:
        (tmp_path / "cpu.max").unlink(missing_ok=True)
        if quota:
            (tmp_path / "cpu.max").write_text(f"{quota}\n")
        done = run("start", tmp_path, *say, CGROUP=str(tmp_path), **variables)
        assert done.stdout == f"{threads} {tmp_path}/share/vae-teach\n", (variables, quota)
    done = run("start", tmp_path, "sh", "-c", "exit 7", OMP_NUM_THREADS="5")
    assert done.returncode == 7
    assert (BINDER / "start").read_text().rstrip().endswith('exec "$@"')
    assert os.access(BINDER / "start", os.X_OK)
    assert os.access(BINDER / "postBuild", os.X_OK)
