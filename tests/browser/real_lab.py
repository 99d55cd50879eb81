"""A real JupyterLab on a free port and a real browser, for the tests and for benchmarks/dragging.py."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import nbformat
from nbformat import sign

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
PLUGIN = "@jupyterlab/apputils-extension"


class Missing(RuntimeError):
    """No browser, or no JupyterLab, on this machine."""


@contextmanager
def chromium():
    """A headless Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Missing("playwright is not installed") from None
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise Missing("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def new_page(browser):
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    page.set_default_timeout(60_000)
    return page


@contextmanager
def jupyterlab(home, *options):
    """A running JupyterLab whose settings and notebooks are below this folder."""
    try:
        import jupyterlab  # noqa: F401
    except ImportError:
        raise Missing("JupyterLab is not installed") from None
    folder = home / "notebooks"
    folder.mkdir()
    settings = home / "settings" / PLUGIN
    settings.mkdir(parents=True)
    quiet = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (settings / "notification.jupyterlab-settings").write_text(quiet)
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
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]
    command += ["--LabApp.expose_app_in_browser=True", *options]
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
              for (const widget of [...jupyterapp.shell.widgets("main")]) {
                if (!widget.context) continue;
                if (widget.sessionContext?.session) await widget.sessionContext.shutdown();
                widget.dispose();
              }
              await jupyterapp.commands.execute("docmanager:open", { path });
            }""",
            name,
        )
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        if run:
            self.wait_for_kernel(page)
            page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")

    def wait_for_kernel(self, page):
        kernel = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(f"{kernel}?.status === 'idle'")


def notebook(*sources):
    about = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells, metadata=about)


def _wait(address, server, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
