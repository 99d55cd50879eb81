"""The real download code, against a mirror on this machine."""

import gzip
import hashlib
import http.server
import threading

import pytest
import torch
from torchvision import datasets

from vae_teach import data
from vae_teach.data.downloaded import SIZES, damage_of

IMAGES = 37  # the value of every pixel of the mirror's train images


def idx_file(name):
    """A file in MNIST's format and size, with plain contents."""
    count = 60_000 if name.startswith("train") else 10_000
    if "labels" in name:
        return (
            (2049).to_bytes(4, "big")
            + count.to_bytes(4, "big")
            + bytes(i % 10 for i in range(count))
        )
    header = (2051, count, 28, 28)
    return b"".join(n.to_bytes(4, "big") for n in header) + bytes([IMAGES]) * (count * 784)


@pytest.fixture(scope="module")
def archives():
    return {f"{name}.gz": gzip.compress(idx_file(name), 1) for name in SIZES}


@pytest.fixture
def mirror(archives, tmp_path, monkeypatch):
    """A local server in place of torchvision's; `.cut` makes it break off in the middle."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = archives[self.path.strip("/")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut = self.path.strip("/") in server.cut
            self.wfile.write(body[: len(body) // 2] if cut else body)
            server.served.append(self.path)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.cut, server.served = set(), []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    resources = [(name, hashlib.md5(body).hexdigest()) for name, body in archives.items()]
    for kind in (datasets.MNIST, datasets.FashionMNIST):
        monkeypatch.setattr(kind, "mirrors", [address])
        monkeypatch.setattr(kind, "resources", resources)
    monkeypatch.setenv("VAE_TEACH_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("VAE_TEACH_DATASET", raising=False)
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion", "FashionMNIST")])
def test_downloads_once_checks_and_keeps(mirror, tmp_path, name, folder, capsys):
    found = data.load(name)
    assert found.train_images.shape == (60_000, 1, 28, 28)
    assert found.train_images.dtype == torch.float32
    assert found.train_images[5, 0, 3, 4].item() == pytest.approx(IMAGES / 255)
    assert found.train_labels[:11].tolist() == [*range(10), 0]
    assert len(found.test_labels) == 10_000
    assert damage_of(tmp_path / "cache" / folder / "raw") is None
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [folder], "no litter"
    assert "100%" in capsys.readouterr().err, "a progress bar is shown"
    requests = len(mirror.served)
    data.load(name)
    assert len(mirror.served) == requests, "the second load needs no network"


@pytest.mark.parametrize("broken", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_a_cut_download_leaves_nothing_half_written(mirror, tmp_path, broken):
    mirror.cut = {broken}
    with pytest.raises(data.NoData, match=r'load\("strokes"\)') as caught:
        data.load("mnist")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache" / "MNIST" / "raw").iterdir()) == []
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["MNIST"]
    mirror.cut = set()
    assert len(data.load("mnist").test_images) == 10_000


def test_a_truncated_file_is_fetched_again(mirror, tmp_path):
    data.load("mnist")
    path = tmp_path / "cache" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    assert data.load("mnist").train_images[7, 0, 0, 0].item() == pytest.approx(IMAGES / 255)


def test_a_truncated_file_without_network_is_named(mirror, tmp_path):
    data.load("mnist")
    path = tmp_path / "cache" / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(b"")
    mirror.cut = {name + ".gz" for name in SIZES}
    with pytest.raises(data.NoData, match="t10k-images-idx3-ubyte has 0 bytes where 7,840,016"):
        data.load("mnist")


@pytest.fixture
def no_network(mirror, monkeypatch):
    """A mirror where nobody answers."""
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])


def test_without_network_one_sentence_names_the_embedded_set(no_network):
    with pytest.raises(data.NoData, match="MNIST is not on this machine") as caught:
        data.load("mnist")
    assert 'load("strokes")' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_course_falls_back_aloud(no_network, monkeypatch):
    monkeypatch.setattr("vae_teach.data.strokes.strokes", lambda: "strokes, drawn")
    lines = []
    assert data.course_set(announce=lines.append) == "strokes, drawn"
    assert len(lines) == 1
    assert "strokes" in lines[0]
    assert "could not be downloaded" in lines[0]


def test_a_read_only_copy_is_used_as_it_is(mirror, tmp_path):
    data.load("mnist")
    requests = len(mirror.served)
    folder = tmp_path / "cache"
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert len(data.load("mnist").train_images) == 60_000
    assert len(mirror.served) == requests
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"'cifar', one of mnist, fashion, strokes"):
        data.load("cifar")


def test_real_mnist_is_real(mnist):
    assert mnist.train_labels.bincount().tolist()[:3] == [5923, 6742, 5958]
    assert mnist.train_images.mean().item() == pytest.approx(0.1307, abs=1e-4)
