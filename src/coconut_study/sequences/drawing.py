"""What each method's sequences look like, drawn by the builder that training uses. Pure.

The question shown has three steps of two tokens each (1a 1b, 2a 2b, 3a 3b). Tokens with loss stand in
brackets; <thought> is a continuous thought, a slot that holds the hidden state before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.sequences.builder import Marks, Tokens, build
from coconut_study.sequences.methods import Layout, Method, Schedule

WORDS = ["question", "1a", "1b", "2a", "2b", "3a", "3b", "###", "answer", "<eos>",
         "<bot>", "<eot>", "<thought>", "<pause>"]  # fmt: skip
ID = {word: number for number, word in enumerate(WORDS)}
QUESTION = Tokens(
    question=[ID["question"]],
    positions=[0],
    steps=[[ID[f"{step}a"], ID[f"{step}b"]] for step in (1, 2, 3)],
    answer=[ID["###"], ID["answer"], ID["<eos>"]],
)
MARKS = Marks(ID["<bot>"], ID["<eot>"], ID["<thought>"], ID["<pause>"], ID["<eos>"], pad=ID["<eos>"])


def drawn(layout: Layout) -> str:
    """The sequence of the question in a layout."""
    sequence = build(QUESTION, layout, MARKS)
    ids = sequence.before + [MARKS.thought] * sequence.thoughts + sequence.after
    first = len(ids) - sequence.n_loss
    return " ".join(f"[{WORDS[i]}]" if at >= first else WORDS[i] for at, i in enumerate(ids))


def table(methods: Mapping[str, tuple[Method, Schedule]]) -> pd.DataFrame:
    """One row a method and stage: method, stage, tokens. iCoT has a row for every number of units removed."""
    rows = []
    for method, schedule in methods.values():
        for stage, layout in _layouts(method, schedule):
            rows.append({"method": method.title, "stage": stage, "tokens": drawn(layout)})
    return pd.DataFrame(rows)


def markdown(methods: Mapping[str, tuple[Method, Schedule]]) -> str:
    """The table for the documentation, with tokens in code font."""
    shown = table(methods)
    code = shown.assign(tokens="`" + shown["tokens"] + "`")
    return code.to_markdown(index=False, disable_numparse=True) + "\n"


def _layouts(method: Method, schedule: Schedule) -> list[tuple[str, Layout]]:
    plan = method.plan(schedule)
    last = method.layout(schedule, plan[-1][0])
    if method.steps != "removed":
        return [(str(stage), method.layout(schedule, stage)) for stage, _ in plan]
    unit = schedule.removal.unit if schedule.removal else "token"
    counts = range(sum(map(len, QUESTION.steps)) if unit == "token" else len(QUESTION.steps))
    removing = [(f"{units} {unit}s removed", last.without(units, unit)) for units in counts]
    return [*removing, ("all removed", last)]
