"""Several processes learn what one process learns, with and without sharding."""

import json
import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
import torch
from accelerate import PartialState
from safetensors.torch import load_file

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine import forward as engine
from coconut_study.engine.batches import collate
from coconut_study.evaluation import respond
from coconut_study.questions import datasets, schema
from coconut_study.sequences.builder import Sequence
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model
from coconut_study.training.commands import train
from coconut_study.training.distributed import rows
from coconut_study.training.learner import Learner
from coconut_study.training.stage import StageTrainer

from ...studies import settings, with_value

ROOT = Path(__file__).parents[3]
GPT2 = {
    "model_type": "gpt2", "n_layer": 2, "n_head": 1, "n_embd": 16, "n_positions": 256,
    "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
}  # fmt: skip
LLAMA = {
    "model_type": "llama", "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
    "hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 256, "tie_word_embeddings": False,
}  # fmt: skip
LORA = {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": None}
# Batches of 9 questions in parts of 3, and of 1 at the end: shares are uneven, and one is empty.
TRAINING = {"batch_size": 9, "micro_batch_size": 3, "clip": 0.5, "reset_optimizer": "never"}
CASES = {
    "tied": ({"architecture": GPT2}, {}),
    "untied": ({"architecture": LLAMA}, {"gradient_checkpointing": True, "clip": None}),
    "adapters": ({"architecture": GPT2, "lora": LORA}, {}),
}


def study_of(case):
    model, training = CASES[case]
    raw = settings("smoke") | {"comparisons": {}}
    raw["model"], raw["training"] = raw["model"] | model, raw["training"] | TRAINING | training
    return read_study(with_value(raw, "datasets.balanced.schedule.epochs", [1, 1, 2]))


def prepare(case, folder: Path) -> None:
    """Questions, the base model, and the specs of the stages after the first, in a folder."""
    study = study_of(case)
    splits = datasets.generate(study.datasets["balanced"].questions.root)
    for split, found in splits.items():
        schema.write(folder / f"{split}.jsonl", found)
    model, tokenizer = base_model.make(study.model, 0, map(TEMPLATES["prose"].text, splits["train"]))
    (folder / "base").mkdir()
    checkpoints.save(folder / "base", model, tokenizer, {})
    specs = [spec.model_dump(mode="json") for spec in Plan(study).chain("balanced", "coconut", 1)[1:]]
    (folder / "specs.json").write_text(json.dumps(specs))


def train_stages(folder: Path, sharding: str) -> None:
    """All stages of a folder, one from the checkpoint of the other; each epoch seems worse than the last."""
    parent, measure, epochs = folder / "base", StageTrainer.accuracy, count()
    with mock.patch.object(StageTrainer, "accuracy", lambda self: measure(self) - next(epochs)):
        for i, spec in enumerate(json.loads((folder / "specs.json").read_text())):
            spec["training"]["sharding"] = sharding
            out = folder / sharding / str(i)
            train(
                json.dumps(spec), parent, folder / "train.jsonl", folder / "valid.jsonl",
                out / "checkpoint", out / "history.csv",
            )  # fmt: skip
            parent = out / "checkpoint"
            PartialState().wait_for_everyone()  # the checkpoint is written by one


N_UPDATES = 8  # of epoch 1 in `stop_and_resume`


def stop_and_resume(folder: Path, sharding: str) -> None:
    """A stage trained undisturbed, and another time with a signal to one process during an evaluation.

    Each process writes how many batches of the evaluation after epoch 1 it began, the error, the files of the
    states, and how many updates it made when it resumed.
    """
    spec = json.loads((folder / "specs.json").read_text())[0]
    spec["training"]["sharding"], spec["evaluation"]["batch_size"] = sharding, 2
    outs = [folder / f"{name}-{sharding}" for name in ("undisturbed", "resumed")]
    generate, update, batches, updates = respond.generate, Learner.update, [], []

    def train_into(out: Path) -> None:
        train(
            json.dumps(spec), folder / "base", folder / "train.jsonl", folder / "valid.jsonl",
            out / "checkpoint", out / "history.csv",
        )  # fmt: skip
        PartialState().wait_for_everyone()

    def signalled(*arguments):
        batches.append(len(updates))
        if batches.count(N_UPDATES) == 2 and PartialState().process_index == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return generate(*arguments)

    def counted(self, *arguments):
        updates.append(1)
        return update(self, *arguments)

    train_into(outs[0])
    with mock.patch.object(Learner, "update", counted):
        with mock.patch.object(respond, "generate", signalled), pytest.raises(StudyError) as ended:
            train_into(outs[1])
        PartialState().wait_for_everyone()
        states = sorted(path.name for path in (outs[1] / "state").glob("*/*.safetensors"))
        PartialState().wait_for_everyone()
        train_into(outs[1])
    said = {
        "batches": batches.count(N_UPDATES), "error": str(ended.value), "states": states,
        "updates": len(updates) - N_UPDATES,
    }  # fmt: skip
    (outs[1] / f"process{PartialState().process_index}.json").write_text(json.dumps(said))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Every case, trained by this process and by two that share the model."""
    folders = {case: tmp_path_factory.mktemp(case) for case in CASES}
    for case, folder in folders.items():
        prepare(case, folder)
        train_stages(folder, "none")
    launch = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m", __name__]
    done = subprocess.run(
        [sys.executable, *launch, *map(str, folders.values())],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folders


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stage", ["0", "1"])
def test_shards_learn_what_one_process_learns(trained, case, stage):
    one, shards = trained[case] / "none" / stage, trained[case] / "full" / stage
    names = {path.name for path in (one / "checkpoint").iterdir()}
    assert names == {path.name for path in (shards / "checkpoint").iterdir()}
    for name in sorted(name for name in names if name.endswith(".safetensors")):
        expected, found = load_file(one / "checkpoint" / name), load_file(shards / "checkpoint" / name)
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, rtol=1e-4, atol=1e-5, msg=f"{name}: {key}")
    history, other = pd.read_csv(one / "history.csv"), pd.read_csv(shards / "history.csv")
    pd.testing.assert_frame_equal(other, history, rtol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_of_shards_is_an_ordinary_one_of_the_best_epoch(trained, case):
    folder = trained[case] / "full"
    (model, _), (before, _) = (checkpoints.load(folder / name) for name in ("1/checkpoint", "../base"))
    assert type(model) is type(before)
    assert checkpoints.card(folder / "1" / "checkpoint")["processes"] == 2
    history = pd.read_csv(folder / "1" / "history.csv")
    assert history["epoch"].tolist() == [0, 1, 2]
    assert history["accuracy"].is_monotonic_decreasing  # so the first epoch is kept


@pytest.mark.parametrize("sharding", ["none", "full"])
def test_a_signal_to_one_process_during_an_evaluation_saves_the_states_of_all(trained, sharding):
    """It was noticed after the next update. To resume repeats the evaluation, and no update."""
    undisturbed, resumed = (trained["tied"] / f"{name}-{sharding}" for name in ("undisturbed", "resumed"))
    for process in (0, 1):
        said = json.loads((resumed / f"process{process}.json").read_text())
        assert "ended by" in said["error"]
        assert f"after {N_UPDATES} updates of epoch 1" in said["error"]
        assert said["states"] == ["process0-state1.safetensors", "process1-state1.safetensors"]
        assert said["updates"] == 0
        # Processes that share a model evaluate together; without shards, the other ends its own questions.
        assert said["batches"] == (2 if process == 1 or sharding == "full" else 4)
    for name in ("history.csv", "checkpoint/model.safetensors"):
        assert (resumed / name).read_bytes() == (undisturbed / name).read_bytes()
    assert not (resumed / "state").exists()


@pytest.mark.parametrize("n_processes", [1, 2, 5])
def test_rows_of_a_batch_add_up_to_it(model, marks, n_processes):
    sequences = [
        Sequence([1, 2, 3], 2, [4, 5], list(range(7)), 2),
        Sequence([1, 2], 1, [6, 7, 0], list(range(6)), 1),
        Sequence([3, 2], 0, [7, 0], list(range(4)), 2),
    ]
    batch = collate(sequences, marks.pad)
    parts = [rows(batch, i, n_processes) for i in range(n_processes)]
    assert {part.tokens_BT.shape[1] for part in parts} == {batch.tokens_BT.shape[1]}
    assert min(len(part.tokens_BT) for part in parts) > 0
    thoughts = slice(batch.first_thought, batch.first_thought + batch.n_thoughts)
    assert sum(int(part.mask_BT[:, thoughts].sum()) for part in parts) == 3
    found = sum(engine.loss_sum(model, part) for part in parts)
    torch.testing.assert_close(found, engine.loss_sum(model, batch))


def test_shards_and_a_scaled_loss_are_refused():
    training = {"sharding": "full", "precision": "fp16"}
    with pytest.raises(ValueError, match="sharding: full needs precision: no, tf32 or bf16"):
        read_study(settings("smoke") | {"training": settings("smoke")["training"] | training})


# ------------------------------------------------------------------------------------- without sharding


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A stage with thoughts, what it starts from, and its questions, in a folder."""
    study = read_study(with_value(settings("smoke"), "model.architecture", {
        "model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 16, "n_positions": 256,
        "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
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


def trained_by(folder, n_processes: int):
    """Weights, history and card after training in some processes."""
    out = folder / f"by{n_processes}"
    launch = ["-m", "torch.distributed.run", f"--nproc-per-node={n_processes}", "--standalone"]
    command = ["-m", "coconut_study", "train", "--spec", (folder / "spec.json").read_text()]
    command += ["--parent", folder / "base"]
    command += ["--train", folder / "train.jsonl", "--valid", folder / "valid.jsonl"]
    command += ["--checkpoint", out / "checkpoint", "--history", out / "history.csv"]
    done = subprocess.run(
        [sys.executable, *(launch if n_processes > 1 else []), *map(str, command)],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    card = json.loads((out / "checkpoint" / "card.json").read_text())
    return load_file(out / "checkpoint" / "model.safetensors"), (out / "history.csv").read_text(), card


def test_two_processes_give_the_result_of_one(folder):
    (one, history, _), (two, shared, card) = trained_by(folder, 1), trained_by(folder, 2)
    assert card["processes"] == 2
    before = load_file(folder / "base" / "model.safetensors")
    assert any(not torch.equal(one[name], before[name]) for name in one)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=1e-6)
    rows = [[float(cell or "nan") for cell in line.split(",")] for line in history.splitlines()[1:]]
    others = [[float(cell or "nan") for cell in line.split(",")] for line in shared.splitlines()[1:]]
    torch.testing.assert_close(torch.tensor(rows), torch.tensor(others), rtol=0, atol=1e-5, equal_nan=True)


if __name__ == "__main__":
    folders = [Path(name) for name in sys.argv[1:]]
    for folder in folders:
        train_stages(folder, "full")
    for sharding in ("none", "full"):
        stop_and_resume(folders[0], sharding)
