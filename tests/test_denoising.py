"""Fields and the noise panels draw what they are given."""

import re

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae_teach.explorers.denoising import field_panel, level_slider, noise_panel
from vae_teach.figures.fields import clouds, density_map, lattice, vector_fields

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


def test_the_noise_panel_follows_its_slider_and_comes_back():
    images = torch.rand(5, 1, 28, 28)
    noise = torch.rand_like(images)
    slider = level_slider("masking rate", 0.5, highest=0.9)
    seen = {}

    def keep(corrupted):
        seen["corrupted"] = corrupted
        return 0.5 * corrupted

    panel = noise_panel(images, lambda x, v: x * (noise >= v), {"half": keep}, slider, ALT)
    first = panel._pixels
    slider.value = 0.8
    assert torch.equal(seen["corrupted"], images * (noise >= 0.8))
    assert (panel._pixels != first).any()
    slider.value = 0.5
    assert (panel._pixels == first).all()
    slider.value = 0.0  # nothing dropped: the second row is the first one again
    strip = np.asarray(panel._pixels)
    height = 60
    top = next(r for r in range(100) if (strip[r, 115:395] < 200).any())
    assert (
        strip[top : top + 50, 115:395] == strip[top + height : top + height + 50, 115:395]
    ).all()


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
    assert panel._message.layout.display == "none"
    controls["sigma"].value = 0.4
    assert (panel._pixels == moved).all()
    assert "Toy." in panel.still()
