"""The real download code against a mirror on this machine, and what is kept on disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from bad_servers import IMAGES, cut

from vae_teach import data
from vae_teach.data import downloaded
from vae_teach.data.downloaded import HEADERS, on_disk

FILES = list(HEADERS)


def flip_a_bit(path, place=50_000):
    """One bit of one pixel, or of one label: the size stays."""
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)


def unpack(plain_files, folder):
    """A folder in torchvision's layout."""
    folder.mkdir(parents=True)
    for name, content in plain_files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("headers", [(60_000, 10_000)], ids=["whole"], indirect=True)
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion", "FashionMNIST")])
def test_downloads_once_checks_and_keeps(mirror, cache, name, folder, capsys):
    found = data.load(name)
    assert found.train_images.shape == (60_000, 1, 28, 28)
    assert found.train_images.dtype == torch.float32
    assert found.train_images[5, 0, 3, 4].item() == pytest.approx(IMAGES / 255)
    assert found.train_labels.dtype == torch.int64
    assert found.train_labels[:11].tolist() == [*range(10), 0]
    assert len(found.test_labels) == 10_000
    assert on_disk(name).keys() == HEADERS.keys()
    assert [p.name for p in cache.iterdir()] == [folder], "no litter"
    shown = capsys.readouterr()
    assert "100%" in shown.err, "a progress bar is shown"
    assert shown.out == ""
    requests = len(mirror.served)
    data.load(name)
    assert len(mirror.served) == requests, "the second load needs no network"


@pytest.mark.fault(
    "Cached data", "a download that breaks off", "no half file stays, and the next one works"
)
@pytest.mark.parametrize("broken", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_a_cut_download_leaves_nothing_half_written(mirror, cache, broken):
    good, mirror.manner = mirror.manner, cut(broken)
    with pytest.raises(data.NoData, match=r'load\("strokes"\)') as caught:
        data.load("mnist")
    assert "\n" not in str(caught.value)
    assert list((cache / "MNIST" / "raw").iterdir()) == []
    assert [p.name for p in cache.iterdir()] == ["MNIST"]
    mirror.manner = good
    assert len(data.load("mnist").test_images) == 100


# What lies on disk is damaged


@pytest.mark.fault(
    "Cached data", "a file cut short", "fetched again, or one sentence without network"
)
def test_a_truncated_file_is_fetched_again(mirror, cache):
    data.load("mnist")
    path = cache / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    assert data.load("mnist").train_images[7, 0, 0, 0].item() == pytest.approx(IMAGES / 255)


@pytest.mark.fault(
    "Cached data", "a file cut short", "fetched again, or one sentence without network"
)
def test_a_truncated_file_without_network_is_named(mirror, cache):
    data.load("mnist")
    path = cache / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(b"")
    mirror.manner = cut(*mirror.archives)
    with pytest.raises(data.NoData, match="t10k-images-idx3-ubyte has 0 bytes where 78,416"):
        data.load("mnist")


@pytest.mark.fault("Cached data", "one flipped bit in a file", "it is fetched again")
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion", "FashionMNIST")])
def test_one_flipped_bit_is_fetched_again(mirror, cache, name, folder, file):
    content = data.load(name) and (cache / folder / "raw" / file).read_bytes()
    for place in (2, 50_000):  # in the header, and in the middle
        flip_a_bit(cache / folder / "raw" / file, place)
        data.load(name)
        assert (cache / folder / "raw" / file).read_bytes() == content


@pytest.mark.fault("Cached data", "one flipped bit, and no network", "one sentence names the file")
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion", "FashionMNIST")])
def test_one_flipped_bit_without_network_is_named(
    mirror, no_network, cache, plain_files, name, folder
):
    raw = unpack(plain_files, cache / folder / "raw")
    data.load(name)
    flip_a_bit(raw / "t10k-images-idx3-ubyte")
    with pytest.raises(data.NoData, match="t10k-images-idx3-ubyte is damaged: its SHA-256 is not"):
        data.load(name)


@pytest.mark.fault("Cached data", "one flipped bit in MNIST's real files", "it is noticed")
@pytest.mark.parametrize("file", FILES)
def test_one_flipped_bit_of_the_real_files_is_seen(mnist, tmp_path, monkeypatch, file):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        (raw / name).symlink_to((downloaded.cache_directory() / "MNIST" / "raw" / name).resolve())
    monkeypatch.setenv("VAE_TEACH_DATA", str(tmp_path))
    assert on_disk("mnist")
    content = (raw / file).read_bytes()
    (raw / file).unlink()
    (raw / file).write_bytes(content)
    flip_a_bit(raw / file)
    with pytest.raises(OSError, match=f"{file} is damaged"):
        on_disk("mnist")


@pytest.mark.fault(
    "Cached data",
    "damaged files that nothing is remembered of",
    "one sentence; they are not remembered as good",
)
def test_fashion_mnist_at_first_sight(no_network, cache, plain_files):
    raw = unpack(plain_files, cache / "FashionMNIST" / "raw")
    flip_a_bit(raw / "train-images-idx3-ubyte", 2)
    with pytest.raises(data.NoData, match="train-images-idx3-ubyte holds something else"):
        data.load("fashion")
    flip_a_bit(raw / "train-images-idx3-ubyte", 2)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(
        plain_files["t10k-labels-idx1-ubyte"][:-1] + b"\x0a"
    )
    with pytest.raises(data.NoData, match="t10k-labels-idx1-ubyte holds something else"):
        data.load("fashion")
    assert len(list(raw.iterdir())) == 4, "what is damaged is not remembered"


@pytest.mark.fault("Cached data", "a damaged list of checksums", "it is made anew")
def test_what_is_remembered_can_be_checked_by_hand(mirror, cache):
    data.load("fashion")
    raw = cache / "FashionMNIST" / "raw"
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=raw, check=True)
    (raw / "SHA256SUMS").write_bytes(b"\xff half a li")
    data.load("fashion")
    assert len((raw / "SHA256SUMS").read_bytes().splitlines()) == 4, "a damaged list is made anew"


