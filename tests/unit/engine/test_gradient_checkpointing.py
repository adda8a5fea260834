"""Layers recomputed in the backward pass: the same numbers with less memory."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate
from coconut_study.engine.gradient_checkpointing import checkpoint_layers

from .test_engine import gradients, sequence

DROPOUT = 0.2


@pytest.fixture
def rows():
    """Rows of different lengths and numbers of thoughts."""
    rng = np.random.default_rng(0)
    return [sequence(rng, *shape) for shape in ((5, 2, 4), (9, 0, 3), (3, 3, 6), (7, 1, 2))]


@pytest.fixture
def plain(model):
    """The model with dropout, which Llama and Qwen have only in their attention."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = DROPOUT
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = DROPOUT
    return model


@pytest.fixture
def checkpointed(plain):
    other = deepcopy(plain)
    checkpoint_layers(other)
    return other


def loss(model, rows, seed=0):
    """The loss in training mode, with the dropout that belongs to a seed."""
    model.train()
    torch.manual_seed(seed)
    return forward.loss_sum(model, collate(rows, pad=0))


def assert_same_gradients(one, two, rows):
    first, second = loss(one, rows), loss(two, rows)
    assert torch.equal(first, second)
    ours, theirs = gradients(one, first), gradients(two, second)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name
    assert all(gradient.abs().max() > 0 for gradient in ours.values())


def test_dropout_is_at_work(plain, rows):
    assert loss(plain, rows, seed=0) != loss(plain, rows, seed=1)


def test_gradients_through_thoughts_are_the_same(plain, checkpointed, rows):
    assert_same_gradients(plain, checkpointed, rows)


def test_gradients_without_thoughts_are_the_same(plain, checkpointed, rows):
    assert_same_gradients(plain, checkpointed, [rows[1], rows[1]])


def test_gradients_of_rows_with_a_shared_prefix_are_the_same(plain, checkpointed, rows):
    other = replace(rows[0], before=[*rows[0].before[:-1], rows[0].before[-1] % 27 + 1])
    assert collate([rows[0], other], pad=0).prefixes is not None
    assert_same_gradients(plain, checkpointed, [rows[0], other])


def test_a_second_call_changes_nothing(plain, checkpointed, rows):
    checkpoint_layers(checkpointed)
    assert_same_gradients(plain, checkpointed, rows)


def test_less_is_stored_for_the_backward_pass(plain, checkpointed, rows):
    def kept(model):
        sizes = []
        with saved_tensors_hooks(
            lambda tensor: sizes.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            loss(model, rows)
        return sum(sizes)

    assert kept(checkpointed) < 0.5 * kept(plain)


def test_layers_are_recomputed_once_and_only_in_training(checkpointed, rows, marks):
    calls = []
    for module in checkpointed.modules():
        if type(module).__name__ in ("GPT2MLP", "LlamaMLP", "Qwen2MLP"):
            module.register_forward_pre_hook(lambda *_: calls.append(1))
    found = loss(checkpointed, rows)
    forward = len(calls)
    assert forward == 2 * (1 + 3 + 1)  # two layers; the question, three thoughts, and the tokens after them
    found.backward()
    assert len(calls) == 2 * forward
    decoding.generate(checkpointed, [row.prompt for row in rows[:1]], [2], 1, marks)
    assert len(calls) == 2 * forward + 2 * (1 + 2 + 1)  # the same, once


def test_decoding_is_unchanged(plain, checkpointed, marks):
    rng = np.random.default_rng(2)
    prompts = [sequence(rng, before, 0, 1, 0) for before in (4, 9, 6)]
    found = decoding.generate(checkpointed.eval(), prompts, [0, 1, 3], 8, marks)
    assert found == decoding.generate(plain.eval(), prompts, [0, 1, 3], 8, marks)
