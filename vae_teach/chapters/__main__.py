"""`python -m vae_teach.chapters` counts each chapter's exercises and the mistakes they name."""

import importlib
import pkgutil

import vae_teach.chapters
from vae_teach.exercises import Exercise


def exercises():
    """Every exercise of the course, by chapter: (chapter, name, Exercise)."""
    for folder in pkgutil.iter_modules(vae_teach.chapters.__path__):
        if folder.ispkg:
            module = importlib.import_module(f"vae_teach.chapters.{folder.name}.exercises")
            for name, value in vars(module).items():
                if isinstance(value, Exercise):
                    yield folder.name, name, value


if __name__ == "__main__":
    counts = {}
    for chapter, _, exercise in exercises():
        for key in (chapter, "together"):
            counts.setdefault(key, []).append(len(exercise.mistakes))
    for key, mistakes in sorted(counts.items(), key=lambda item: item[0] == "together"):
        print(f"{key:24} {len(mistakes):3} exercises {sum(mistakes):4} mistakes")
