"""A real JupyterLab on a free port, and a real browser; skipped where either is missing."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
from nbformat import sign

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
PLUGIN = "@jupyterlab/apputils-extension"


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def page(browser):
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(40_000)
    return page


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A running JupyterLab: its folder, and `open`."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    write_setting(home, "notification", {"fetchNews": "false", "checkForUpdates": False})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
    ]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"]
    environment = os.environ | {name: str(place) for name, place in places.items()}
    with open(home / "log.txt", "w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/api/status", server, home / "log.txt")
        yield Lab(f"http://127.0.0.1:{port}/lab", folder, home / "data")
    finally:
        server.terminate()
        server.wait(20)


class Lab:
    def __init__(self, address, folder, data):
        self.address, self.folder, self.data = address, folder, data

    def save(self, name, notebook, trusted=False):
        """Write a notebook, and sign it as a user does by trusting it."""
        nbformat.write(notebook, self.folder / name)
        if trusted:
            written = nbformat.read(self.folder / name, as_version=4)
            sign.NotebookNotary(data_dir=str(self.data)).sign(written)

    def open(self, page, name, run=False):
        """Open a notebook in place of the last one, and run all its cells if asked to."""
        if "/lab" not in page.url:  # loading JupyterLab takes seconds, so it happens once
            page.goto(self.address)
            page.wait_for_function("window.jupyterapp")
            page.evaluate("jupyterapp.restored.then(() => null)")
        page.evaluate(
            """async (path) => {
              document.querySelector(".jp-NotebookPanel") && jupyterapp.shell.currentWidget.dispose();
              await jupyterapp.commands.execute("docmanager:open", { path });
            }""",
            name,
        )
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        if run:
            session = "jupyterapp.shell.currentWidget?.sessionContext?.session"
            page.wait_for_function(f"{session}?.kernel?.status === 'idle'")
            page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")


def write_setting(home, name, values):
    folder = home / "settings" / PLUGIN
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))


def _wait(address, server, log):
    end = time.monotonic() + 40
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
