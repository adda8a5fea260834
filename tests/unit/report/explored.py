"""A small study for the explorer: a crossed group, one more graph, a word problem, and four runs."""

from dataclasses import replace

import numpy as np
import pandas as pd

from coconut_study.evaluation.columns import DECODED, GRADES, INTERVENTIONS, VALUES
from coconut_study.evaluation.responses import Response
from coconut_study.questions.question import Question, from_graphs
from coconut_study.report import explorer
from coconut_study.sequences.templates import TEMPLATES

from ...conftest import GRAPH

EVIL = "</script><img src=x onerror=document.title='run'>"

MIRROR = replace(GRAPH, root=1, target=5, neg_target=4)
TWIN = replace(GRAPH, edges=((0, 2), (0, 3), (2, 5), (3, 5), (1, 4), (2, 3), (4, 6)), target=5, neg_target=4)
BOTH = replace(TWIN, root=1, target=4, neg_target=5)
OTHER = replace(GRAPH, names=("Bob", "Eva", "zumpus", "yimpus", "wumpus", "terpus", EVIL))


def questions() -> list[Question]:
    """The four of a crossed group in the order original, mirror, twin, mirror of the twin; then one more."""
    rng = np.random.default_rng(0)
    return [
        *from_graphs([GRAPH, MIRROR], rng),
        *from_graphs([TWIN, BOTH], rng),
        *from_graphs([OTHER], rng),
    ]


def problems() -> list[Question]:
    return [Question(f"What is 1 + 1, {EVIL}?", ("<<1+1=2>>",), "2")]


def responses(k, texts, kind="continuous", hidden=None):
    return [
        Response(question=number, k=k, kind=kind, hidden=k if hidden is None else hidden, finished=True,
                 text=text, token_ids=[1, 2])
        for number, text in enumerate(texts)
    ]  # fmt: skip


def grades(k, outcomes):
    right = [outcome in ("correct path", "correct label") for outcome in outcomes]
    rows = [(k, number, *pair) for number, pair in enumerate(zip(outcomes, right, strict=True))]
    return table(GRADES, ("k", "question", "outcome", "right"), rows)


def table(columns, given, rows):
    """Rows of a run; columns that are not given hold 0."""
    made = pd.DataFrame(rows, columns=list(given))
    return pd.DataFrame({name: made.get(name, 0) for name in columns}, index=made.index)


def values(rows):
    return table(VALUES, ("question", "k", "frontier", "node", "value"), rows)


def decoded(rows):
    return table(DECODED, ("question", "thought", "rank", "token", "probability"), rows)


def interventions(rows):
    given = ("question", "thoughts", "content", "p right", "p wrong", "right")
    return table(INTERVENTIONS, given, rows).assign(dataset="d", method="coconut", part="input", later="kept")


NOTHING = {"values": values([]), "decoded": decoded([]), "interventions": interventions([])}
TEXTS = [
    "rompus ### rompus",
    "gorpus ### gorpus",
    "gorpus ### gorpus",
    "rompus ### gorpus",
    "wumpus ### wumpus",
]
REPLACED = [
    (0, "all", "own", 0.98, 0.02, True),
    (0, "all", "mean", 0.5, 0.5, True),
    (0, "all", "mirror", 0.1, 0.8, False),
    (1, "all", "own", 0.9, 0.1, True),
    (1, "all", "mean", 0.6, 0.2, True),
    (1, "all", "mirror", 0.9, 0.1, True),
]


def run(method, seed, trained, responses, grades, of=None, template="symbols", **tables):
    given = {**NOTHING, **tables}
    made = {"method": method, "seed": seed, "trained": trained}
    return explorer.of_run(
        made, questions() if of is None else of, TEMPLATES[template], responses, grades, **given
    )


def coconut():
    """Asked with 0 and 1 thoughts; valued before any thought, decoded, and with its thoughts replaced."""
    at_0 = ["lempus gorpus ### rompus", "gorpus ### gorpus", *TEXTS[2:]]
    outcomes = ["hallucination", *["correct path"] * 4]
    return run(
        "coconut", 1, 1,
        responses(0, at_0) + responses(1, TEXTS),
        pd.concat([grades(0, outcomes), grades(1, ["correct path"] * 3 + ["wrong target", "correct path"])]),
        values=values([(0, 0, 1, "lempus", 0.75), (0, 0, 1, "dumpus", 0.2), (0, 1, 2, "rompus", 0.91),
                       (1, 0, 1, "gorpus", 1.0)]),
        decoded=decoded([(0, 1, 1, EVIL, 0.7), (0, 1, 2, "dumpus", 0.25)]),
        interventions=interventions(REPLACED),
    )  # fmt: skip


def cot(seed=1, first="wrong target"):
    texts = ["lempus rompus impus ### impus", "gorpus ### gorpus", "lempus gorpus ### gorpus",
             "rompus ### rompus", "zumpus wumpus ### wumpus"]  # fmt: skip
    return run("cot", seed, 0, responses(0, texts, "none"), grades(0, [first, *["correct path"] * 4]))


def datasets():
    graphs = explorer.of_dataset("d", "Data <set>", questions(), 40)
    words = explorer.of_dataset("w", "Word problems", problems(), 1)
    for one in (coconut(), cot(), cot(seed=2, first="correct path")):
        explorer.add_run(graphs, one)
    sums = responses(2, [f"### 2 {EVIL}"])
    explorer.add_run(words, run("coconut", 1, 2, sums, grades(2, ["correct label"]), problems(), "prose"))
    return [graphs, words]


def page() -> str:
    methods = [{"name": "coconut", "title": "Coconut", "role": "thoughts"},
               {"name": "cot", "title": "CoT", "role": "written"}]  # fmt: skip
    return explorer.page("toy", f"A toy {EVIL}", methods, datasets())
