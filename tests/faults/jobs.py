"""One job of every kind, on the toy of the smoke study."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from coconut_study.report.catalog import FIGURES, TABLES, Record
from coconut_study.study import table_inputs

from ..studies import ALONE, CONFIG, plan_of, settings
from .trials import Job

ONE_RUN = {"runs": [{"datasets": ["balanced"], "methods": ["coconut"], "seeds": [1]}]}
PLAN = plan_of(settings("smoke") | ALONE | ONE_RUN)
(CHAIN,) = PLAN.chains.values()
(RUN,) = PLAN.runs
SPLITS = ("train.jsonl", "valid.jsonl", "test.jsonl")
DATA = ("--train", "train.jsonl", "--valid", "valid.jsonl")
CARD = ("--card", "card.json")
TRAINED = ("--checkpoint", "stage2/checkpoint")
LEARNING = '{"methods": ["coconut"], "questions": 32}'


def training(stage: int, parent: str) -> Job:
    return Job(
        f"training, stage {stage}",
        (
            "train", "--spec", CHAIN[stage].model_dump_json(), "--parent", parent, *DATA, *CARD,
            "--minutes", "0", "--checkpoint", f"stage{stage}/checkpoint",
            "--history", f"stage{stage}/history.csv",
        ),
        (*SPLITS[:2], "card.json", parent),
    )  # fmt: skip


def evaluation(name: str, *options: object, also: tuple[str, ...] = ()) -> Job:
    """A job that evaluates the trained run."""
    asked = PLAN.generation_spec(RUN, name).model_dump_json()
    return Job(
        name,
        (name, "--settings", asked, *TRAINED, *CARD, *map(str, options)),
        ("test.jsonl", "card.json", "stage2/checkpoint", *also),
    )


def shown(record: Record, out: str, inputs: tuple[str, ...], **wildcards: str) -> Job:
    """A job that makes a table or a figure."""
    arguments = table_inputs.arguments(PLAN, record, wildcards, str(CONFIG / "paper_numbers.yaml"))
    return Job(
        f"{record.kind} {record.name}",
        (record.kind, record.name, "--arguments", json.dumps(_here(arguments)), "--out", out),
        inputs,
    )


def _here(arguments: Any) -> Any:
    """Arguments whose paths are names of files."""
    if isinstance(arguments, dict):
        return {key: _here(value) for key, value in arguments.items()}
    if isinstance(arguments, str) and arguments.startswith("results/"):
        return arguments.rpartition("/")[2]
    return arguments


BASE = Job(
    "base model",
    ("base", "--settings", CHAIN[0].base.model_dump_json(), "--out", "base", *CARD, "train.jsonl"),
    ("train.jsonl", "card.json"),
)
JOBS = (
    Job(
        "questions",
        (
            "questions", "--settings", PLAN.study.datasets["balanced"].questions.model_dump_json(), *DATA,
            "--test", "test.jsonl", *CARD,
        ),
        (),
    ),
    BASE,
    replace(BASE, name="base model, made again", inputs=(*BASE.inputs, "base")),
    training(0, "base"),
    training(1, "stage0/checkpoint"),
    training(2, "stage1/checkpoint"),
    evaluation("respond", "--questions", "test.jsonl", "--responses", "responses.jsonl",
               "--timings", "timings.csv"),
    evaluation("probe", "--questions", "test.jsonl", "--height", "shortest", "--out", "values.csv"),
    evaluation("decode", "--questions", "test.jsonl", "--limit", 4, "--top", 3, "--out", "decoded.csv"),
    evaluation("ending", *DATA, "--test", "test.jsonl", "--learning", LEARNING, "--out", "ending.csv",
               also=SPLITS[:2]),
    Job(
        "grade",
        (
            "grade", "--settings", PLAN.study.grading.model_dump_json(), "--template", "prose", *CARD,
            "--responses", "responses.jsonl", "--questions", "test.jsonl", "--out", "grades.csv",
        ),
        ("responses.jsonl", "test.jsonl", "card.json"),
    ),
    Job(
        "shortcuts",
        ("shortcuts", "--train", "train.jsonl", "--test", "test.jsonl", "--out", "shortcuts.csv"),
        ("train.jsonl", "test.jsonl"),
    ),
    shown(TABLES["main"], "main.csv", ("grades.csv", "shortcuts.csv")),
    shown(TABLES["seeds"], "seeds.csv", ("grades.csv",)),
    shown(FIGURES["accuracy"], "accuracy.svg", ("main.csv", "seeds.csv"), dataset="balanced"),
)  # fmt: skip
