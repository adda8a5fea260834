"""The engine's equalities, on tiny GPT-2, Llama and Qwen models in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate
from coconut_study.engine.prefixes import by_length
from coconut_study.sequences.builder import Sequence


def assert_close(model, found, expected):
    """Equal to 1e-9 in float64; Llama and Qwen compute their norms in float32, so to 1e-5 there."""
    atol = 1e-9 if model.config.model_type == "gpt2" else 1e-5
    torch.testing.assert_close(found, expected, rtol=0, atol=atol)


def sequence(rng, before, thoughts, after, n_loss=None):
    positions = list(range(before + thoughts + after))
    ids = rng.integers(1, 28, before + after).tolist()
    return Sequence(ids[:before], thoughts, ids[before:], positions, after - 1 if n_loss is None else n_loss)


@pytest.fixture
def mixed():
    """Rows of different lengths and numbers of thoughts."""
    rng = np.random.default_rng(0)
    return [sequence(rng, *shape) for shape in ((5, 2, 4), (9, 0, 3), (3, 3, 6), (7, 1, 2))]


def plain(model, sequence):
    """The definition, without cache or batch: thoughts appended one at a time to a growing input."""
    embed = model.get_input_embeddings()
    inputs = embed(torch.tensor([sequence.before], dtype=torch.long))
    for _ in range(sequence.thoughts):
        hidden = model.base_model(inputs_embeds=inputs, use_cache=False).last_hidden_state
        inputs = torch.cat([inputs, hidden[:, -1:]], dim=1)
    inputs = torch.cat([inputs, embed(torch.tensor([sequence.after]))], dim=1)
    return model(inputs_embeds=inputs, use_cache=False).logits[0, -sequence.n_loss - 1 : -1]


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_logits_and_gradients_equal_the_plain_definition_row_by_row(model, mixed):
    batch = collate(mixed, pad=0)
    by_row = [plain(model, row) for row in mixed]
    assert_close(model, forward.predictions(model, batch), torch.cat(by_row))
    ours = gradients(model, forward.loss_sum(model, batch))
    losses = [
        cross_entropy(logits, torch.tensor(row.after[-row.n_loss :]), reduction="sum")
        for row, logits in zip(mixed, by_row, strict=True)
    ]
    theirs = gradients(model, torch.stack(losses).sum())
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert_close(model, ours[name], theirs[name])


@pytest.fixture
def sharing():
    """Rows that share prefixes: two, three, two with equal questions, and one alone."""
    rng = np.random.default_rng(5)
    shapes = [(9, 2, 4), (10, 2, 4), (8, 1, 3), (8, 3, 5), (7, 2, 2), (6, 2, 4), (6, 2, 4), (9, 2, 3)]
    rows = [sequence(rng, *shape) for shape in shapes]
    for group, n in (((0, 1), 6), ((2, 3, 4), 5), ((5, 6), 6)):
        for row in group:
            rows[row].before[:n] = rows[group[0]].before[:n]
    return [rows[i] for i in rng.permutation(len(rows))]


@pytest.mark.parametrize("thoughts", [None, 0])
def test_a_shared_prefix_is_read_once_and_changes_nothing(model, sharing, thoughts, monkeypatch):
    rows = sharing if thoughts is None else [row.with_thoughts(thoughts) for row in sharing]
    together, apart = collate(rows, pad=0), collate(rows, pad=0, share_prefixes=False)
    reads, read = [], forward.Reader.read

    def counted(self, embeds, mask, positions, *others):
        reads.append(tuple(embeds.shape[:2]))
        return read(self, embeds, mask, positions, *others)

    monkeypatch.setattr(forward.Reader, "read", counted)
    found = gradients(model, forward.loss_sum(model, together) / len(together.target_N))
    assert reads[0] == (4, 6)
    assert reads[1][0] == 8
    expected = gradients(model, forward.loss_sum(model, apart) / len(apart.target_N))
    for name in expected:
        assert_close(model, found[name], expected[name])
    predicted = forward.predictions(model, together)
    assert_close(model, predicted, forward.predictions(model, apart))
    assert_close(model, predicted, torch.cat([plain(model, row) for row in rows]))


def test_sharing_prefixes_does_not_change_the_norms_of_thoughts(model, sharing):
    norms = []
    for share_prefixes in (True, False):
        batch = collate(sharing, pad=0, share_prefixes=share_prefixes)
        norms.append(forward.thought_norms(batch, forward.hidden_states(model, batch)))
    assert_close(model, *norms)


def test_rows_without_a_shared_prefix_are_read_one_by_one(mixed, sharing):
    assert collate(mixed, pad=0).prefixes is None
    other_places = [replace(row, positions=[i + n for i in row.positions]) for n, row in enumerate(sharing)]
    assert collate(other_places, pad=0).prefixes is None


def test_a_batch_may_have_rows_without_a_question_and_rows_with_a_shared_prefix(model):
    rng = np.random.default_rng(6)
    rows = [sequence(rng, *shape) for shape in ((9, 0, 3), (9, 0, 3), (0, 0, 4), (0, 0, 3))]
    rows[1].before[:8] = rows[0].before[:8]
    batch = collate(rows, pad=0)
    assert batch.prefixes is not None
    assert_close(model, forward.predictions(model, batch), torch.cat([plain(model, row) for row in rows]))


def test_sharing_prefixes_never_reads_more_columns():
    """Fifteen pairs share a prefix; one pair has the same tokens at different positions."""
    rng = np.random.default_rng(7)
    rows = [sequence(rng, 60, 1, 3) for _ in range(32)]
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        other.before[:50] = one.before[:50]
    rows[1] = replace(rows[1], positions=[place + 1 for place in rows[1].positions])
    batch = collate(rows, pad=0)
    assert batch.prefixes.n_columns == 50
    assert len(batch.prefixes.first_G) == 17
    assert batch.first_thought == 60


def test_rows_are_ordered_by_length_and_rows_with_a_shared_prefix_stay_together():
    rows = [[1, 2, 3], [7, 7, 7, 7, 1], [5], [7, 7, 7, 7, 2], [6, 6, 6]]
    assert by_length(rows, [3, 5, 1, 2, 3]) == [2, 0, 4, 1, 3]


def test_a_model_with_a_sliding_window_shares_no_prefixes(marks):
    """The window counts columns, and sharing prefixes adds padding columns."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "mistral", vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=2, head_dim=8,
        num_attention_heads=2, num_key_value_heads=2, sliding_window=16,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).double().eval()
    rng = np.random.default_rng(8)
    prompts = [sequence(rng, 13, 0, 0, 0) for _ in range(4)]
    prompts[1].before[:8] = prompts[0].before[:8]
    prompts[3].before[:12] = prompts[2].before[:12]
    assert collate(prompts, pad=0).prefixes is not None
    found = decoding.thought_states(model, prompts, 2, marks)
    alone = torch.cat([decoding.thought_states(model, [prompt], 2, marks) for prompt in prompts])
    torch.testing.assert_close(found, alone, rtol=0, atol=1e-5)


