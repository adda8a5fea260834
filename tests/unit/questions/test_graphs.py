"""Graphs: validity, fingerprints and names."""

from dataclasses import replace

import numpy as np
import pytest

from coconut_study.questions import graphs


def test_a_fingerprint_forgets_names_and_numbers_and_roots_but_not_edges(graph):
    order = [3, 0, 4, 1, 5, 2, 6]
    moved = graphs.Graph(
        names=tuple("abcdefg"),
        edges=tuple((order[a], order[b]) for a, b in graph.edges),
        root=order[0],
        target=order[4],
        neg_target=order[5],
    )
    mirror = replace(graph, root=1, target=5, neg_target=4)
    assert graphs.fingerprint(moved) == graphs.fingerprint(graph) == graphs.fingerprint(mirror)
    assert graphs.fingerprint(replace(graph, edges=(*graph.edges, (2, 6)))) != graphs.fingerprint(graph)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edges": ((0, 2), (2, 4), (4, 2), (1, 5), (0, 3), (4, 6))}, "cycle"),
        ({"target": 5, "neg_target": 4}, "cannot be reached"),
        ({"neg_target": 6}, "other option can be reached"),
        ({"names": ("Alex", "Tom", "lempus", "lempus", "rompus", "gorpus", "impus")}, "same name"),
        ({"root": 9}, "outside"),
        ({"edges": ((0, 2), (0, 2))}, "twice"),
        ({"edges": ((0, 9),)}, "outside"),
        ({"edges": ((0, 2), (2, 4))}, "no edge"),
    ],
)
def test_the_solver_says_what_is_wrong(graph, change, words):
    assert graphs.fault(graph) is None
    assert words in graphs.fault(replace(graph, **change))


def test_names_need_enough_of_them(graph):
    rng = np.random.default_rng(0)
    (named,) = graphs.rename((graph,), rng, persons=2, concepts=5)
    assert {named.names[0], named.names[1]} == set(graphs.PERSONS[:2])
    assert set(named.names[2:]) == set(graphs.CONCEPTS[:5])
    with pytest.raises(ValueError, match="more names"):
        graphs.rename((graph,), rng, persons=2, concepts=4)
