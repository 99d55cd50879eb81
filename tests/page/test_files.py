"""The page's scripts and styles: found by following imports, sent once, fit to be loaded."""

import json
import re
import shutil
import subprocess

import pytest
import torch
from ipywidgets import Widget
from node_runs import every_script, write_scripts

from vae_teach.explorers import LatentPlane, LatentSliders
from vae_teach.models import VAE
from vae_teach.page import files
from vae_teach.page.files import PACKAGE, PageFile, needed, text

IMAGES, LABELS = torch.rand(20, 1, 28, 28), torch.arange(20) % 10
ALL = every_script()
OF_EXPLORERS = [path for path in ALL if path.startswith("explorers/") or path == "page/panel.js"]


def plane_and_sliders():
    model = VAE(2, hidden=(8,))
    return LatentPlane(model, IMAGES, LABELS), LatentSliders(model)


def test_every_script_is_needed_and_stands_after_those_it_imports():
    written = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.js")}
    assert written - set(ALL) == {"page/anywidget.js", "page/page.js"}
    order = needed("explorers/latent_plane/latent_plane.js")
    assert order[0] == "page/load.js"
    assert order[-1] == "explorers/latent_plane/latent_plane.js"
    assert len(order) == len(set(order))
    for before, after in [("network", "plane"), ("common", "plane"), ("colours", "../explorers")]:
        ends = [next(i for i, p in enumerate(order) if p.startswith(f"page/{before}.js"))]
        ends += [i for i, p in enumerate(order) if p in (f"page/{after}.js", order[-1])]
        assert ends == sorted(ends)
    styles = [path for path in needed("explorers/bubbles/bubbles.js") if path.endswith(".css")]
    assert styles == ["page/common.css", "explorers/bubbles/bubbles.css"]


@pytest.mark.parametrize("path", ALL)
def test_every_import_is_one_that_can_be_followed(path):
    """As the package and load.js read it: at a line's start, in double quotes, with a semicolon."""
    assert len(files.IMPORT.findall(text(path))) == len(
        re.findall(r"\bfrom\s*['\"`][.]", text(path))
    )


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({"a.js": 'import { x } from "./b.js";\n'}, r'a\.js imports "\./b\.js", a script'),
        ({"a.js": 'import x from "three";\n'}, r'a\.js imports "three", a script'),
        ({"a.js": 'import x from "../../b.js";\n'}, r'imports "\.\./\.\./b\.js", a script'),
        (
            {"a.js": 'import {\n  x,\n} from "./b.js";\n', "b.js": 'import "./a.js";\n'},
            r"a\.js imports itself by way of page/b\.js",
        ),
    ],
)
def test_an_import_that_leads_nowhere_is_named(tmp_path, monkeypatch, scripts, words):
    (tmp_path / "page").mkdir()
    for name, written in scripts.items():
        (tmp_path / "page" / name).write_text(written, "utf-8")
    monkeypatch.setattr(files, "PACKAGE", tmp_path)
    with pytest.raises(ValueError, match=words):
        needed("page/a.js")


def test_two_explorers_share_their_files_until_the_last_is_closed():
    Widget.close_all()  # what other tests left open uses the same files
    plane, sliders = plane_and_sliders()
    both = {file.path: file for file in plane.files}
    common = [file for file in sliders.files if file is both.get(file.path)]
    assert {"page/load.js", "page/common.js", "page/common.css"} <= {f.path for f in common}
    own = sliders.files[-1]
    assert own.path == "explorers/latent_sliders/latent_sliders.js"
    assert own.text == (PACKAGE / own.path).read_text("utf-8")
    sliders.close()
    assert own.comm is None
    assert not own.text, "JupyterLab's page would keep it"
    assert all(file.comm is not None and file.text for file in plane.files)
    shared = plane.files
    plane.close()
    assert not any(file.comm for file in shared)
    again = plane_and_sliders()[0]
    assert all(file.comm is not None and file.text for file in again.files)


def test_an_explorer_s_own_script_is_the_same_few_lines_for_all():
    plane, sliders = plane_and_sliders()
    assert plane._esm == sliders._esm
    assert len(plane._esm) < 800
    assert "_css" not in plane.keys


def test_a_script_that_was_edited_is_sent_anew(monkeypatch):
    first = PageFile.of("page/plane.js")
    monkeypatch.setattr(files, "text", lambda path: text(path) + "// edited\n")
    assert PageFile.of("page/plane.js") is first
    assert first.text.endswith("// edited\n")
    first.close()


@pytest.mark.parametrize("path", OF_EXPLORERS)
def test_classes_are_named_after_the_folder(path):
    """The script's root, and every rule of the style beside it."""
    name = path.split("/")[-1].removesuffix(".js")
    own = "vae-teach-" + name.replace("_", "-")
    made = re.findall(r'explorer\("([^"]*)"', text(path))
    assert made == ([own] if path.split("/")[1] in (name, "panel.js") else [])
    style = path.removesuffix(".js") + ".css"
    if (PACKAGE / style).exists():
        named = set(re.findall(r"\.(vae-teach[\w-]*)", text(style)))
        assert named == {own}


def test_node_loads_every_script(tmp_path):
    """A name that is imported but not exported, or declared twice, is an error there."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    write_scripts(tmp_path, *ALL)
    lines = [f'await import("./{path}");' for path in ALL]
    (tmp_path / "all.js").write_text("\n".join(lines), "utf-8")
    done = subprocess.run([node, tmp_path / "all.js"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_typescript_finds_nothing_wrong(tmp_path):
    """Undeclared and unused names, wrong numbers of arguments, properties that do not exist."""
    tsc = shutil.which("tsc")
    version = tsc and subprocess.check_output([tsc, "--version"], text=True).split()[-1]
    if tsc is None or int(version.split(".")[0]) < 5:
        pytest.skip("no tsc of TypeScript 5 or newer (npm install --global typescript)")
    write_scripts(tmp_path, *ALL)
    for path in ("page/anywidget.js", "page/page.js"):
        (tmp_path / path).write_text(text(path), "utf-8")
    settings = (PACKAGE / "jsconfig.json").read_text("utf-8")
    (tmp_path / "jsconfig.json").write_text(settings, "utf-8")
    done = subprocess.run(
        [tsc, "--project", tmp_path / "jsconfig.json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert json.loads(settings)["compilerOptions"]["checkJs"]