def test_torchvisions_old_binary_beside_the_files_is_not_read(mirror, cache):
    """`processed/training.pt` came before the files it was made from, whatever it held."""
    data.load("mnist")
    (cache / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (cache / "MNIST" / "processed" / name).write_bytes(b"damaged")
    assert len(data.load("mnist").test_images) == 100


@pytest.mark.fault("Cached data", "a folder where a file belongs", "one sentence")
def test_a_file_that_cannot_be_replaced_is_a_sentence(mirror, cache):
    (cache / "MNIST" / "raw" / "train-images-idx3-ubyte" / "full").mkdir(parents=True)
    with pytest.raises(data.NoData, match="MNIST is not on this machine"):
        data.load("mnist")


# Nobody answers


@pytest.mark.fault("Cached data", "no network", "one sentence, and the set made on this machine")
def test_without_network_one_sentence_names_the_embedded_set(no_network):
    with pytest.raises(data.NoData, match="MNIST is not on this machine") as caught:
        data.load("mnist")
    assert 'load("strokes")' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.fault("Cached data", "no network", "one sentence, and the set made on this machine")
def test_jupyter_shows_the_sentence_alone(no_network, capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    result = shell.run_cell('from vae_teach import data; data.load("mnist")')
    assert isinstance(result.error_in_exec, data.NoData)
    shown = capsys.readouterr().out
    assert shown.startswith("NoData: MNIST is not on this machine")
    assert shown.count("\n") == 1


@pytest.mark.fault("Cached data", "no network", "one sentence, and the set made on this machine")
@pytest.mark.parametrize("asked", [None, "mnist", "fashion"])
def test_the_course_falls_back_aloud(no_network, monkeypatch, asked):
    monkeypatch.setattr("vae_teach.data.strokes.strokes", lambda: "strokes, drawn")
    if asked:
        monkeypatch.setenv("VAE_TEACH_DATASET", asked)
    lines = []
    assert data.course_set(announce=lines.append) == "strokes, drawn"
    assert len(lines) == 1
    assert lines[0].startswith("Data: strokes, the set made on this machine, since ")
    assert "could not be downloaded" in lines[0]


@pytest.mark.fault(
    "Silent input", "VAE_TEACH_DATASET that no chapter opens on", "one sentence whose remedy works"
)
@pytest.mark.parametrize("asked", ["sprites", "sprites32", "cifar", "MNIST "])
def test_a_set_that_no_chapter_opens_on_is_one_sentence(no_network, monkeypatch, asked):
    monkeypatch.setenv("VAE_TEACH_DATASET", asked)
    with pytest.raises(
        ValueError, match=f"^VAE_TEACH_DATASET is '{asked}', one of mnist, "
    ) as seen:
        data.course_set(announce=pytest.fail)
    assert "28×28" in str(seen.value)
    monkeypatch.setenv("VAE_TEACH_DATASET", "strokes")  # the remedy
    lines = []
    assert data.course_set(announce=lines.append).name == "strokes"
    assert lines == ["Data: strokes, as VAE_TEACH_DATASET asks."]


# Folders that are not as one hopes


@pytest.mark.fault("Cached data", "a read-only copy of the data", "it is used as it is")
def test_a_read_only_copy_is_used_as_it_is(mirror, cache):
    data.load("mnist")
    requests = len(mirror.served)
    for path in (cache, *cache.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert len(data.load("mnist").train_images) == 600
    assert len(mirror.served) == requests
    for path in (cache, *cache.rglob("*")):
        path.chmod(0o755)


def no_folder_can_be_made_in(path):
    """Even for root, whom permissions do not stop."""
    path.write_text("a file")
    return str(path / "cache")


@pytest.fixture(params=["unwritable", "over-long", "home over-long", "nobody's", "no entry"])
def bad_home(request, tmp_path, monkeypatch):
    """A cache directory that cannot be made, for one reason or another."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if request.param == "unwritable":
        monkeypatch.setenv("VAE_TEACH_DATA", no_folder_can_be_made_in(tmp_path / "file"))
    elif request.param == "over-long":
        monkeypatch.setenv("VAE_TEACH_DATA", str(tmp_path / ("long" * 100)))
    elif request.param == "nobody's":
        monkeypatch.setenv("VAE_TEACH_DATA", "~nobody-of-this-name/data")
    else:
        monkeypatch.delenv("VAE_TEACH_DATA")
        monkeypatch.setenv("HOME", str(tmp_path / ("long" * 100)))
    if request.param == "no entry":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.fault(
    "Cached data",
    "a home that is missing, unwritable, nobody's or over-long",
    "a temporary directory and one sentence",
)
def test_a_bad_home_gives_way_to_a_temporary_directory(mirror, bad_home, capsys):
    assert len(data.load("mnist").test_images) == 100
    (sentence,) = capsys.readouterr().out.splitlines()
    (kept,) = (bad_home / "tmp").iterdir()
    assert sentence.startswith(f"MNIST is kept in {kept}, which may not last: ")
    assert [p.name for p in kept.iterdir()] == ["MNIST"]
    assert not (bad_home / "~").exists()
    requests = len(mirror.served)
    lines = []
    assert data.course_set(announce=lines.append).name == "mnist"
    assert lines == ["Data: MNIST, real handwritten digits."]
    assert len(mirror.served) == requests, "the next chapter finds it there"


@pytest.mark.fault("Cached data", "such a home, and no network", "one sentence")
def test_a_bad_home_without_network_is_one_sentence(no_network, bad_home, monkeypatch, capsys):
    monkeypatch.setattr("vae_teach.data.strokes.strokes", lambda: "strokes, drawn")
    lines = []
    assert data.course_set(announce=lines.append) == "strokes, drawn"
    assert len(lines) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.fault("Cached data", "no directory that can be written", "one sentence")
def test_no_place_to_write_at_all_is_one_sentence(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_TEACH_DATA", no_folder_can_be_made_in(tmp_path / "file"))
    monkeypatch.setattr(downloaded.tempfile, "tempdir", no_folder_can_be_made_in(tmp_path / "also"))
    with pytest.raises(data.NoData, match="could not be downloaded"):
        data.load("mnist")


FOREIGN = """
import os, sys
from vae_teach import data
from vae_teach.data import downloaded, strokes
from torchvision import datasets
datasets.MNIST.mirrors = ["http://127.0.0.1:9/"]
strokes.strokes = lambda: "drawn"
if os.getuid() == 0:
    os.setgid(54321), os.setuid(54321)  # root may read everything
print(data.course_set())
"""


@pytest.mark.fault("Cached data", "a home of somebody else", "one sentence")
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_an_unreadable_home_is_one_sentence(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o000)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "VAE_TEACH_"))}
    environment |= {"HOME": str(home), "TMPDIR": "/tmp"}
    environment["PYTHONPATH"] = str(Path(data.__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", FOREIGN], env=environment, capture_output=True, text=True
    )
    home.chmod(0o700)
    assert run.returncode == 0, run.stderr
    sentence, drawn = run.stdout.splitlines()
    assert sentence.startswith("Data: strokes, the set made on this machine, since MNIST is not on")
    assert "Permission denied" in sentence
    assert drawn == "drawn"


@pytest.mark.fault(
    "Encodings and warnings",
    "a path that no terminal can show",
    "a sentence that any terminal shows",
)
def test_a_path_that_no_terminal_can_show(no_network, monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_TEACH_DATA", os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    with pytest.raises(data.NoData, match=r"caf\?") as caught:
        data.load("mnist")
    str(caught.value).encode("utf-8")


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"'cifar', one of mnist, fashion, strokes"):
        data.load("cifar")


def test_real_mnist_is_real(mnist):
    assert mnist.train_labels.bincount().tolist()[:3] == [5923, 6742, 5958]
    assert mnist.train_images.mean().item() == pytest.approx(0.1307, abs=1e-4)
