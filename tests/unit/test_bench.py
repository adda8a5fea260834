"""The plain implementation gives the engine's numbers, and the benchmark writes what its page shows."""

import re
from dataclasses import replace

import pandas as pd
import pytest
import torch
from accelerate.state import AcceleratorState

from bench import plain, work
from bench.__main__ import app
from bench.report import page, weights
from bench.work import Size
from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate

SIZE = Size("tiny", batch=5, question=40, thoughts=2, suffix=5)
CPU = torch.device("cpu")


@pytest.fixture
def any_precision():
    """Accelerate allows one precision a process; here it has none, before and after."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="module")
def network():
    return work.new_model(SIZE, CPU, torch.float64)


@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("thoughts", [0, 1, 3])
def test_plain_loss_and_gradients_are_the_engines(network, thoughts, mirrors):
    batch = collate(work.sequences(replace(SIZE, thoughts=thoughts), mirrors=mirrors), 0)
    assert (batch.prefixes is not None) == mirrors
    found = []
    for loss in (plain.loss_sum, forward.loss_sum):
        network.zero_grad()
        value = loss(network, batch)
        value.backward()
        found.append([value.detach(), *(p.grad.clone() for p in network.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("thoughts", [1, 3])
def test_plain_responses_are_the_engines(network, thoughts, mirrors):
    size = replace(SIZE, thoughts=thoughts)
    prompts = [row.prompt for row in work.sequences(size, mirrors=mirrors)]
    ours = decoding.generate(network.eval(), prompts, [thoughts], 4, work.marks())
    assert plain.respond(network, prompts, 4, -1) == [row[0] for row in ours]


def test_short_questions_have_no_facts_to_share():
    short = work.sequences(replace(SIZE, question=8, batch=20), mirrors=True)
    assert {len(row.after) for row in short} == {SIZE.suffix}


def test_mirror_questions_are_as_long_as_others():
    apart, mirrors = work.sequences(SIZE), work.sequences(SIZE, mirrors=True)
    assert [len(row) for row in apart] == [len(row) for row in mirrors]
    facts = len(mirrors[0].before) - work.QUERY
    assert mirrors[0].before[:facts] == mirrors[1].before[:facts]
    assert mirrors[0].before[facts:] != mirrors[1].before[facts:]


def test_the_floor_has_as_many_tokens_and_no_thoughts():
    with_thoughts, without = work.sequences(SIZE), work.without_thoughts(SIZE)
    assert [len(row) for row in with_thoughts] == [len(row) for row in without]
    assert [row.n_loss for row in with_thoughts] == [row.n_loss for row in without]
    assert {row.thoughts for row in without} == {0}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_writes_every_measurement_and_the_page_shows_their_ratios(tmp_path, any_precision, precision):
    table = tmp_path / "cpu.csv"
    options = {"model": "tiny", "precision": precision, "batch": 2, "question": 20, "thoughts": 2,
               "suffix": 4, "written-tokens": 3, "max-thoughts": 4, "repeats": 1, "out": table}  # fmt: skip
    app(["run", *(f"--{name}={value}" for name, value in options.items())], standalone_mode=False)
    found = pd.read_csv(table)
    assert set(found["what"]) == {
        "training",
        "decoding",
        "thoughts",
        "one token",
        "recipe",
        "flops",
        "saving",
    }
    assert found["seconds"].gt(0).all()
    assert found.loc[found["what"] == "thoughts", "thoughts"].tolist() == [0, 1, 2, 3, 4]
    assert "times the forward pass of one token" in page(found)
    assert page(found[found["what"] == "saving"]).count("**") == 2  # what was not measured is left out
    recipe = found[found["what"] == "recipe"]
    assert recipe["thoughts"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert recipe["epochs"].sum() == 50
    hours = (recipe["seconds"] * recipe["epochs"]).sum() * 17886 / 2 / 3600
    shown = page(found)
    assert re.search(rf" {round(hours, 3):g} *\|", shown)
    assert "plain / ours" in shown
    assert "ours / ordinary" in shown
    assert f"## {found['device'][0]}, {precision}" in shown


def test_weights_are_those_of_the_layers(network):
    layers = [p for name, p in network.named_parameters() if ".h." in name and p.ndim == 2]
    assert weights("tiny") == sum(p.numel() for p in layers)
