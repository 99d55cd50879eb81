"""The course's own Jupyter: what jupyter/ puts into its environment."""

import json
import os
import re
import runpy
import urllib.request
from pathlib import Path
from unittest.mock import MagicMock

import real_lab
from websocket import create_connection

SETTINGS = Path(__file__).resolve().parents[2] / "jupyter"
# Options of the server's sockets, told by the server itself while a page is connected.
SPY = """
import socket
from tornado.websocket import WebSocketHandler

get = WebSocketHandler.write_message
def write_message(self, *all, **more):
    inner = self.ws_connection.stream.socket
    print("no delay:", inner.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), flush=True)
    return get(self, *all, **more)
WebSocketHandler.write_message = write_message
"""


def test_a_kernel_s_messages_leave_at_once(tmp_path, monkeypatch):
    """On the socket itself, in a server that runs a kernel."""
    config = tmp_path / "jupyter_server_config.py"
    config.write_text((SETTINGS / "etc/jupyter/jupyter_server_config.py").read_text() + SPY)
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")  # the environment has a copy of its own
    options = f"--config={config}", "--ServerApp.disable_check_xsrf=True"
    with real_lab.jupyterlab(tmp_path, *options) as jupyter:
        _hear_a_kernel(jupyter.address.removesuffix("/lab"))
    log = (tmp_path / "log.txt").read_text()
    told = re.findall(r"no delay: (\d)", log)
    assert told, log
    assert set(told) == {"1"}


def test_a_core_is_left_to_the_page(monkeypatch):
    """Kernels inherit the server's variables; who has set one keeps it."""
    config = SETTINGS / "etc/jupyter/jupyter_server_config.py"
    for cores, own, threads in ((8, None, "7"), (2, None, "1"), (1, None, "1"), (8, "8", "8")):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=cores: range(n), raising=False)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if own:
            monkeypatch.setenv("OMP_NUM_THREADS", own)
        runpy.run_path(str(config), {"get_config": MagicMock()})
        assert os.environ["OMP_NUM_THREADS"] == threads


def _hear_a_kernel(address):
    asked = urllib.request.Request(f"{address}/api/kernels", b"{}")
    kernel = json.load(urllib.request.urlopen(asked))["id"]
    channels = f"{address.replace('http', 'ws')}/api/kernels/{kernel}/channels"
    line = create_connection(channels, timeout=60)
    assert line.recv()
    line.close()
