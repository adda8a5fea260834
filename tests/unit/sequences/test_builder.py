"""Sequences of iCoT: the chain is removed from its left end."""

import pytest

from coconut_study.sequences.builder import Tokens, build
from coconut_study.sequences.methods import Layout

Q, S1, S2, S3, A = [1, 2], [11, 12], [21], [31, 32, 33], [9, 0]
CHAIN = Tokens(question=Q, positions=[0, 1], steps=[S1, S2, S3], answer=A)
DROPPED = Layout(hidden=None, thoughts=0, kind="none", markers=False)


@pytest.mark.parametrize(
    ("unit", "units", "left"),
    [
        ("token", 0, [11, 12, 21, 31, 32, 33]),
        ("token", 1, [12, 21, 31, 32, 33]),
        ("token", 2, [21, 31, 32, 33]),
        ("token", 4, [32, 33]),
        ("token", 6, []),
        ("token", 9, []),
        ("step", 0, [11, 12, 21, 31, 32, 33]),
        ("step", 1, [21, 31, 32, 33]),
        ("step", 2, [31, 32, 33]),
        ("step", 3, []),
        ("step", 5, []),
    ],
)
def test_the_chain_goes_from_its_left_end_and_the_answer_stays(marks, unit, units, left):
    sequence = build(CHAIN, DROPPED.without(units, unit), marks)
    assert (sequence.before, sequence.thoughts, sequence.after) == (Q, 0, left + A)
    assert sequence.n_loss == len(left) + len(A)
    assert sequence.positions == list(range(len(Q) + len(left) + len(A)))
    assert sequence.prompt.after == []


def test_a_chain_that_has_lost_everything_is_that_of_no_cot(marks):
    for unit, units in (("token", 6), ("step", 3)):
        assert build(CHAIN, DROPPED.without(units, unit), marks) == build(CHAIN, DROPPED, marks)
