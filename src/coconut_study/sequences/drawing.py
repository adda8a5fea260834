"""The sequences of each method in words, from the builder that training uses (pure functions).

The example question has three steps of two tokens each (1a 1b, 2a 2b, 3a 3b). Tokens with loss are in
brackets; <thought> is a continuous thought, a slot for the previous hidden state. A step to any node of the
frontier has a prime (1a' 1b').
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.sequences.builder import Marks, Tokens, build, ending_in
from coconut_study.sequences.methods import Layout, Method, Schedule, Targets

WORDS = ["question", "1a", "1b", "2a", "2b", "3a", "3b", "###", "answer", "<eos>",
         "<bot>", "<eot>", "<thought>", "<pause>", "1a'", "1b'", "2a'", "2b'", "3a'", "3b'"]  # fmt: skip
ID = {word: number for number, word in enumerate(WORDS)}
QUESTION = Tokens(
    question=[ID["question"]],
    positions=[0],
    steps=[[ID[f"{step}a"], ID[f"{step}b"]] for step in (1, 2, 3)],
    answer=[ID["###"], ID["answer"], ID["<eos>"]],
)
MARKS = Marks(ID["<bot>"], ID["<eot>"], ID["<thought>"], ID["<pause>"], ID["<eos>"], pad=ID["<eos>"])


def draw(layout: Layout, targets: Targets = "path") -> str:
    """The sequence of the example question in a layout."""
    sequence = build(_question(layout.hidden, targets), layout, MARKS)
    ids = sequence.before + [MARKS.thought] * sequence.thoughts + sequence.after
    first = len(ids) - sequence.n_loss
    return " ".join(f"[{WORDS[i]}]" if column >= first else WORDS[i] for column, i in enumerate(ids))


def table(methods: Mapping[str, tuple[Method, Schedule]]) -> pd.DataFrame:
    """One row per method and stage: method, stage, tokens. iCoT has one row per number of removed units."""
    rows = []
    for method, schedule in methods.values():
        for stage, layout in _layouts(method, schedule):
            rows.append({"method": method.title, "stage": stage, "tokens": draw(layout, method.targets)})
    return pd.DataFrame(rows)


def markdown(methods: Mapping[str, tuple[Method, Schedule]]) -> str:
    """The table in Markdown, with tokens in code font."""
    rows = table(methods)
    code = rows.assign(tokens="`" + rows["tokens"] + "`")
    return code.to_markdown(index=False, disable_numparse=True) + "\n"


def _question(hidden: int | None, targets: Targets) -> Tokens:
    """The example question, with the target that it has in training."""
    if targets == "path" or hidden is None or hidden >= len(QUESTION.steps):
        return QUESTION
    return ending_in(QUESTION, hidden, [ID[f"{hidden + 1}{token}'"] for token in "ab"], MARKS.eos)


def _loops(layout: Layout) -> str:
    """How often the whole sequence is read, if more than once."""
    return f", read {layout.thoughts + 1} times" if layout.kind == "loops" else ""


def _layouts(method: Method, schedule: Schedule) -> list[tuple[str, Layout]]:
    """The layouts of a method in training order, each with the name of its stage."""
    plan = method.plan(schedule)
    last = method.layout(schedule, plan[-1][0])
    if method.steps != "removed":
        layouts = [(stage, method.layout(schedule, stage)) for stage, _ in plan]
        return [(f"{stage}{_loops(layout)}", layout) for stage, layout in layouts]
    unit = schedule.removal.unit if schedule.removal else "token"
    removable = range(sum(map(len, QUESTION.steps)) if unit == "token" else len(QUESTION.steps))
    removing = [(f"{units} {unit}s removed", last.without(units, unit)) for units in removable]
    return [*removing, ("all removed", last)]
