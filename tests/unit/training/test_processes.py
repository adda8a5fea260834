"""Several processes learn what one learns."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from coconut_study.engine import checkpoints
from coconut_study.questions import datasets, schema
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model

from ...studies import settings, with_value

STILL = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A stage with thoughts, what it starts from, and its questions, in a folder."""
    study = read_study(with_value(settings("smoke"), "model.architecture", {
        "model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 16, "n_positions": 256, **STILL,
    }))  # fmt: skip
    folder = tmp_path_factory.mktemp("processes")
    splits = datasets.generate(study.datasets["balanced"].questions.root)
    for split, found in splits.items():
        schema.write(folder / f"{split}.jsonl", found)
    model, tokenizer = base_model.make(study.model, 0, map(TEMPLATES["prose"].text, splits["train"]))
    (folder / "base").mkdir()
    checkpoints.save(folder / "base", model, tokenizer, {})
    (folder / "spec.json").write_text(Plan(study).chain("balanced", "coconut", 1)[1].model_dump_json())
    return folder


def trained(stage, n_processes: int):
    """Weights, history and card after training in some processes."""
    out = stage / f"by{n_processes}"
    launch = ["-m", "torch.distributed.run", f"--nproc-per-node={n_processes}", "--standalone"]
    command = ["-m", "coconut_study", "train", "--spec", (stage / "spec.json").read_text()]
    command += [
        "--parent",
        stage / "base",
        "--train",
        stage / "train.jsonl",
        "--valid",
        stage / "valid.jsonl",
    ]
    command += ["--checkpoint", out / "checkpoint", "--history", out / "history.csv"]
    done = subprocess.run(
        [sys.executable, *(launch if n_processes > 1 else []), *map(str, command)],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    card = json.loads((out / "checkpoint" / "card.json").read_text())
    return load_file(out / "checkpoint" / "model.safetensors"), (out / "history.csv").read_text(), card


def test_two_processes_give_the_result_of_one(stage):
    (one, history, _), (two, shared, card) = trained(stage, 1), trained(stage, 2)
    assert card["processes"] == 2
    before = load_file(stage / "base" / "model.safetensors")
    assert any(not torch.equal(one[name], before[name]) for name in one)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=1e-6)
    rows = [[float(cell or "nan") for cell in line.split(",")] for line in history.splitlines()[1:]]
    others = [[float(cell or "nan") for cell in line.split(",")] for line in shared.splitlines()[1:]]
    torch.testing.assert_close(torch.tensor(rows), torch.tensor(others), rtol=0, atol=1e-5, equal_nan=True)
