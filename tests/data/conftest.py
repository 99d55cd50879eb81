"""Mirrors on this machine in place of torchvision's, and what they serve."""

import gzip
import hashlib

import pytest
from bad_servers import Server, idx_file, whole
from torchvision import datasets

from vae_teach.data import downloaded


@pytest.fixture(scope="module", params=[(600, 100)], ids=["small"])
def headers(request):
    """Those of a set with fewer images, so that a hundred downloads take no time."""
    train, test = request.param
    return {
        name: (kind, train if name.startswith("train") else test, *sides)
        for name, (kind, _, *sides) in downloaded.HEADERS.items()
    }


@pytest.fixture(scope="module")
def plain_files(headers):
    return {name: idx_file(header) for name, header in headers.items()}


@pytest.fixture(scope="module")
def archives(plain_files):
    return {f"{name}.gz": gzip.compress(content, 1) for name, content in plain_files.items()}


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def server(archives):
    """Makes a server, as often as it is called."""
    servers = []

    def make(manner=whole):
        servers.append(Server(archives))
        servers[-1].manner = manner
        return servers[-1]

    yield make
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture
def mirrors(headers, archives, plain_files, tmp_path, monkeypatch):
    """A function that puts these servers in torchvision's place; the cache is an empty folder."""
    resources = [(name, hashlib.md5(body).hexdigest()) for name, body in archives.items()]
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in plain_files.items()}
    monkeypatch.setattr(downloaded, "HEADERS", headers)
    monkeypatch.setattr(downloaded, "MNIST_SHA256", sums)
    monkeypatch.setenv("VAE_TEACH_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(downloaded.tempfile, "tempdir", None)  # TMPDIR is read again
    monkeypatch.delenv("VAE_TEACH_DATASET", raising=False)
    (tmp_path / "tmp").mkdir()

    def use(*servers):
        for kind in (datasets.MNIST, datasets.FashionMNIST):
            monkeypatch.setattr(kind, "mirrors", [each.address for each in servers])
            monkeypatch.setattr(kind, "resources", resources)

    return use


@pytest.fixture
def mirror(mirrors, server):
    """One server that does its best."""
    only = server()
    mirrors(only)
    return only


@pytest.fixture
def no_network(mirrors, monkeypatch):
    """Mirrors where nobody answers."""
    mirrors()
    for kind in (datasets.MNIST, datasets.FashionMNIST):
        monkeypatch.setattr(kind, "mirrors", ["http://127.0.0.1:9/"])
