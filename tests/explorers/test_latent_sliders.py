"""Traversals: the order and the KL of the sliders, the code, and what is refused. Without a browser."""

import pytest
import torch
from node_runs import node
from torch.distributions import kl_divergence

from vae_teach.evaluation import USED, kl_by_dimension
from vae_teach.explorers import LatentSliders
from vae_teach.models import VAE, Autoencoder, AutoencoderFamily, MultiRateVAE
from vae_teach.page.networks import Network
from vae_teach.pictures import pixels

IMAGES = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def model_of(latent_dim=6, unused=(1, 4)):
    """A VAE that ignores some of its dimensions."""
    torch.manual_seed(0)
    model = VAE(latent_dim, hidden=(30,))
    with torch.no_grad():
        last = model.encoder[-1]
        last.weight.mul_(4)
        for i in unused:
            last.weight[[i, i + latent_dim]] = 0
            last.bias[[i, i + latent_dim]] = 0.01
    return model


def test_kl_by_dimension_is_the_mean_over_images_and_sums_to_the_whole():
    model = model_of()
    q = model.encode(IMAGES)
    kl = kl_by_dimension(model, IMAGES)
    mean, variance = q.mean, q.variance  # the closed form (Kingma & Welling 2014, appendix B)
    assert torch.allclose(kl, 0.5 * (mean**2 + variance - 1 - variance.log()).mean(0), atol=1e-5)
    assert torch.allclose(kl.sum(), kl_divergence(q, model.prior).mean())
    assert not kl.requires_grad
    with pytest.raises(ValueError, match="x / 255"):
        kl_by_dimension(model, 255 * IMAGES)


def test_sliders_come_most_used_first_with_their_kl():
    model = model_of()
    sliders = LatentSliders(model, images=IMAGES)
    kl = kl_by_dimension(model, IMAGES)
    assert sliders.dimensions == kl.argsort(descending=True).tolist()
    assert torch.allclose(torch.tensor(sliders.kl), kl.sort(descending=True).values)
    assert sliders.count == 40
    assert sliders.used == USED
    assert set(sliders.dimensions[-2:]) == {1, 4}
    assert max(sliders.kl[-2:]) < USED < min(sliders.kl[:4])
    assert "6 of 6 dimensions, 4 of them used, at" in repr(sliders)
    assert "from the top: z" + str(sliders.dimensions[0] + 1) in sliders.still()
    some = LatentSliders(model, dimensions=[1, 0, 2], images=IMAGES)
    assert some.dimensions == sorted([0, 1, 2], key=lambda i: -kl[i])
    assert LatentSliders(model, dimensions=[4, 0, 2]).dimensions == [4, 0, 2]


def test_sliders_start_from_z_else_from_the_first_image_else_from_the_origin():
    model, z = model_of(), torch.linspace(-1, 4.5, 6)
    with torch.no_grad():
        first = model.encode(IMAGES[:1]).mean[0]
    assert LatentSliders(model).z.tolist() == [0.0] * 6
    assert torch.equal(LatentSliders(model, images=IMAGES).z, first)
    started = LatentSliders(model, z, images=IMAGES)
    assert torch.equal(started.z, z)
    assert started.z.dtype == torch.float32
    assert started.limit == 5.0  # all of it within the sliders' reach


def test_z_is_a_copy_that_can_be_set():
    sliders = LatentSliders(model_of(), dimensions=[0, 2])
    sliders.z[0] = 7
    assert sliders.z[0] == 0
    seen = []
    sliders.observe(lambda change: seen.append(change["new"]), "code")
    z = torch.tensor([0.5, 0, -1, 0, 0, 0.1])
    sliders.z = z.double()
    assert torch.equal(sliders.z, z)
    assert seen == [z.tolist()]
    assert sliders.start == [0.0] * 6
    sliders.set_state({"code": [1.0] * 6})  # as the page sends it
    assert sliders.z.tolist() == [1.0] * 6
    sliders.z = torch.full((6,), -7.2)
    assert sliders.limit == 8.0
    with pytest.raises(ValueError, match=r"\(6,\) is needed"):
        sliders.z = torch.zeros(5)
    with pytest.raises(ValueError, match="NaN"):
        sliders.z = torch.full((6,), float("nan"))
    for code in ([1.0] * 5, [float("inf")] * 6):
        with pytest.raises(Exception, match="6 finite numbers"):
            sliders.set_state({"code": code})
    assert sliders.z[0] == pytest.approx(-7.2)


