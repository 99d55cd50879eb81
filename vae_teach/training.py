"""Floor 4: one loop that trains every model of the course. It knows nothing about VAEs."""

import itertools
import math
import sys
import time
from dataclasses import dataclass, field

import torch
from tqdm import tqdm

from vae_teach import checks

SNAPSHOT_EVERY = 100  # steps between copies of weights known to give a finite loss

# Tiny gradients otherwise cost up to three times the time. Here and not in `fit` alone, as PyTorch's other
# threads take this from the first one when they are made, at the first large computation.
torch.set_flush_denormal(True)


@dataclass
class History:
    """What happened during `fit`, one entry an epoch.

    Attributes:
        train: term name -> means over the epoch's training images, in the objective's unit (nats).
        validation: the same on the validation images, after the epoch; empty without any.
        seconds: training time of each epoch, validation left out.
        images_per_second: training speed of each epoch.
        interrupted: True where the learner stopped it; the last epoch may then be a part of one.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    images_per_second: list[float] = field(default_factory=list)
    interrupted: bool = False

    def __repr__(self):
        """One line: epochs, time, the last means."""
        last = ", ".join(f"{name} {values[-1]:.2f}" for name, values in self.train.items())
        stopped = " (interrupted)" if self.interrupted else ""
        return (
            f"History: {len(self.seconds)} epochs{stopped}, {sum(self.seconds):.1f} s; last: {last}"
        )


class NonFiniteLoss(RuntimeError):
    """The loss became NaN or infinite; `.history` holds what was recorded until then."""

    def __init__(self, message, history):
        super().__init__(message)
        self.history = history


def fit(
    model,
    images,
    objective,
    epochs=10,
    batch_size=128,
    lr=1e-3,
    seed=0,
    progress=True,
    validation=None,
    one_cycle=False,
    after_epoch=None,
    device="cpu",
    unit="nats",
    watch=None,
):
    """Maximize the mean of objective(model, x) over shuffled batches with Adam.

    The whole data set lies in memory as one tensor and batches are drawn by index; no DataLoader.
    Denormal numbers are flushed to zero from here on, in the whole process.

    Args:
        model: any nn.Module. It is trained in place and returns to the device it came from.
        images: float32 tensor (N, ...), or a tuple of tensors with N rows each, such as
            (images, labels); the objective is then called with a batch of each.
        objective: (model, x) -> tensor (B,) or a NamedTuple of such tensors with a field `bound`,
            which is what is maximized; every field is recorded.
        epochs, batch_size: whole numbers >= 1. The last batch of an epoch may be smaller.
        lr: Adam's step size (Kingma & Ba 2015); with one_cycle its peak.
        seed: of the shuffling and of the objective's own draws. The same seed on the same machine
            gives the same weights; the caller's random state is left as it was.
        progress: show a bar with the running means and images per second.
        validation: like images; evaluated after every epoch.
        one_cycle: let the step size rise and fall once over the run (Smith & Topin 2019).
        after_epoch: called as after_epoch(model, history) after every epoch.
        device: "cpu", "cuda" or "mps".
        unit: of the objective, for the progress bar.
        watch: called as watch(model, step) with step 0 before training and after every step of the
            optimizer; such as an `explorers.Film`. It must leave the model as it finds it. An
            exception in it ends training like one in the objective; the model keeps its weights.

    Returns:
        History. A keyboard interrupt ends training and keeps weights and history.

    Raises:
        TypeError, ValueError: images or numbers that cannot be trained on; nothing was changed.
        NonFiniteLoss: the objective turned NaN or infinite; the model holds finite weights.
    """
    data = _checked(images, "images")
    held_out = None if validation is None else _checked(validation, "validation")
    checks.positive_int(epochs, "epochs")
    checks.positive_int(batch_size, "batch_size")
    checks.positive(lr, "lr")
    parameters = [p for p in model.parameters() if p.requires_grad]
    device, home = torch.device(device), parameters[0].device
    torch.set_flush_denormal(True)  # in the thread that calls
    model.to(device)
    data = tuple(part.to(device) for part in data)
    optimizer = torch.optim.Adam(parameters, lr=lr, fused=device.type in ("cpu", "cuda"))
    schedule = None
    if one_cycle:
        steps = epochs * math.ceil(len(data[0]) / batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    history = History()
    bar = _Bar(epochs * len(data[0]), progress, unit)
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    order = torch.Generator().manual_seed(seed)
    numbers, epoch = itertools.count(), 1

    def watched():
        if watch is not None:
            watch(model, next(numbers))

    def train_epoch():
        """One pass over the data in random order."""
        model.train()
        shuffled = torch.randperm(len(data[0]), generator=order).to(device)
        with _Epoch(model, history) as seen:
            for rows in shuffled.split(batch_size):
                terms = _by_name(objective(model, *(part[rows] for part in data)))
                loss = -terms["bound"].mean()
                seen.check(loss, terms)
                for parameter in model.parameters():
                    parameter.grad = None  # what zero_grad does, at a tenth of its time
                loss.backward()
                optimizer.step()
                if schedule is not None:
                    schedule.step()
                seen.add(terms, len(rows))
                bar.advance(len(rows), seen)
                watched()  # last: a step that is watched is recorded, whatever happens in there

    with torch.random.fork_rng(devices), bar:
        torch.manual_seed(seed)
        try:
            watched()
            for epoch in range(1, epochs + 1):
                bar.start_epoch(epoch, epochs)
                train_epoch()
                if held_out is not None:
                    for name, mean in _means(model, held_out, objective, device).items():
                        history.validation.setdefault(name, []).append(mean)
                if after_epoch is not None:
                    after_epoch(model, history)
        except KeyboardInterrupt:
            history.interrupted = True
            bar.say(
                f"Interrupted in epoch {epoch}: the model keeps its weights, the history what was seen."
            )
        finally:
            model.to(home)
    return history


class _Epoch:
    """Sums of an epoch's terms; what was seen is in the history when it ends, even if it is cut short."""

    def __init__(self, model, history):
        self.model, self.history = model, history
        on_cpu = next(model.parameters()).device.type == "cpu"
        self.check_every = 1 if on_cpu else 50  # reading a number waits for an accelerator
        self.steps = self.count = self.sums = 0
        self.names, self.good = (), None

    def __enter__(self):
        self.started = time.perf_counter()
        return self

    def __exit__(self, *error):
        if self.count:
            seconds = time.perf_counter() - self.started
            self.history.seconds.append(seconds)
            self.history.images_per_second.append(self.count / seconds)
            for name, mean in self.means().items():
                self.history.train.setdefault(name, []).append(mean)

    def check(self, loss, terms):
        """Stop at a loss that is not finite; every now and then copy weights that gave a finite one."""
        self.steps += 1
        if self.steps % self.check_every == 0 and not math.isfinite(loss.item()):
            self._stop(terms)
        if self.steps % SNAPSHOT_EVERY == 1:
            self.good = (
                self.steps,
                {k: v.detach().clone() for k, v in self.model.state_dict().items()},
            )

    def add(self, terms, count):
        """Add a batch's terms, each (B,)."""
        self.names, self.count = tuple(terms), self.count + count
        self.sums = self.sums + torch.stack([term.detach().sum() for term in terms.values()])

    def means(self):
        """Mean of every term over the images seen so far."""
        return {n: s / self.count for n, s in zip(self.names, self.sums.tolist(), strict=True)}

    def _stop(self, terms):
        """Put finite weights back if the present ones are not, and raise NonFiniteLoss."""
        culprit = next((k for k, v in terms.items() if not torch.isfinite(v).all()), "bound")
        bad = int((~torch.isfinite(terms[culprit])).sum())
        kept = "of this step"
        if not all(torch.isfinite(p).all() for p in self.model.parameters()):
            step_of_copy, weights = self.good
            self.model.load_state_dict(weights)
            kept = f"of step {step_of_copy}"
        raise NonFiniteLoss(
            f"Training stopped in epoch {len(self.history.seconds) + 1}, step {self.steps}: {culprit} "
            f"is NaN or infinite for {bad} of {len(terms[culprit])} images. The model holds the finite "
            f"weights {kept}; a smaller lr often helps.",
            self.history,
        )


