"""Candidates for the next step, on hand-made graphs and on the published validation questions."""

import numpy as np
import pytest

from coconut_study.questions import schema
from coconut_study.questions.frontiers import Candidate, candidates, draw_step, frontier, heights
from coconut_study.questions.graphs import Graph

#   Tom -> a -> c -> d -> target     Sam -> other
#     \    \---------^
#      \-> b (leaf), a -> b, d -> e -> f
NAMES = ("Tom", "a", "b", "c", "d", "target", "other", "e", "f", "Sam")
EDGES = ((0, 1), (0, 2), (1, 2), (1, 3), (1, 4), (3, 4), (4, 5), (4, 7), (7, 8), (9, 6))
BRANCHED = Graph(NAMES, EDGES, root=0, target=5, neg_target=6)


def names(depth):
    return [NAMES[node] for node in frontier(BRANCHED, depth)]


def test_a_frontier_is_what_no_earlier_one_holds():
    assert names(1) == ["a", "b"]  # the children
    assert names(2) == ["c", "d"]  # grandchildren: b is one too, but also a child
    assert names(3) == ["target", "e"]  # d is three edges away too, over c
    assert names(4) == ["f"]
    assert names(5) == []


def test_the_root_is_not_a_candidate():
    assert names(0) == []


def test_a_drawn_step_leads_to_any_node_of_the_frontier_from_the_one_before():
    rng = np.random.default_rng(0)
    drawn = [draw_step(BRANCHED, 3, rng) for _ in range(200)]
    assert {drawn.count(edge) for edge in set(drawn)} <= set(range(70, 131))
    assert {(NAMES[head], NAMES[tail]) for head, tail in drawn} == {("d", "target"), ("d", "e")}
    assert {draw_step(BRANCHED, 2, rng) for _ in range(50)} == {(1, 3), (1, 4)}  # not from c to d
    with pytest.raises(ValueError, match="no node is 5 facts from the root"):
        draw_step(BRANCHED, 5, rng)


def test_height_is_the_shortest_or_the_longest_way_to_a_leaf():
    shortest, longest = heights(BRANCHED.digraph, "shortest"), heights(BRANCHED.digraph, "longest")
    assert {NAMES[node]: (shortest[node], longest[node]) for node in range(6)} == {
        "Tom": (1, 5), "a": (1, 4), "b": (0, 0), "c": (2, 3), "d": (1, 2), "target": (0, 0),
    }  # fmt: skip


def test_correct_candidates_reach_the_target():
    assert candidates(BRANCHED, 1, "shortest") == [
        Candidate("a", 1, True, False), Candidate("b", 0, False, False),
    ]  # fmt: skip
    assert candidates(BRANCHED, 1, "longest") == [
        Candidate("a", 4, True, False), Candidate("b", 0, False, False),
    ]  # fmt: skip
    assert candidates(BRANCHED, 3, "longest") == [
        Candidate("target", 0, True, True), Candidate("e", 1, False, False),
    ]  # fmt: skip


def test_a_node_off_the_shortest_path_may_be_correct(graph):
    assert [c.node for c in candidates(graph, 1, "shortest") if c.correct] == ["lempus", "dumpus"]
    assert candidates(graph, 2, "shortest") == [Candidate("rompus", 1, True, True)]


def test_published_questions_have_frontiers_as_large_as_the_test_set(shared):
    questions = schema.read(shared("data/prosqa_valid.json"))
    sizes = np.array([[len(frontier(question.graph, depth)) for depth in (1, 2)] for question in questions])
    assert sizes.mean(axis=0) == pytest.approx([2.96, 4.40], abs=0.1)  # the published test set's means
    assert sizes.min() >= 1


def test_published_questions_have_shares_of_correct_candidates_like_the_test_set(shared):
    questions = schema.read(shared("data/prosqa_valid.json"))
    for depth, share in ((1, 886 / 1478), (2, 938 / 2199)):  # correct nodes of all in the test set
        found = [c.correct for question in questions for c in candidates(question.graph, depth, "shortest")]
        assert np.mean(found) == pytest.approx(share, abs=0.04)
