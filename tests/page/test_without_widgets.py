"""Where ipywidgets or anywidget is missing, all that can be dragged is a still picture and a sentence."""

import json
import os
import subprocess
import sys

import pytest
from tested_explorers import EXPLORERS, SETUP

from vae_teach.page.files import PACKAGE
from vae_teach.page.widgets import MISSING

MADE_OF = "from vae_teach.page.widgets import Checkbox, Dropdown, IntSlider, ToggleButtons\n"
START = """
import json, sys
sys.modules |= dict.fromkeys({missing!r})  # what imports one of them gets an ImportError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell, displayed = InteractiveShell.instance(), {{}}

def see(name, thing):
    with capture_output() as caught:
        display(thing)
    displayed[name] = [output.data for output in caught.outputs]
"""
PANELS = {
    "start_here": "two_classes_panel()",
    "autoencoder": """between_codes_panel(
        lambda z: z[:, :1, None, None].expand(-1, 1, 8, 8), lambda x: x.flatten(1)[:, :3],
        torch.zeros(2), torch.ones(2), torch.rand(2, 1, 8, 8))""",
    "denoising_contractive": """corruption_panel(
        torch.rand(3, 1, 8, 8), {"noise": (torch.add, 0.1, "{:.1f}")}, {"same": torch.abs}, "Alt.")""",
    "bayes_elbo": """bayes_rule_panel(
        np.linspace(-4, 4, 50), lambda *_: (np.ones(50), np.ones(50), np.ones(50), 1.0), np.abs,
        "Alt.")""",
    "reparameterization": "simplex_panel(lambda a, noise, t: ((a + noise) / t).softmax(1))",
    "beta_vae": "doctor_panel(torch.rand(1, 28, 28), 0.3, 'Alt.')",
    "em": """small_variance_panel(
        np.random.default_rng(0).normal(size=(30, 2)),
        lambda sigma: (np.eye(3, 2), np.full((30, 3), 1 / 3)), np.eye(3, 2))""",
}
END = """
slider = FloatSlider(0.5, min=0, max=1)
moved = Panel(lambda a: torch.full((1, 4, 4), a), {"a": slider}, "Alt.")
before = moved.still()
slider.value = 0.9
try:
    moved.to_html()
except ImportError as sentence:
    refused = str(sentence)
for thing in (moved, plane, sliders):
    thing.close()
print(json.dumps([displayed, before != moved.still(), refused]))
"""


def program(missing):
    """Python that makes all explorers and a panel of each chapter, and prints what each shows."""
    setup = [line for line in SETUP.splitlines() if "ipywidgets" not in line]
    lines = [START.format(missing=missing), MADE_OF, *setup]
    lines += [f"{e.make}\nsee({e.name!r}, {e.name})" for e in EXPLORERS]
    for chapter, code in PANELS.items():
        lines.append(f"from vae_teach.chapters.{chapter}.panels import *\nsee({chapter!r}, {code})")
    return "\n".join([*lines, "from vae_teach.page.widgets import FloatSlider", END])


@pytest.mark.slow
@pytest.mark.fault(
    "Without ipywidgets",
    "no ipywidgets, or no anywidget",
    "stills of all explorers and panels, and one sentence with the remedy",
)
@pytest.mark.parametrize("missing", [["ipywidgets", "anywidget"], ["anywidget"]], ids=" ".join)
def test_all_of_them_show_their_stills_and_a_sentence(missing, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", program(missing)],
        env=os.environ | {"IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    seen, followed, refused = json.loads(done.stdout.splitlines()[-1])
    assert set(seen) == {explorer.name for explorer in EXPLORERS} | set(PANELS)
    for name, outputs in seen.items():
        assert len(outputs) == 1, name
        assert set(outputs[0]) == {"text/html", "text/plain"}, name
        assert outputs[0]["text/html"].count('<figure class="vae-teach-still"><img alt="') == 1
        assert outputs[0]["text/html"].endswith(f"<p>{MISSING}</p>")
    assert followed, "a value that is set in code"
    assert refused == MISSING


def test_a_panel_of_every_chapter_is_among_them():
    assert set(PANELS) == {p.parent.name for p in (PACKAGE / "chapters").glob("*/panels.py")}