def _by_name(terms):
    """What an objective returned, as a dict of name -> tensor (B,)."""
    return terms._asdict() if hasattr(terms, "_asdict") else {"bound": terms}


@torch.no_grad()
def _means(model, data, objective, device, batch_size=1000):
    """Mean of every term over the data, in evaluation mode."""
    model.eval()
    sums = {}
    for rows in zip(*(part.split(batch_size) for part in data), strict=True):
        terms = _by_name(objective(model, *(part.to(device) for part in rows)))
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + term.sum().item()
    return {name: total / len(data[0]) for name, total in sums.items()}


def _checked(images, name):
    """The tuple of tensors to train on, after the checks that need no model."""
    data = images if isinstance(images, tuple) else (images,)
    if isinstance(data[0], torch.Tensor) and data[0].dim() == 2 and data[0].is_floating_point():
        if len(data[0]) == 0:
            raise ValueError(f"{name} is empty, at least one row is needed.")
        checks.finite(data[0], name)  # points of a toy problem, (N, D): any range
    else:
        checks.images(data[0], name)
    for part in data[1:]:
        if len(part) != len(data[0]):
            raise ValueError(
                f"{name} holds {len(data[0])} images but {len(part)} labels: one label an image is needed."
            )
    return data


class _Bar:
    """A text progress bar with the running means; text, so that a saved notebook keeps it."""

    def __init__(self, total, shown, unit):
        self.unit = unit
        self.bar = tqdm(
            total=total,
            disable=not shown,
            file=sys.stdout,
            unit=" images",
            unit_scale=True,
            bar_format="{desc} {percentage:3.0f}% |{bar:20}| {elapsed}<{remaining}, {rate_fmt}{postfix}",
        )
        self.due = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.bar.close()

    def start_epoch(self, epoch, epochs):
        self.bar.set_description_str(f"epoch {epoch}/{epochs}", refresh=False)

    def advance(self, count, epoch):
        now = time.perf_counter()
        if not self.bar.disable and (now > self.due or self.bar.n + count >= self.bar.total):
            means = (f"{name} {mean:.1f}" for name, mean in epoch.means().items())
            self.bar.set_postfix_str(f"{', '.join(means)} {self.unit}", refresh=False)
            self.due = now + 0.2
        self.bar.update(count)

    def say(self, line):
        self.bar.write(line, file=sys.stdout)
