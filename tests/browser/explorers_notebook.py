"""A notebook with every explorer, open in JupyterLab, and drags of each that are measured."""

import json
import time
from pathlib import Path

from real_lab import notebook
from tested_explorers import EXPLORERS, SETUP, USUAL

DRAG = Path(__file__).with_name("drag.js").read_text("utf-8")
SHOWN = "jupyterapp.shell.currentWidget"
RUN = """
async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false, allow_stdin: false });
  let text = "";
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream" && content.name === "stdout") text += content.text;
    if (header.msg_type === "error") text += content.traceback.join("\\n");
  };
  return [(await future.done).content.status, text];
}
"""
CELLS = [*EXPLORERS, USUAL]
TRIES = 5  # the best drag counts: other work on the machine makes one slow, none makes one quick
# What is promised, in ms from a pointer event to its painted picture, on a machine where the usual
# pattern takes as long as PACE says; a slower one, or a busy one, gets that much more time.
BOUNDS = {
    False: {"median": 20, "p95": 33, "lag": 30, "after": 100, "frames": 90},
    True: {"median": 50, "after": 100},  # where the kernel draws
}
RATIO = 0.4  # of the usual pattern's median
PACE = 66  # ms


def slowness(usual, explorer):
    """How many times longer than PACE the usual pattern takes here, at least 1; at most 4 for an
    explorer in the page, which has no part in what slows the kernel."""
    return min(max(1, usual["median"] / PACE), 1000 if explorer.reads else 4)


def misses(explorer, figures, times=1):
    """Which bounds a drag's figures do not keep on a machine that is so many times slower."""
    return {
        name: figures[name]
        for name, bound in BOUNDS[explorer.reads].items()
        if (figures[name] < bound / times if name == "frames" else figures[name] > bound * times)
    }


