"""Batches: what the rows of a batch hold, read back."""

import random

import pytest

from coconut_study.engine.batches import collate
from coconut_study.sequences.builder import Sequence

PAD = 9


def drawn(rng, n_rows, most_thoughts):
    """Random sequences, some of which begin alike."""
    beginnings = [[rng.randrange(5) for _ in range(rng.randint(1, 12))] for _ in range(2)]
    rows = []
    for _ in range(n_rows):
        before = rng.choice(beginnings) + [rng.randrange(5) for _ in range(rng.randint(0, 4))]
        thoughts, after = rng.randint(0, most_thoughts), [rng.randrange(5) for _ in range(rng.randint(0, 5))]
        positions = list(range(len(before) + thoughts + len(after)))
        rows.append(Sequence(before, thoughts, after, positions, rng.randint(0, len(after))))
    return rows


@pytest.mark.parametrize("most_thoughts", [0, 3])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("share_prefixes", [True, False])
def test_the_rows_of_a_batch_are_its_sequences(most_thoughts, aligned, share_prefixes):
    rng = random.Random(0)
    n_shared = 0
    for _ in range(200):
        rows = drawn(rng, rng.randint(1, 6), most_thoughts)
        batch = collate(rows, PAD, aligned=aligned, share_prefixes=share_prefixes)
        attended = batch.mask_BT.bool()
        n_shared += batch.prefixes is not None
        for row, tokens, positions, mask in zip(
            rows, batch.tokens_BT, batch.positions_BT, attended, strict=True
        ):
            assert tokens[mask].tolist() == row.before + [PAD] * row.thoughts + row.after
            assert positions[mask].tolist() == row.positions
            thoughts = mask[batch.first_thought : batch.first_thought + batch.n_thoughts]
            assert thoughts.tolist() == [k < row.thoughts for k in range(batch.n_thoughts)]
        ranks = attended.flatten().cumsum(0) - 1  # the place of a column among all that are attended to
        targets = attended.flatten().nonzero()[ranks[batch.predictor_N] + 1, 0]  # columns after predictors
        assert batch.tokens_BT.flatten()[targets].tolist() == batch.target_N.tolist()
        with_loss = [row.after[len(row.after) - row.n_loss :] for row in rows]
        assert batch.target_N.tolist() == [token for tokens in with_loss for token in tokens]
    assert (n_shared > 20) == share_prefixes
