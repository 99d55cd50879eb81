"""Training that ends early: nothing is lost, all is as before, and Run All stops there."""

import math
import signal
import sys
import threading
import time
import weakref

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

from vae_teach import pictures, training
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit


class Normed(VAE):
    """A model with buffers and modes of its own."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__(2, hidden=(8,))
        self.encoder.append(nn.BatchNorm1d(4))
        self.eval()
        self.encoder[0].train()


class Interruptions:
    """Raises KeyboardInterrupt at the n-th line that `fit` and what it calls in training.py run."""

    def __init__(self, at):
        self.at, self.lines = at, 0

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename != training.__file__:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                raise KeyboardInterrupt
        return self


def run(model, digits, **settings):
    fit(
        model, digits.train_images[:40], elbo, epochs=2, batch_size=20, progress=False,
        validation=digits.test_images[:8], **settings,
    )  # fmt: skip


def modes(model):
    return [module.training for module in model.modules()]


def has_equal_lengths(history):
    """Whether every list has an entry for every epoch; what was never evaluated has no list."""
    lists = [*history.train.values(), *history.validation.values()]
    lists += [history.seconds, history.images_per_second]
    return {len(values) for values in lists} == {len(history.epochs)}


@pytest.mark.fault(
    "Interrupts",
    "an interrupt at each line of training",
    "it ends there, with finite weights and a whole history; the rest is as before",
)
@pytest.mark.fault(
    "Denormals", "an interrupt at each line of training", "denormal numbers are as before"
)
def test_at_every_line(digits):
    line, interrupted, drawn = 0, True, set()
    while interrupted:
        line += 1
        model, fit.history, before = Normed(), None, sys.gettrace()
        usual, state = modes(model), torch.random.get_rng_state()
        sys.settrace(Interruptions(line))
        try:
            run(model, digits)
            interrupted = False
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert torch.equal(state, torch.random.get_rng_state()), line
        assert modes(model) == usual, line
        assert (torch.tensor(1e-39) * 1).item() > 0, "denormal numbers are as before"
        assert all(parameter.isfinite().all() for parameter in model.parameters())
        if fit.history is not None:
            assert has_equal_lengths(fit.history), line
            assert all(map(math.isfinite, fit.history.train.get("bound", [])))
            kind = tuple(len(epoch.validation) for epoch in fit.history.epochs)
            if kind not in drawn:
                pictures.curves(fit.history, alt="Curves.")
                drawn.add(kind)
    assert line > 150
    assert len(drawn) == 5, "nothing, and one or two epochs, the last with and without validation"
    assert len(fit.history.validation["bound"]) == 2
    assert not fit.history.interrupted


@pytest.mark.fault(
    "Interrupts", "20 signals at random moments of training", "each ends it within a second"
)
def test_a_signal_ends_it_within_a_second(digits):
    """Twenty at random moments, as Ctrl-C and Jupyter's stop button send them."""
    waits = torch.rand(20, generator=torch.Generator().manual_seed(0)) * 0.3
    for wait in waits.tolist():
        model, sent = Normed(), []
        usual, state = modes(model), torch.random.get_rng_state()

        def send(wait=wait, sent=sent):
            time.sleep(wait)
            sent.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)

        sender = threading.Thread(target=send)
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            fit(
                model, digits.train_images, elbo, epochs=10_000, batch_size=20, progress=False,
                validation=digits.test_images,
            )  # fmt: skip
        assert time.monotonic() - sent[0] < 1
        sender.join()
        assert torch.equal(state, torch.random.get_rng_state())
        assert modes(model) == usual
        assert fit.history.interrupted
        assert has_equal_lengths(fit.history)


@pytest.mark.fault(
    "Interrupts",
    "an interrupt in objective or watch",
    "weights and history stay, and a sentence says where",
)
def test_an_interrupt_keeps_weights_and_history(digits, capsys):
    model, seen = VAE(2, hidden=(32,)), []
    before = model.decoder[0].weight.detach().clone()

    def impatient(model, x):
        seen.append(len(x))
        if len(seen) == 8:  # in the second epoch of five steps
            raise KeyboardInterrupt
        return elbo(model, x)

    with pytest.raises(KeyboardInterrupt):
        fit(model, digits.train_images, impatient, epochs=50, progress=False)
    assert "Interrupted in epoch 2" in capsys.readouterr().out
    assert fit.history.interrupted
    assert len(fit.history.seconds) == len(fit.history.train["bound"]) == 2
    assert "2 epochs (interrupted)" in repr(fit.history)
    assert not torch.equal(before, model.decoder[0].weight)


