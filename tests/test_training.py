import copy
import itertools
import math
import platform

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from vae_teach.evaluation import exact_log_likelihood
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


@pytest.mark.fault("Random state", "training", "the caller's is as before")
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


@pytest.mark.fault(
    "Silent input",
    "NaN in a loss, a gradient or the last step",
    "training stops, and the model holds finite weights",
)
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


@pytest.mark.fault(
    "Silent input",
    "NaN in a loss, a gradient or the last step",
    "training stops, and the model holds finite weights",
)
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


@pytest.mark.fault("Lost work", "an error in watch", "weights and history stay")
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
    assert len(fit.history.train["bound"]) == 1
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_trains_on_cuda_and_comes_home(digits):
    model = small_vae()
    history = fit(model, digits.train_images, elbo, epochs=2, progress=False, device="cuda")
    assert next(model.parameters()).device.type == "cpu"
    assert history.train["bound"][-1] > history.train["bound"][0]
    with pytest.raises(ValueError, match="device is 'cuda:99', this machine has"):
        fit(model, digits.train_images, elbo, progress=False, device="cuda:99")


@pytest.mark.fault("Silent input", "NaN on an accelerator in a short epoch", "it is seen")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("step", [1, 5])
def test_a_nan_on_cuda_is_seen_in_an_epoch_of_few_steps(digits, step):
    model, calls = small_vae(), []

    def breaks(model, x):
        calls.append(x)
        terms = elbo(model, x)
        return terms._replace(bound=terms.bound * math.nan) if len(calls) == step else terms

    with pytest.raises(NonFiniteLoss, match="epoch 1"):
        fit(model, digits.train_images, breaks, progress=False, device="cuda")
    assert torch.isfinite(weights(model)).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_likelihoods_on_cuda_are_those_of_the_cpu(digits):
    model, x = small_vae(), digits.test_images[:20]
    here = exact_log_likelihood(model, x, grid=60)
    there = exact_log_likelihood(model.cuda(), x, grid=60)
    torch.testing.assert_close(there.cpu(), here, atol=0.01, rtol=0)


@pytest.mark.fault("Denormals", "training", "they are flushed meanwhile, and as before afterwards")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="a switch of x86")
@pytest.mark.parametrize("before", [False, True])
def test_denormal_numbers_are_zero_while_it_trains_and_as_before_afterwards(digits, before):
    """Each of them costs a hundred times the time."""

    def tiny():
        return (torch.tensor(1e-39) * 1).item()

    seen = []
    torch.set_flush_denormal(before)
    try:
        fit(
            small_vae(),
            digits.train_images,
            elbo,
            1,
            watch=lambda *_: seen.append(tiny()),
            progress=False,
        )
        assert set(seen) == {0.0}
        assert (tiny() == 0) == before
    finally:
        torch.set_flush_denormal(False)


