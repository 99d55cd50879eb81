"""Floor 4: one loop that trains every model of the course. It knows nothing about VAEs."""

import itertools
import math
import sys
import time
from contextlib import contextmanager

import torch
from torch.utils.data import TensorDataset
from tqdm import tqdm

from vae_teach import checks
from vae_teach.history import Epoch, History, NonFiniteLoss
from vae_teach.interrupts import none_lost

SNAPSHOT_EVERY = 100  # steps between copies of weights known to give a finite loss


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
    Denormal numbers are flushed to zero meanwhile, as they can cost up to three times the time.

    Args:
        model: any nn.Module. It is trained in place and returns to the device and the mode it came in.
        images: float tensor (N, ...), or a tuple (or TensorDataset) of tensors with N rows each, such as
            (images, labels); the objective is then called with a batch of each.
        objective: (model, x) -> tensor (B,) or a NamedTuple of such tensors with a field `bound`,
            which is what is maximized; every field is recorded.
        epochs, batch_size: whole numbers >= 1. The last batch of an epoch may be smaller; a rest of
            at most an eighth of a batch joins the batch before it.
        lr: Adam's step size (Kingma & Ba 2015); with one_cycle its peak.
        seed: of the shuffling and of the objective's own draws, a whole number >= 0. The same seed on
            the same machine gives the same weights; the caller's random state is left as it was.
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
        History. Where training ends early, by an interrupt or an error, the model keeps its weights,
        and `fit.history` is what was recorded.

    Raises:
        TypeError, ValueError: images, labels or numbers that cannot be trained on, or an objective
            that gives no number an image; nothing was changed.
        NonFiniteLoss: the objective or a weight turned NaN or infinite; the model holds finite weights.
    """
    data = _checked(images, "images", one=getattr(model, "image_shape", None))
    held_out = None if validation is None else _checked_beside(validation, data)
    checks.positive_int(epochs, "epochs")
    checks.positive_int(batch_size, "batch_size")
    checks.positive(lr, "lr")
    checks.seed(seed)
    device = _device(device)
    parameters = _to_train(model)
    batches = _sizes(len(data[0]), batch_size)
    fit.history = history = History()
    bar = _Bar(epochs * len(data[0]), progress, unit)
    numbers, epoch = itertools.count(), 1

    def watched():
        if watch is not None:
            watch(model, next(numbers))

    def train_epoch():
        """One pass over the data in random order."""
        model.train()
        shuffled = torch.randperm(len(data[0]), generator=order).to(device)
        seen = _Seen(model, history)
        for rows in shuffled.split(batches):
            terms = _by_name(objective(model, *(part[rows] for part in data)), len(rows))
            loss = -terms["bound"].mean()
            seen.check(loss, terms)
            for parameter in model.parameters():
                parameter.grad = None  # what zero_grad does, at a tenth of its time
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            seen.add(terms, len(rows))
            bar.advance(len(rows), history.epochs[-1])
            watched()  # last: a step that is watched is recorded, whatever happens in there
            raise_if_interrupted()
        seen.check_weights()

    # Twice, as an interrupt may come while one of them puts things back.
    with (
        none_lost() as raise_if_interrupted,
        _as_before(model, device),
        _as_before(model, device),
        torch.enable_grad(),
        bar,
    ):
        model.to(device)
        dtype = parameters[0].dtype
        data, held_out = (
            part and (part[0].to(device, dtype), *(labels.to(device) for labels in part[1:]))
            for part in (data, held_out)
        )
        optimizer = torch.optim.Adam(parameters, lr=lr, fused=device.type in ("cpu", "cuda"))
        schedule = None
        if one_cycle:
            steps = epochs * len(batches)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
        order = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        torch.set_flush_denormal(True)
        try:
            watched()
            for epoch in range(1, epochs + 1):
                bar.start_epoch(epoch, epochs)
                train_epoch()
                if held_out is not None:
                    means = _means(model, held_out, objective)
                    history.epochs[-1] = history.epochs[-1]._replace(validation=means)
                if after_epoch is not None:
                    after_epoch(model, history)
                raise_if_interrupted()
        except KeyboardInterrupt:
            history.interrupted = True
            bar.say(
                f"Interrupted in epoch {epoch}: the model keeps its weights; what was seen until then is "
                "in fit.history."
            )
            raise
    return history


@contextmanager
def _as_before(model, device):
    """Put back where the model lies and its modes, the caller's random state and denormal numbers."""
    home, modes = next(model.parameters()).device, [(m, m.training) for m in model.modules()]
    flushed = (torch.tensor(1e-39, dtype=torch.float32) * 1).item() == 0
    with torch.random.fork_rng([torch.cuda.current_device()] if device.type == "cuda" else []):
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            torch.set_flush_denormal(flushed)
            model.to(home)


