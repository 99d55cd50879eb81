"""The generated sets: `strokes` and `sprites`."""

import numpy as np
import pytest
import torch

from vae_teach.data.glyphs import GLYPHS, way
from vae_teach.data.sprites import sprites
from vae_teach.data.strokes import STYLES, strokes

MAKERS = {
    "strokes": strokes,
    "sprites": sprites,
    "sprites32": lambda **counts: sprites(size=32, **counts),
}


@pytest.fixture(scope="module")
def digits():
    return strokes(train=3000, test=500, seed=1)


@pytest.fixture(scope="module", params=[64, 32])
def shapes(request):
    return sprites(size=request.param, train=1500, test=300, seed=1)


def columns(data):
    """The training factors by name."""
    return dict(zip(data.factors.names, data.factors.train.T, strict=True))


def moments(images):
    """Total ink, its centre (x, y) in pixels from the corner, and offsets (dx, dy) from it."""
    ink = images[:, 0]
    total = ink.sum((1, 2))
    place = torch.arange(ink.shape[1]) + 0.5
    x = (ink.sum(1) * place).sum(1) / total
    y = (ink.sum(2) * place).sum(1) / total
    return total, x, y, place - x[:, None, None], place[:, None] - y[:, None, None]


def correlation(a, b):
    return torch.corrcoef(torch.stack([a, b]))[0, 1].item()


@pytest.mark.parametrize(("name", "side"), [("strokes", 28), ("sprites", 64), ("sprites32", 32)])
def test_shapes_types_and_range(name, side):
    data = MAKERS[name](train=7, test=5)
    assert data.name == name
    for images, labels, factors, count in (
        (data.train_images, data.train_labels, data.factors.train, 7),
        (data.test_images, data.test_labels, data.factors.test, 5),
    ):
        assert images.shape == (count, 1, side, side)
        assert labels.shape == (count,)
        assert factors.shape == (count, len(data.factors.names))
        assert images.dtype == factors.dtype == torch.float32
        assert labels.dtype == torch.int64
        assert images.min() >= 0
        assert images.max() <= 1
        assert torch.equal(factors[:, 0].long(), labels)
        assert (images.amax((1, 2, 3)) > 0.6).all()  # none is empty


@pytest.mark.parametrize("name", MAKERS)
def test_the_seed_decides_every_byte_and_the_global_generators_nothing(name):
    make = MAKERS[name]
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    first = make(train=600, test=20, seed=3)
    torch.rand(3)
    np.random.rand(3)  # noqa: NPY002
    again = make(train=600, test=20, seed=3)
    other = make(train=600, test=20, seed=4)
    for part in ("train_images", "train_labels", "test_images", "test_labels"):
        assert torch.equal(getattr(first, part), getattr(again, part))
    assert torch.equal(first.factors.train, again.factors.train)
    assert not torch.equal(first.train_images, other.train_images)
    assert torch.equal(torch.rand(1), torch.rand(4, generator=torch.manual_seed(0))[3:])


@pytest.mark.parametrize("name", MAKERS)
def test_test_images_are_no_training_images(name):
    data = MAKERS[name](train=400, test=400)
    both = torch.cat([data.train_images, data.test_images]).flatten(1)
    causes = torch.cat([data.factors.train, data.factors.test])[:, 2:]
    assert len(torch.unique(causes, dim=0)) == 800
    assert len(torch.unique(both, dim=0)) > 790  # small binary sprites may coincide


def test_the_test_stream_does_not_depend_on_the_training_count():
    assert torch.equal(strokes(train=5, test=30).test_images, strokes(train=9, test=30).test_images)


@pytest.mark.parametrize(("name", "classes"), [("strokes", 10), ("sprites", 3)])
def test_classes_are_balanced_and_mixed(name, classes):
    data = MAKERS[name](train=605, test=20)
    counts = torch.bincount(data.train_labels, minlength=classes)
    assert len(data.classes) == len(counts) == classes
    assert counts.max() - counts.min() <= 1
    assert len(data.train_labels[:60].unique()) == classes


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("argument", ["train", "test"])
def test_errors_name_the_argument(name, argument):
    with pytest.raises(ValueError, match=f"^{argument} is 0"):
        MAKERS[name](**{argument: 0})
    with pytest.raises(TypeError, match=f"^{argument} is 2.5"):
        MAKERS[name](**{argument: 2.5})
    with pytest.raises(ValueError, match=r"^seed is -1"):
        MAKERS[name](train=5, test=5, seed=-1)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("seed", [None, "a", 2.5, True])
def test_a_seed_is_a_whole_number(name, seed):
    with pytest.raises(TypeError, match=f"^seed is {seed!r}, a whole number"):
        MAKERS[name](train=5, test=5, seed=seed)


