"""Soft thoughts: what is fed back is the expected embedding of the predicted token."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate

from .test_edits import K, answers, edited, same_bits
from .test_engine import assert_close, gradients, sequence


@pytest.fixture
def mixed():
    """Rows of different lengths and numbers of thoughts."""
    rng = np.random.default_rng(0)
    rows = [sequence(rng, *shape) for shape in ((5, 2, 4), (9, 0, 3), (3, 3, 6), (7, 1, 2))]
    return [replace(row, soft=row.thoughts > 0) for row in rows]


@pytest.fixture
def prompts():
    rng = np.random.default_rng(0)
    return [replace(sequence(rng, before, K, 1, 0), soft=True) for before in (5, 8, 6)]


def by_definition(model, row):
    """Logits of a sequence, without cache or batch: thoughts appended one at a time to a growing input."""
    table, head = model.get_input_embeddings().weight, model.get_output_embeddings()
    inputs = table[row.before][None]
    for _ in range(row.thoughts):
        state = model.base_model(inputs_embeds=inputs, use_cache=False).last_hidden_state[0, -1]
        thought = sum(p * table[token] for token, p in enumerate(head(state).softmax(dim=0)))
        inputs = torch.cat([inputs, thought[None, None]], dim=1)
    inputs = torch.cat([inputs, table[row.after][None]], dim=1)
    return model(inputs_embeds=inputs, use_cache=False).logits[0]


def with_loss(model, row):
    return by_definition(model, row)[-row.n_loss - 1 : -1]


def test_logits_and_gradients_equal_the_definition_row_by_row(model, mixed):
    batch = collate(mixed, pad=0)
    expected = torch.cat([with_loss(model, row) for row in mixed])
    assert_close(model, forward.predictions(model, batch), expected)
    ours = gradients(model, forward.loss_sum(model, batch))
    losses = torch.nn.functional.cross_entropy(expected, batch.target_N, reduction="sum")
    for name, gradient in gradients(model, losses).items():
        assert_close(model, ours[name], gradient)


def test_soft_thoughts_are_not_hidden_states(model, mixed):
    soft, hidden = (collate([replace(row, soft=one) for row in mixed], pad=0) for one in (True, False))
    assert (forward.predictions(model, soft) - forward.predictions(model, hidden)).abs().max() > 1e-3


def test_as_many_iterations_as_thoughts_give_the_same(model, mixed):
    one_by_one = forward.predictions(model, collate(mixed, pad=0))
    rows = [replace(row, iterations=3) for row in mixed]
    assert_close(model, forward.predictions(model, collate(rows, pad=0)), one_by_one)


def test_decoding_with_a_cache_equals_recomputation(model, prompts, marks):
    for prompt, [ids] in zip(prompts, decoding.generate(model, prompts, [K], 6, marks), strict=True):
        written = []
        while len(written) < 6 and marks.eos not in written:
            with torch.no_grad():
                grown = replace(prompt, after=prompt.after + written)
                written.append(int(by_definition(model, grown)[-1].argmax()))
        assert ids == written


def test_edits_see_expected_embeddings(model, prompts, marks):
    own = decoding.thoughts(model, prompts, marks)
    states = decoding.thought_states(model, prompts, K, marks)
    with torch.no_grad():
        shares = model.get_output_embeddings()(states[:, :K]).softmax(dim=-1)
    assert_close(model, own.input_BKD, (shares @ model.get_input_embeddings().weight).detach())


def test_own_thoughts_put_back_change_no_bit(model, prompts, marks):
    own = decoding.thoughts(model, prompts, marks)
    edit = edited(own, inputs=[(0, 1, 2)] * 3)
    same_bits(answers(model, prompts, marks, edit), answers(model, prompts, marks))
