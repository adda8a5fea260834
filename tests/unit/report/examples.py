"""Small files and tables for tests."""

import math

import pandas as pd

from coconut_study.evaluation.columns import INTERVENTIONS

TITLES = {"d": "Data set", "e": "Other set", "cot": "CoT", "coconut": "Coconut", "slow": "Slow & steady"}
ROLES = {"cot": "written", "coconut": "thoughts", "slow": "control"}
PAPER = {
    "accuracy": {"prosqa": {"cot": {"accuracy": 77.5, "sd": 1.9, "tokens": 49.4, "reference": "Table 1"}}},
}
ROWS = [
    {"dataset": "d", "method": method, "k": k, "paper_dataset": "prosqa", "paper_method": method}
    for method, k in (("cot", 0), ("coconut", 2))
]

RULES = pd.DataFrame(
    {"dataset": "d", "rule": "coin", "question": range(4), "group": [0, 0, 1, 1], "points": 0.5}
)
PLACES = {"root": (1.0, 1.0), "thought 1": (0.75, 0.25), "thought 2": (0.5, 0.0), "everything": (1.0, 1.0)}
BASES = {name: {seed: f"base {seed}" for seed in range(9)} for name in ("cot", "coconut", "slow")}


def graded(method, seed, k, outcomes, dataset="d", tokens=4):
    """Grades of a run at k thoughts, with the given outcomes; every question is a group by itself."""
    right = [outcome in ("correct label", "correct path") for outcome in outcomes]
    return pd.DataFrame(
        {"dataset": dataset, "method": method, "seed": seed, "k": k, "question": range(len(outcomes)),
         "group": range(len(outcomes)), "outcome": outcomes, "right": right, "right number": None,
         "tokens": tokens, "finished": True,
         "edges": [0 if "label" in outcome else 3 for outcome in outcomes],
         "wrong edges": [int(outcome == "hallucination") for outcome in outcomes]}
    )  # fmt: skip


def ten(method, seed, k, n_right, **more):
    """Ten grades of a run at k thoughts, of which `n_right` are right."""
    return graded(method, seed, k, ["correct path"] * n_right + ["hallucination"] * (10 - n_right), **more)


def point(series, label, method, k=0, dataset="d"):
    """A point of a comparison."""
    return {"dataset": dataset, "series": series, "label": label, "method": method, "k": k}


def history(stage, accuracies):
    """A history with ten questions in every epoch but the first, in which nothing is learnt."""
    later = len(accuracies) - 1
    return pd.DataFrame(
        {"stage": stage, "epoch": range(later + 1), "questions": [0] + [10] * later,
         "loss": [math.nan] + [1.0] * later, "accuracy": accuracies}
    )  # fmt: skip


def rows(seed, k, question, *candidates, group=None, frontier=None):
    """One row per candidate, each given as (height, correct, value), or with `option` after these. Without
    `group` a question is a group by itself; without `frontier` it is k."""
    return pd.DataFrame(
        [
            {"dataset": "d", "method": "coconut", "seed": seed, "question": question,
             "group": question if group is None else group, "k": k, "frontier": frontier or k,
             "node": f"n{i}", "height": height, "correct": correct, "option": option == [True],
             "value": value}
            for i, (height, correct, value, *option) in enumerate(candidates)
        ]
    )  # fmt: skip


def answers(seed, question, *, method="coconut", group=None, part="input", thoughts="all", later="kept",
            escape=0, **choices):  # fmt: skip
    """One row per content, with its forced choice in percent; `escape` percent are on neither option. An
    underscore in the name of a content is a blank. The free answer is the forced one, if that has more than
    half."""
    shared = (100 - escape) / 100
    return pd.DataFrame(
        [
            {"dataset": "d", "method": method, "seed": seed, "question": question,
             "group": question if group is None else group, "thoughts": thoughts,
             "content": content.replace("_", " "), "part": part, "later": later,
             "p right": shared * choice / 100, "p wrong": shared * (1 - choice / 100), "right": choice > 50}
            for content, choice in choices.items()
        ],
        columns=list(INTERVENTIONS),
    )  # fmt: skip


UNASKED = answers(1, 0)  # a study without interventions


# What the functions of the catalog take by keyword.
SETTINGS = {
    "titles": TITLES, "roles": ROLES, "paper_dataset": "prosqa", "rows": ROWS, "worked": 95, "margin": 3,
    "bases": BASES, "points": [point("line", "1", "cot")],
    "x": "label", "xlabel": "x",
    "stand_ins": {"datasets": {"prosqa": ["d"]}, "methods": {"cot": ["cot"]}, "trained": {"d cot": 0},
                  "published": ["d"], "models": {"cot": "gpt2"}},
    "runs": [{"dataset": "d", "method": "cot", "seed": 1, "stages": ["s"]}],
    "planned": [{"rule": "train", "gpus": 0, "memory_mb": 1, "hours": 2.5, "benchmarks": ["one.tsv"]}],
    "benchmarks": "nowhere",
    "cells": [{"dataset": "d", "methods": ["cot"], "cards": ["none.json"], "jobs": [["none.tsv", 1]]}],
    "map_cells": [{"dataset": "d", "hops": 3, "layers": 2, "width": 64, "row": method, "method": method,
                   "k": k, "against": "cot" if k else None, "against_k": 0}
                  for method, k in (("cot", 0), ("coconut", 2))],
    "predictions": [{"claim": "thoughts help", "more": {"dataset": "d", "method": "coconut", "k": 2},
                     "less": {"dataset": "d", "method": "cot", "k": 0}}],
    "content": "coconut", "width": 64,
    "dataset": "d", "trained": "d", "method": "coconut", "references": ["cot"], "case": 0,
}  # fmt: skip


def traces(method="coconut", seeds=(1, 2, 3), clean=0.9, corrupt=0.1, places=None, spread=0.0):
    """Four questions in two groups: the share of the right option, in the runs of two layers. `spread` is
    by how much the clean runs of the groups differ."""
    rows = []
    for seed in seeds:
        for question in range(4):
            group = question // 2
            top = clean + (spread if group else -spread)
            cells = [(-1, "clean", top), (-1, "corrupt", corrupt)]
            cells += [
                (layer, place, corrupt + effect * (top - corrupt))
                for place, effects in (places or PLACES).items()
                for layer, effect in enumerate(effects)
            ]
            rows += [
                (seed, question, group, layer, place, share / 2, (1 - share) / 2)
                for layer, place, share in cells
            ]
    names = ["seed", "question", "group", "layer", "place", "p right", "p wrong"]
    return pd.DataFrame(rows, columns=names).assign(dataset="d", method=method)