@pytest.mark.fault(
    "Interrupts",
    "an interrupt in objective or watch",
    "weights and history stay, and a sentence says where",
)
@pytest.mark.parametrize("when", [0, 7])
def test_an_interrupt_in_watch_keeps_weights_and_history(digits, when, capsys):
    model, seen = VAE(2, hidden=(32,)), []

    def impatient(model, step):
        seen.append(model.decoder[0].weight.detach().clone())
        if step == when:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, digits.train_images, elbo, epochs=9, progress=False, watch=impatient)
    assert len(seen) == when + 1
    assert torch.equal(model.decoder[0].weight, seen[-1])
    assert len(fit.history.seconds) == len(fit.history.train.get("bound", [])) == (2 if when else 0)
    assert f"Interrupted in epoch {2 if when else 1}" in capsys.readouterr().out


@pytest.mark.fault(
    "Interrupts", "an interrupt of a cell in Run All", "the cells after it do not run"
)
def test_run_all_stops_at_an_interrupt():
    """A cell after the one that was interrupted does not go on with a half-trained model."""
    shell = InteractiveShell()
    cell = "from vae_teach.training import fit\nfit(model, x, interrupt, progress=False)"

    def interrupt(model, x):
        raise KeyboardInterrupt

    shell.user_ns |= {"model": VAE(2, hidden=(8,)), "x": torch.zeros(4, 1, 28, 28)}
    shell.user_ns["interrupt"] = interrupt
    result = shell.run_cell(cell)
    assert isinstance(result.error_in_exec, KeyboardInterrupt)


@pytest.mark.fault("Lost work", "an error after an epoch", "weights and history stay")
@pytest.mark.parametrize(
    ("where", "epochs", "validated"),
    [("objective", 2, 1), ("after_epoch", 1, 1), ("validation", 8, 7)],
)
def test_an_error_after_an_epoch_loses_nothing(digits, where, epochs, validated):
    model, calls = VAE(2, hidden=(32,)), []
    before = model.decoder[0].weight.detach().clone()

    def objective(model, x):
        calls.append("objective" if torch.is_grad_enabled() else "validation")
        if where == calls[-1] and calls.count(where) == 8:  # an epoch has five steps
            raise ZeroDivisionError
        return elbo(model, x)

    def after_epoch(model, history):
        if where == "after_epoch":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(
            model, digits.train_images, objective, epochs=9, progress=False,
            validation=digits.test_images, after_epoch=after_epoch,
        )  # fmt: skip
    assert has_equal_lengths(fit.history)
    assert len(fit.history.epochs) == epochs
    assert sum(map(math.isfinite, fit.history.validation["bound"])) == validated
    assert not torch.equal(before, model.decoder[0].weight)


@pytest.mark.fault(
    "Interrupts",
    "an interrupt in a weak reference's callback, which Python drops",
    "training ends at the next step",
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("where", ["training", "validation", "the last validation"])
def test_one_that_python_drops_takes_effect_all_the_same(digits, where):
    """As an exception in a weak reference's callback is."""
    handler, calls = signal.getsignal(signal.SIGINT), []

    class Gone:
        pass

    def dropped(model, x):
        gone = Gone()
        kept.append(weakref.ref(gone, lambda _: signal.raise_signal(signal.SIGINT)))
        return elbo(model, x)

    kept = []
    wanted = {"training": 1, "validation": 3, "the last validation": 6}[where]

    def asked(model, x):
        calls.append(len(x))
        return (dropped if len(calls) == wanted else elbo)(model, x)

    with pytest.raises(KeyboardInterrupt):
        fit(
            VAE(2, hidden=(8,)), digits.train_images[:40], asked, epochs=2, batch_size=20,
            validation=digits.test_images[:8], progress=False,
        )  # fmt: skip
    assert len(calls) == wanted
    assert fit.history.interrupted
    assert has_equal_lengths(fit.history)
    assert signal.getsignal(signal.SIGINT) is handler
