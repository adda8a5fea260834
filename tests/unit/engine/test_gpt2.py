"""GPT-2's last block computes states where they are read, and the same ones."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from coconut_study.engine import forward
from coconut_study.engine.batches import collate
from coconut_study.engine.gpt2 import faster
from coconut_study.engine.gradient_checkpointing import checkpoint_layers
from coconut_study.sequences.builder import Sequence


@pytest.fixture
def plain():
    """A small GPT-2 in float64, as transformers has it."""
    config = AutoConfig.for_model(
        "gpt2", n_layer=3, n_head=2, n_embd=16, n_positions=40, vocab_size=20,
        attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return AutoModelForCausalLM.from_config(config).double()


def rows(thoughts, lengths=(9, 12, 7)):
    """Questions of different lengths with some thoughts each, and three predicted tokens."""
    rng = np.random.default_rng(3)
    made = []
    for n, k in zip(lengths, thoughts, strict=True):
        ids = rng.integers(1, 20, n + 3).tolist()
        made.append(Sequence(ids[:n], k, ids[n:], list(range(n + k + 3)), 3))
    return made


CASES = {
    "without thoughts": rows((0, 0, 0)),
    "as many thoughts in each row": rows((2, 2, 2)),
    "other numbers of thoughts": rows((0, 3, 1)),
    "equal lengths, no padding": rows((0, 0, 0), (9, 9, 9)),
}


@pytest.mark.parametrize("case", CASES)
def test_states_that_are_read_and_gradients_are_those_of_all_columns(plain, case):
    batch, quick = collate(CASES[case], pad=0), faster(deepcopy(plain))
    for model, first_read in ((plain, 0), (quick, batch.first_read)):
        model.zero_grad()
        model.states = forward.hidden_states(model, batch, first_read)
        forward.loss_sum(model, batch, model.states).backward()
    assert batch.first_read > 0
    states = (model.states[:, batch.first_read :] for model in (quick, plain))
    read = batch.mask_BT[:, batch.first_read :].bool()
    found, expected = (one[read] for one in states)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    for (name, one), (_, other) in zip(quick.named_parameters(), plain.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-12, msg=name)


def test_states_that_are_not_read_are_not_computed(plain):
    batch = collate(CASES["without thoughts"], pad=0)
    quick = faster(plain)
    assert not quick.base_model.h[-1](torch.randn(1, 5, 16).double(), n_read=2)[:, :3].any()
    shapes = []
    quick.base_model.h[-1].mlp.register_forward_pre_hook(lambda _, inputs: shapes.append(inputs[0].shape[1]))
    forward.hidden_states(quick, batch, batch.first_read)
    forward.hidden_states(quick, batch)
    assert shapes == [batch.mask_BT.shape[1] - batch.first_read, batch.mask_BT.shape[1]]


def test_a_copy_of_a_model_computes_with_its_own_weights(plain):
    batch, quick = collate(CASES["other numbers of thoughts"], pad=0), faster(plain)
    other = deepcopy(quick)
    with torch.no_grad():
        for weight in other.base_model.h[-1].parameters():
            weight.zero_()
        assert not torch.equal(forward.loss_sum(other, batch), forward.loss_sum(quick, batch))


def test_gradients_are_the_same_when_layers_are_computed_again(plain):
    batch, quick = collate(CASES["other numbers of thoughts"], pad=0), faster(plain)
    again = deepcopy(quick)
    checkpoint_layers(again)
    for model in (quick, again):
        forward.loss_sum(model, batch).backward()
    for (name, one), (_, other) in zip(again.named_parameters(), quick.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-12, msg=name)


def test_other_attention_implementations_compute_all_columns(plain):
    batch, quick = collate(CASES["without thoughts"], pad=0), faster(deepcopy(plain))
    quick.set_attn_implementation("eager")
    found, expected = (forward.hidden_states(model, batch, batch.first_read) for model in (quick, plain))
    read = batch.mask_BT.bool()
    torch.testing.assert_close(found[read], expected[read], rtol=0, atol=1e-12)