class Normed(VAE):
    """A model that needs two images a batch."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__(2, hidden=(8,))
        self.encoder.append(nn.BatchNorm1d(4))


@pytest.mark.fault(
    "Lost work", "a last batch too small for a batch norm", "it joins the one before"
)
def test_a_rest_that_is_too_small_joins_the_batch_before_it(digits):
    sizes = []

    def objective(model, x):
        sizes.append(len(x))
        return elbo(model, x)

    for count, batch_size in ((41, 20), (3, 2), (43, 20), (9, 8), (1001 % 129, 128), (7, 20)):
        sizes.clear()
        fit(Normed(), digits.train_images[:count], objective, 1, batch_size, progress=False)
        assert sum(sizes) == count
        assert min(sizes) > 1
    sizes.clear()
    fit(VAE(1), digits.train_images[:3], objective, 1, 1, one_cycle=True, progress=False)
    assert sizes == [1, 1, 1]


GOOD = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.zeros(40, dtype=torch.int64)


@pytest.mark.fault(
    "Silent input",
    "validation, labels, seeds, devices and objectives that do not fit",
    "refused before the first step",
)
@pytest.mark.fault(
    "Lost work",
    "a validation set that does not fit",
    "refused before the first step, not after the first epoch",
)
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"validation": torch.rand(8, 1, 14, 14)}, "validation has shape"),
        ({"validation": (GOOD, LABELS)}, "validation is a tuple of 2, images of 1"),
        ({"validation": GOOD * float("nan")}, "validation holds 31360 values that are NaN"),
        ({"images": (GOOD, LABELS[:3])}, "40 images but 3 labels"),
        ({"images": (GOOD, 3)}, "one label an image"),
        ({"images": ()}, "empty tuple"),
        ({"seed": None}, "seed is None"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"seed": -1}, "seed is -1"),
        ({"device": "gpu"}, "device is 'gpu', this machine has 'cpu'"),
        ({"device": "auto"}, "device is 'auto', this machine has 'cpu'"),
        ({"objective": lambda model, x: elbo(model, x).bound.mean()}, "returned shape \\(\\)"),
        ({"objective": lambda model, x: elbo(model, x).bound[:, None]}, "returned shape \\(40, 1\\)"),
        ({"objective": lambda model, x: elbo(model, x).bound.detach()}, "without a gradient"),
        ({"objective": lambda model, x: 3.0}, "returned float as bound"),
        ({"objective": lambda model, x: elbo(model, x)._replace(kl=0.0)}, "returned float as kl"),
    ],
)  # fmt: skip
def test_what_can_be_refused_is_refused_before_the_first_step(settings, sentence):
    model = Normed()
    before, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    settings = {"images": GOOD, "objective": elbo, "progress": False} | settings
    with pytest.raises((TypeError, ValueError), match=sentence):
        fit(model, **settings)
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name, _ in model.named_parameters())
    assert [m.training for m in model.modules()] == modes


@pytest.mark.fault("Silent input", "models that are frozen, without weights or NaN", "one sentence")
def test_a_model_that_cannot_be_trained_is_named():
    with pytest.raises(ValueError, match="all are frozen: model.requires_grad_"):
        fit(VAE(2).requires_grad_(False), GOOD, elbo)
    with pytest.raises(ValueError, match="no weights to train, it has none"):
        fit(nn.Identity(), GOOD, elbo)
    with pytest.raises(TypeError, match="model is function"):
        fit(elbo, GOOD, elbo)
    broken = VAE(2)
    with torch.no_grad():
        broken.decoder[0].weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match="model holds weights that are NaN"):
        fit(broken, GOOD, elbo)


@pytest.mark.fault(
    "Silent input",
    "NaN in a loss, a gradient or the last step",
    "training stops, and the model holds finite weights",
)
def test_weights_ruined_by_the_last_step_are_put_back():
    model, calls = small_vae(), []

    def poisoned(model, x):
        calls.append(copy.deepcopy(model.state_dict()))
        terms = elbo(model, x)
        return terms._replace(bound=terms.bound + (model.decoder[0].weight * 0).abs().sum().sqrt())

    with pytest.raises(NonFiniteLoss, match="step 1: the last step made weights NaN"):
        fit(model, GOOD, poisoned, epochs=1, batch_size=40, progress=False)
    for name, value in model.state_dict().items():
        assert torch.equal(value, calls[0][name])


def test_double_precision(digits):
    """A model in float64, or float64 as the default, with images of either precision."""
    for dtype in (torch.float32, torch.float64):
        model = small_vae().double()
        history = fit(model, GOOD.to(dtype), elbo, epochs=1, progress=False)
        assert math.isfinite(history.train["bound"][0])
        assert model.decoder[0].weight.dtype == torch.float64


def test_gradients_may_be_off_where_it_is_called():
    model = small_vae()
    before = weights(model)
    with torch.no_grad():
        fit(model, GOOD, elbo, epochs=1, progress=False)
    assert not torch.equal(before, weights(model))
