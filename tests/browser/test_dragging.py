"""Every explorer as quick as the hand, in a real JupyterLab: the bounds are in explorers_notebook.py."""

import os

import pytest
from explorers_notebook import RATIO, misses, slowness
from tested_explorers import EXPLORERS, IN_KERNEL, IN_PAGE, USUAL

every = pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda explorer: explorer.name)
in_page = pytest.mark.parametrize("explorer", IN_PAGE, ids=lambda explorer: explorer.name)
GROWTH = {"kernel": 4e6, "page": 1e6, "nodes": 100, "listeners": 20}  # bytes, bytes, counts
BUSY = 60  # ms, median while training takes both cores of a small machine


def settled(opened, explorer):
    """The page's numbers, once the kernel has the same."""
    opened.page.wait_for_timeout(100)
    shown = opened.numbers(explorer)
    opened.wait(lambda: opened.ask(explorer.kernel) == pytest.approx(shown, abs=0.006))
    return shown


@pytest.fixture(scope="module")
def usual(opened):
    return opened.best(USUAL)


@pytest.fixture(scope="class")
def all_cores(opened):
    """Training takes every core, as it does for a learner; the tests' own processes have one thread."""
    before = opened.ask("torch.get_num_threads()")
    opened.run(f"torch.set_num_threads({os.cpu_count()})")
    yield
    opened.run(f"torch.set_num_threads({before})")


@pytest.fixture(scope="class")
def training(opened):
    """The kernel trains until it is interrupted."""
    opened.start("fit(small, data.train_images, elbo, epochs=10_000, progress=False)")
    yield
    opened.interrupt()
    assert opened.ask("fit.history.interrupted and len(fit.history.seconds)") > 1
    assert opened.ask("all(p.isfinite().all().item() for p in small.parameters())")


@pytest.mark.timing
@every
def test_follows_the_hand(opened, usual, explorer):
    times = slowness(usual, explorer)
    figures = opened.best(explorer, times)
    ratio = figures["median"] / usual["median"]
    print(f"\n{explorer.name}: {in_words(figures)}; {ratio:.2f} of the usual pattern's median")
    print(
        f"bounds are those of a machine {times:.1f} times as quick; without that, missed:",
        *misses(explorer, figures),
    )
    assert not misses(explorer, figures, times), figures
    assert explorer.reads or ratio <= RATIO, f"usual: {in_words(usual)}"


@every
def test_a_fast_drag_ends_on_the_last_value(opened, explorer):
    opened.run(explorer.reset)
    opened.drag(explorer, burst=4)
    numbers, picture = settled(opened, explorer), opened.picture(explorer)
    opened.run(explorer.reset)
    opened.drag(explorer, events=1)
    opened.wait(lambda: opened.picture(explorer) != picture)
    opened.run(explorer.reset)
    opened.page.wait_for_timeout(200)
    opened.drag(explorer, skip=196, pause=150)
    assert settled(opened, explorer) == pytest.approx(numbers, abs=0.006)
    assert opened.picture(explorer) == picture


@every
def test_memory_stays_flat(opened, explorer):
    opened.drag(explorer, events=400, burst=10)  # what is made once is made now
    before = opened.memory()
    for _ in range(3):  # a leak grows with each drag; what the browser has yet to collect does not
        opened.drag(explorer, events=2000, burst=20)
        after = opened.memory()
        growth = {name: after[name] - before[name] for name in before}
        print(f"\n{explorer.name}: {growth}")
        if all(growth[name] <= GROWTH[name] for name in growth):
            return
        before = after
    pytest.fail(f"it grows with each drag: {growth}")


@pytest.mark.timing
@pytest.mark.usefixtures("all_cores")
class TestWhileTraining:
    @in_page
    def test_the_page_answers(self, opened, usual, training, explorer):
        bound, figures = BUSY * slowness(usual, explorer), opened.drag(explorer)
        if figures["median"] > bound:  # the better of two counts
            figures = min(figures, opened.drag(explorer), key=lambda f: f["median"])
        print(f"\n{explorer.name}: {in_words(figures)}")
        assert figures["median"] <= bound, figures
        assert opened.busy(), "training was over, so this proved nothing"


@pytest.mark.timing
@pytest.mark.usefixtures("all_cores")
def test_train_and_drag_at_once(opened):
    for explorer in IN_KERNEL:  # new ones: the first drag must not wait for the training either
        opened.again(explorer)
    opened.start_cell(opened.last)
    opened.wait(lambda: "epoch 2" in str(opened.outputs(opened.last)))
    drags = 0
    while opened.busy():
        for explorer in IN_KERNEL:
            figures = opened.drag(explorer)
            drags += opened.busy() and figures["frames"] > 5
            print(f"\n{explorer.name}: {in_words(figures)}")
    assert drags >= 2, "training was over too soon"
    for explorer in IN_KERNEL:
        assert settled(opened, explorer) == [200]
        assert opened.ask(f"{explorer.name}.error") == ""
        assert not opened.page.locator(f"{explorer.root} [role=alert]:visible").count()
    outputs = opened.outputs(opened.last)
    assert [output["output_type"] for output in outputs] == ["stream", "display_data"], outputs
    assert outputs[0]["text"].splitlines()[-1] == "24 True 2 True True"


def in_words(figures):
    return ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
