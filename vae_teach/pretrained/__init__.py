"""Weights trained by this project, one safetensors file each; `recipes.py` makes them.

`records.json` says of each file: its kind and data set, settings, SHA-256 checksum, and the score on the
test images that the file as shipped reaches.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse

from vae_teach import checks
from vae_teach.pretrained.recipes import KINDS

HERE = Path(__file__).resolve().parent


class BadWeights(RuntimeError):
    """A file of weights is missing, cut short or altered."""


def records():
    """What is known of each file: name -> dict with kind, set, settings, score, unit, sha256."""
    return json.loads((HERE / "records.json").read_text(encoding="utf-8"))


def load(name):
    """A trained model, in evaluation mode, on the CPU.

    Args:
        name: such as "vae20_mnist"; `records()` lists them.

    Raises:
        ValueError: unknown name.
        BadWeights: the file is missing or not the one that was shipped.
    """
    known = records()
    if name not in known:
        raise ValueError(f"name is {name!r}, one of {', '.join(sorted(known))} is needed.")
    weights = read(HERE / f"{name}.safetensors", known[name]["sha256"])
    with torch.random.fork_rng([]):  # the first weights are drawn, and then replaced
        model = KINDS[known[name]["kind"]].model()
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model.eval()


def read(path, sha256):
    """Tensors of a safetensors file whose checksum must be `sha256`: dict of name -> tensor."""
    remedy = "Install the package again, or run `make weights`."
    if not path.is_file():
        raise BadWeights(f"{path} is missing. {remedy}")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise BadWeights(
            f"{path} is damaged: {len(data)} bytes with SHA-256 {found[:12]}..., {sha256[:12]}... "
            f"is expected. {remedy}"
        )
    try:
        return parse(data)
    except SafetensorError as problem:
        raise BadWeights(f"{path} is no safetensors file ({problem}). {remedy}") from None


def for_set(kind, image_set, announce=print):
    """A trained model for the images in hand: shipped weights where there are, else trained now.

    Args:
        kind: "classifier" (`models.Classifier`), "family" (`models.AutoencoderFamily`, bottlenecks of
            1 to 32), "vae20" (`models.VAE`, 20 latent dimensions) or "multirate"
            (`models.MultiRateVAE`, 20 latent dimensions, β from 0.05 to 20).
        image_set: an ImageSet of 28×28 images; weights are shipped for "mnist" and "strokes".
        announce: called with one line when training begins.

    Raises:
        ValueError: unknown kind, or images of another size.
        BadWeights: the file is missing or not the one that was shipped.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, one of {', '.join(KINDS)} is needed.")
    checks.images(image_set.train_images, f"{image_set.name}.train_images", (1, 28, 28))
    for name, record in records().items():
        if (record["kind"], record["set"]) == (kind, image_set.name):
            return load(name)
    announce(f"No weights of {kind} are shipped for {image_set.name}: training them now.")
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = KINDS[kind].model()
        KINDS[kind].train(model, image_set, quick=True)
    return model.eval()
