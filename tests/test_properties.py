"""Properties that hold for any input of a kind, tried on many."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from some_models import LIKELIHOODS, NETWORKS, vae
from torch.distributions import Independent, Normal, kl_divergence

from vae_teach import checks
from vae_teach.objectives import elbo

quick = settings(deadline=None, max_examples=30)


@quick
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.data())
def test_any_spoiled_pixel_is_counted_and_located(count, channels, height, width, data):
    x = torch.rand(count, channels, height, width)
    checks.images(x)
    bad = data.draw(st.sets(st.integers(0, x.numel() - 1), min_size=1))
    value = data.draw(st.sampled_from([float("nan"), float("inf"), float("-inf")]))
    x.view(-1)[list(bad)] = value
    first = tuple(int(i) for i in np.unravel_index(min(bad), x.shape))
    with pytest.raises(ValueError, match=f"x holds {len(bad)} values") as caught:
        checks.images(x, "x")
    assert f"index {first}" in str(caught.value)


@quick
@given(
    st.floats(1.001, 1e30, allow_subnormal=False) | st.floats(-1e30, -0.001, allow_subnormal=False)
)
def test_any_value_outside_the_unit_interval_is_refused(value):
    x = torch.rand(2, 1, 3, 3)
    x[1, 0, 2, 2] = value
    with pytest.raises(ValueError, match=r"\[0, 1\] is needed"):
        checks.images(x)


@quick
@given(
    st.integers(1, 8),
    st.sampled_from(NETWORKS),
    st.sampled_from(sorted(LIKELIHOODS)),
    st.floats(0, 50, allow_subnormal=False),
    st.integers(0, 2**31),
)
def test_terms_of_any_model(latent_dim, network, likelihood, beta, seed):
    """One number an image; KL never negative and equal to torch's; bound = E - beta KL."""
    torch.manual_seed(seed)
    model = vae(latent_dim, (1, 8, 12), network, likelihood=LIKELIHOODS[likelihood]())
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)
        x = torch.rand(3, 1, 8, 12)
        terms = elbo(model, x, beta=beta)
        mean, log_variance = model.encoder(x).chunk(2, 1)
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    kl = kl_divergence(q, Independent(Normal(torch.zeros_like(mean), 1.0), 1))
    assert all(t.shape == (3,) for t in terms)
    assert (terms.kl >= -1e-4).all()
    torch.testing.assert_close(terms.kl, kl, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(terms.bound, terms.reconstruction - beta * terms.kl)
