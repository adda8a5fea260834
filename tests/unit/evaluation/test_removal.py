"""Directions, and what is left without them, on a machine whose thoughts are known."""

import numpy as np
import pytest
import torch

from coconut_study.engine.tokenizer import add_marks, word_level
from coconut_study.evaluation.removal import (
    NONE,
    PATH,
    RANDOM,
    REMOVAL_COLUMNS,
    SIBLING,
    Projection,
    directions,
    removal,
    removed,
)  # fmt: skip
from coconut_study.questions.graphs import CONCEPTS, PERSONS, Graph
from coconut_study.questions.question import from_graphs, group_numbers
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

from .test_interventions import Machine

COCONUT = Layout(hidden=None, thoughts=3, kind="continuous", markers=False)
TEXT = TextSettings(template="symbols", facts_share_position=False)


@pytest.fixture
def questions():
    """Twelve groups of two mirrors with the same eight names, in another order in each: two disjoint chains
    of three facts."""
    rng = np.random.default_rng(0)
    edges = ((0, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7))
    found = []
    for _ in range(12):
        names = (*PERSONS[:2], *(CONCEPTS[i] for i in rng.permutation(6)))
        found += from_graphs([Graph(names, edges, 0, 4, 7), Graph(names, edges, 1, 7, 4)], rng)
    return found


def test_a_direction_is_the_mean_of_its_thoughts_minus_that_of_the_others():
    thoughts = np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 4.0]])
    found = directions(thoughts, [["a"], ["a", "all"], ["b", "all"], ["b", "all"]])
    assert found["a"] == pytest.approx(np.array([2, -3]) / np.sqrt(13))
    assert found["b"] == pytest.approx(-found["a"])
    assert set(found) == {"a", "b", "all"}


def test_a_direction_that_all_thoughts_have_or_none_tells_is_none():
    thoughts = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert directions(thoughts, [["a", "b"], ["b"]]) == {}


def test_removal_leaves_nothing_of_the_direction_and_the_norm_as_it_was():
    edit = Projection(torch.tensor([1, 0]), *2 * [torch.tensor([[0.6, 0.8], [1.0, 0.0]])])
    thought = torch.tensor([[[3.0, 1.0]], [[3.0, 1.0]]])
    found = edit.thought(1, thought)
    assert (found[0, 0] @ edit.direction_BD[0]).item() == pytest.approx(0, abs=1e-6)
    assert found[0].norm().item() == pytest.approx(10**0.5)
    assert torch.equal(found[1], thought[1])  # of the other row the other thought is edited


def test_as_much_is_removed_in_a_random_direction():
    edit = Projection(torch.tensor([0]), torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    found = edit.thought(0, torch.tensor([[[3.0, 1.0]]]))[0, 0]
    moved = torch.tensor([3.0, 1.0 - 3.0])
    torch.testing.assert_close(found, moved * (10**0.5 / moved.norm()))


def test_nothing_is_learned_from_the_questions_on_which_it_is_tested(questions):
    thoughts = np.random.default_rng(0).standard_normal((len(questions), 3, 4))
    groups = group_numbers(questions)
    rows = [*removed(thoughts, questions, seed=0)]
    assert {groups[row.question] for row in rows} == {*range(1, 12, 2)}
    others = thoughts.copy()
    others[[i for i, group in enumerate(groups) if group % 2]] = 0.0
    for row, again in zip(rows, removed(others, questions, seed=0), strict=True):
        np.testing.assert_array_equal(row.direction_D, again.direction_D)


def test_a_machine_that_looks_facts_up_loses_its_way_with_the_direction_of_the_node_it_is_at(questions):
    tokenizer = word_level(TEMPLATES["symbols"].text(question) for question in questions)
    add_marks(tokenizer)
    table = removal(Machine(tokenizer), tokenizer, questions, COCONUT, TEXT, batch_size=5, seed=0)
    assert tuple(table.columns) == REMOVAL_COLUMNS
    share = table["p right"] / (table["p right"] + table["p wrong"])
    found = table.assign(share=share).groupby(["thought", "removed"])["share"].agg(["min", "mean"])
    for thought in (1, 2, 3):
        assert found.loc[(thought, NONE), "min"] == pytest.approx(1)
        assert found.loc[(thought, PATH), "mean"] < 0.7
        assert found.loc[(thought, RANDOM), "mean"] > 0.9
    assert SIBLING not in set(table["removed"])  # no node is beside the path
    assert set(table["group"]) == {*range(1, 12, 2)}


def test_pauses_have_no_directions(questions):
    with pytest.raises(ValueError, match="continuous thoughts only"):
        removal(None, None, questions, COCONUT.model_copy(update={"kind": "pause"}), TEXT, 1, 0)
