"""What the checkpoints of a study need on the disk, before anything is trained."""

import pytest
import torch
from safetensors.torch import load_file

from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import MARKS
from coconut_study.training import base_model, disk
from coconut_study.training.settings import Model

from ...studies import plan_of, smoke

GPT2 = {"model_type": "gpt2", "n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 64, "vocab_size": 100}
# Embeddings, two layers (two norms, attention, feed-forward, each with biases), and a norm.
WEIGHTS = 100 * 16 + 64 * 16 + 2 * (2 * 32 + 16 * 48 + 48 + 16 * 16 + 16 + 2 * 16 * 64 + 64 + 16) + 32


def model(**values) -> Model:
    return Model(**{"architecture": GPT2, "tokenizer": "other", "new_tokens": {"init": "random"}} | values)


@pytest.mark.parametrize(("dtype", "n_bytes"), [("float32", 4), ("bfloat16", 2)])
def test_the_size_of_a_model_is_its_weights_times_their_bytes(dtype, n_bytes):
    assert disk.sizes(model(dtype=dtype)) == (WEIGHTS * n_bytes, WEIGHTS * n_bytes)


def test_with_lora_a_stage_keeps_its_adapters_and_the_embeddings_of_the_marks_alone():
    lora = {"rank": 3, "alpha": 4, "dropout": 0.0, "targets": ["c_attn"]}
    size = disk.sizes(model(lora=lora))
    assert size.whole == WEIGHTS * 4
    assert size.learned == 4 * (2 * 3 * (16 + 48) + len(MARKS) * 16)


def test_a_checkpoint_on_the_disk_has_the_size_that_was_told(tmp_path):
    """Its tokens are the words of the questions, whose embeddings are not counted."""
    small = model(tokenizer="words", architecture={k: v for k, v in GPT2.items() if k != "vocab_size"})
    made, tokenizer = base_model.make(small, 0, [])
    checkpoints.save(tmp_path, made, tokenizer, {})
    saved = sum(t.numel() * t.element_size() for t in load_file(tmp_path / "model.safetensors").values())
    assert disk.sizes(small).whole == saved - (len(tokenizer) - len(MARKS)) * 16 * torch.float32.itemsize


def test_checkpoints_with_an_optimizer_have_two_moments_of_each_weight():
    size = disk.Sizes(whole=1000, learned=10)
    assert size.checkpoints(bases=2, stages=5, optimizers=3) == 2 * 1000 + 5 * 10 + 3 * 20
    assert size.states == 3 * 4 * 10


def test_the_plan_counts_the_checkpoints_of_each_value_of_keep():
    """By two seeds: three stages of Coconut, two of pause as thought after the same first one, and CoT."""
    study = smoke(["coconut", "pause_as_thought", "cot"], training__reset_optimizer="stage")
    (kept,) = plan_of(study).kept
    assert (kept["bases"], kept["all"], kept["last"]) == (1, (12, 0), (6, 0))
    (kept,) = plan_of(study | {"training": study["training"] | {"reset_optimizer": "never"}}).kept
    assert (kept["all"], kept["last"]) == ((12, 12), (6, 6))


def test_lines_say_checkpoints_and_gigabytes_and_what_is_not_known(monkeypatch):
    kept = disk.Kept(model=model(), bases=1, all=(4, 0), last=(4, 4))
    monkeypatch.setattr(disk.preflight, "mistakes", lambda _: [])
    monkeypatch.setattr(disk, "sizes", lambda _: disk.Sizes(500_000_000, 50_000_000))
    assert list(disk.lines([kept])) == [
        "Disk: a new gpt2",
        "  machine.keep: all: 5 checkpoints, about 700.0 MB",
        "  machine.keep: last: 5 checkpoints, about 1.1 GB",
        "  while a stage trains, its states, besides: up to 600.0 MB",
    ]
    monkeypatch.setattr(disk.preflight, "mistakes", lambda _: ["model.path: x is not there"])
    assert list(disk.lines([kept]))[1:] == [
        "  machine.keep: all: 5 checkpoints",
        "  machine.keep: last: 5 checkpoints",
        "  size not known: model.path: x is not there",
    ]
