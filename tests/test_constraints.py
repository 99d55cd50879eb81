"""The versions that `make` installs: all of them, within the bounds, and the ones that are here."""

import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NEEDED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
TEXT = (ROOT / "binder" / "constraints.txt").read_text("utf-8")
SYSTEMS = {"linux": "posix", "darwin": "posix", "win32": "nt"}


def pins(**environment):
    """Name -> version of what constraints.txt holds, on this or another system or Python."""
    lines = [line for line in TEXT.splitlines() if not line.startswith("#")]
    held = [r for r in map(Requirement, lines) if r.marker.evaluate(environment)]
    versions = {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in held}
    assert len(versions) == len(held), "two versions of one package"
    return versions


@pytest.fixture
def renew():
    spec = importlib.util.spec_from_file_location("renew", ROOT / "binder" / "renew.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_dependency_is_held_within_its_bounds(python, system):
    held = pins(
        python_version=python,
        python_full_version=f"{python}.0",
        sys_platform=system,
        os_name=SYSTEMS[system],
    )
    for needed in map(Requirement, NEEDED):
        assert needed.specifier.contains(held[canonicalize_name(needed.name)]), needed


def test_older_python_is_left_to_the_bounds():
    assert pins(python_version="3.10", python_full_version="3.10.13") == {}


def test_everything_that_is_installed_keeps_to_them():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    assert "-c binder/constraints.txt" in lines


def test_the_image_has_the_same_versions(renew):
    assert renew.image_s(TEXT) == (ROOT / "binder" / "requirements.txt").read_text("utf-8")


def test_the_image_gets_new_versions(renew):
    text = renew.image_s("torch==9.9.1 ; python_version >= '3.11'\njupyter-server==8.8\n")
    assert "torch==9.9.1+cpu\n" in text
    assert "jupyter_server==8.8\n" in text
    assert "torchvision==9" not in text


def test_what_make_installed_is_what_they_say():
    if Path(sys.prefix) != ROOT / ".venv" or not (ROOT / ".venv" / ".ready").exists():
        pytest.skip("this environment was not made by make")
    held, other = pins(), {}
    for package in metadata.distributions():
        name = canonicalize_name(package.metadata["Name"])
        if name in held and Version(package.version).public != held[name]:
            other[name] = f"{package.version}, not {held[name]}"
    assert not other, "make clean, then make again"


def test_renewed_within_the_bounds_they_stay_as_they_are(renew):
    """`make constraints`, but for newer versions: nothing is missing, too much, or out of bounds."""
    pytest.importorskip("uv", reason="uv is not installed")
    try:
        assert renew.resolved(kept=TEXT) == TEXT
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no package index can be reached (uv ended with {error.returncode})")


def test_uv_is_given_what_to_keep_without_the_marker_that_is_ours(renew, monkeypatch):
    given = {}

    def uv(command, **how):
        (found,) = (word.partition("=")[2] for word in command if "--output-file" in word)
        given["kept"], given["in"] = Path(found).read_text("utf-8"), how["cwd"]
        Path(found).write_text("one==1\ntwo==2 ; sys_platform == 'linux' or os_name == 'nt'\n")

    monkeypatch.setattr(subprocess, "run", uv)
    kept = 'one==0.9 ; python_version >= "3.11"\n'
    kept += "two==1 ; python_version >= \"3.11\" and (os_name == 'nt')\n"
    text = renew.resolved(kept)
    assert given == {"kept": "one==0.9\ntwo==1 ; (os_name == 'nt')\n", "in": ROOT}
    assert text.splitlines()[-2:] == [
        'one==1 ; python_version >= "3.11"',
        "two==2 ; python_version >= \"3.11\" and (sys_platform == 'linux' or os_name == 'nt')",
    ]
