"""Edits of thoughts: put back they change nothing, and others count as if they had been computed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate
from coconut_study.engine.decoding import Option
from coconut_study.engine.edits import Recorder, Replacement, Thoughts
from coconut_study.sequences.builder import Sequence

from .test_engine import assert_close, plain, sequence

K = 3
OPTIONS = [(Option([5], [7]), Option([5], [9, 11]))]


@pytest.fixture
def prompts():
    rng = np.random.default_rng(0)
    return [sequence(rng, before, K, 1, 0) for before in (5, 8, 6)]


def mask(*rows):
    """Which thoughts of each row are replaced; thoughts are numbered from 0."""
    return torch.tensor([[j in row for j in range(K)] for row in rows])


def edited(thoughts, inputs=((), (), ()), keys=((), (), ()), values=((), (), ())):
    return Replacement(thoughts, mask(*inputs), mask(*keys), mask(*values))


def answers(model, prompts, marks, edit=None):
    return decoding.answer(model, prompts, OPTIONS * len(prompts), 4, marks, edit)


def same_bits(one, other):
    assert torch.equal(one[0], other[0])
    assert one[1] == other[1]


@pytest.mark.parametrize("thoughts", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("parts", [["inputs"], ["keys"], ["values"], ["inputs", "keys", "values"]])
def test_own_thoughts_put_back_change_no_bit(model, prompts, marks, thoughts, parts):
    own = decoding.thoughts(model, prompts, marks)
    edit = edited(own, **{part: [thoughts] * 3 for part in parts})
    same_bits(answers(model, prompts, marks, edit), answers(model, prompts, marks))
    again = decoding.thoughts(model, prompts, marks, edit)
    for name in ("input_BKD", "keys_BKLHE", "values_BKLHE"):
        assert torch.equal(getattr(again, name), getattr(own, name))


def pauses(model, prompts, marks, own=None, thoughts=(), parts=()):
    """<pause> in the place of every thought, and stored entries of `own` at some."""
    pause = model.get_input_embeddings()(torch.tensor(marks.pause)).detach()
    inputs = pause.expand(len(prompts), K, -1)
    stored = own or Thoughts(inputs, inputs, inputs)
    everywhere = [range(K)] * len(prompts)
    places = {part: [thoughts] * len(prompts) for part in parts}
    return edited(replace(stored, input_BKD=inputs), inputs=everywhere, **places)


@pytest.mark.parametrize("thoughts", [(0,), (2,), (0, 1, 2)])
@pytest.mark.parametrize("parts", [["keys"], ["values"], ["keys", "values"]])
def test_own_pauses_put_back_into_the_cache_change_no_bit(model, prompts, marks, thoughts, parts):
    plain_pauses = pauses(model, prompts, marks)
    own = decoding.thoughts(model, prompts, marks, plain_pauses)
    edit = pauses(model, prompts, marks, own, thoughts, parts)
    same_bits(answers(model, prompts, marks, edit), answers(model, prompts, marks, plain_pauses))


def test_thoughts_that_are_replaced_by_pauses_are_pauses_in_the_text(model, prompts, marks):
    found, ids = answers(model, prompts, marks, pauses(model, prompts, marks))
    written = [replace(p, before=p.before + [marks.pause] * K, thoughts=0) for p in prompts]
    expected, expected_ids = answers(model, written, marks)
    assert_close(model, found, expected)
    assert ids == expected_ids == [rows[0] for rows in decoding.generate(model, written, [0], 4, marks)]


def test_forced_answers_are_products_over_the_tokens_of_a_name(model, prompts, marks):
    found, ids = answers(model, prompts, marks)
    for row, prompt in enumerate(prompts):
        for number, option in enumerate(OPTIONS[0]):
            after = prompt.after + option.opening + option.name
            positions = list(range(len(prompt.before) + K + len(after)))
            whole = Sequence(prompt.before, K, after, positions, len(option.name))
            chances = plain(model, whole).softmax(dim=-1)
            product = torch.stack([chances[i, token] for i, token in enumerate(option.name)]).prod()
            assert_close(model, found[row, number].to(product), product)
    assert ids == [rows[0] for rows in decoding.generate(model, prompts, [K], 4, marks)]


def test_later_thoughts_are_computed_from_a_replaced_input(model, prompts, marks):
    """By the definition: the replaced input is part of a growing input without cache."""
    other = decoding.thoughts(model, prompts[::-1], marks)
    found = decoding.thoughts(model, prompts, marks, edited(other, inputs=[(1,), (), (0, 2)]))
    embed, replaced = model.get_input_embeddings(), [{1}, set(), {0, 2}]
    with torch.no_grad():
        for row, prompt in enumerate(prompts):
            inputs = embed(torch.tensor([prompt.before]))
            for j in range(K):
                thought = model.base_model(inputs_embeds=inputs, use_cache=False).last_hidden_state[:, -1:]
                thought = other.input_BKD[row, j, None, None] if j in replaced[row] else thought
                inputs = torch.cat([inputs, thought], dim=1)
            assert_close(model, found.input_BKD[row], inputs[0, -K:])


def test_later_thoughts_read_replaced_keys_and_values(model, prompts, marks):
    own, other = (decoding.thoughts(model, some, marks) for some in (prompts, prompts[::-1]))
    for part in ("keys", "values"):
        name = f"{part}_BKLHE"
        found = decoding.thoughts(model, prompts, marks, edited(other, **{part: [(0,), (0,), ()]}))
        assert torch.equal(getattr(found, name)[:2, 0], getattr(other, name)[:2, 0])
        assert torch.equal(found.input_BKD[:, :2], own.input_BKD[:, :2])  # what thought 0 itself gave
        assert not torch.allclose(found.input_BKD[0, 2], own.input_BKD[0, 2])
        assert torch.equal(found.input_BKD[2], own.input_BKD[2])


def test_rows_with_different_edits_and_numbers_of_thoughts_do_not_touch_one_another(model, prompts, marks):
    rows = [prompts[0], prompts[1].with_thoughts(1), prompts[2].with_thoughts(0)]
    other = decoding.thoughts(model, prompts[::-1], marks)
    inputs, keys, values = [(0,), (0,), ()], [(1,), (), ()], [(1, 2), (0,), ()]
    found, ids = answers(model, rows, marks, edited(other, inputs, keys, values))
    for n, row in enumerate(rows):
        thoughts = Thoughts(other.input_BKD[[n]], other.keys_BKLHE[[n]], other.values_BKLHE[[n]])
        edit = Replacement(thoughts, mask(inputs[n]), mask(keys[n]), mask(values[n]))
        alone, alone_ids = answers(model, [row], marks, edit)
        assert_close(model, found[[n]].double(), alone.double())
        assert ids[n] == alone_ids[0]


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_thoughts_computed_side_by_side_are_edited_as_well(model, prompts, marks, iterations):
    rows = [replace(prompt, iterations=iterations) for prompt in prompts]
    own = decoding.thoughts(model, rows, marks)
    edit = edited(own, inputs=[range(K)] * 3)
    same_bits(answers(model, rows, marks, edit), answers(model, rows, marks))
    given = [replace(row, iterations=None) for row in rows]
    assert_close(model, answers(model, given, marks, edit)[0], answers(model, rows, marks)[0])


def test_a_recorder_changes_nothing_and_no_edit_is_the_ordinary_forward_pass(model, prompts):
    with torch.no_grad():
        batch = collate([replace(p, n_loss=1) for p in prompts], pad=0)
        blocks, recorder = forward.Reader(model).think(batch), Recorder()
        recorded = forward.Reader(model).think(batch, recorder)
    for one, other in zip(blocks, recorded, strict=True):
        assert torch.equal(one, other)
    assert torch.equal(recorder.thoughts.input_BKD, torch.cat([block[:, -1:] for block in blocks[:K]], dim=1))
