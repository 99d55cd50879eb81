"""The page's scripts and styles, each of which stands in a page and in a notebook once.

A script names what it needs by `import`; its style lies beside it, under the same name. Paths are
relative to the package, such as "explorers/bubbles/bubbles.js".
"""

import json
import pathlib
import re

import traitlets as t

from vae_teach.page.shared import Shared
from vae_teach.pictures import colours

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
LOADER = "page/load.js"  # knows how to load the others
COLOURS = "page/colours.js"  # made from pictures/colours.py
IMPORT = re.compile(r'^import [^;"]*"([^"]+)";', re.MULTILINE)  # load.js reads them like this, too
_OPEN = {}  # path -> PageFile


class PageFile(Shared):
    """A script or a style that explorers need."""

    path = t.Unicode().tag(sync=True)
    text = t.Unicode().tag(sync=True)

    @classmethod
    def of(cls, path):
        """The one of this path, with its present text."""
        if path not in _OPEN or _OPEN[path].comm is None:
            _OPEN[path] = cls(path=path)
        _OPEN[path].text = text(path)
        return _OPEN[path]

    def empty(self):
        """Forget the text."""
        self.text = ""
        self.path = ""


def needed(script):
    """Paths of all files that an explorer needs, in the order in which a page loads them.

    Args:
        script: path of the explorer's own script.

    Returns:
        list of str: the loader; then each script after those that it imports, `script` itself last;
        before each its style, if it has one.

    Raises:
        ValueError: scripts that import one another, or something that is no script of the package.
    """
    paths = [LOADER]
    _follow(script, paths, ())
    return paths


def _follow(script, paths, above):
    if script in above:
        raise ValueError(
            f"{script} imports itself by way of {above[-1]}: page files form no circles."
        )
    for specifier in IMPORT.findall(text(script)):
        _follow(_resolved(specifier, script), paths, (*above, script))
    style = script.removesuffix(".js") + ".css"
    paths += [p for p in (style, script) if p not in paths and (p == script or _is_file(p))]


def _resolved(specifier, script):
    target = (PACKAGE / script).parent.joinpath(specifier).resolve()
    path = target.relative_to(PACKAGE).as_posix() if target.is_relative_to(PACKAGE) else ""
    if not (
        specifier.startswith(".") and path.endswith(".js") and (path == COLOURS or _is_file(path))
    ):
        raise ValueError(f'{script} imports "{specifier}", a script of this package is needed.')
    return path


def _is_file(path):
    return (PACKAGE / path).is_file()


def text(path):
    """What stands in a file of this path; colours are made from pictures/colours.py."""
    if path == COLOURS:
        return _colours()
    written = (PACKAGE / path).read_text("utf-8")
    return _palette() + written if path == "page/common.css" else written


def _objects():
    names = ("PRIOR", "ENCODER", "POSTERIOR", "DECODER", "KL")
    return {name: getattr(colours, name) for name in names}


def _palette():
    """Rules that give each object's colour, and a digit's as --hue of the classes c0 to c9."""
    variables = "".join(f" --{name.lower()}: {colour};" for name, colour in _objects().items())
    labels = (f".vae-teach .c{i} {{ --hue: {hue}; }}" for i, hue in enumerate(colours.LABELS))
    return "\n".join([f".vae-teach {{{variables} }}", *labels, ""])


def _colours():
    """A module of the same colours as [red, green, blue], each from 0 to 255."""
    values = {name: colours.rgb(colour) for name, colour in _objects().items()}
    values["LABELS"] = [colours.rgb(hue) for hue in colours.LABELS]
    values["COMPONENTS"] = colours.COMPONENTS
    lines = (f"export const {name} = {json.dumps(value)};" for name, value in values.items())
    return "\n".join(["// The course's colours.", *lines, ""])
