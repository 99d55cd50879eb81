import copy
import itertools
import math
import platform
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import NonFiniteLoss, fit


def small_vae():
    torch.manual_seed(0)
    return VAE(2, hidden=(32,))


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_learns_and_records(digits):
    history = fit(
        small_vae(), digits.train_images, elbo, epochs=4, lr=3e-3, progress=False,
        validation=digits.test_images,
    )  # fmt: skip
    assert history.train["bound"][-1] > history.train["bound"][0] + 50
    assert set(history.train) == set(history.validation) == {"reconstruction", "kl", "bound"}
    assert all(len(v) == 4 for v in (*history.train.values(), *history.validation.values()))
    assert len(history.seconds) == len(history.images_per_second) == 4
    parts = history.train["reconstruction"][2] - history.train["kl"][2]
    assert history.train["bound"][2] == pytest.approx(parts, rel=1e-5)


def test_the_same_seed_gives_the_same_weights_and_leaves_random_state_alone(digits):
    runs = []
    for seed in (7, 7, 8):
        model = small_vae()
        state = torch.random.get_rng_state()
        fit(model, digits.train_images, elbo, epochs=1, seed=seed, progress=False)
        assert torch.equal(state, torch.random.get_rng_state())
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_finds_the_maximum_likelihood_mean_of_a_gaussian():
    """Not a VAE at all: `fit` knows nothing of them."""

    class Gaussian(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean, self.log_sigma = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))

    def likelihood(model, x):
        return Independent(Normal(model.mean, model.log_sigma.exp()), 1).log_prob(x)

    x = (
        torch.randn(2000, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.5, 2.0])
        + 3
    )
    model = Gaussian()
    fit(model, x, likelihood, epochs=150, batch_size=500, lr=0.1, one_cycle=True, progress=False)
    torch.testing.assert_close(model.mean.detach(), x.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(model.log_sigma.exp().detach(), x.std(0), atol=0.02, rtol=0.02)


def test_labels_travel_with_their_images(digits):
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    def score(model, x, y):
        return -nn.functional.cross_entropy(model(x), y, reduction="none")

    pair = (digits.train_images, digits.train_labels)
    history = fit(classifier, pair, score, epochs=10, lr=1e-2, progress=False, validation=pair)
    assert history.validation["bound"][-1] > -0.5 > -math.log(10)


def test_one_image_and_batch_of_one(digits):
    model = VAE(1)
    history = fit(model, digits.train_images[:1], elbo, epochs=2, batch_size=1, progress=False)
    assert all(map(math.isfinite, history.train["bound"]))


def test_interrupt_keeps_weights_and_history(digits):
    model, seen = small_vae(), []

    def impatient(model, x):
        seen.append(len(x))
        if len(seen) == 8:  # in the second epoch of five steps
            raise KeyboardInterrupt
        return elbo(model, x)

    before = weights(model)
    history = fit(model, digits.train_images, impatient, epochs=50, progress=False)
    assert history.interrupted
    assert len(history.seconds) == len(history.train["bound"]) == 2
    assert not torch.equal(before, weights(model))
    assert torch.isfinite(weights(model)).all()


@pytest.mark.parametrize("term", ["reconstruction", "kl"])
def test_non_finite_loss_names_epoch_step_and_term(digits, term):
    model, calls = small_vae(), []

    def breaks(model, x):
        calls.append(copy.deepcopy(model.state_dict()))
        terms = elbo(model, x)
        if len(calls) == 7:
            broken = getattr(terms, term) * float("nan")
            terms = terms._replace(**{term: broken}, bound=broken)
        return terms

    with pytest.raises(NonFiniteLoss, match=f"epoch 2, step 2: {term} is NaN") as caught:
        fit(model, digits.train_images, breaks, epochs=5, progress=False)
    assert len(caught.value.history.train["bound"]) == 2
    for name, value in model.state_dict().items():
        assert torch.equal(value, calls[-1][name]), "the last finite weights are those of this step"


def test_weights_ruined_by_a_gradient_are_put_back(digits):
    model, calls = small_vae(), []

    def poisoned(model, x):
        calls.append(copy.deepcopy(model.state_dict()))
        terms = elbo(model, x)
        if len(calls) == 3:  # a finite loss with a NaN gradient
            root = (model.decoder[0].weight * 0).abs().sum().sqrt()
            terms = terms._replace(bound=terms.bound + root)
        return terms

    with pytest.raises(NonFiniteLoss, match="epoch 1, step 4.*finite weights of step 1"):
        fit(model, digits.train_images, poisoned, epochs=1, progress=False)
    for name, value in model.state_dict().items():
        assert torch.equal(value, calls[0][name])


def test_progress_shows_nats_and_speed(digits, capsys):
    fit(small_vae(), digits.train_images, elbo, epochs=2)
    shown = capsys.readouterr().out
    assert "epoch 2/2" in shown
    assert "images/s" in shown
    assert "nats" in shown.splitlines()[-1]


def test_after_epoch_sees_the_history(digits):
    lengths = []
    fit(
        small_vae(), digits.train_images, elbo, epochs=3, progress=False,
        after_epoch=lambda model, history: lengths.append(len(history.seconds)),
    )  # fmt: skip
    assert lengths == [1, 2, 3]


def test_watch_sees_every_step_and_changes_nothing(digits):
    seen, runs = [], []
    for watch in (None, lambda model, step: seen.append((step, weights(model), model.training))):
        model = small_vae()
        fit(
            model, digits.train_images, elbo, epochs=2, batch_size=250, progress=False,
            validation=digits.test_images, watch=watch,
        )  # fmt: skip
        runs.append(weights(model))
    assert torch.equal(*runs)
    assert [step for step, _, _ in seen] == list(range(7)), "two epochs of three steps"
    assert torch.equal(seen[0][1], weights(small_vae()))
    assert torch.equal(seen[-1][1], runs[0])
    assert all(not torch.equal(a[1], b[1]) for a, b in itertools.pairwise(seen))


@pytest.mark.parametrize("when", [0, 7])
def test_interrupt_in_watch_keeps_weights_and_history(digits, when, capsys):
    model, seen = small_vae(), []

    def impatient(model, step):
        seen.append(weights(model))
        if step == when:
            raise KeyboardInterrupt

    history = fit(model, digits.train_images, elbo, epochs=9, progress=False, watch=impatient)
    assert history.interrupted
    assert len(seen) == when + 1
    assert torch.equal(weights(model), seen[-1])
    assert len(history.seconds) == len(history.train.get("bound", [])) == (2 if when else 0)
    assert f"Interrupted in epoch {2 if when else 1}" in capsys.readouterr().out


def test_an_error_in_watch_reaches_the_caller_and_weights_stay(digits):
    model, seen = small_vae(), []
    state = torch.random.get_rng_state()

    def broken(model, step):
        seen.append(weights(model))
        if step == 3:
            raise ZeroDivisionError("in watch")

    with pytest.raises(ZeroDivisionError, match="in watch"):
        fit(model, digits.train_images, elbo, progress=False, watch=broken)
    assert torch.equal(weights(model), seen[3])
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_trains_on_cuda_and_comes_home(digits):
    model = small_vae()
    history = fit(model, digits.train_images, elbo, epochs=2, progress=False, device="cuda")
    assert next(model.parameters()).device.type == "cpu"
    assert history.train["bound"][-1] > history.train["bound"][0]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="a switch of x86")
def test_no_thread_computes_with_denormal_numbers():
    """Each of them is zero, in whichever thread it is met: else it costs a hundred times the time."""
    code = """
import torch
from vae_teach import training
torch.set_num_threads(2)
product = torch.full((4_000_000,), 1e-39) * 1.0
print(product.view(torch.int32).count_nonzero().item())"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "0\n"
