"""Make what a run left in a notebook the same every time: nothing is stored that says nothing.

A learner's screen shows all of it; this is about the stored file, and about what a change to it shows.
"""

import json
import re
import uuid

import nbformat

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# What is printed differently in every run: pattern -> what is stored instead.
PASSING = {
    r" (\d+:)?\d\d:\d\d<(\d+:)?[\d?:]+, *[\d.?]+[kMG]? ?images/s,?": "",  # a progress bar's clock
    r"(History: \d+ epochs[^,\n]*), [\d.]+ s;": r"\1;",
    r" at 0x[0-9a-f]+": "",  # where an object lay in memory
    r"[^\s\"]*ipykernel_\d+/\d+\.py": "<cell>",  # the file that a warning names
}


def tidy(notebook, name):
    """A tidy copy of an executed notebook; twice is as good as once.

    - Widgets are numbered in the order of appearance; those that no cell shows, and to which none
      that is shown refers, are left out.
    - Clocks and addresses are taken out of text (see PASSING). What a chapter measures and prints
      itself stays: such cells are tagged `measured`, see `build.keep_measured`.
    - The version of Python is left out.

    Args:
        notebook: as `build.execute` returns it.
        name: of the notebook, such as "05_vae", so that ids differ between notebooks.
    """
    notebook = nbformat.from_dict(notebook)
    notebook.metadata.language_info.pop("version", None)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    for output in outputs:
        if "text" in output:
            output.text = without_passing(output.text)
        if "text/plain" in output.get("data", {}):
            output.data["text/plain"] = without_passing(output.data["text/plain"])
    saved = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    shown = [o.data[VIEW]["model_id"] for o in outputs if VIEW in o.get("data", {})]
    used = reached(shown, saved)
    if saved:
        notebook.metadata.widgets[STATE].state = {k: saved[k] for k in used if k in saved}
    return _renamed(notebook, {old: _id(name, number) for number, old in enumerate(used)})


def without_passing(text):
    """A text without clocks and addresses."""
    for pattern, instead in PASSING.items():
        text = re.sub(pattern, instead, text)
    return text


def reached(ids, saved):
    """These widgets' ids and those that they refer to, in the order of first appearance.

    Args:
        ids: list of model ids.
        saved: model id -> saved state, as in a notebook's metadata.
    """
    found, ahead = {}, list(ids)
    while ahead:
        if (key := ahead.pop(0)) not in found:
            found[key] = None
            state = json.dumps(saved.get(key, {}).get("state", {}), sort_keys=True)
            ahead = re.findall(r'"IPY_MODEL_(\w+)"', state) + ahead
    return list(found)


def _id(name, number):
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{number}").hex


def _renamed(notebook, ids):
    """The notebook with widget ids replaced wherever they stand."""
    if not ids:
        return notebook
    text = re.sub("|".join(ids), lambda old: ids[old[0]], json.dumps(notebook))
    return nbformat.from_dict(json.loads(text))
