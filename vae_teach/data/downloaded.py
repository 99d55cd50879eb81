"""MNIST and Fashion-MNIST through torchvision: downloaded once, checked, never half-written.

MNIST: LeCun, Cortes & Burges 1998. Fashion-MNIST: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import platformdirs
import torch
from torchvision import datasets

from vae_teach.data.image_set import ImageSet, NoData
from vae_teach.data.mirrors import fetch
from vae_teach.say import say

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that another process has open
    fcntl = None

SETS = {"mnist": datasets.MNIST, "fashion": datasets.FashionMNIST}
HEADERS = {  # of each unpacked file: what it holds, how many, and the sides of an image
    "train-images-idx3-ubyte": (2051, 60_000, 28, 28),
    "train-labels-idx1-ubyte": (2049, 60_000),
    "t10k-images-idx3-ubyte": (2051, 10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (2049, 10_000),
}
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
REMEMBERED = "SHA256SUMS"  # beside Fashion-MNIST's files, as `sha256sum --check` reads it


def cache_directory():
    """Where downloads are kept: `VAE_TEACH_DATA`, or else the user's cache directory.

    The path begins with "~" where the system knows no home.
    """
    try:
        chosen = os.environ.get("VAE_TEACH_DATA") or platformdirs.user_cache_dir("vae_teach")
    except RuntimeError:  # newer platformdirs; the older ones leave the "~"
        chosen = "~/.cache/vae_teach"
    return Path(os.path.expanduser(chosen))


def _temporary_directory():
    """Where downloads are kept that the cache directory cannot take."""
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir(), f"vae_teach{user}")


def downloaded(name):
    """Load MNIST or Fashion-MNIST, downloading it where it is not on disk yet.

    Args:
        name: "mnist" or "fashion".

    Returns:
        ImageSet of 60,000 train and 10,000 test images (1, 28, 28).

    Raises:
        NoData: not (wholly) on disk, and the download failed.
    """
    try:
        files = on_disk(name)
    except OSError as problem:
        files = _download(name, problem)
    parts = {}
    for part, file in (("train", "train"), ("test", "t10k")):
        images = np.frombuffer(files[f"{file}-images-idx3-ubyte"], "u1", offset=16)
        labels = np.frombuffer(files[f"{file}-labels-idx1-ubyte"], "u1", offset=8)
        ink = torch.from_numpy(images.reshape(-1, 1, 28, 28).astype("f4"))
        parts |= {
            f"{part}_images": ink.div_(255),
            f"{part}_labels": torch.from_numpy(labels.astype("i8")),
        }
    classes = tuple("0123456789") if name == "mnist" else tuple(datasets.FashionMNIST.classes)
    return ImageSet(name=name, **parts, classes=classes)


def on_disk(name):
    """Read the four files of a set, from the cache directory or else the temporary one.

    Returns:
        dict of name -> bytes.

    Raises:
        OSError: they are not there, or not as they should be; says what is wrong in the first.
    """
    problems = []
    for root in (cache_directory(), _temporary_directory()):
        _remove_abandoned_downloads(root)
        try:
            return _read(name, root / SETS[name].__name__ / "raw")
        except OSError as problem:
            problems.append(problem)
    raise problems[0]


def _read(name, folder):
    """Read the four files and check them.

    MNIST's contents are known. Fashion-MNIST's are remembered when they are first read (a download
    is checked by its archives): one flipped bit is seen from then on.
    """
    expected = MNIST_SHA256 if name == "mnist" else _remembered(folder)
    files, found = {}, {}
    for file, header in HEADERS.items():
        path, start = folder / file, b"".join(n.to_bytes(4, "big") for n in header)
        size = len(start) + int(np.prod(header[1:]))
        if not path.is_file():
            raise OSError(f"{path} is missing")
        if path.stat().st_size != size:
            raise OSError(f"{path} has {path.stat().st_size:,} bytes where {size:,} are expected")
        files[file] = path.read_bytes()
        found[file] = hashlib.sha256(files[file]).hexdigest()
        if found[file] != expected.get(file, found[file]):
            raise OSError(f"{path} is damaged: its SHA-256 is not {expected[file]}")
        if not files[file].startswith(start) or ("labels" in file and max(files[file][8:]) > 9):
            raise OSError(f"{path} holds something else")
    if not expected:
        _remember(found, folder)
    return files


def _remembered(folder):
    """SHA-256 of each file as it was first read; empty where none (or not all) are remembered."""
    try:
        lines = (folder / REMEMBERED).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    sums = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
    return sums if sums.keys() == HEADERS.keys() else {}


def _remember(sums, folder):
    lines = "".join(f"{digest}  {file}\n" for file, digest in sums.items())
    with contextlib.suppress(OSError):  # a copy that nobody may write is not remembered
        whole = folder / f"{REMEMBERED}.{os.getpid()}"
        whole.write_text(lines, encoding="ascii", newline="\n")
        os.replace(whole, folder / REMEMBERED)


def _download(name, problem):
    """Fetch into a temporary folder beside the final one, check, then move file by file.

    A move within a file system is all or nothing, so what lies in the final folder is whole even
    where the download or this process was cut off.
    """
    kind = SETS[name]
    try:
        root, notice = _place(kind.__name__)
        with _workspace(root) as folder:
            fetched = folder / "raw"
            fetched.mkdir()
            for file, path in fetch(kind, folder).items():
                os.replace(path, fetched / file)
            files = _read(name, fetched)
            for path in list(fetched.iterdir()):
                os.replace(path, root / kind.__name__ / "raw" / path.name)
    except (OSError, RuntimeError) as error:  # RuntimeError: no thread can be started
        raise NoData(
            f"{kind.__name__} is not on this machine ({problem}) and could not be downloaded "
            f"({error}): connect once, or point VAE_TEACH_DATA at a folder that holds "
            f'{kind.__name__}/raw, or use the embedded set, load("strokes").'
        ) from None
    if notice:
        say(notice)
    return files


def _place(subfolder):
    """The directory to keep a download in, and a sentence if it is not the wanted one."""
    wanted, temporary = cache_directory(), _temporary_directory()
    try:
        _try_to_write(wanted, subfolder)
        return wanted, None
    except OSError as error:
        notice = f"{subfolder} is kept in {temporary}, which may not last: {error}."
    _try_to_write(temporary, subfolder)
    return temporary, notice


def _try_to_write(root, subfolder):
    """Make the folders of a download, or raise OSError."""
    if str(root).startswith("~"):
        raise OSError(f"the home directory of {root} is not known")
    for folder in (root, root / subfolder / "raw"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def _workspace(root):
    """A temporary folder in `root`. The lock on its file `alive` ends with this process."""
    with (
        tempfile.TemporaryDirectory(
            dir=root, prefix="downloading-", ignore_cleanup_errors=True
        ) as folder,
        open(Path(folder, "alive"), "a") as alive,
    ):
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Path(folder)


def _remove_abandoned_downloads(root):
    """Remove the temporary folders of processes that were killed."""
    with contextlib.suppress(OSError):
        for folder in root.glob("downloading-*"):
            try:
                if fcntl:
                    with open(folder / "alive", "a") as alive:
                        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                else:
                    (folder / "alive").unlink(missing_ok=True)
            except OSError:
                continue  # its process is at work
            shutil.rmtree(folder, ignore_errors=True)
