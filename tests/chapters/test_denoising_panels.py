"""Fields and the corruption lab draw what they are given."""

import re

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae_teach.chapters.denoising_contractive.figures import (
    clouds,
    density_map,
    lattice,
    vector_fields,
)
from vae_teach.chapters.denoising_contractive.panels import corruption_panel, field_panel
from vae_teach.data.corruptions import blank_square, blur, salt_and_pepper

ALT = "What a reader who cannot see it needs to know."
EXTENT = (-3.0, 3.0, -2.0, 2.0)


def smoothed(sigma):
    centres = torch.tensor([[-1.0, 0.0], [1.0, 0.5]])
    return MixtureSameFamily(
        Categorical(torch.ones(2)), Independent(Normal(centres, (0.04 + sigma**2) ** 0.5), 1)
    )


def test_a_lattice_is_regular_and_inside():
    points = lattice(EXTENT, columns=12)
    assert points.shape == (12 * 8, 2)
    assert points[0].tolist() == pytest.approx([-2.75, -1.75])
    assert (points[1] - points[0]).tolist() == pytest.approx([0.5, 0.0])
    assert (points[12] - points[0]).tolist() == pytest.approx([0.0, 0.5])


def test_a_density_map_sums_to_one_and_its_first_row_is_the_bottom():
    density = density_map(smoothed(0.3).log_prob, (-4, 4, -4, 4), columns=80)
    assert density.sum().item() * 0.1**2 == pytest.approx(1, abs=1e-4)
    centred_low = Independent(Normal(torch.tensor([0.0, -1.5]), 0.2), 1)
    rows = density_map(centred_low.log_prob, EXTENT, columns=60).sum(1)
    assert rows.argmax() < 20


def test_pictures_have_alt_text():
    points = lattice(EXTENT, columns=6)
    field = {"σ = 0.3": (smoothed(0.3).log_prob, {"network": points, "exact": -points})}
    cloud = {"a": smoothed(0).sample((50,)), "b": smoothed(1).sample((50,))}
    for picture in (
        vector_fields(field, points, EXTENT, alt=ALT, caption="Toy.", length=0.5),
        clouds(cloud, smoothed(0).log_prob, EXTENT, alt=ALT),
    ):
        assert re.search(rf'alt="{ALT}"', picture._repr_html_())
        assert len(picture.png()) < 100_000


def test_the_corruption_lab_follows_its_controls_and_comes_back():
    images = torch.rand(5, 1, 28, 28)
    noise = torch.rand_like(images)
    seen = {}

    def keep(corrupted):
        seen["corrupted"] = corrupted
        return 0.5 * corrupted

    kinds = {
        "mask": (lambda x, rate: x * (noise >= rate), 0.9, "rate {:.2f}"),
        "square": (blank_square, 20, "side {:.0f}"),
    }
    panel = corruption_panel(images, kinds, {"half": keep}, ALT)
    kind, level = panel._controls["kind"], panel._controls["level"]
    level.value = 0.5
    first = panel._pixels
    assert torch.equal(seen["corrupted"], images * (noise >= 0.45))
    level.value = 0.8
    assert torch.equal(seen["corrupted"], images * (noise >= 0.8 * 0.9))
    assert (panel._pixels != first).any()
    kind.value = "square"
    assert torch.equal(seen["corrupted"], blank_square(images, 16))
    texts = [t.get_text() for t in panel._draw(**panel.values).texts]
    error = (seen["corrupted"] - images).square().flatten(1).sum(1).mean()
    assert "square\nside 16" in texts
    assert f"{error:.1f}" in texts
    kind.value, level.value = "mask", 0.5
    assert (panel._pixels == first).all()
    level.value = 0.0  # nothing dropped: the second row is the first one again
    strip = np.asarray(panel._pixels)
    height = 60
    top = next(r for r in range(100) if (strip[r, 115:395] < 200).any())
    assert (
        strip[top : top + 50, 115:395] == strip[top + height : top + height + 50, 115:395]
    ).all()


def test_what_nobody_was_trained_on():
    x, noise = torch.rand(2, 1, 28, 28), torch.rand(2, 1, 28, 28)
    spoilt = salt_and_pepper(x, 0.4, noise)
    assert ((spoilt == 0) == (noise < 0.2)).all()
    assert ((spoilt == 1) == (noise >= 0.8)).all()
    assert (spoilt == x)[(noise >= 0.2) & (noise < 0.8)].all()
    for untouched in (salt_and_pepper(x, 0, noise), blank_square(x, 0.4), blur(x, 0)):
        assert torch.equal(untouched, x)
    square = blank_square(x, 9.6)
    assert (square == 0).sum() == 2 * 100
    assert (square[:, :, 9:19, 9:19] == 0).all()
    dot = torch.zeros(1, 1, 29, 29)
    dot[..., 14, 14] = 1
    assert (
        blur(dot, 2.0) - torch.from_numpy(gaussian_filter(dot.numpy()[0, 0], 2))
    ).abs().max() < 1e-3


def test_points_follow_the_arrows_to_the_data():
    starts = torch.tensor([[-2.0, 1.5], [2.5, -1.0]])
    panel = field_panel(smoothed, starts, EXTENT, ALT, "Toy.", steps=0)
    first = panel._pixels
    controls = panel._controls
    controls["steps"].value = 4
    moved = panel._pixels
    assert (moved != first).any()
    controls["sigma"].value = 0.2
    assert (panel._pixels != moved).any()
    assert not panel.error
    controls["sigma"].value = 0.4
    assert (panel._pixels == moved).all()
    assert "Toy." in panel.still()
