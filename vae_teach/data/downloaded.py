"""MNIST and Fashion-MNIST through torchvision: downloaded once, checked, never half-written.

MNIST: LeCun, Cortes & Burges 1998. Fashion-MNIST: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.
"""

import contextlib
import http.client
import io
import os
import socket
import tempfile
from pathlib import Path

import platformdirs
from torchvision import datasets

from vae_teach.data.image_set import ImageSet, NoData

SIZES = {  # bytes of each file once unpacked, header included
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
SETS = {"mnist": datasets.MNIST, "fashion": datasets.FashionMNIST}


def cache_directory():
    """Where downloads are kept: `VAE_TEACH_DATA`, or else the user's cache directory."""
    chosen = os.environ.get("VAE_TEACH_DATA")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("vae_teach"))


def downloaded(name):
    """Load MNIST or Fashion-MNIST, downloading it where it is not on disk yet.

    Args:
        name: "mnist" or "fashion".

    Returns:
        ImageSet of 60,000 train and 10,000 test images (1, 28, 28).

    Raises:
        NoData: not (wholly) on disk, and the download failed.
    """
    kind, root = SETS[name], cache_directory()
    problem = damage_of(root / kind.__name__ / "raw")
    if problem:
        _download(kind, root, name, problem)
    train, test = kind(root, train=True), kind(root, train=False)
    return ImageSet(
        name=name,
        train_images=train.data[:, None].float().div_(255),
        train_labels=train.targets,
        test_images=test.data[:, None].float().div_(255),
        test_labels=test.targets,
        classes=tuple("0123456789") if name == "mnist" else tuple(kind.classes),
    )


def damage_of(raw):
    """Say what is wrong with the folder of unpacked files, or return None."""
    for file, size in SIZES.items():
        path = raw / file
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != size:
            return f"{path} has {path.stat().st_size:,} bytes where {size:,} are expected"
    return None


def _download(kind, root, name, problem):
    """Fetch into a temporary folder beside the final one, check, then move file by file.

    A move within a file system is all or nothing, so what lies in the final folder is whole even
    where the download or this process was cut off.
    """
    final = root / kind.__name__ / "raw"
    try:
        final.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=root, prefix="downloading-") as temporary,
            _impatient_sockets(seconds=10),
            contextlib.redirect_stdout(io.StringIO()),  # the progress bar goes to stderr
        ):
            kind(temporary, download=True)
            fetched = Path(temporary) / kind.__name__ / "raw"
            damage = damage_of(fetched)
            if damage:
                raise RuntimeError(f"the download is damaged: {damage}")
            for file in SIZES:
                os.replace(fetched / file, final / file)
    except (RuntimeError, OSError, EOFError, http.client.HTTPException) as error:
        raise NoData(
            f"{kind.__name__} is not on this machine ({problem}) and could not be downloaded "
            f"({_last_line(error)}): connect once, or point VAE_TEACH_DATA at a folder that holds "
            f'{kind.__name__}/raw, or use the embedded set, load("strokes").'
        ) from None


def _last_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


@contextlib.contextmanager
def _impatient_sockets(seconds):
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)  # torchvision sets none, so a silent network would hang
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
