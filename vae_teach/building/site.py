"""Build the site: notebooks/*.ipynb -> site/*.html, alive in a browser without kernel or network.

    python -m vae_teach.building.site             into site/
    python -m vae_teach.building.site FOLDER      into another folder

The notebooks are taken as they are stored: what they show was computed by `build`.
Explorers that live in the page are drawn from their stored state; where a widget needs a kernel,
the still picture stored after it stands there.
"""

import argparse
import re
import shutil
import time
from importlib.metadata import files
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from vae_teach.building.build import NOTEBOOKS
from vae_teach.building.tidy import STATE, VIEW, reached
from vae_teach.chapters import CHAPTERS
from vae_teach.page.html import live, mount

HERE = Path(__file__).resolve().parent
COURSE = "Variational autoencoders, alive"
ABOUT = """# {course}

![The latent plane: on the left a map of test digits by their code, a ring at the chosen point; on the right the digit decoded there; below, test images to choose, one with its q(z|x)](images/latent_plane.png)

An interactive course. Derivations are evaluated line by line beside their text, and there is something to drag in
every chapter: with a pointer, a finger, or the arrow keys.

## Chapters

In each you will

{chapters}

Formulas are set by MathJax, under the [Apache License 2.0](https://www.apache.org/licenses/LICENSE-2.0).
"""


def animate(notebook):
    """Put each explorer's place where its view was stored; return the HTML that brings them to life.

    A view that only a kernel could draw goes away if a still picture follows it.
    """
    saved = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    mounted = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        for output, after in zip(list(outputs), [*outputs, {}][1:], strict=False):
            view = output.get("data", {}).pop(VIEW, None)
            if view is None:
                continue
            if lives(saved.get(view["model_id"], {"state": {}})["state"]):
                mounted.append(view["model_id"])
                output.data["text/html"] = mount(view["model_id"])
            elif "vae-teach-still" in after.get("data", {}).get("text/html", ""):
                outputs.remove(output)
    return live(needed(mounted, saved)) if mounted else ""


def lives(state):
    """Whether this widget is drawn in the page; a Panel waits for the kernel's answer to draw."""
    return "_esm" in state and "answered" not in state


def needed(ids, saved):
    """The states of these widgets, and of those that they refer to, but for layouts: no page has any."""
    states = {key: saved[key] for key in reached(ids, saved)}
    return {key: s for key, s in states.items() if s["state"]["_model_name"] != "LayoutModel"}


def build(notebooks, target):
    """Write the pages of all notebooks in one folder, and all that they load, into another."""
    target.mkdir(parents=True, exist_ok=True)
    stored = [nbformat.read(notebooks / f"{c.stem}.ipynb", 4) for c in CHAPTERS]
    chapters = [
        {"address": f"{c.stem}.html", "notebook": f"{c.stem}.ipynb", "title": c.heading}
        for c in CHAPTERS
    ]
    listed = "\n".join(f"- [{c.heading}]({c.stem}.html): {c.you_will}" for c in CHAPTERS)
    about = ABOUT.format(course=COURSE, chapters=listed)
    front = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(about)])
    pages = [({"address": "index.html", "title": COURSE}, front)]
    pages += zip(chapters, stored, strict=True)
    exporter = HTMLExporter(
        template_name="pages",
        extra_template_basedirs=[str(HERE)],
        exclude_anchor_links=True,
    )
    for i, (chapter, notebook) in enumerate(pages):
        page = chapter | {"course": COURSE, "live": animate(notebook)}
        page["before"] = pages[i - 1][0] if i > 1 else None
        page["after"] = pages[i + 1][0] if i + 1 < len(pages) else None
        html, _ = exporter.from_notebook_node(notebook, {"page": page})
        (target / chapter["address"]).write_text(mended(html), "utf-8")
    (target / "site.css").write_text(style(), "utf-8")
    shutil.copytree(notebooks / "images", target / "images", dirs_exist_ok=True)
    copy_mathjax(target / "mathjax")


def mended(html):
    """Links lead to pages and headings, wide tables scroll, the empty corner of a table is no heading."""
    html = re.sub(r"<h2>([\w ]+)</h2>", lambda h: f'<h2 id="{_place(h[1])}">{h[1]}</h2>', html)
    html = re.sub(r'(<a href="[^":]*)\.ipynb', r"\1.html", html)
    html = re.sub(r"<table.*?</table>", r'<div class="wide">\g<0></div>', html, flags=re.DOTALL)
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)


def _place(heading):
    """What JupyterLab's links call a heading."""
    return heading.replace(" ", "-")


def style():
    """The rules of pages/site.css, and colours for code that stand out by 4.5 to 1."""
    light, dark = (
        HtmlFormatter(style=s).get_style_defs(".highlight") for s in ("xcode", "monokai")
    )
    rules = (HERE / "pages" / "site.css").read_text("utf-8")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{rules}"


def copy_mathjax(target):
    """Copy the one script and the fonts that formulas need."""
    wanted = re.compile(r"static/mathjax/(tex-chtml\.js|output/chtml/fonts/woff-v2/[^/]*\.woff)$")
    for file in files("sphinx-mathjax-offline"):
        if match := wanted.search(file.as_posix()):
            copy = target / match[1]
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), copy)


def main():
    """Build the site of the stored notebooks, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=NOTEBOOKS.parent / "site")
    target = parser.parse_args().folder
    started = time.perf_counter()
    build(NOTEBOOKS, target)
    size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file()) / 1e6
    print(f"{target / 'index.html'}: {time.perf_counter() - started:.0f} s, {size:.1f} MB")


if __name__ == "__main__":
    main()
