"""Make the shipped weights again: `make weights`, or

    python -m vae_teach.pretrained.make            all that records.json lists, and new kinds
    python -m vae_teach.pretrained.make vae20_mnist

Seeded: on the same machine with the same PyTorch the same file comes out. Weights are stored as
float16; the score is that of the stored file.
"""

import argparse
import hashlib
import json
import os
import time

import torch
from safetensors.torch import save

from vae_teach import data
from vae_teach.pretrained import HERE, load, records
from vae_teach.pretrained.recipes import KINDS
from vae_teach.say import say

SETS = ("mnist", "strokes")
NAMES = {f"{kind}_{image_set}": (kind, image_set) for image_set in SETS for kind in KINDS}


def make(name, kind, image_set):
    """Train one model of this kind, write its file and its record.

    Args:
        name: of the file, without its ending.
        kind: a key of KINDS.
        image_set: an ImageSet.
    """
    entry, kind = {"kind": kind, "set": image_set.name}, KINDS[kind]
    torch.manual_seed(0)
    model, started = kind.model(), time.perf_counter()
    history = kind.train(model, image_set)
    stored = save({key: value.half() for key, value in model.state_dict().items()})
    _replace(HERE / f"{name}.safetensors", stored)
    entry |= {
        "data": f"{image_set.name}, {len(image_set.train_images):,} training images",
        "settings": {"epochs": len(history.seconds), "one_cycle": True, "seed": 0, **kind.settings},
        "command": f"python -m vae_teach.pretrained.make {name}",
        "bytes": len(stored),
        "sha256": hashlib.sha256(stored).hexdigest(),
    }
    _record(name, entry)  # so that it can be loaded, as the learner will
    entry["score"], entry["unit"] = round(kind.score(load(name), image_set), 4), kind.unit
    _record(name, entry)
    say(f"{name}: {entry['unit']} {entry['score']}, {time.perf_counter() - started:.0f} s")


def _record(name, entry):
    all_records = {**records(), name: entry}
    text = json.dumps(dict(sorted(all_records.items())), indent=2, ensure_ascii=False)
    _replace(HERE / "records.json", (text + "\n").encode())


def _replace(path, data):
    """Write a file whole or not at all: the one that is there stays until the new one is complete."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(data)
    os.replace(new, path)


def main():
    """Make what the command line names, or everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}; default: all")
    wanted = parser.parse_args().names
    unknown = set(wanted) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(NAMES)}")
    for name in wanted or NAMES:
        kind, image_set = NAMES[name]
        make(name, kind, data.load(image_set))


if __name__ == "__main__":
    main()