class ExplorersNotebook:
    def __init__(self, lab, page, cells=(), explorers=CELLS):
        """Open the notebook and run its cells; `cells` come after the explorers'."""
        self.page, self._session = page, page.context.new_cdp_session(page)
        self._at = {explorer.name: index + 1 for index, explorer in enumerate(explorers)}
        sources = [SETUP, *(explorer.cell for explorer in explorers), *cells]
        self.last = len(sources) - 1
        lab.save("explorers.ipynb", notebook(*sources))
        lab.open(page, "explorers.ipynb")
        lab.wait_for_kernel(page)
        self._run_cells(range(1 + len(explorers)))

    def is_open(self):
        return self.page.evaluate(f"{SHOWN}?.context?.path") == "explorers.ipynb"

    def run(self, code):
        """Run code in the kernel, beside its cells; return what it printed."""
        status, text = self.page.evaluate(RUN, code)
        assert status == "ok", text
        return text

    def ask(self, expression):
        """What a Python expression is in the kernel, by way of JSON."""
        return json.loads(self.run(f"import json; print(json.dumps({expression}))"))

    def start(self, code):
        """Let the kernel work, until `busy()` is over."""
        self.page.evaluate(
            f"""(code) => {{
              window.atWork = true;
              {SHOWN}.sessionContext.session.kernel.requestExecute({{ code }}).done.finally(() => {{
                window.atWork = false;
              }});
            }}""",
            code,
        )

    def start_cell(self, index):
        """Run a cell as a reader does, and go on at once."""
        self.go(index)
        self.page.evaluate(
            """() => {
              window.atWork = true;
              jupyterapp.commands.execute("notebook:run-cell").finally(() => {
                window.atWork = false;
              });
            }"""
        )

    def busy(self):
        return self.page.evaluate("window.atWork")

    def interrupt(self):
        self.page.evaluate(f"{SHOWN}.sessionContext.session.kernel.interrupt()")
        self.wait(lambda: not self.busy())

    def wait(self, condition, seconds=30):
        """Wait until something is so, asked again and again."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not become so"
            self.page.wait_for_timeout(50)

    def outputs(self, index):
        """A cell's outputs, as a notebook would store them."""
        return self.page.evaluate(
            f"(index) => {SHOWN}.content.widgets[index].model.sharedModel.toJSON().outputs", index
        )

    def theme(self, name):
        """Change JupyterLab's theme, if it is another one."""
        dark = str(name.endswith("Light")).lower()
        ready = f"document.body.dataset.jpThemeLight === '{dark}'"
        if not self.page.evaluate(ready):
            command = "void jupyterapp.commands.execute('apputils:change-theme', { theme })"
            self.page.evaluate(f"(theme) => {command}", name)
            self.page.wait_for_function(ready)
            self.page.wait_for_timeout(300)

    def spoken(self):
        """Role, name and value of the focused element, as a screen reader gets them."""
        found = self._tell("Runtime.evaluate", expression="document.activeElement")["result"]
        tree = self._tell(
            "Accessibility.getPartialAXTree", objectId=found["objectId"], fetchRelatives=False
        )
        node = tree["nodes"][0]
        return [node.get(key, {}).get("value") for key in ("role", "name", "value")]

    def memory(self):
        """Bytes of kernel and page after a collection, and what the page's document holds."""
        kernel = self.run("gc.collect(); print(psutil.Process().memory_info().rss)")
        for _ in range(2):  # what only a finalizer lets go is gone at the second
            self._tell("HeapProfiler.collectGarbage")
            self.page.wait_for_timeout(100)
        counts = self._tell("Memory.getDOMCounters")
        heap = self._tell("Runtime.getHeapUsage")
        return {
            "kernel": int(kernel),
            "page": heap["usedSize"] + heap.get("backingStorageSize", 0),  # and of arrays
            "nodes": counts["nodes"],
            "listeners": counts["jsEventListeners"],
        }

    def index(self, explorer):
        """The number of its cell."""
        return self._at[explorer.name]

    def go(self, cell):
        """Scroll to a cell, by its number or its explorer."""
        index = cell if isinstance(cell, int) else self.index(cell)
        self.page.evaluate(
            f"""async (index) => {{
              const {{ content }} = {SHOWN};
              content.activeCellIndex = index;
              await content.scrollToItem(index, "start");
            }}""",
            index,
        )
        if not isinstance(cell, int):
            self.page.locator(cell.root).wait_for()
            self.page.locator(cell.root).locator(cell.handle).first.scroll_into_view_if_needed()

    def again(self, explorer):
        """Run its cell again."""
        self._run_cells([self.index(explorer)])
        self.go(explorer)

    def _run_cells(self, indices):
        self.page.evaluate(
            f"""async (indices) => {{
              for (const index of indices) {{
                {SHOWN}.content.activeCellIndex = index;
                await jupyterapp.commands.execute("notebook:run-cell");
              }}
            }}""",
            list(indices),
        )

    def drag(self, explorer, events=200, pause=8, burst=1, skip=0, patience=5000):
        """Drag an explorer once over its whole way; figures as in drag.js.

        Of that many events the first `skip` are left out; `burst` come at once, every `pause` ms.
        200 of them lead from its start to its end. `patience`, in ms, for the last one to be painted.
        """
        self.go(explorer)
        handle = self.page.locator(explorer.root).locator(explorer.handle).first
        start = end = (0, 0)
        if explorer.how == "mouse":
            self.run("usual.children[0].value = 0")
            self.page.wait_for_timeout(300)
            start = _inside(handle.bounding_box(), (0.5, 0.5))
            way = self.page.locator(explorer.root).locator(".noUi-base").bounding_box()["width"]
            end = (start[0] + way, start[1])
        elif explorer.how == "pointer":
            box = handle.bounding_box()
            start, end = _inside(box, explorer.start), _inside(box, explorer.end)
        share = min(1, events / 200)
        last = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
        if explorer.how != "input":
            self.page.mouse.move(*start)
            self.page.mouse.down()
        what = {key: getattr(explorer, key) for key in ("root", "handle", "how", "shows", "reads")}
        what |= {"from": start, "to": end, "events": events, "skip": skip}
        what |= {"pause": pause, "burst": burst, "patience": patience}
        try:
            return self.page.evaluate(DRAG, what)
        finally:
            if explorer.how != "input":
                self.page.mouse.move(*last)
                self.page.mouse.up()

    def best(self, explorer, times=1):
        """The figures of the first drag within all bounds on a machine so many times slower, or the
        one that keeps most of them."""
        tried = []
        while len(tried) < TRIES and not (tried and not misses(explorer, tried[-1], times)):
            tried.append(self.drag(explorer))
        return min(tried, key=lambda f: (len(misses(explorer, f, times)), f["median"]))

    def numbers(self, explorer):
        """What the page shows."""
        return self._in(explorer, explorer.page)

    def picture(self, explorer):
        """The picture that follows, as text to compare."""
        return self._in(
            explorer,
            f"[...root.querySelectorAll('{explorer.shows}')]"
            ".map((part) => part.toDataURL?.() ?? part.outerHTML).join()",
        )

    def _tell(self, command, **parameters):
        return self._session.send(command, parameters)

    def _in(self, explorer, script):
        return self.page.evaluate(
            f"(place) => {{ const root = document.querySelector(place); return {script}; }}",
            explorer.root,
        )


def _inside(box, share):
    return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]
