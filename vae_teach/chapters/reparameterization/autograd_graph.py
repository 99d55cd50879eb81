"""Autograd's own graph, drawn: what it recorded, and where a draw cuts it."""

import itertools

import torch
from matplotlib.figure import Figure

from vae_teach.pictures.colours import ENCODER, KL, PRIOR
from vae_teach.pictures.picture import Picture


def autograd_graph(graphs, depends, alt, caption=""):
    """What backward() can walk, read off `grad_fn.next_functions`, values flowing to the right.

    Args:
        graphs: dict of title -> dict of name -> tensor. Everything these tensors were recorded from
            is drawn; the names are put on leaves, constants and results.
        depends: pairs of names (cause, effect) that depend on each other on paper. Where autograd
            has no path between them, a crossed-out red arrow shows the cut.
        alt: alternative text.
        caption: shown below.

    Returns:
        Picture, one row a graph: leaves with gradient blue, constants grey and dashed.

    Raises:
        TypeError: a value of `graphs` is no dict of tensors.
        ValueError: a name in `depends` that is in no graph.
    """
    for title, tensors in graphs.items():
        if not isinstance(tensors, dict) or not all(
            isinstance(t, torch.Tensor) for t in tensors.values()
        ):
            raise TypeError(f"graphs[{title!r}] must be a dict of name -> tensor.")
    known = {name for tensors in graphs.values() for name in tensors}
    for name in itertools.chain(*depends):
        if name not in known:
            raise ValueError(f"depends names {name!r}, the graphs hold {', '.join(sorted(known))}.")
    read = {title: Graph(tensors, depends) for title, tensors in graphs.items()}
    spans = [max(1, *(y for _, y in g.places.values())) + 1 for g in read.values()]
    figure = Figure(figsize=(9, 0.7 * sum(spans) + 0.45 * len(spans)), layout="constrained")
    rows = figure.subplots(len(read), 1, squeeze=False, height_ratios=spans)[:, 0]
    columns = max(x for g in read.values() for x, _ in g.places.values())
    for axes, span, (title, graph) in zip(rows, spans, read.items(), strict=True):
        _draw(axes, graph)
        axes.set(xlim=(-0.5, columns + 0.5), ylim=(-0.6, span - 0.4))
        axes.set_title(title, loc="left", fontsize=11)
        axes.axis("off")
    return Picture(figure, alt, caption)


