"""MIG and DCI on codes whose scores are known, and against scikit-learn's and SciPy's entropies."""

import json
import math
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest
import torch
from scipy import linalg
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from vae_teach import pretrained
from vae_teach.chapters.beta_vae.figures import matrix, scores
from vae_teach.data.sprites import sprites
from vae_teach.evaluation import dci, mig

NAMES = ("shape", "x", "y")


@pytest.fixture(scope="module")
def factors():
    draws = torch.Generator().manual_seed(1)
    shape = torch.randint(3, (3000, 1), generator=draws).float()
    return torch.cat([shape, torch.rand(3000, 2, generator=draws)], 1)


def noise(count, columns, seed=2):
    return torch.randn(count, columns, generator=torch.Generator().manual_seed(seed))


def rotated(factors, angle):
    """Both continuous factors turned against the axes of the code."""
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, -sin], [sin, cos]])
    return (factors[:, 1:] - 0.5) @ turn


def test_perfect_codes_score_one(factors):
    codes = torch.cat([noise(3000, 2), factors.flip(1)], 1)
    gap, parts = mig(codes, factors, names=NAMES), dci(codes, factors, names=NAMES)
    assert gap.score > 0.97
    assert min(gap.gaps.values()) > 0.97
    assert min(parts[:3]) > 0.97
    assert gap.information[:2].max() < 0.1
    assert parts.importances.argmax(0).tolist() == [4, 3, 2]
    torch.testing.assert_close(parts.importances.sum(0), torch.ones(3))


def test_rotation_by_45_degrees_takes_the_scores_but_not_the_information(factors):
    codes = rotated(factors, math.pi / 4)
    aligned = dci(rotated(factors, 0), factors[:, 1:])
    parts = dci(codes, factors[:, 1:])
    assert mig(codes, factors[:, 1:]).score < 0.03
    assert parts.disentanglement < 0.05
    assert parts.completeness < 0.05
    assert parts.informativeness > 0.97 * aligned.informativeness


def test_scores_fall_steadily_with_the_angle(factors):
    angles = (0.0, 0.1, 0.3, 0.5, math.pi / 4)
    codes = [rotated(factors, angle) for angle in angles]
    for values in (
        [mig(z, factors[:, 1:]).score for z in codes],
        [dci(z, factors[:, 1:]).disentanglement for z in codes],
    ):
        assert values == sorted(values, reverse=True)
        assert values[0] - values[-1] > 0.9


def test_entangled_codes_score_little_though_they_tell_the_factors(factors):
    """Invertible and nonlinear: polar coordinates, then a shear."""
    x, y = (factors[:, 1:] + 0.5).T
    radius, angle = (x * x + y * y).sqrt(), torch.atan2(y, x)
    codes = torch.stack([radius + angle, radius - angle + radius * angle], 1)
    parts = dci(codes, factors[:, 1:])
    assert mig(codes, factors[:, 1:]).score < 0.25
    assert parts.disentanglement < 0.35
    assert parts.informativeness > 0.9


def test_constant_codes_score_zero(factors):
    codes = torch.full((3000, 4), 0.3)
    gap, parts = mig(codes, factors), dci(codes, factors)
    assert gap.score == 0
    assert gap.information.abs().max() == 0
    assert parts[:3] == pytest.approx((0, 0, 0), abs=0.02)
    assert parts.importances.abs().max() == 0


def test_codes_of_pure_noise_score_next_to_nothing(factors):
    codes = noise(3000, 4)
    assert mig(codes, factors).score < 0.01
    assert max(dci(codes, factors)[:3]) < 0.05


def test_order_scale_sign_and_monotone_bends_change_nothing(factors):
    codes = torch.cat([factors + 0.1 * noise(3000, 3), noise(3000, 1, seed=3)], 1).double()
    changed = codes[:, [2, 0, 3, 1]] * torch.tensor([-3.0, 100.0, 1e-3, -1.0]) + 7
    bent = codes.clone()
    bent[:, 1] = bent[:, 1].exp()
    base, parts = mig(codes, factors), dci(codes, factors)
    for other in (changed, bent):
        assert mig(other, factors).score == pytest.approx(base.score, abs=0.01)
        assert dci(other, factors)[:3] == pytest.approx(parts[:3], abs=0.02)


def test_a_second_copy_of_a_dimension_takes_the_gap(factors):
    codes = torch.cat([factors, factors[:, 1:2]], 1)
    gaps = mig(codes, factors, names=NAMES).gaps
    assert gaps["x"] == pytest.approx(0, abs=1e-6)
    assert gaps["y"] > 0.97
    parts = dci(codes, factors)
    assert parts.disentanglement > 0.97  # each copy still holds one factor only
    assert parts.completeness < 0.9  # but "x" is spread over two