def test_sharing_prefixes_does_not_change_responses(model, marks, sharing):
    prompts = [replace(row, after=row.after[:1], n_loss=0) for row in sharing]
    together = decoding.generate(model, prompts, [0, 1, 3], 6, marks)
    alone = [decoding.generate(model, [prompt], [0, 1, 3], 6, marks)[0] for prompt in prompts]
    assert together == alone


def test_without_thoughts_it_is_the_plain_model(model):
    rng = np.random.default_rng(1)
    rows = [sequence(rng, 6, 0, 4), sequence(rng, 3, 0, 5)]
    found = forward.predictions(model, collate(rows, pad=0))
    expected = [model(torch.tensor([row.before + row.after])).logits[0, -row.n_loss - 1 : -1] for row in rows]
    assert_close(model, found, torch.cat(expected))


def test_pauses_read_one_after_the_other_are_pauses_read_in_one_pass(model, marks):
    """What a pause is does not depend on any state, so more passes over pauses are not more computation."""
    rng = np.random.default_rng(9)
    pauses = [marks.pause] * 6
    row = sequence(rng, 8, 0, 4)
    in_one = Sequence(row.before + pauses, 0, row.after, list(range(18)), row.n_loss)
    batch = collate([in_one], pad=0)
    whole = forward.hidden_states(model, batch)
    reader = forward.Reader(model)
    embeds, mask, positions = reader.embed(batch.tokens_BT), batch.mask_BT, batch.positions_BT
    spans = [(0, 8), *((n, n + 1) for n in range(8, 14)), (14, 18)]
    passes = [reader.read(embeds[:, a:b], mask[:, :b], positions[:, a:b]) for a, b in spans]
    assert_close(model, torch.cat(passes, dim=1), whole)


def test_padding_changes_nothing(model, mixed):
    alone = [forward.predictions(model, collate([row], pad=0)) for row in mixed]
    for pad in (0, 17):
        together = forward.predictions(model, collate(mixed, pad=pad))
        assert_close(model, together, torch.cat(alone))


def test_a_batch_may_have_rows_with_and_without_thoughts(model, mixed):
    found = forward.predictions(model, collate(mixed, pad=0, aligned=True))
    without = [row for row in mixed if not row.thoughts]
    batch = collate(without, pad=0)
    expected = forward.predictions(model, batch)
    start = mixed[0].n_loss
    assert_close(model, found[start : start + len(expected)], expected)


