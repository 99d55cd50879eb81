"""Every explorer as quick as the hand, in a real JupyterLab: the bounds are in room.py."""

import os

import pytest
from room import RATIO, misses, slowness
from table import EXPLORERS, IN_KERNEL, IN_PAGE, USUAL

every = pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda explorer: explorer.name)
in_page = pytest.mark.parametrize("explorer", IN_PAGE, ids=lambda explorer: explorer.name)
GROWTH = {"kernel": 4e6, "page": 1e6, "nodes": 100, "listeners": 20}  # bytes, bytes, counts
BUSY = 60  # ms, median while training takes both cores of a small machine


def settled(room, explorer):
    """The page's numbers, once the kernel has the same."""
    room.page.wait_for_timeout(100)
    shown = room.numbers(explorer)
    room.wait(lambda: room.ask(explorer.kernel) == pytest.approx(shown, abs=0.006))
    return shown


@pytest.fixture(scope="module")
def usual(room):
    return room.best(USUAL)


@pytest.fixture(scope="class")
def all_cores(room):
    """Training takes every core, as it does for a learner; the tests' own processes have one thread."""
    before = room.ask("torch.get_num_threads()")
    room.run(f"torch.set_num_threads({os.cpu_count()})")
    yield
    room.run(f"torch.set_num_threads({before})")


@pytest.mark.timing
@every
def test_follows_the_hand(room, usual, explorer):
    times = slowness(usual, explorer)
    figures = room.best(explorer, times)
    ratio = figures["median"] / usual["median"]
    print(f"\n{explorer.name}: {told(figures)}; {ratio:.2f} of the usual pattern's median")
    print(
        f"bounds are those of a machine {times:.1f} times as quick; without that, missed:",
        *misses(explorer, figures),
    )
    assert not misses(explorer, figures, times), figures
    assert explorer.reads or ratio <= RATIO, f"usual: {told(usual)}"


@every
def test_a_fast_drag_ends_on_the_last_value(room, explorer):
    room.run(explorer.reset)
    room.drag(explorer, burst=4)
    numbers, picture = settled(room, explorer), room.picture(explorer)
    room.run(explorer.reset)
    room.drag(explorer, events=1)
    room.page.wait_for_timeout(300)
    assert room.picture(explorer) != picture
    room.run(explorer.reset)
    room.page.wait_for_timeout(200)
    room.drag(explorer, skip=196, pause=150)
    assert settled(room, explorer) == pytest.approx(numbers, abs=0.006)
    assert room.picture(explorer) == picture


@every
def test_memory_stays_flat(room, explorer):
    room.drag(explorer, events=400, burst=10)  # what is made once is made now
    before = room.memory()
    room.drag(explorer, events=2000, burst=10)
    after = room.memory()
    growth = {name: after[name] - before[name] for name in before}
    print(f"\n{explorer.name}: {growth}")
    assert all(growth[name] <= GROWTH[name] for name in growth), growth


@pytest.mark.timing
@pytest.mark.usefixtures("all_cores")
class TestWhileTraining:
    @pytest.fixture(scope="class")
    def training(self, room):
        """The kernel trains until it is interrupted."""
        room.start("history = fit(small, data.train_images, elbo, epochs=10_000, progress=False)")
        yield
        room.interrupt()
        assert room.ask("history.interrupted and len(history.seconds)") > 1
        assert room.ask("all(p.isfinite().all().item() for p in small.parameters())")

    @in_page
    def test_the_page_answers(self, room, usual, training, explorer):
        figures = min((room.drag(explorer) for _ in range(2)), key=lambda f: f["median"])
        print(f"\n{explorer.name}: {told(figures)}")
        assert figures["median"] <= BUSY * slowness(usual, explorer), figures
        assert room.busy(), "training was over, so this proved nothing"


@pytest.mark.timing
@pytest.mark.usefixtures("all_cores")
def test_train_and_drag_at_once(room):
    for explorer in IN_KERNEL:  # new ones: the first drag must not wait for the training either
        room.again(explorer)
    room.start_cell(room.last)
    room.wait(lambda: "epoch 2" in str(room.outputs(room.last)))
    drags = 0
    while room.busy():
        for explorer in IN_KERNEL:
            figures = room.drag(explorer)
            drags += room.busy() and figures["frames"] > 5
            print(f"\n{explorer.name}: {told(figures)}")
    assert drags >= 2, "training was over too soon"
    for explorer in IN_KERNEL:
        assert settled(room, explorer) == [200]
        assert room.ask(f"{explorer.name}.error") == ""
        assert not room.page.locator(f"{explorer.root} [role=alert]:visible").count()
    outputs = room.outputs(room.last)
    assert [output["output_type"] for output in outputs] == ["stream", "display_data"], outputs
    assert outputs[0]["text"].splitlines()[-1] == "60 True 2 True True"


def told(figures):
    return ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