def test_information_is_that_of_binned_uniforms_in_closed_form():
    """A code that tells in which half, quarter, ... a uniform factor lies holds log 2, log 4, ... nats."""
    factor = (torch.arange(4000.0)[:, None] + 0.5) / 4000
    codes = torch.cat([(factor * parts).floor() for parts in (2, 4, 20)], 1)
    gap = mig(codes, factor)
    wanted = torch.tensor([[math.log(2)], [math.log(4)], [math.log(20)]])
    torch.testing.assert_close(gap.information, wanted)
    assert gap.score == pytest.approx((math.log(20) - math.log(4)) / math.log(20))
    assert gap.entropies.item() == pytest.approx(math.log(20))


def test_information_agrees_with_scikit_learn_and_scipy(factors):
    shape = factors[:, :1]
    codes = (shape + torch.randint(2, (3000, 3), generator=torch.Generator().manual_seed(4))) % 3
    gap = mig(codes, shape)
    wanted = [mutual_info_score(shape[:, 0].numpy(), column.numpy()) for column in codes.T]
    assert gap.information[:, 0].tolist() == pytest.approx(wanted)
    share = torch.bincount(shape[:, 0].long()) / 3000
    assert gap.entropies.item() == pytest.approx(float(entropy(share.numpy())), abs=1e-6)
    first, second, _ = sorted(wanted, reverse=True)
    assert gap.score == pytest.approx((first - second) / gap.entropies.item(), abs=1e-6)


def test_information_of_a_gaussian_channel():
    """-½ log(1 - ρ²), of which 20 bins see the more, the weaker the channel."""
    draws = noise(40_000, 2)
    for rho in (0.3, 0.6, 0.9):
        code = rho * draws[:, :1] + math.sqrt(1 - rho**2) * draws[:, 1:]
        found = mig(code, draws[:, :1]).information.item()
        assert found == pytest.approx(-0.5 * math.log(1 - rho**2), rel=0.06, abs=0.006)


def test_dci_is_eastwood_and_williams_formula(factors):
    """Recomputed from the importances with SciPy's entropy alone."""
    parts = dci(factors + 0.5 * noise(3000, 3), factors)
    table = parts.importances.double().numpy()
    rows = 1 - entropy(table, base=3, axis=1)
    columns = 1 - entropy(table, base=3, axis=0)
    assert parts.disentanglement == pytest.approx(
        (rows * table.sum(1)).sum() / table.sum(), abs=1e-6
    )
    assert parts.completeness == pytest.approx(columns.mean(), abs=1e-6)


def test_an_angle_on_a_circle():
    """Cosine and sine tell all of it; a column for the angle itself cannot be a continuous code."""
    angle = 2 * math.pi * torch.rand(3000, 1, generator=torch.Generator().manual_seed(5))
    other = torch.rand(3000, 1, generator=torch.Generator().manual_seed(6))
    codes = torch.cat([angle.cos(), angle.sin(), other], 1)
    factors = torch.cat([angle, other], 1)
    parts = dci(codes, factors, names=("angle", "other"), circular=("angle",))
    assert parts.predicted["angle"] > 0.99
    assert parts.disentanglement > 0.97
    assert parts.completeness == pytest.approx((1 - math.log(2) / math.log(3) + 1) / 2, abs=0.02)
    gaps = mig(codes, factors, names=("angle", "other")).gaps
    assert gaps["angle"] < 0.05  # two dimensions share it
    assert gaps["other"] > 0.95


def test_one_dimension_and_one_factor(factors):
    assert mig(factors[:, 1:2], factors[:, 1:2]).score == pytest.approx(1)
    assert dci(factors[:, 1:2], factors[:, 1:2])[:3] == pytest.approx((1, 1, 1), abs=0.01)


@pytest.mark.fault("Random state", "measures of a model", "the caller's is as before")
def test_same_seed_same_scores_and_random_state_is_left_alone(factors):
    codes, state = factors + noise(3000, 3), torch.random.get_rng_state()
    first, second = dci(codes, factors, seed=3), dci(codes, factors, seed=3)
    assert first[:3] == second[:3]
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("measure", [mig, dci])
def test_errors_say_what_is_wrong(measure, factors):
    good = factors[:100]
    with pytest.raises(TypeError, match=r"codes is list, a tensor \(N, columns\) of numbers"):
        measure([["a"]], good)
    with pytest.raises(ValueError, match=r"codes has shape \(100,\), \(N, columns\)"):
        measure(good[:, 0], good)
    with pytest.raises(ValueError, match="codes has 100 rows, factors 50"):
        measure(good, good[:50])
    with pytest.raises(ValueError, match="codes holds 1 values that are NaN"):
        measure(good.clone().index_fill_(0, torch.tensor([3]), math.nan)[:, :1], good)
    with pytest.raises(ValueError, match="y has the value 1 in every row"):
        measure(good, torch.cat([good[:, :2], torch.ones(100, 1)], 1), names=NAMES)
    with pytest.raises(ValueError, match="names has 2 entries for 3 factors"):
        measure(good, good, names=("a", "b"))


