"""`load(name)`: one name, one data set; `course_set()`: the one the notebooks open on."""

import os

from vae_teach.data.image_set import ImageSet, NoData

NAMES = ("mnist", "fashion", "strokes", "sprites", "sprites32")
OPENING = ("mnist", "fashion", "strokes")  # what a chapter can open on: 28×28 pixels, ten classes


def load(name):
    """Load a data set into memory.

    Args:
        name: "mnist" or "fashion" (downloaded once through torchvision), or a set made from a
            seed with no network: "strokes" (28×28 digits), "sprites" (64×64), "sprites32" (32×32).

    Returns:
        ImageSet of float32 (N, 1, H, W) images in [0, 1] and int64 labels.

    Raises:
        ValueError: unknown name.
        NoData: not on disk and no network; the message names the embedded set.
    """
    if name in ("mnist", "fashion"):
        from vae_teach.data.downloaded import downloaded

        return downloaded(name)
    if name == "strokes":
        from vae_teach.data.strokes import strokes

        return strokes()
    if name in ("sprites", "sprites32"):
        from vae_teach.data.sprites import sprites

        return sprites(size=32 if name == "sprites32" else 64)
    raise ValueError(f"name is {name!r}, one of {', '.join(NAMES)} is needed.")


def course_set(announce=print) -> ImageSet:
    """Load the set the core chapters open on, and say in one sentence which one and why.

    MNIST where it is on disk or can be downloaded, else `strokes`. The environment variable
    `VAE_TEACH_DATASET` asks for another one of 28x28 pixels.

    Raises:
        ValueError: VAE_TEACH_DATASET is no such set.
    """
    asked = os.environ.get("VAE_TEACH_DATASET")
    if asked and asked not in OPENING:
        raise ValueError(
            f"VAE_TEACH_DATASET is {asked!r}, one of {', '.join(OPENING)} is needed "
            "(the chapters open on images of 28×28 pixels): set it to one of them, or unset it."
        )
    try:
        found = load(asked or "mnist")
    except NoData as reason:
        announce(f"Data: strokes, the set made on this machine, since {reason}")
        return load("strokes")
    why = f"{asked}, as VAE_TEACH_DATASET asks" if asked else "MNIST, real handwritten digits"
    announce(f"Data: {why}.")
    return found
