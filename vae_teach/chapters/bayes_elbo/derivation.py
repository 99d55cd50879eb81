"""A derivation whose every line is a formula and the number that a cell computed for it."""

import math


class Derivation:
    """Lines of algebra beside their numbers, shown as a table with typeset formulas.

    Args:
        title: what is derived, plain text.

    Attributes:
        lines: list of (relation, formula, value, why), see `add`.
    """

    def __init__(self, title):
        self.title, self.lines = title, []

    def add(self, relation, formula, value, why):
        """Append one line.

        Args:
            relation: such as "=" or "≥", to the line before; "" for the first.
            formula: LaTeX, without dollar signs.
            value: its number in nats; a float or a tensor with one element.
            why: it follows, plain text.

        Raises:
            ValueError: the value is no finite number.
        """
        value = float(value)
        if not math.isfinite(value):
            raise ValueError(f"the value of {formula} is {value}, a finite number is needed.")
        self.lines.append((relation, formula, value, why))

    @property
    def values(self):
        """The numbers of the lines, in order."""
        return [value for _, _, value, _ in self.lines]

    def _repr_markdown_(self):
        rows = [f"**{self.title}**", "", "| | formula | nats | why |", "|:-:|:--|--:|:--|"]
        for relation, formula, value, why in self.lines:
            # A bare bar would end the table's cell.
            safe = formula.replace(r"\|", r"\Vert ").replace("|", r"\mid ")
            reason = why.replace("|", r"\|")
            rows.append(f"| {relation} | ${safe}$ | {_signed(value)} | {reason} |")
        return "\n".join(rows)

    def __repr__(self):
        """The same as plain text, one line a line."""
        return "\n".join(
            [
                self.title,
                *(f"{r or ' '} {_signed(v):>13}   {f}   ({w})" for r, f, v, w in self.lines),
            ]
        )


def _signed(value):
    return f"{value:.8f}".replace("-", "−")
