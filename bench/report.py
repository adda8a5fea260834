"""The page on performance, from measurements."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from scipy.stats import linregress

from bench.work import ARCHITECTURES

HEAD = """# Performance

`python -m bench run` and `python -m bench report` wrote every number here (see `bench/`). A time is the
median of several rounds. The things compared take turns within one run on one device, so compare ratios and
not seconds.

- "plain" is a plain implementation of the published algorithm (`bench/plain.py`). A test shows that it gives
  the same numbers as the engine.
- "ordinary" is one forward and backward pass over as many tokens without thoughts: the lower bound.
- "ours" is the engine on questions about different graphs, like the released ones.
- "mirrors" is the engine on as many questions in pairs about one graph, whose facts are read once.

To measure on a GPU (the paper's size is a batch of 128):

```
python -m bench run --batch 128 --precision tf32 --out results/bench/gpu_tf32.csv
python -m bench run --batch 128 --precision bfloat16 --out results/bench/gpu_bfloat16.csv
python -m bench report results/bench/*.csv --out docs/performance.md
```
"""
PROSQA = 17_886  # training questions of the released files
Rows = Mapping[str, pd.DataFrame]  # by what was measured
SHAPE = ["model", "batch", "question", "thoughts", "suffix"]


def page(measured: pd.DataFrame) -> str:
    """The page, with one chapter per device and precision."""
    chapters = []
    for (device, precision, torch), found in measured.groupby(["device", "precision", "torch"], sort=False):
        chapters.append(f"## {device}, {precision}\n\nPyTorch {torch}.\n\n{_chapter(found)}")
    return "\n".join([HEAD, *chapters])


def _chapter(found: pd.DataFrame) -> str:
    parts = {
        "training": ("A training step, seconds", _training),
        "decoding": ("Decoding, seconds per question", _decoding),
        "thoughts": ("A training step by its number of thoughts", _thoughts),
        "recipe": (f"The paper's recipe for ProsQA, {PROSQA:,} questions, training only", _recipe),
        "saving": ("Saving a training state, by default every ten minutes", _saving),
    }
    rows = dict(list(found.groupby("what")))
    return "\n".join(
        f"**{title}**\n\n{show(rows)}\n" for part, (title, show) in parts.items() if part in rows
    )


def _table(table: pd.DataFrame) -> str:
    return str(table.to_markdown(index=False))


def _wide(found: pd.DataFrame, at: list[str]) -> pd.DataFrame:
    return found.pivot_table(index=at, columns="work", values="seconds", sort=False).reset_index()


def _training(rows: Rows) -> str:
    """Ratios, and our speed as a share of that of a matrix product (6 FLOP per weight and token)."""
    wide = _wide(rows["training"], SHAPE)
    tokens = wide["batch"] * (wide["question"] + wide["thoughts"] + wide["suffix"])
    speed = 6 * wide["model"].map(weights) * tokens / 1e12 / wide["ours"]
    best = 1 / rows["flops"]["seconds"].iloc[0]
    ratios = {
        "plain / ours": (wide["plain"] / wide["ours"]).round(2),
        "plain / mirrors": (wide["plain"] / wide["mirrors"]).round(2),
        "ours / ordinary": (wide["ours"] / wide["ordinary"]).round(2),
        "TFLOP/s": speed.round(3),
        "of a matmul (%)": (100 * speed / best).round(0),
    }
    return _table(wide.assign(**ratios).round(3))


def weights(model: str) -> int:
    """The number of weights in the layers of a model, without embeddings and biases."""
    shape = ARCHITECTURES[model]
    inner = shape.get("n_inner", 4 * shape["n_embd"])
    return shape["n_layer"] * (4 * shape["n_embd"] ** 2 + 2 * shape["n_embd"] * inner)


def _decoding(rows: Rows) -> str:
    wide = _wide(rows["decoding"], [*SHAPE, "written"])
    ratios = {
        "plain / ours": (wide["plain"] / wide["ours"]).round(1),
        "plain / mirrors": (wide["plain"] / wide["mirrors"]).round(1),
        "sweep / one k": (wide["sweep"] / wide["ours"]).round(2),
    }
    return _table(wide.assign(**ratios).round(4))


def _thoughts(rows: Rows) -> str:
    """The cost of a thought in a training step, in forward passes of one token."""
    table = rows["thoughts"][["thoughts", "seconds"]].reset_index(drop=True)
    line, token = linregress(table["thoughts"], table["seconds"]), rows["one token"]["seconds"].iloc[0]
    ratio = (table["seconds"] / table["seconds"].iloc[0]).round(3)
    return (
        f"{_table(table.assign(**{'to no thought': ratio}).round(3))}\n\nA line fits them with "
        f"r² = {line.rvalue**2:.4f}. A thought adds {line.slope:.3g} s, forward and backward: "
        f"{line.slope / token:.1f} times the forward pass of one token per row ({token:.3g} s)."
    )


def _recipe(rows: Rows) -> str:
    """Hours of each stage and of all, at the measured seconds per update."""
    found = rows["recipe"]
    hours = found["epochs"] * PROSQA / found["batch"] * found["seconds"] / 3600
    table = found[["thoughts", "suffix", "batch", "epochs", "seconds"]].round(4).astype(object)
    table = table.rename(columns={"thoughts": "stage", "seconds": "seconds per update"})
    total = pd.DataFrame([{"stage": "all", "epochs": found["epochs"].sum(), "hours": hours.sum()}])
    return _table(pd.concat([table.assign(hours=hours), total]).round(3).fillna(""))


def _saving(rows: Rows) -> str:
    share = (100 * rows["saving"]["seconds"] / 600).round(2)
    return _table(rows["saving"][["model", "seconds"]].round(3).assign(**{"of ten minutes (%)": share}))