def test_a_view_at_one_beta_has_plain_layers_of_its_own():
    torch.manual_seed(0)
    network = MultiRateVAE(3, hidden=(20, 10))
    with torch.no_grad():  # as new, it ignores β
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    z = torch.randn(5, 3)
    for beta in (0.05, 1.0, 20.0):
        view = network.at(beta)
        shown = view.decoder(z).sigmoid()
        assert not view.decoder[0].weight.data_ptr() == network.decoder[0].weight.data_ptr()
        assert torch.allclose(shown, view.decode(z).mean, atol=1e-5)
    assert not torch.allclose(shown, network.at(1.0).decode(z).mean, atol=1e-2)
    sliders = LatentSliders(network.at(2.0), images=IMAGES)
    assert sliders.decoder.layers[-1] == ["sigmoid"]
    assert sliders.still()
    with pytest.raises(ValueError, match=r"beta has shape \(2,\), one number"):
        LatentSliders(network.at(torch.tensor([1.0, 2.0])))


def test_an_autoencoder_has_sliders_as_far_as_its_codes_reach_but_no_kl():
    torch.manual_seed(0)
    model = Autoencoder(3)
    with torch.no_grad():
        model.encoder[-1].weight.mul_(60)
        codes = model.encode(IMAGES)
    sliders = LatentSliders(model, images=IMAGES)
    assert torch.equal(sliders.z, codes[0])
    assert sliders.limit >= codes.abs().max() > 3
    assert (sliders.kl, sliders.prior, sliders.dimensions) == ([], False, [0, 1, 2])
    assert sliders.decoder.layers[-1] == ["clamp"]
    assert sliders.still()


@pytest.mark.parametrize("count", [1, 20, 64])
def test_sliders_for_few_and_many_dimensions(count):
    sliders = LatentSliders(VAE(count, hidden=(8,)), images=IMAGES)
    assert len(sliders.dimensions) == len(sliders.kl) == count
    assert sliders.still()


def test_what_does_not_fit_is_named():
    model = VAE(2, hidden=(8,))
    with pytest.raises(ValueError, match="dimensions=range"):
        LatentSliders(VAE(65, hidden=(8,)))
    with pytest.raises(ValueError, match="from 0 to 1 are needed"):
        LatentSliders(model, dimensions=[2])
    with pytest.raises(ValueError, match=r"\(2,\) is needed"):
        LatentSliders(model, z=torch.zeros(1, 2))
    with pytest.raises(TypeError, match=r"z is str, a tensor \(2,\) is needed"):
        LatentSliders(model, z="origin")
    with pytest.raises(ValueError, match="images / 255"):
        LatentSliders(model, images=255 * IMAGES)
    with pytest.raises(TypeError, match=r"MultiRateVAE, model.at\(beta\)"):
        LatentSliders(MultiRateVAE(2, hidden=(8,)))
    with pytest.raises(TypeError, match="AutoencoderFamily, a VAE or an Autoencoder"):
        LatentSliders(AutoencoderFamily())
    with pytest.raises(ValueError, match="2 channels, 1 or 3"):
        LatentSliders(VAE(2, (2, 28, 28), hidden=(8,)))


def test_the_saved_state_is_little_more_than_the_weights():
    model = VAE(20)
    sliders = LatentSliders(model, images=IMAGES)
    state = sliders.get_state()
    own = {name: value for name, value in state.items() if name not in ("_esm", "files", "decoder")}
    assert len(str(own)) < 4_000
    count = sum(parameter.numel() for parameter in model.decoder.parameters())
    assert len(Network.decoder(model).weights) == 2 * count


def test_the_still_picture_is_what_the_model_decodes():
    model = model_of(2, unused=())
    sliders = LatentSliders(model, dimensions=[1])
    wanted = pixels.mean_images(model, torch.stack([torch.zeros(11), torch.linspace(-3, 3, 11)], 1))
    picture = pixels.to_array(pixels.tile(wanted, 11)).repeat(2, 0).repeat(2, 1)
    assert pixels.still(pixels.small_png(picture), "", "").split('src="')[1].split('"')[0] in (
        sliders.still()
    )


def test_the_page_draws_from_a_standard_normal():
    source = "answer(Array.from({ length: given }, normal))"
    draws = torch.tensor(node(source, 40_000, "explorers/latent_sliders/latent_sliders.js"))
    assert draws.mean().abs() < 0.03
    assert abs(draws.std() - 1) < 0.03
    assert abs((draws.abs() > 2).float().mean() - 0.0455) < 0.006
