"""Archives from torchvision's mirrors: one mirror after the other, none waited for in vain."""

import contextlib
import hashlib
import io
import os
import socket
import threading
import time
from urllib.parse import urlsplit

from torchvision.datasets.utils import download_and_extract_archive

PATIENCE = 9  # seconds that may be lost by waiting, all mirrors together
SLOWEST = 20_000  # bytes a second; what comes more slowly is waited for

# Torchvision checks an archive's MD5. Fashion-MNIST's mirror speaks plain HTTP, so the SHA-256 that
# belongs to each MD5 is checked, too (from tensorflow/datasets, url_checksums/fashion_mnist.txt).
SHA256 = {
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d": "3aede38d61863908ad78613f6a32ed27"
    "1626dd12800ba2636569512369268a84",
    "25c81989df183df01b3e8a0aad5dffbe": "a04f17134ac03560a47e3764e11b92fc"
    "97de4d1bfaf8ba1a3aa29af54cc90845",
    "bef4ecab320f06d8554ea6380940ec79": "346e55b948d973a97e58d2351dde16a4"
    "84bd415d4595297633bb08f03db6a073",
    "bb300cfdad3c16e7a12a480ee83cd310": "67da17c76eaffca5446c3361aaab5c3c"
    "d6d1c2608764d35dfb1850b086bf8dd5",
}


def fetch(kind, folder):
    """Download and unpack a data set's archives, each from the first mirror that gives it.

    Args:
        kind: torchvision's class, with its `mirrors` and its `resources`, pairs (archive, MD5).
        folder: an empty directory; each mirror gets a folder in it.

    Returns:
        dict of name -> Path, the unpacked files.

    Raises:
        OSError: an archive is to be had from none of them; the message has a reason for each.
    """
    found, reasons, patience = {}, [], PATIENCE
    for number, address in enumerate(kind.mirrors):
        missing = [(file, md5) for file, md5 in kind.resources if _unpacked(file) not in found]
        mirror = _Mirror(address, missing, folder / str(number))
        patience -= mirror.wait(patience / (len(kind.mirrors) - number))
        found |= dict(mirror.found)
        if len(found) == len(kind.resources):
            return found
        reason = mirror.problems[0] if mirror.problems else "it stalls"
        reasons.append(f"{urlsplit(address).netloc}: {reason}")
    raise OSError("; ".join(reasons))


class _Mirror(threading.Thread):
    """What one mirror gives, in a thread that can be left behind: not every wait has an end.

    A socket's timeout starts anew with each byte, and the search for a name's address has none.
    """

    def __init__(self, address, resources, folder):
        super().__init__(daemon=True)
        self.address, self.resources, self.folder = address, resources, folder
        self.found, self.problems, self.left_behind = {}, [], False

    def wait(self, patience):
        """Fetch what can be had, and return the seconds lost by waiting; after `patience` leave."""
        self.folder.mkdir()
        late, size, now = 0.0, 0, time.monotonic()
        quiet = contextlib.redirect_stdout(io.StringIO())  # the progress bar goes to stderr
        with quiet, _timeout(2 * PATIENCE):
            self.start()
            try:
                while self.is_alive() and late < patience:
                    self.join(0.1)
                    before, size = size, sum(file.stat().st_size for file in self.folder.iterdir())
                    then, now = now, time.monotonic()
                    late = max(0.0, late + now - then - (size - before) / SLOWEST)
            finally:
                self.left_behind = True
        return late

    def run(self):
        for archive, md5 in self.resources:
            if self.left_behind:
                return  # the folder may be gone, and torchvision would make it again
            try:
                self._fetch(archive, md5)
            except Exception as error:
                lines = [line.strip() for line in str(error).splitlines() if line.strip()]
                self.problems.append(lines[-1] if lines else type(error).__name__)

    def _fetch(self, archive, md5):
        url, folder = self.address + archive, os.fspath(self.folder)
        download_and_extract_archive(url, folder, filename=archive, md5=md5)
        digest = hashlib.sha256((self.folder / archive).read_bytes()).hexdigest()
        if digest != SHA256.get(md5, digest):
            raise OSError(f"{archive} has SHA-256 {digest[:8]}, {SHA256[md5][:8]} is expected")
        self.found[_unpacked(archive)] = self.folder / _unpacked(archive)


def _unpacked(archive):
    return archive.removesuffix(".gz")


@contextlib.contextmanager
def _timeout(seconds):
    """Let new sockets give up after this time without a byte, so that no thread waits for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
