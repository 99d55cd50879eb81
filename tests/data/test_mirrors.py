"""Mirrors that stall, break off or lie: the next one is asked, and 10 s are lost at most."""

import hashlib
import socket
import threading
import time

import pytest
from bad_servers import (
    IMAGES,
    cut,
    damaged,
    dripping,
    dripping_head,
    refused,
    resetting,
    silent,
    slow,
    stalling,
    whole,
)
from torchvision import datasets

from vae_teach import data
from vae_teach.data import mirrors as room

BAD = [stalling, silent, resetting, dripping, dripping_head, refused, damaged]


@pytest.mark.fault(
    "Cached data",
    "a first mirror that stalls, resets, drips, lies or refuses",
    "the next one is asked",
)
@pytest.mark.parametrize("manner", BAD, ids=lambda manner: manner.__name__)
def test_a_bad_first_mirror_gives_way_to_the_next(mirrors, server, cache, monkeypatch, manner):
    monkeypatch.setattr(room, "PATIENCE", 1)
    mirrors(server(manner), server())
    found = data.load("mnist")
    assert found.train_images[7, 0, 0, 0].item() == pytest.approx(IMAGES / 255)
    assert [p.name for p in cache.iterdir()] == ["MNIST"]


@pytest.mark.fault("Cached data", "only such mirrors", "one sentence with a reason for each")
@pytest.mark.parametrize("manner", BAD, ids=lambda manner: manner.__name__)
def test_bad_mirrors_alone_are_one_sentence(mirrors, server, cache, monkeypatch, manner):
    monkeypatch.setattr(room, "PATIENCE", 0.6)
    pair = server(manner), server(manner)
    mirrors(*pair)
    with pytest.raises(data.NoData, match="MNIST is not on this machine") as caught:
        data.load("mnist")
    assert "\n" not in str(caught.value)
    assert all(each.address.split("/")[2] in str(caught.value) for each in pair), (
        "a reason for each"
    )
    time.sleep(0.3)
    assert [p.name for p in cache.iterdir()] == ["MNIST"], "what was left behind writes no more"
    assert socket.getdefaulttimeout() is None


@pytest.mark.fault("Cached data", "servers that send a byte now and then", "10 s are lost in all")
@pytest.mark.parametrize("count", [1, 2])
def test_ten_seconds_are_lost_at_most(mirrors, server, monkeypatch, count):
    monkeypatch.setattr("vae_teach.data.strokes.strokes", lambda: "strokes, drawn")
    assert room.PATIENCE <= 9, "a second is left for the rest"
    monkeypatch.setattr(room, "PATIENCE", 3)
    mirrors(*(server(dripping) for _ in range(count)))
    lines, start = [], time.monotonic()
    assert data.course_set(announce=lines.append) == "strokes, drawn"
    assert time.monotonic() - start < 3 + 1
    assert "it stalls" in lines[0]


def test_mirrors_complete_each_other(mirrors, server):
    first = server(cut("train-labels-idx1-ubyte.gz"))
    second = server(cut("train-images-idx3-ubyte.gz"))
    mirrors(first, second)
    assert len(data.load("mnist").train_images) == 600
    assert second.served == ["/train-labels-idx1-ubyte.gz"] * len(second.served)


def test_a_slow_line_that_moves_is_waited_for(mirrors, server, monkeypatch):
    monkeypatch.setattr(room, "PATIENCE", 0.5)
    only = server(slow(300_000))
    mirrors(only)
    start = time.monotonic()
    assert len(data.load("mnist").train_images) == 600
    assert time.monotonic() - start > 1, "longer than patience lasts"


def test_nothing_is_asked_after_it_was_left_behind(mirrors, server, monkeypatch):
    monkeypatch.setattr(room, "PATIENCE", 0.5)
    release = threading.Event()

    def late(handler, body):
        release.wait(5)
        whole(handler, body)

    only = server(late)
    mirrors(only)
    with pytest.raises(data.NoData, match="it stalls"):
        data.load("mnist")
    release.set()
    time.sleep(0.5)
    assert set(only.served) == {"/train-images-idx3-ubyte.gz"}


@pytest.mark.fault("Cached data", "an archive altered on its way", "refused by its SHA-256")
def test_archives_are_those_of_a_known_sha256(mirror, archives, monkeypatch):
    sums = {
        hashlib.md5(body).hexdigest(): hashlib.sha256(body).hexdigest()
        for body in archives.values()
    }
    monkeypatch.setattr(room, "SHA256", sums)
    assert len(data.load("fashion").train_images) == 600
    first = next(iter(sums))
    monkeypatch.setitem(sums, first, "0" * 64)
    with pytest.raises(OSError, match="has SHA-256 .*, 00000000 is expected"):
        raise_for("fashion")


def raise_for(name):
    """Download a set although it is on disk."""
    from vae_teach.data.downloaded import _download

    try:
        _download(name, "asked for")
    except data.NoData as sentence:
        raise OSError(str(sentence)) from None


@pytest.mark.parametrize("position", range(4))
def test_torchvision_lists_the_archives_of_fashion_mnist_that_we_know(position):
    assert datasets.FashionMNIST.resources[position][1] in room.SHA256
