"""Checkpoints of three methods of the smoke study, with random weights, and its questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from coconut_study.engine import checkpoints
from coconut_study.questions import schema
from coconut_study.questions.datasets import generate
from coconut_study.questions.question import Question
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.study.runs import Run
from coconut_study.training import base_model

from ...studies import smoke

METHODS = ("cot", "coconut", "pause_as_thought")
ARCHITECTURE = {
    "model_type": "gpt2", "n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 256,
    "initializer_range": 0.4,
}  # fmt: skip
SYMBOLS = {"template": "symbols", "facts_share_position": True}
PROSE = {"template": "prose", "facts_share_position": False}
HEIGHT = "longest"


@dataclass(frozen=True)
class Trained:
    """The plan of a study, its test questions as a file, and the checkpoints of its methods."""

    plan: Plan
    questions: list[Question]
    path: Path
    checkpoints: dict[str, Path]

    def settings(self, method: str, rule: str) -> str:
        """The settings that a rule gives its command for a run of a method."""
        return self.plan.generation_spec(Run("balanced", method, 1), rule).model_dump_json()


@pytest.fixture(scope="module", params=[SYMBOLS, PROSE], ids=["symbols", "prose"])
def trained(request, tmp_path_factory) -> Trained:
    """The smoke study in each template."""
    folder = tmp_path_factory.mktemp("trained")
    probing = {
        "datasets": ["balanced"], "methods": list(METHODS[1:]), "k": [0, 1, 2], "height": HEIGHT,
        "questions": None, "case": 0,
    }  # fmt: skip
    sweep = {"methods": list(METHODS[1:]), "k": [0, 1, 2]}
    study = read_study(
        smoke(METHODS, text=request.param, model__architecture=ARCHITECTURE, probing=probing, sweep=sweep)
    )
    splits = generate(study.datasets["balanced"].questions.root)
    schema.write(folder / "test.jsonl", splits["test"])
    plan, template = Plan(study), TEMPLATES[request.param["template"]]
    texts = [template.text(question) for split in splits.values() for question in split]
    model, tokenizer = base_model.make(study.model, 0, texts)
    saved = {}
    for method in METHODS:
        spec = plan.chains[Run("balanced", method, 1)][-1]
        saved[method] = folder / method
        saved[method].mkdir()
        facts = {"spec": spec.model_dump(mode="json"), "thoughts": spec.layout.thoughts}
        checkpoints.save(saved[method], model, tokenizer, facts)
    return Trained(plan, splits["test"], folder / "test.jsonl", saved)