class _Seen:
    """What this epoch has seen, written into the history step by step, and a guard of its numbers."""

    def __init__(self, model, history):
        self.model, self.history, self.number = model, history, len(history.epochs)
        on_cpu = next(model.parameters()).device.type == "cpu"
        self.check_every = 1 if on_cpu else 50  # reading a number waits for an accelerator
        self.started = time.perf_counter()
        self.steps = self.count = self.sums = 0
        self.names, self.good = (), None

    def check(self, loss, terms):
        """Stop at a loss that is not finite; every now and then copy weights that gave a finite one."""
        self.steps += 1
        copy = self.steps % SNAPSHOT_EVERY == 1
        if (copy or self.steps % self.check_every == 0) and not math.isfinite(loss.item()):
            culprit = next((k for k, v in terms.items() if not torch.isfinite(v).all()), "bound")
            bad = int((~torch.isfinite(terms[culprit])).sum())
            self._stop(f"{culprit} is NaN or infinite for {bad} of {len(terms[culprit])} images")
        if copy:
            state = self.model.state_dict()
            self.good = self.steps, {k: v.detach().clone() for k, v in state.items()}

    def add(self, terms, count):
        """Add a batch's terms, each (B,)."""
        self.names, self.count = tuple(terms), self.count + count
        self.sums = self.sums + torch.stack([term.detach().sum() for term in terms.values()])
        seconds = time.perf_counter() - self.started
        self.history.epochs[self.number :] = [
            Epoch(self.names, self.sums, self.count, seconds, validation={})
        ]

    def check_weights(self):
        """After the epoch: stop at what no later loss would show."""
        if not torch.isfinite(self.sums).all():
            culprit = self.names[int((~torch.isfinite(self.sums)).nonzero()[0])]
            self._stop(f"the epoch's {culprit} is NaN or infinite")
        if not _finite(self.model):
            self._stop("the last step made weights NaN or infinite")

    def _stop(self, reason):
        """Put finite weights back if the present ones are not, and raise NonFiniteLoss."""
        kept = "of this step"
        if self.good is not None and not _finite(self.model):
            step_of_copy, weights = self.good
            self.model.load_state_dict(weights)
            kept = f"of step {step_of_copy}"
        raise NonFiniteLoss(
            f"Training stopped in epoch {self.number + 1}, step {self.steps}: {reason}. The model holds "
            f"the finite weights {kept}; a smaller lr often helps.",
            self.history,
        )


def _finite(model):
    """Whether every weight is."""
    return all(bool(torch.isfinite(p).all()) for p in model.parameters())


def _by_name(terms, count):
    """What an objective returned for `count` images, as a dict of name -> tensor (count,)."""
    terms = terms._asdict() if hasattr(terms, "_asdict") else {"bound": terms}
    if "bound" not in terms:
        raise TypeError(
            f"objective returned {', '.join(terms)}: one of them must be `bound`, which is maximized."
        )
    for name, term in terms.items():
        if not isinstance(term, torch.Tensor):
            raise TypeError(
                f"objective returned {type(term).__name__} as {name}, a tensor ({count},) is needed: "
                "one number an image."
            )
        if term.shape != (count,):
            raise ValueError(
                f"objective returned shape {tuple(term.shape)} as {name} for {count} images, ({count},) "
                "is needed: one number an image; sum over pixels and dimensions, not over images."
            )
    if torch.is_grad_enabled() and not terms["bound"].requires_grad:
        raise ValueError(
            "objective returned a bound without a gradient: nothing in it may be detached, turned into "
            "a number or computed under torch.no_grad()."
        )
    return terms


