"""Pictures of chapter 04: autograd's graph as it is, panels that draw what they are given."""

import pytest
import torch
from scipy import integrate, stats

from vae_teach.chapters.reparameterization.autograd_graph import Graph, autograd_graph
from vae_teach.chapters.reparameterization.figures import noise_bars, scaling, z_scores
from vae_teach.chapters.reparameterization.panels import (
    estimator_panel,
    expected_gradient,
    simplex_panel,
)

ALT = "What a reader who cannot see it needs to know."
DEPENDS = [("mu", "z"), ("sigma", "z")]


def tensors(trick):
    mu, rho, theta = (torch.tensor(v, requires_grad=True) for v in (0.8, -0.5, 1.5))
    sigma, epsilon = rho.exp(), torch.tensor(0.3)
    z = mu + sigma * epsilon if trick else torch.distributions.Normal(mu, sigma).sample()
    loss = (theta * z - 1.0) ** 2
    names = ("mu", "rho", "sigma", "epsilon", "z", "theta", "loss")
    return dict(zip(names, (mu, rho, sigma, epsilon, z, theta, loss), strict=True))


def test_a_draw_cuts_the_graph_and_the_trick_does_not():
    cut, whole = Graph(tensors(False), DEPENDS), Graph(tensors(True), DEPENDS)
    assert [(cut.labels[a], cut.labels[b]) for a, b in cut.cuts] == [
        ("mu", "z"),
        ("sigma = exp", "z"),
    ]
    assert whole.cuts == []
    assert cut.kinds[cut.nodes["z"]] == "constant"
    assert whole.kinds[whole.nodes["z"]] == "operation"
    assert "epsilon" not in cut.labels.values(), "nobody computed with it"


def test_edges_are_autograds_own():
    graph = Graph(tensors(True))
    edges = {(graph.labels[a], graph.labels[b]) for a, b in graph.edges}
    assert edges == {
        ("rho", "sigma = exp"),
        ("sigma = exp", "mul"),
        ("epsilon", "mul"),
        ("mul", "z = add"),
        ("mu", "z = add"),
        ("z = add", "mul"),
        ("theta", "mul"),
        ("mul", "sub"),
        ("sub", "loss = pow"),
    }
    assert len(set(graph.places.values())) == len(graph.labels), "no node covers another"
    assert all(graph.places[a][0] < graph.places[b][0] for a, b in graph.edges)


def test_the_graph_is_drawn_and_bad_input_named():
    picture = autograd_graph({"a": tensors(False), "b": tensors(True)}, DEPENDS, ALT)
    assert len(picture.png()) > 5000
    with pytest.raises(ValueError, match="depends names 'nu'"):
        autograd_graph({"a": tensors(True)}, [("nu", "z")], ALT)
    with pytest.raises(TypeError, match="must be a dict"):
        autograd_graph({"a": torch.tensor(1.0)}, [], ALT)


@pytest.mark.parametrize("function", [torch.sin, lambda z: z**2, lambda z: (z > 0.3).double()])
def test_expected_gradient_against_quadrature(function):
    def average(weigh):
        return integrate.quad(
            lambda z: (
                stats.norm.pdf(z, 0.8, 0.6)
                * function(torch.tensor(z, dtype=torch.double)).item()
                * weigh((z - 0.8) / 0.6)
            ),
            -5,
            7,
            points=[0.3],
        )[0]

    truth = average(lambda e: e / 0.6), average(lambda e: (e**2 - 1) / 0.6)
    assert expected_gradient(function, 0.8, 0.6).tolist() == pytest.approx(truth, abs=1e-3)


def score(f, mu, sigma, epsilon):
    return f(mu + sigma * epsilon) * torch.stack([epsilon, epsilon**2 - 1]) / sigma


def test_the_estimator_panel_follows_every_control():
    panel = estimator_panel({"square": torch.square, "sine": torch.sin}, {"score": score})
    seen = [panel._pixels]
    for name, value in (("f", "sine"), ("parameter", "∂/∂σ"), ("mu", -1.0), ("sigma", 1.2)):
        panel._controls[name].value = value
        assert (panel._pixels != seen[-1]).any()
        seen.append(panel._pixels)
    assert not panel.error


def test_the_simplex_panel_hands_its_function_the_right_numbers():
    calls = []

    def relax(logits, gumbel, temperature):
        calls.append((logits, temperature))
        return ((logits + gumbel) / temperature).softmax(-1)

    panel = simplex_panel(relax)
    panel._controls["temperature"].value = 0.1
    panel._controls["p1"].value = 0.2
    logits, temperature = calls[-1]
    assert temperature == pytest.approx(0.1)
    assert logits.exp().tolist() == pytest.approx([0.2, 0.48, 0.32])
    assert not panel.error


def test_stills_have_alternative_text():
    values = torch.randn(100, generator=torch.Generator().manual_seed(0))
    x = [1.0, 10.0]
    for picture in (
        z_scores({"a": values, "b": values + 100}, ALT),
        scaling([("x", "y", x, {"a": [1.0, 2.0], "b": [3.0, 1.0]}, {"a": [1.0, 2.0]})], ALT),
        noise_bars({"one": [(1.0, 2.0), (3.0, 1.0)], "two": [(1.0, 1.0), (1.0, 1.0)]}, ALT),
    ):
        assert f'alt="{ALT}"' in picture._repr_html_()
        assert len(picture.png()) > 2000
