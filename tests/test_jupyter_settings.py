"""The course's own Jupyter: what jupyter/ puts into its environment."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tornado.websocket import websocket_connect

SETTINGS = Path(__file__).resolve().parent.parent / "jupyter"
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


def test_a_kernel_s_messages_leave_at_once(tmp_path):
    """On the socket itself, in a server that runs a kernel."""
    config = tmp_path / "jupyter_server_config.py"
    config.write_text((SETTINGS / "etc/jupyter/jupyter_server_config.py").read_text() + SPY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(tmp_path) for name in ("CONFIG", "DATA", "RUNTIME")}
    places["JUPYTER_NO_CONFIG"] = "1"  # the environment has a copy of its own
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", "--IdentityProvider.token=", "--ServerApp.ip=127.0.0.1"]
    command += [
        f"--config={config}",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={tmp_path}",
    ]
    with open(tmp_path / "log.txt", "w") as log:
        server = subprocess.Popen(command, env=os.environ | places, stdout=log, stderr=log)
    try:
        asyncio.run(_hear_a_kernel(f"127.0.0.1:{port}", tmp_path / "log.txt"))
    finally:
        server.terminate()
        server.wait(20)
    told = re.findall(r"no delay: (\d)", (tmp_path / "log.txt").read_text())
    assert told, (tmp_path / "log.txt").read_text()
    assert set(told) == {"1"}


async def _hear_a_kernel(address, log):
    end = time.monotonic() + 60
    while True:
        try:
            asked = urllib.request.Request(f"http://{address}/api/kernels", b"{}")
            kernel = json.load(urllib.request.urlopen(asked))["id"]
            break
        except OSError:
            assert time.monotonic() < end, log.read_text()
            await asyncio.sleep(0.3)
    line = await websocket_connect(f"ws://{address}/api/kernels/{kernel}/channels")
    assert await asyncio.wait_for(line.read_message(), 60)
    line.close()