def test_logits_are_computed_only_for_tokens_with_loss(model, mixed):
    batch = collate(mixed, pad=0)
    assert len(batch.target_N) == sum(row.n_loss for row in mixed)
    assert forward.predictions(model, batch).shape == (len(batch.target_N), 32)


def recomputed(model, prompt, k, limit, eos):
    """Greedy decoding by the definition: every token recomputes the whole sequence."""
    written = []
    while len(written) < limit and eos not in written:
        positions = list(range(len(prompt.before) + k + len(prompt.after) + len(written) + 1))
        row = Sequence(prompt.before, k, [*prompt.after, *written, 1], positions, 1)
        with torch.no_grad():
            written.append(plain(model, row).argmax(dim=-1).item())
    return written


@pytest.mark.parametrize("after", [0, 1, 2])
def test_decoding_equals_recomputation_for_every_number_of_thoughts(model, marks, after):
    rng = np.random.default_rng(2)
    prompts = [sequence(rng, before, 0, after, 0) for before in (4, 9, 6)]
    found = decoding.generate(model, prompts, [0, 1, 3], 8, marks)
    expected = [[recomputed(model, prompt, k, 8, marks.eos) for k in (0, 1, 3)] for prompt in prompts]
    assert found == expected


def test_rows_stop_independently_and_finished_rows_are_dropped(marks, monkeypatch):
    from ...conftest import tiny

    model = tiny("gpt2")
    rng = np.random.default_rng(3)
    prompts = [sequence(rng, 5, 0, 1, 0) for _ in range(16)]
    # Make <eos> likely, so that rows end at different times.
    head = model.get_output_embeddings()
    original = head.forward
    monkeypatch.setattr(head, "forward", lambda hidden: original(hidden) + 2 * (torch.arange(32) == 0))
    found = decoding.generate(model, prompts, [0, 2], 10, marks)
    alone = [decoding.generate(model, [prompt], [0, 2], 10, marks)[0] for prompt in prompts]
    lengths = {len(ids) for row in found for ids in row}
    assert len(lengths) > 2
    assert found == alone


def test_a_sweep_gives_what_each_k_gives_alone(model, marks):
    rng = np.random.default_rng(4)
    prompts = [sequence(rng, 4 + i, 0, 1, 0) for i in range(4)]
    together = decoding.generate(model, prompts, [0, 1, 2], 6, marks)
    for i, k in enumerate([0, 1, 2]):
        alone = decoding.generate(model, prompts, [k], 6, marks)
        assert [row[i] for row in together] == [row[0] for row in alone]


def in_parallel(sequences, iterations):
    return [replace(row, iterations=iterations) for row in sequences]


@pytest.mark.parametrize("iterations", [3, 5])
def test_as_many_iterations_as_thoughts_give_what_one_after_the_other_gives(model, mixed, iterations):
    one, other = collate(mixed, pad=0), collate(in_parallel(mixed, iterations), pad=0)
    assert_close(model, forward.predictions(model, other), forward.predictions(model, one))
    ours = gradients(model, forward.loss_sum(model, other))
    theirs = gradients(model, forward.loss_sum(model, one))
    for name, expected in theirs.items():
        assert_close(model, ours[name], expected)


def test_fewer_iterations_make_the_first_thoughts_exact_and_the_others_not(model, mixed):
    one, other = collate(mixed, pad=0), collate(in_parallel(mixed, 2), pad=0)
    exact, found = (torch.cat(forward.Reader(model).think(batch)[1:], dim=1) for batch in (one, other))
    assert_close(model, found[:, :2], exact[:, :2])
    three = [row.thoughts == 3 for row in mixed]
    assert (found[three, 2] - exact[three, 2]).abs().max() > 1e-4


def test_a_sweep_of_parallel_thoughts_gives_what_each_k_gives_alone(model, marks, mixed):
    prompts = [replace(row, n_loss=row.n_loss, iterations=2).prompt for row in mixed]
    prompts = [replace(prompt, after=prompt.after[:1]) for prompt in prompts]
    prompts = [prompt.with_thoughts(3) for prompt in prompts]
    together = decoding.generate(model, prompts, [0, 1, 3], 4, marks)
    for i, k in enumerate((0, 1, 3)):
        alone = decoding.generate(model, prompts, [k], 4, marks)
        assert [row[i] for row in together] == [row[0] for row in alone]


def test_parallel_thoughts_take_as_many_passes_as_iterations(model, mixed, monkeypatch):
    reads, read = [], forward.Reader.read

    def counted(self, embeds, mask, positions, *others):
        reads.append(embeds.shape[1])
        return read(self, embeds, mask, positions, *others)

    monkeypatch.setattr(forward.Reader, "read", counted)
    forward.hidden_states(model, collate(in_parallel(mixed, 2), pad=0))
    assert reads[1:3] == [3, 3]
    assert len(reads) == 4
