"""Downloads that end in the middle: killed from outside, or interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bad_servers import slow

from vae_teach import data

KILLED = """
from torchvision import datasets
datasets.MNIST.mirrors = ["{address}"]
from vae_teach import data
print("ready", flush=True)
data.load("mnist")
"""


@pytest.fixture
def killed(mirrors, server, cache):
    """Starts a download in another process, and kills it in the middle."""
    slowly = server(slow(30_000))
    mirrors(slowly)
    environment = os.environ | {"PYTHONPATH": str(Path(data.__file__).parents[2])}
    command = [sys.executable, "-c", KILLED.format(address=slowly.address)]

    def kill(look=lambda: None):
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            while not list(cache.glob("downloading-*/0/*.gz")):
                assert process.poll() is None
                time.sleep(0.01)
            look()
            process.send_signal(signal.SIGKILL)

    return kill


@pytest.mark.fault(
    "Cached data", "downloads that are killed", "the next one removes what they left"
)
def test_what_killed_downloads_leave_is_removed(killed, mirrors, server, cache):
    mirrors_that_work = server()

    def meanwhile():
        mirrors(mirrors_that_work)
        data.load("mnist")
        assert len(list(cache.glob("downloading-*"))) == 1, "the other is at work still"

    killed(meanwhile)
    assert len(list(cache.glob("downloading-*"))) == 1
    (cache / "downloading-before-there-were-locks" / "MNIST").mkdir(parents=True)
    data.load("mnist")
    assert [p.name for p in cache.iterdir()] == ["MNIST"]


@pytest.mark.fault("Interrupts", "an interrupt in a download", "no half file stays")
def test_an_interrupt_in_the_middle_leaves_nothing(mirrors, server, cache):
    slowly = server(slow(30_000))
    mirrors(slowly)
    before = [p.name for p in cache.parent.iterdir()]
    pid = os.getpid()

    def interrupt():
        while not list(cache.glob("downloading-*/0/*.gz")):
            time.sleep(0.01)
        os.kill(pid, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        data.load("mnist")
    assert before == ["tmp"]
    assert list((cache / "MNIST" / "raw").iterdir()) == []
    time.sleep(0.5)
    assert [p.name for p in cache.iterdir()] == ["MNIST"]
