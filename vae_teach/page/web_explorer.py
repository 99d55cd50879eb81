"""What explorers that live in the page share: one script, the parts sent to it, still, page."""

import inspect
import pathlib

import traitlets as t
from IPython.display import display

from vae_teach.page.files import PACKAGE, PageFile, needed
from vae_teach.page.html import mount, page
from vae_teach.page.shared import Shared
from vae_teach.page.widgets import LIVE, MISSING, AnyWidget, Widget, widget_serialization
from vae_teach.pictures import pixels

# The kernel must not send back what the page sent: a drag has left that value behind.
BOTH_WAYS = {"sync": True, "echo_update": False}


class WebExplorer(AnyWidget):
    """A widget whose picture is computed in the page: it follows the pointer while the kernel works.

    A subclass has its script, and its style if it needs one, beside it under the same name
    (`bubbles.py`, `bubbles.js`, `bubbles.css`); synced traits for all that the script needs; and
    `still()`. Networks are traits made with `network_trait()` that hold `Network.decoder(model)` or
    the like; traits that the page sets are tagged with BOTH_WAYS.
    """

    _esm = (PACKAGE / "page" / "anywidget.js").read_text("utf-8")
    files = t.List(t.Instance(PageFile)).tag(sync=True, **widget_serialization)

    def __init__(self, **traits):
        """Set the traits, and take note that the files and networks among them are used here."""
        script = pathlib.Path(inspect.getfile(type(self))).resolve().with_suffix(".js")
        paths = needed(script.relative_to(PACKAGE).as_posix())
        super().__init__(files=[PageFile.of(path) for path in paths], **traits)
        for part in self._shared():
            part.users.add(self)

    def still(self):
        """HTML of a picture for readers without a kernel, a script or trust."""
        raise NotImplementedError

    def to_html(self, title="vae_teach"):
        """One self-contained page, live in any browser without a kernel or a network.

        Returns:
            str; write it to a file with `pathlib.Path("page.html").write_text(..., "utf-8")`.
        """
        return page(f"{mount(self.model_id)}{self.still()}", self._saved(), title)

    def open(self):
        """Open the line to the page, so that its messages come beside a cell that runs.

        By default IPython ends a "cell" with each of them, and with it the pyplot figure of the one
        that runs; and ipykernel lets the first one wait for the thread that made the widget.
        """
        super().open()
        if self.comm is not None:
            self.comm.handle_msg = self._handle_msg
            self.comm._reply_subshell_for = None

    def close(self):
        """Remove the widget from every page, with its observers and what it alone used."""
        shared = self._shared()
        self.unobserve_all()
        self.layout.close()
        super().close()
        for part in shared:
            part.release(self)

    def _saved(self):
        """Dict of model id -> state, as in a notebook's widget metadata: its own, and its parts'."""
        widgets = [self, *self._shared()]
        return Widget.get_manager_state(drop_defaults=False, widgets=widgets)["state"]

    def _shared(self):
        values = (getattr(self, name) for name in self.trait_names(sync=True) if name != "files")
        return [*self.files, *(value for value in values if isinstance(value, Shared))]

    def _ipython_display_(self):
        if LIVE:
            pixels.show(self, self.still())
        else:
            html, text = f"{self.still()}<p>{MISSING}</p>", f"{self!r}. {MISSING}"
            display({"text/html": html, "text/plain": text}, raw=True)
