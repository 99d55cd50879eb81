"""Renew the page's scripts and styles in the stored notebooks, without running them.

    python -m vae_teach.building.stamp            all of them
    python -m vae_teach.building.stamp 05_vae     only these
    python -m vae_teach.building.stamp --check    change nothing; fail where one would change

Each file stands in a notebook once, so a changed line of it is one changed line of the notebook.
"""

import argparse
import copy
import re
import sys

import nbformat

from vae_teach.building.build import NOTEBOOKS
from vae_teach.building.tidy import STATE
from vae_teach.page.files import needed, text
from vae_teach.page.web_explorer import WebExplorer

LINK = "IPY_MODEL_"


def stamped(notebook):
    """A copy of a notebook whose explorers have the package's scripts and styles."""
    fresh = copy.deepcopy(notebook)
    saved = fresh.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    files = {one["state"]["path"]: key for key, one in saved.items() if _is_file(one["state"])}
    wanted = set()
    for one in [one for one in saved.values() if "_esm" in one["state"]]:
        state = one["state"]
        if "files" not in state:
            raise ValueError(
                "its explorers are older than their files: `make notebooks` makes them anew."
            )
        script = saved[state["files"][-1].removeprefix(LINK)]["state"]["path"]
        for path in needed(script):
            if path not in files:  # imported since the notebook was built
                key = files[path] = re.sub(r"\W", "_", path)  # `tidy` knows ids by \w
                saved[key] = copy.deepcopy(saved[files[script]])
                saved[key]["state"]["path"] = path
        wanted |= set(needed(script))
        state["files"] = [LINK + files[path] for path in needed(script)]
        state["_esm"] = WebExplorer._esm
    for path, key in files.items():
        if path in wanted:
            saved[key]["state"]["text"] = text(path)
        else:
            del saved[key]
    return fresh


def _is_file(state):
    return {"path", "text"} <= set(state)


def main():
    """Renew the notebooks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 05_vae; default: all")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if one would")
    asked = parser.parse_args()
    paths = {path.stem: path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}
    unknown = set(asked.names) - set(paths)
    if unknown:
        parser.error(f"no {', '.join(sorted(unknown))} in {NOTEBOOKS}")
    old = []
    for name in asked.names or paths:
        notebook = nbformat.read(paths[name], as_version=4)
        try:
            fresh = stamped(notebook)
        except ValueError as problem:
            sys.exit(f"{name}: {problem}")
        if fresh != notebook:
            old.append(name)
            if not asked.check:
                nbformat.write(fresh, paths[name])
    print(f"{'older than the package' if asked.check else 'renewed'}: {', '.join(old) or 'none'}")
    if asked.check and old:
        sys.exit("`make stamp` renews them.")


if __name__ == "__main__":
    main()
