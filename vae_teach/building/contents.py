"""What is made from the list of chapters: README's table, the course map, links.

python -m vae_teach.building.contents    writes the table in README.md again
"""

import re
from pathlib import Path

import nbformat

from vae_teach.chapters import CHAPTERS

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"(<!-- chapters -->\n).*(<!-- end of chapters -->)", re.DOTALL)
MAP = "<!-- chapters -->"  # in a source, where the course map goes
MINUTES = "<!-- minutes -->"  # in a source, where the list's number of minutes goes
REFERENCE = re.compile(r"\[([Cc]hapter)\]\((\w+)\)")  # to a chapter by its name


def readme(text):
    """README's text with the table of chapters between its two marks."""
    rows = ["| | chapter | you will |", "|---|---|---|"]
    for c in CHAPTERS:
        link = f"[{c.title}](notebooks/{c.stem}.ipynb)"
        rows.append(f"| {c.number:02} | {link} | {_cell(c.you_will)} |")
    return BLOCK.sub(lambda marks: "\n".join([marks[1], *rows, "", marks[2]]), text)


def put_in(notebook, stem):
    """Put the course map, its minutes, the links in the text and those at the end in a chapter's notebook.

    Args:
        notebook: changed in place.
        stem: of its file, such as "05_vae".

    Raises:
        ValueError: a link names no chapter.
    """
    made = {MAP: course_map(stem), MINUTES: str(_chapter(stem).minutes)}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = REFERENCE.sub(_reference, cell.source)
            for mark, text in made.items():
                cell.source = cell.source.replace(mark, text)
    notebook.cells.append(nbformat.v4.new_markdown_cell(ways_on(stem)))


def course_map(stem):
    """A table of all chapters, for the notebook of one of them."""
    rows = [
        "| | chapter | ends on a limit that the next one removes | minutes |",
        "|---|---|---|---|",
    ]
    for c in CHAPTERS:
        name = f"**{c.title}**" if c.stem == stem else f"[{c.title}]({c.stem}.ipynb)"
        rows.append(f"| {c.number:02} | {name} | {_cell(c.limit)} | {c.minutes} |")
    return "\n".join(rows)


def ways_on(stem):
    """Links to the chapter before, the map, and the next chapter."""
    here = _chapter(stem).number
    ways = [f"← [{c.heading}]({c.stem}.ipynb)" for c in CHAPTERS[max(here - 1, 0) : here]]
    ways += [f"[map and notation]({CHAPTERS[0].stem}.ipynb#The-course)"]
    ways += [f"[{c.heading}]({c.stem}.ipynb) →" for c in CHAPTERS[here + 1 : here + 2]]
    return " · ".join(ways)


def _chapter(stem):
    return next(c for c in CHAPTERS if c.stem == stem)


def _reference(link):
    word, name = link.groups()
    for c in CHAPTERS:
        if c.name == name:
            return f"[{word} {c.number:02}]({c.stem}.ipynb)"
    raise ValueError(
        f"{link[0]} names no chapter: {', '.join(c.name for c in CHAPTERS)} there are."
    )


def _cell(text):
    return text.replace("|", r"\|")  # which would end the cell of a table


def main():
    """Write README's table again."""
    README.write_text(readme(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