@torch.no_grad()
def _means(model, data, objective, batch_size=1000):
    """Mean of every term over the data, in evaluation mode."""
    model.eval()
    sums = {}
    for rows in zip(*(part.split(batch_size) for part in data), strict=True):
        for name, term in _by_name(objective(model, *rows), len(rows[0])).items():
            sums[name] = sums.get(name, 0.0) + term.sum().item()
    return {name: total / len(data[0]) for name, total in sums.items()}


def _sizes(count, batch_size):
    """Sizes of an epoch's batches. A rest that is too small for a batch norm, or for an objective that
    compares images, joins the batch before it."""
    sizes = [batch_size] * (count // batch_size)
    rest = count % batch_size
    if sizes and 0 < rest <= max(1, batch_size // 8):
        sizes[-1] += rest
    elif rest:
        sizes.append(rest)
    return sizes


def _to_train(model):
    """The parameters that are trained."""
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model is {type(model).__name__}, an nn.Module is needed.")
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        frozen = "all are frozen: model.requires_grad_(True) thaws them"
        why = frozen if any(True for _ in model.parameters()) else "it has none"
        raise ValueError(f"model has no weights to train, {why}.")
    if not _finite(model):
        raise ValueError(
            "model holds weights that are NaN or infinite: make a new one, or load others."
        )
    return parameters


def _device(device):
    """The torch.device, where this machine has it."""
    here = ["cpu"]
    here += ["cuda"] if torch.cuda.is_available() else []
    here += ["mps"] if torch.backends.mps.is_available() else []
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError):
        found = None
    is_here = found is not None and found.type in here
    if is_here and found.type == "cuda":
        is_here = (found.index or 0) < torch.cuda.device_count()
    if not is_here:
        raise ValueError(f"device is {device!r}, this machine has {' and '.join(map(repr, here))}.")
    return found


def _checked(images, name, shape=None, one=None):
    """The tuple of tensors to train on.

    Args:
        images: as `fit` takes them.
        name: how messages call them.
        shape: what each must be, where that is known.
        one: (C, H, W) of the model's images, where it has such: one (H, W) alone is no set of points.
    """
    if isinstance(images, TensorDataset):
        images = images.tensors
    data = images if isinstance(images, tuple) else (images,)
    if not data:
        raise ValueError(f"{name} is an empty tuple, images or (images, labels) are needed.")
    points = isinstance(data[0], torch.Tensor) and data[0].dim() == 2
    points = points and data[0].is_floating_point() and (shape is None or len(shape) == 1)
    if points and not (one and tuple(data[0].shape) == tuple(one[1:])):
        if len(data[0]) == 0:
            raise ValueError(f"{name} is empty, at least one row is needed.")
        checks.finite(data[0], name)  # points of a toy problem, (N, D): any range
    else:
        checks.images(data[0], name if len(data) == 1 else f"{name}[0]", shape)
    labels = tuple(_tensor(part, f"{name}[{i}]") for i, part in enumerate(data[1:], start=1))
    for part in labels:
        count = len(part) if part.dim() else 1
        if part.dim() == 0 or count != len(data[0]):
            raise ValueError(
                f"{name} holds {len(data[0])} images but {count} labels: one label an image is needed."
            )
    return (data[0].detach(), *labels)


def _tensor(part, name):
    """What belongs to the images, as a tensor."""
    try:
        return torch.as_tensor(part).detach()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"{name} is {checks.kind(part)}, a tensor with a row for each image is needed."
        ) from None


def _checked_beside(validation, data):
    """The same of the validation images, which must be like those to train on."""
    held_out = _checked(validation, "validation", data[0].shape[1:])
    if len(held_out) != len(data):
        raise ValueError(
            f"validation is a tuple of {len(held_out)}, images of {len(data)}: both are needed alike."
        )
    for ours, theirs in zip(held_out, data, strict=True):
        if ours.shape[1:] != theirs.shape[1:]:
            raise ValueError(
                f"validation has shape {tuple(ours.shape)}, images {tuple(theirs.shape)}: the same is needed "
                "but for the first number."
            )
    return held_out


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