def test_errors_of_one_measure(factors):
    with pytest.raises(ValueError, match="bins is 1, at least 2"):
        mig(factors, factors, bins=1)
    with pytest.raises(ValueError, match="circular names 'turn', one of shape, x, y"):
        dci(factors, factors, names=NAMES, circular=("turn",))
    with pytest.raises(ValueError, match="codes has 10 rows, at least 20"):
        dci(factors[:10], factors[:10])


def equal_width_gap(code, factor):
    """The gap of Locatello et al. 2019, by NumPy: 20 bins of equal width, joint entropies."""

    def bins(column):
        return np.digitize(column, np.histogram(column, 20)[1][:-1])

    def bits(*columns):
        return entropy(np.unique(np.stack(columns), axis=1, return_counts=True)[1])

    v = bins(factor.numpy())
    z = [bins(column.numpy()) for column in code.T]
    known = sorted(bits(c) + bits(v) - bits(c, v) for c in z)
    return (known[-1] - known[-2]) / bits(v)


def test_bins_of_equal_width_give_another_score_unless_handed_in(factors):
    """What is counted is quantiles; columns cut by width before have Locatello's score."""

    def cut(x):
        low, high = x.aminmax(dim=0)
        return ((x - low) / (high - low) * 20).floor().clamp(max=19)

    even = rotated(factors, 0.3)
    bent = even**3  # monotone: the quantiles' score stays, that of equal width does not
    found = []
    for code in (even, bent):
        published = [equal_width_gap(code, factor) for factor in factors[:, 1:].T]
        found.append(mig(cut(code), cut(factors[:, 1:])))
        assert list(found[-1].gaps.values()) == pytest.approx(published, abs=1e-3)
    scores = [mig(code, factors[:, 1:]).score for code in (even, bent)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert abs(found[0].score - found[1].score) > 0.05


def test_a_circle_held_perfectly_has_no_gap_and_dci_tells_it():
    """So a perfect code with cosine and sine of the sprites' angle scores about 0.8, not 1."""
    angle = 2 * math.pi * torch.arange(4000.0)[:, None] / 4000
    code = torch.cat([angle.cos(), angle.sin()], 1)
    assert mig(code, angle).score < 0.02
    assert dci(code, angle, names=["angle"], circular=["angle"]).informativeness > 0.99
    truth = sprites(32, train=1).factors
    where = truth.names.index("rotation")
    others = [k for k in range(5) if k != where]
    turned = truth.test[:, where : where + 1]
    held = torch.cat([truth.test[:, others], turned.cos(), turned.sin()], 1)
    assert mig(held, truth.test).score == pytest.approx(0.8, abs=0.02)
    assert mig(truth.test, truth.test).score > 0.98  # an angle in one number, with a jump


@pytest.fixture(scope="module")
def stored():
    file = files(pretrained).joinpath("disentanglement.json")
    return json.loads(file.read_text(encoding="utf-8"))


def test_stored_scores_are_complete(stored):
    for name in ("sprites", "strokes"):
        rows = stored[name]
        counts = Counter(row["method"] for row in rows)
        assert counts == dict.fromkeys(("PCA", "AE", "VAE", "β-VAE", "β-TCVAE"), 5)
        for row in rows:
            assert 0 <= row["mig"] == pytest.approx(sum(row["gaps"].values()) / 5, abs=1e-3)
            assert list(row["predicted"]) == stored["settings"]["factors"][name]
            table = torch.tensor(row["importances"])
            assert table.shape == (10, 5)
            torch.testing.assert_close(table.sum(0), torch.ones(5), atol=0.01, rtol=0)
            if "kl_parts" in row:
                assert row["kl_parts"]["mutual_information"] <= math.log(2000)
    assert "benchmarks/disentanglement.py" in stored["command"]


def test_a_stored_score_comes_out_again(stored):
    """PCA of sprites, seed 0, by SciPy's eigenvectors of the covariance."""
    images = sprites(32)
    generator = torch.Generator().manual_seed(0)
    x = images.train_images[torch.randint(20_000, (20_000,), generator=generator)].flatten(1)
    values, vectors = linalg.eigh(x.T.cov().double().numpy(), subset_by_index=[1014, 1023])
    assert values[0] > 0
    codes = images.test_images.flatten(1).double() @ torch.from_numpy(vectors)
    row = next(r for r in stored["sprites"] if (r["method"], r["seed"]) == ("PCA", 0))
    gap = mig(codes, images.factors.test, names=images.factors.names)
    assert gap.score == pytest.approx(row["mig"], abs=0.005)


def test_pictures_tell_their_numbers(stored):
    picture = scores(stored)
    assert "β-TCVAE" in picture.alt
    assert "MIG on sprites" in picture.alt
    assert "5 each" in picture.caption
    table = matrix(dci(torch.eye(3).repeat(40, 1), torch.eye(3).repeat(40, 1)).importances, NAMES)
    assert "x most in dimension 2 (1.00)" in table.alt
    with pytest.raises(ValueError, match="rows of 3 numbers for 2 factors"):
        matrix(torch.eye(3), NAMES[:2])
