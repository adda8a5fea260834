"""Measurements -> the page on performance."""

from __future__ import annotations

import pandas as pd

HEAD = """# Performance

Every number here was written by `python -m bench run` and `python -m bench report` (see `bench/`). Times are
medians of rounds taken in turns in one run on one device; what counts is their ratios. "plain" is a plain
implementation of the published algorithm (`bench/plain.py`), proved to give the same numbers as the engine;
"ordinary" is one forward and backward pass over as many tokens without thoughts: the floor.
"""
SHAPE = ["model", "batch", "question", "thoughts", "suffix"]


def page(measured: pd.DataFrame) -> str:
    """The page, a chapter for each device and precision."""
    chapters = []
    for (device, precision, torch), found in measured.groupby(["device", "precision", "torch"], sort=False):
        chapters.append(f"## {device}, {precision}\n\nPyTorch {torch}.\n\n{_chapter(found)}")
    return "\n".join([HEAD, *chapters])


def _chapter(found: pd.DataFrame) -> str:
    parts = [
        ("A training step, seconds", _training(found[found["what"] == "training"])),
        ("Decoding, seconds per question", _decoding(found[found["what"] == "decoding"])),
        ("A training step by its number of thoughts", _thoughts(found[found["what"] == "thoughts"])),
    ]
    return "\n".join(f"**{title}**\n\n{table.to_markdown(index=False)}\n" for title, table in parts)


def _wide(found: pd.DataFrame, at: list[str]) -> pd.DataFrame:
    return found.pivot_table(index=at, columns="work", values="seconds", sort=False).reset_index()


def _training(found: pd.DataFrame) -> pd.DataFrame:
    wide = _wide(found, SHAPE)
    return wide.assign(
        **{"plain / ours": (wide["plain"] / wide["ours"]).round(2)},
        **{"ours / ordinary": (wide["ours"] / wide["ordinary"]).round(2)},
    ).round(3)


def _decoding(found: pd.DataFrame) -> pd.DataFrame:
    wide = _wide(found, [*SHAPE, "written"])
    return wide.assign(
        **{"plain / ours": (wide["plain"] / wide["ours"]).round(1)},
        **{"sweep / one k": (wide["sweep"] / wide["ours"]).round(2)},
    ).round(4)


def _thoughts(found: pd.DataFrame) -> pd.DataFrame:
    table = found[["thoughts", "seconds"]].reset_index(drop=True)
    first = table["seconds"].iloc[0]
    return table.assign(**{"to no thought": (table["seconds"] / first).round(3)}).round(3)