class Graph:
    """Nodes and edges of the tensors' graphs, with a place for each node.

    Attributes:
        labels: dict of node -> what is written on it.
        kinds: dict of node -> "leaf", "constant" or "operation".
        edges: list of (from, to), values flowing from the first to the second.
        cuts: the dependencies, as nodes, that autograd does not know.
        places: dict of node -> (column, row).
    """

    def __init__(self, tensors, depends=()):
        self.labels, self.kinds, self.edges = {}, {}, []
        self.tensors = tensors
        self.nodes = {name: self._add_tensor(name, t) for name, t in tensors.items()}
        used = {a for a, _ in self.edges} | {b for _, b in self.edges}
        pairs = [(self.nodes[a], self.nodes[b]) for a, b in depends if {a, b} <= set(tensors)]
        self.cuts = [(a, b) for a, b in pairs if not self._path(a, b)]
        used |= {node for pair in self.cuts for node in pair}
        for node in [n for n in self.labels if n not in used]:  # nobody computed with it
            del self.labels[node], self.kinds[node]
        self.places = self._layout()

    def _add_tensor(self, name, tensor):
        if tensor.grad_fn is not None:
            node = self._add_operation(tensor.grad_fn)
            self.labels[node] = f"{name} = {self.labels[node]}"
            return node
        node = ("tensor", id(tensor))
        self.labels[node] = name
        self.kinds[node] = "leaf" if tensor.requires_grad else "constant"
        return node

    def _add_operation(self, function):
        """A grad_fn, and everything behind it."""
        if hasattr(function, "variable"):  # AccumulateGrad: a leaf, where gradients arrive
            return self._add_tensor(self._name(function.variable), function.variable)
        if function in self.labels:
            return function
        operation = type(function).__name__.split("Backward")[0]
        self.labels[function] = "".join(f" {c.lower()}" if c.isupper() else c for c in operation)[
            1:
        ]
        self.kinds[function] = "operation"
        constants = self._constants(function)
        for behind, _ in function.next_functions:
            source = next(constants) if behind is None else self._add_operation(behind)
            if source is not None:
                self.edges.append((source, function))
        return function

    def _constants(self, function):
        """Nodes for inputs that need no gradient: the named ones that the operation has saved."""
        saved = [getattr(function, a) for a in dir(function) if a.startswith("_saved_")]
        places = {s.data_ptr() for s in saved if isinstance(s, torch.Tensor)}
        for name, tensor in self.tensors.items():
            if not tensor.requires_grad and tensor.data_ptr() in places:
                yield self._add_tensor(name, tensor)
        yield from itertools.repeat(None)  # plain numbers, and constants nobody named

    def _name(self, tensor):
        return next((n for n, t in self.tensors.items() if t is tensor), "leaf")

    def _path(self, start, end):
        behind = [a for a, b in self.edges if b == end]
        return start == end or any(self._path(start, node) for node in behind)

    def _layout(self):
        """Column: as far left as its consumers allow. Row: near its consumers, none used twice."""
        arrows = self.edges + self.cuts
        ahead = {n: [b for a, b in arrows if a == n] for n in self.labels}

        def to_the_end(node):
            return max((to_the_end(b) + 1 for b in ahead[node]), default=0)

        depth = {node: to_the_end(node) for node in self.labels}
        last = max(depth.values(), default=0)
        places, taken = {}, {}
        for node in sorted(self.labels, key=lambda n: (depth[n], self.kinds[n] != "operation")):
            above = [places[b][1] for b in ahead[node]]
            row = round(sum(above) / len(above)) if above else 0
            while row in taken.setdefault(depth[node], set()):
                row += 1
            taken[depth[node]].add(row)
            places[node] = (last - depth[node], row)
        return places


def _draw(axes, graph):
    colours = {"leaf": ENCODER, "constant": PRIOR, "operation": "black"}
    shapes = {"leaf": "round,pad=0.35", "constant": "round,pad=0.35", "operation": "square,pad=0.3"}
    boxes = {}
    for node, (x, y) in graph.places.items():
        kind = graph.kinds[node]
        boxes[node] = axes.text(
            x,
            y,
            graph.labels[node],
            ha="center",
            va="center",
            fontsize=10.5,
            zorder=3,
            bbox={
                "boxstyle": shapes[kind],
                "facecolor": {"leaf": "#dcebfa", "constant": "#f0f0f2", "operation": "white"}[kind],
                "edgecolor": colours[kind],
                "linestyle": "--" if kind == "constant" else "-",
                "linewidth": 1.8 if kind == "leaf" else 1.2,
            },
        )
    for pairs, style in ((graph.edges, {"color": "#444444", "lw": 1.2}), (graph.cuts, _CUT)):
        for a, b in pairs:
            axes.annotate(
                "",
                graph.places[b],
                graph.places[a],
                arrowprops={
                    "arrowstyle": "-|>",
                    "patchA": boxes[a].get_bbox_patch(),
                    "patchB": boxes[b].get_bbox_patch(),
                    "shrinkA": 2,
                    "shrinkB": 2,
                    **style,
                },
            )
    for a, b in graph.cuts:
        (x0, y0), (x1, y1) = graph.places[a], graph.places[b]
        axes.text(
            (x0 + x1) / 2, (y0 + y1) / 2, "✕", color=KL, fontsize=15, ha="center", va="center"
        )


_CUT = {"color": KL, "lw": 1.6, "linestyle": "--"}
