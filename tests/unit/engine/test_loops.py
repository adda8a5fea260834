"""Loops: the whole sequence is read several times, each time with the states of the time before."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate
from coconut_study.sequences.builder import Sequence

from .test_engine import assert_close, gradients, sequence


def looped(rows, *loops):
    return [replace(row, loops=n) for row, n in zip(rows, loops, strict=True)]


@pytest.fixture
def rows():
    """Rows of different lengths."""
    rng = np.random.default_rng(0)
    return [sequence(rng, before, 0, after) for before, after in ((5, 4), (9, 3), (3, 6))]


def by_definition(model, ids, loops):
    """Logits (T, V) of a sequence, without cache or batch: every pass reads the whole sequence."""
    embeds = model.get_input_embeddings()(torch.tensor([ids]))
    hidden = torch.zeros_like(embeds)
    for _ in range(loops + 1):
        hidden = model.base_model(inputs_embeds=embeds + hidden, use_cache=False).last_hidden_state
    return model.get_output_embeddings()(hidden)[0]


def with_loss(model, row):
    return by_definition(model, row.before + row.after, row.loops)[-row.n_loss - 1 : -1]


@pytest.mark.parametrize("loops", [(2, 2, 2), (0, 3, 1)])
def test_logits_and_gradients_equal_the_definition_row_by_row(model, rows, loops):
    rows = looped(rows, *loops)
    batch = collate(rows, pad=0)
    expected = [with_loss(model, row) for row in rows]
    assert_close(model, forward.predictions(model, batch), torch.cat(expected))
    ours = gradients(model, forward.loss_sum(model, batch))
    losses = [
        cross_entropy(logits, torch.tensor(row.after[-row.n_loss :]), reduction="sum")
        for row, logits in zip(rows, expected, strict=True)
    ]
    theirs = gradients(model, torch.stack(losses).sum())
    for name, gradient in theirs.items():
        assert_close(model, ours[name], gradient)


def test_one_loop_is_the_plain_model_bit_for_bit(model, rows):
    plain, once = collate(rows, pad=0), collate(looped(rows, 0, 0, 0), pad=0)
    assert forward.predictions(model, once).equal(forward.predictions(model, plain))
    reader = forward.Reader(model, once.n_loops)
    states = reader.read(reader.embed(once.tokens_BT), once.mask_BT, once.positions_BT)
    assert states.equal(forward.Reader(model).read(*_inputs(model, plain)))
    expected = gradients(model, forward.loss_sum(model, plain))
    assert all(
        gradient.equal(expected[name])
        for name, gradient in gradients(model, forward.loss_sum(model, once)).items()
    )


def _inputs(model, batch):
    return model.get_input_embeddings()(batch.tokens_BT), batch.mask_BT, batch.positions_BT


def test_more_loops_change_the_logits(model, rows):
    one, two = (forward.predictions(model, collate(looped(rows, n, n, n), pad=0)) for n in (1, 2))
    assert (one - two).abs().max() > 1e-3


def test_columns_read_one_by_one_have_the_states_of_a_whole_pass(model, rows):
    batch = collate(looped(rows[:1], 2), pad=0)
    whole = forward.hidden_states(model, batch)
    embeds, mask, positions = _inputs(model, batch)
    reader = forward.Reader(model, batch.n_loops)
    parts = [
        reader.read(embeds[:, i : i + 1], mask[:, : i + 1], positions[:, i : i + 1])
        for i in range(embeds.shape[1])
    ]
    assert_close(model, torch.cat(parts, dim=1), whole)


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("loops", [0, 1, 3])
def test_decoding_with_a_cache_equals_recomputation(model, marks, loops, share):
    rng = np.random.default_rng(2)
    prompts = looped([sequence(rng, n, 0, 0, 0) for n in (10, 9, 6)], *[loops] * 3)
    if share:
        prompts[1].before[:8] = prompts[0].before[:8]
    assert (collate(prompts, pad=0, aligned=True).prefixes is not None) == share
    found = decoding.generate(model, prompts, [0], 8, marks)
    for prompt, [ids] in zip(prompts, found, strict=True):
        written = []
        while len(written) < 8 and marks.eos not in written:
            with torch.no_grad():
                logits = by_definition(model, prompt.before + written, loops)
            written.append(int(logits[-1].argmax()))
        assert ids == written


def test_rows_that_are_finished_leave_the_caches_of_all_loops(marks, monkeypatch):
    from ...conftest import tiny

    model = tiny("gpt2")
    rng = np.random.default_rng(3)
    prompts = looped([sequence(rng, 5, 0, 0, 0) for _ in range(16)], *[0, 1, 2, 2] * 4)
    head = model.get_output_embeddings()
    original = head.forward
    monkeypatch.setattr(head, "forward", lambda hidden: original(hidden) + 2 * (torch.arange(32) == 0))
    found = decoding.generate(model, prompts, [0], 10, marks)
    assert len({len(ids) for row in found for ids in row}) > 2
    assert found == [decoding.generate(model, [prompt], [0], 10, marks)[0] for prompt in prompts]


def test_forced_answers_come_from_the_last_loop(model, marks):
    rng = np.random.default_rng(4)
    prompts = looped([sequence(rng, n, 0, 0, 0) for n in (6, 4)], 2, 2)
    options = [decoding.Option([5], [7]), decoding.Option([5], [9])]
    found, _ = decoding.answer(model, prompts, [options] * 2, 3, marks)
    for row, prompt in zip(found, prompts, strict=True):
        logits = by_definition(model, [*prompt.before, 5], 2)[-1].log_softmax(dim=-1).exp()
        torch.testing.assert_close(row, logits[[7, 9]].float(), rtol=0, atol=1e-5)


def test_a_shared_beginning_is_read_once_in_every_loop(model):
    rng = np.random.default_rng(5)
    rows = looped([sequence(rng, 9, 0, 4) for _ in range(2)], 2, 2)
    rows[1].before[:7] = rows[0].before[:7]
    batch = collate(rows, pad=0)
    assert batch.prefixes is not None
    expected = torch.cat([with_loss(model, row) for row in rows])
    assert_close(model, forward.predictions(model, batch), expected)
    assert collate(looped(rows, 1, 2), pad=0).prefixes is None


def test_a_sequence_with_loops_has_no_places_for_them():
    row = Sequence([1, 2], 0, [3], [0, 1, 2], 1, loops=4)
    assert len(row) == 3
    assert collate([row], pad=0).tokens_BT.tolist() == [[1, 2, 3]]
