"""The house rules: floors, sizes, a light import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "vae_teach"
FLOORS = {
    "checks": 0,
    "labels": 0,
    "interrupts": 0,
    "say": 0,
    "data": 1,
    "distributions": 1,
    "models": 2,
    "objectives": 3,
    "history": 4,
    "training": 4,
    "evaluation": 4,
    "em": 4,
    "pictures": 5,
    "page": 5,
    "explorers": 5,
    "pretrained": 5,
    "exercises": 5,
    "chapters": 6,
    "building": 7,
}
MODULES = [p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py"]


def floor(dotted):
    return FLOORS[dotted.split(".")[1]]


def imported(path):
    """Modules of this package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vae_teach"):
            whole = node.module == "vae_teach"
            yield from (f"vae_teach.{n.name}" for n in node.names) if whole else [node.module]
        elif isinstance(node, ast.Import):
            yield from (n.name for n in node.names if n.name.startswith("vae_teach."))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_imports_upwards(path):
    own = floor(".".join(("vae_teach", *path.relative_to(PACKAGE).with_suffix("").parts)))
    for other in imported(path):
        assert floor(other) <= own, f"{path.name} imports {other}"


def test_files_are_short():
    folders = ("vae_teach", "tests", "benchmarks")
    files = [
        p for f in folders for p in (ROOT / f).rglob("*") if p.suffix in (".py", ".js", ".css")
    ]
    assert len(files) > 30
    assert [p.name for p in files if len(p.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_import_is_light():
    """`import vae_teach` alone loads nothing heavy."""
    code = (
        "import sys, vae_teach; print(sorted({'torch', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