@pytest.mark.parametrize("size", [28, 0, "64", 64.0, None])
def test_sprites_of_another_size_are_refused(size):
    with pytest.raises(ValueError, match=r"^size is"):
        sprites(size=size)


# strokes


def test_every_digit_is_written_in_several_ways_and_all_are_used(digits):
    style = columns(digits)["style"].long()
    assert set(style.tolist()) == set(range(len(GLYPHS)))
    assert all(sum(glyph.digit == digit for glyph in GLYPHS) >= 4 for digit in range(10))
    assert len(set(STYLES)) == len(STYLES)
    assert torch.equal(torch.tensor([g.digit for g in GLYPHS])[style], digits.train_labels)


def test_pen_path_has_evenly_spaced_positions_and_lifts_between_strokes():
    controls, basis, down = way("0,0 30,0! 30,40 | 60,0 60,20", points=64)
    path = basis @ controls
    assert path.shape == (64, 2)
    np.testing.assert_allclose(basis.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(path[[0, -1]], [[0, 0], [60, 20]], atol=1e-5)
    assert abs(path - [30, 0]).sum(1).min() < 1.5  # the corner is not cut
    first, air, second = path[:47], path[47:50], path[50:]
    assert down.tolist() == [1] * 47 + [0] * 3 + [1] * 14  # lengths 70 and 20 share 61
    assert (air[:, 0] > 30).all()
    assert (air[:, 0] < 60).all()
    for stroke in (first, second):
        steps = np.linalg.norm(np.diff(stroke, axis=0), axis=1)
        assert steps.max() < 1.2 * np.median(steps)


def test_ink_is_where_the_pen_was_and_nowhere_else(digits):
    pen, images = digits.factors.train_pen, digits.train_images[:, 0]
    assert pen.shape == (3000, 64, 3)
    assert set(pen[..., 2].unique().tolist()) == {0.0, 1.0}
    assert pen[..., :2].min() > 0
    assert pen[..., :2].max() < 28
    touching = pen[..., 2] == 1
    column, row = pen[..., :2].long().unbind(2)
    under = images[torch.arange(3000)[:, None], row, column]
    assert (under[touching] > 0.4).float().mean() > 0.99
    # pixels far from every position of the touching pen stay white
    centre = torch.cartesian_prod(torch.arange(28.0), torch.arange(28.0)).flip(1) + 0.5
    for i in range(100):
        apart = torch.cdist(centre, pen[i, touching[i], :2]).amin(1).view(28, 28)
        assert images[i][apart > columns(digits)["thickness"][i] / 2 + 2].max() < 0.1


def test_x_and_y_are_the_centre_of_mass_of_the_line(digits):
    pen, factors = digits.factors.train_pen, columns(digits)
    both_down = pen[:, 1:, 2] * pen[:, :-1, 2]
    length = pen[..., :2].diff(dim=1).norm(dim=2) * both_down  # (N, T - 1)
    middle = (pen[:, 1:, :2] + pen[:, :-1, :2]) / 2
    centre = (middle * length[..., None]).sum(1) / length.sum(1, keepdim=True)
    assert (centre - torch.stack([factors["x"], factors["y"]], dim=1)).abs().max() < 1e-3


def test_images_have_the_form_of_mnist(digits):
    total, x, y, _, _ = moments(digits.train_images)
    factors = columns(digits)
    assert (x - factors["x"]).abs().mean() < 0.35
    assert (y - factors["y"]).abs().mean() < 0.35
    assert correlation(x, factors["x"]) > 0.6
    assert correlation(y, factors["y"]) > 0.6
    dark = digits.train_images[:, 0] > 0.5
    height, width = dark.any(2).sum(1), dark.any(1).sum(1)
    longest = torch.maximum(height, width).float()
    assert abs(longest.mean() - 20) < 1
    assert (longest - factors["size"]).abs().mean() < 1
    border = digits.train_images[:, 0].clone()
    border[:, 1:-1, 1:-1] = 0
    assert (border.amax((1, 2)) > 0.1).float().mean() < 0.05
    grey = (digits.train_images > 0.1) & (digits.train_images < 0.9)
    assert 0.3 < grey.sum() / (digits.train_images > 0.1).sum() < 0.7  # edges are anti-aliased
    assert 60 < total.mean() < 130


def test_slant_thickness_width_and_darkness_show_in_the_pictures(digits):
    total, _, _, dx, dy = moments(digits.train_images)
    ink = digits.train_images[:, 0]
    slant = -(ink * dx * dy).sum((1, 2)) / (ink * dy * dy).sum((1, 2))
    spread = ((ink * dx * dx).sum((1, 2)) / (ink * dy * dy).sum((1, 2))).log()
    factors = columns(digits)
    middle = ink.flatten(1).topk(5).values.mean(1)
    for digit in range(10):
        of = digits.train_labels == digit
        rotation = factors["rotation"][of]
        assert correlation(slant[of], factors["slant"][of] + rotation) > 0.6
        assert correlation(total[of], factors["thickness"][of]) > 0.75
        if digit != 1:
            assert correlation(spread[of], factors["width"][of].log()) > 0.4
    thick = factors["thickness"] > 2.5
    assert correlation(middle[thick], factors["darkness"][thick]) > 0.9


def test_thickness_is_the_width_of_the_line_at_half_darkness(digits):
    """Ink area over length of line, on the bars of "1", which do not cross themselves."""
    factors = columns(digits)
    bars = [i for i, style in enumerate(STYLES) if style in ("1, bar", "1, leaning bar")]
    ones = torch.isin(factors["style"].long(), torch.tensor(bars))
    path = digits.factors.train_pen[ones, :, :2]
    length = path.diff(dim=1).norm(dim=2).sum(1) + factors["thickness"][ones] * 0.7  # round ends
    area = digits.train_images[ones].sum((1, 2, 3)) / factors["darkness"][ones]
    ratio = area / length / factors["thickness"][ones]
    assert 0.9 < ratio.mean() < 1.1
    assert ratio.std() < 0.15


def test_factors_are_independent_of_each_other_and_of_the_class(digits):
    free = [name for name in digits.factors.names if name not in ("class", "style")]
    factors = columns(digits)
    table = torch.corrcoef(torch.stack([factors[name] for name in ["class", *free]]))
    assert (table - torch.eye(len(table))).abs().max() < 0.08


def test_a_network_can_learn_the_digits_and_read_new_ones(digits):
    """A linear classifier reads unseen digits far above chance: labels belong to the pictures."""
    x = digits.train_images.flatten(1)
    x = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    y = torch.nn.functional.one_hot(digits.train_labels, 10).float()
    weights = torch.linalg.solve(x.T @ x + 10 * torch.eye(x.shape[1]), x.T @ y)
    new = digits.test_images.flatten(1)
    read = (torch.cat([new, torch.ones(len(new), 1)], dim=1) @ weights).argmax(1)
    assert 0.75 < (read == digits.test_labels).float().mean() < 0.99


# sprites


def test_sprites_are_binary_and_inside_the_image(shapes):
    images = shapes.train_images
    assert set(images.unique().tolist()) == {0.0, 1.0}
    inner = images[..., 1:-1, 1:-1]
    assert inner.sum() == images.sum()


def test_sprite_position_and_scale_are_those_of_the_picture(shapes):
    total, x, y, _, _ = moments(shapes.train_images)
    factors = columns(shapes)
    for measured, known in ((x, factors["x"]), (y, factors["y"])):
        assert (measured - known).abs().max() < 0.8
        assert (measured - known).abs().mean() < 0.15
        assert abs((measured - known).mean()) < 0.03
    ratio = total.sqrt() / factors["scale"]
    assert abs(ratio.mean() - 1) < 0.01
    assert ratio.std() < 0.05


def test_sprite_rotation_is_the_turn_of_the_picture(shapes):
    """Each shape is lopsided along its own axis: the third moment there keeps one sign."""
    _, _, _, dx, dy = moments(shapes.train_images)
    ink = shapes.train_images[:, 0]
    factors = columns(shapes)
    turn = factors["rotation"][:, None, None]
    up = torch.sin(turn) * dx - torch.cos(turn) * dy
    across = torch.cos(turn) * dx + torch.sin(turn) * dy
    along = (ink * up**3).sum((1, 2)) / (ink * up**2).sum((1, 2)) ** 1.5 * ink.sum((1, 2)) ** 0.5
    sideways = (
        (ink * across**3).sum((1, 2))
        / (ink * across**2).sum((1, 2)) ** 1.5
        * ink.sum((1, 2)) ** 0.5
    )
    for label in range(3):
        of = shapes.train_labels == label
        sign = along[of].mean().sign()
        assert (along[of].sign() == sign).float().mean() > 0.95
        assert sideways[of].abs().mean() < 0.5 * along[of].abs().mean()
    assert factors["rotation"].min() < 0.05
    assert factors["rotation"].max() > 2 * torch.pi - 0.05


def test_sprite_factors_are_uniform_and_independent(shapes):
    factors = shapes.factors.train
    assert torch.corrcoef(factors.T).fill_diagonal_(0).abs().max() < 0.1
    for column in factors.T[1:]:
        quartiles = torch.quantile(column, torch.tensor([0.25, 0.5, 0.75]))
        share = (quartiles - column.min()) / (column.max() - column.min())
        assert (share - torch.tensor([0.25, 0.5, 0.75])).abs().max() < 0.06
