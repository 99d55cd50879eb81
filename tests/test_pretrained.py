"""Shipped weights are what their records say, and damaged ones are refused with one sentence."""

import dataclasses
import hashlib

import pytest
import torch
from safetensors.torch import save

from vae_teach import data, pretrained
from vae_teach.evaluation import log_likelihood
from vae_teach.models import VAE
from vae_teach.models.likelihoods import ContinuousBernoulli, Laplace
from vae_teach.models.priors import MixtureOfGaussians
from vae_teach.pretrained import make
from vae_teach.pretrained.make import NAMES
from vae_teach.pretrained.recipes import KINDS


def test_every_file_has_a_record_and_all_are_small():
    files = {p.stem: p for p in pretrained.HERE.glob("*.safetensors")}
    assert set(files) == set(pretrained.records()) == set(NAMES)
    assert sum(p.stat().st_size for p in files.values()) < 25e6
    for name, record in pretrained.records().items():
        assert record["bytes"] == files[name].stat().st_size
        assert (record["kind"], record["set"]) == NAMES[name]
        assert record["command"].endswith(name)
        assert record["data"]
        assert record["settings"]


@pytest.mark.parametrize("name", NAMES)
def test_the_recorded_score_is_reached(name, request):
    kind, image_set = NAMES[name]
    images = request.getfixturevalue("mnist") if image_set == "mnist" else data.load("strokes")
    record = pretrained.records()[name]
    score = KINDS[kind].score(pretrained.load(name), images)
    tolerance = 0.002 if record["unit"] == "accuracy" else 0.05
    assert score == pytest.approx(record["score"], abs=tolerance)


def test_unknown_names_are_listed():
    with pytest.raises(ValueError, match="one of classifier_mnist, "):
        pretrained.load("vae3_mnist")
    with pytest.raises(ValueError, match="kind is 'vae3', one of classifier, "):
        pretrained.for_set("vae3", None)


@pytest.mark.parametrize("likelihood", [ContinuousBernoulli, Laplace])
def test_a_kind_with_other_parts_and_any_name_is_made_recorded_and_loaded(
    likelihood, digits, tmp_path, monkeypatch, capsys
):
    def model():
        prior = MixtureOfGaussians(2, 3)
        return VAE(2, hidden=(8,), likelihood=likelihood(), prior=prior)

    kind = dataclasses.replace(KINDS["vae20"], model=model, epochs=0.02)
    monkeypatch.setitem(KINDS, "vq_vae", kind)
    (tmp_path / "records.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(pretrained, "HERE", tmp_path)
    monkeypatch.setattr(make, "HERE", tmp_path)
    make.make("vq_vae_strokes", "vq_vae", digits)
    record = pretrained.records()["vq_vae_strokes"]
    assert (record["kind"], record["set"]) == ("vq_vae", "strokes")
    loaded = pretrained.load("vq_vae_strokes")
    assert kind.score(loaded, digits) == pytest.approx(record["score"], abs=0.05)
    again = pretrained.for_set("vq_vae", digits)
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
    assert isinstance(again.likelihood, likelihood)
    assert log_likelihood(again, digits.test_images[:3], samples=20).isfinite().all()
    assert "No weights" not in capsys.readouterr().out


GOOD = save({"weight": torch.arange(6.0)})


@pytest.mark.fault("Files half written", "weights that are missing, cut or altered", "one sentence")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is missing"),
        (b"", "is damaged: 0 bytes"),
        (GOOD[:-4], f"is damaged: {len(GOOD) - 4} bytes"),
        (GOOD[:-1] + b"\x01", "is damaged"),
        (b"something else", "is damaged"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, words):
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(pretrained.BadWeights, match=words) as problem:
        pretrained.read(path, hashlib.sha256(GOOD).hexdigest())
    assert "make weights" in str(problem.value)


@pytest.mark.fault("Files half written", "a foreign file in place of weights", "one sentence")
def test_a_foreign_file_is_refused_even_with_the_right_checksum(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"not safetensors at all")
    with pytest.raises(pretrained.BadWeights, match="no safetensors file"):
        pretrained.read(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_set_without_weights_is_trained_on_the_spot(digits, monkeypatch, capsys):
    quick = dataclasses.replace(KINDS["classifier"], epochs=0.01)
    monkeypatch.setitem(KINDS, "classifier", quick)
    other = dataclasses.replace(digits, name="fashion")
    model = pretrained.for_set("classifier", other)
    assert "No weights of classifier are shipped for fashion" in capsys.readouterr().out
    assert not model.training
    assert model(digits.test_images).shape == (100, 10)


@pytest.mark.fault("Random state", "loading weights", "the caller's is as before")
def test_loading_leaves_the_random_state_alone(digits):
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    pretrained.load("vae20_strokes")
    pretrained.for_set("classifier", data.load("strokes"))
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.fault(
    "Random state", "training where no weights are shipped", "the caller's is as before"
)
def test_training_in_place_of_shipped_weights_leaves_it_alone_too(digits, monkeypatch):
    quick = dataclasses.replace(KINDS["classifier"], epochs=0.02)
    monkeypatch.setitem(KINDS, "classifier", quick)
    torch.manual_seed(3)
    state, lines = torch.random.get_rng_state(), []
    other = dataclasses.replace(digits, name="mine")
    pretrained.for_set("classifier", other, announce=lines.append)
    assert "training them now" in lines[0]
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.fault(
    "Files half written",
    "`make weights` killed inside a write",
    "the file that was there stays whole",
)
def test_a_write_that_is_cut_off_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "vae.safetensors"
    make._replace(path, b"good")

    class Killed(BaseException):
        pass

    def half(self, data):
        with self.open("wb") as file:
            file.write(data[:2])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "write_bytes", half)
        with pytest.raises(Killed):
            make._replace(path, b"better")
    assert path.read_bytes() == b"good"
    make._replace(path, b"better")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"better"
