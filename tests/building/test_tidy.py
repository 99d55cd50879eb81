"""What is stored of a run is the same in every run."""

import copy
import json

import nbformat
import pytest

from vae_teach.building import build
from vae_teach.building.tidy import STATE, VIEW, tidy, without_passing

CELLS = [
    """
import torch
from ipywidgets import FloatSlider, Text
from vae_teach.explorers import Interpolation, LatentSliders
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.page import Panel
from vae_teach.training import fit
torch.manual_seed(0)
images, model = torch.rand(300, 1, 28, 28), VAE(latent_dim=2)
unseen = Text("no cell shows this")
""",
    "history = fit(model, images, elbo, epochs=2)",
    "history",
    "object()",
    "LatentSliders(model)",
    "Interpolation(model, images[:5])",
    "Panel(lambda t: images[0] * t, {'t': FloatSlider(0.5, max=1)}, alt='A grey square.')",
]


@pytest.fixture(scope="module")
def runs():
    """The same notebook, run twice; as it was run."""
    cells = [nbformat.v4.new_code_cell(source, id=f"c{i}") for i, source in enumerate(CELLS)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    return [build.execute(copy.deepcopy(notebook)) for _ in range(2)]


def stored(notebook):
    return nbformat.writes(tidy(notebook, "toy"))


def test_two_runs_are_stored_alike(runs):
    before = [nbformat.writes(run) for run in runs]
    first, second = map(stored, runs)
    assert first == second
    assert [nbformat.writes(run) for run in runs] == before, "tidy changed what it was given"
    assert before[0] != before[1]


def test_tidying_twice_is_tidying_once(runs):
    once = tidy(runs[0], "toy")
    nbformat.validate(once)
    assert stored(once) == nbformat.writes(once)


def test_what_is_shown_is_there_and_nothing_else(runs):
    notebook = tidy(runs[0], "toy")
    state = notebook.metadata.widgets[STATE]["state"]
    shown = [
        o.data[VIEW]["model_id"]
        for cell in notebook.cells
        for o in cell.outputs
        if VIEW in o.get("data", {})
    ]
    assert len(shown) == 3
    sliders, between, panel = (state[key]["state"] for key in shown)
    network = sliders["decoder"].removeprefix("IPY_MODEL_")
    assert between["decoder"] == sliders["decoder"]
    assert len(state[network]["state"]["weights"]) > 1000
    layouts = [s["layout"].removeprefix("IPY_MODEL_") for s in (sliders, between, panel)]
    files = {key for key in state if "path" in state[key]["state"]}
    assert len({state[key]["state"]["path"] for key in files}) == len(files) > 5
    assert set(state) == {*shown, network, *layouts, *files}
    assert len(runs[0].metadata.widgets[STATE]["state"]) >= len(state) + 5
    assert all(len(key) == 32 and int(key, 16) for key in state)


def test_ids_differ_between_notebooks(runs):
    ids = [set(tidy(runs[0], name).metadata.widgets[STATE]["state"]) for name in ("a", "b")]
    assert ids[0].isdisjoint(ids[1])


def test_no_run_s_ids_are_left(runs):
    for old in runs[0].metadata.widgets[STATE]["state"]:
        assert old not in stored(runs[0])


def test_clocks_are_gone_and_results_are_left(runs):
    bar, history, thing = (cell.outputs[0] for cell in tidy(runs[0], "toy").cells[1:4])
    full = "█" * 20
    assert bar.text.startswith(f"epoch 2/2 100% |{full}| reconstruction -")
    assert bar.text.endswith(" nats\n")
    assert history.data["text/plain"].startswith("History: 2 epochs; last: reconstruction -")
    assert thing.data["text/plain"] == "<object>"


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("7% |█| 00:01<00:22, 9.58k images/s, bound -3.0 nats", "7% |█| bound -3.0 nats"),
        ("7% |█| 1:00:01<?, ? images/s", "7% |█|"),
        ("7% |█| 00:00<00:00, 512 images/s, bound 1.0", "7% |█| bound 1.0"),
        ("History: 3 epochs (interrupted), 4.1 s; last: a 1", "History: 3 epochs (interrupted); last: a 1"),
        ("<A.b at 0x7f10>", "<A.b>"),
        ("/tmp/ipykernel_12/34.py:3: UserWarning: x", "<cell>:3: UserWarning: x"),
        ("d = 3: 8,000 points, 0.0006 s", "d = 3: 8,000 points, 0.0006 s"),
    ],
)  # fmt: skip
def test_what_passes(printed, kept):
    assert without_passing(printed) == kept


def test_a_notebook_without_widgets_or_outputs():
    plain = build.unexecuted(build.NOTEBOOKS / "source" / "05_vae.py")
    assert json.loads(stored(plain)) == json.loads(nbformat.writes(plain))
