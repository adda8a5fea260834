"""Mirror questions with matched options."""

import pytest

from coconut_study.questions import balanced, graphs

from .test_prosqa import drawn


@pytest.mark.parametrize("shape", [{}, {"nodes": 12, "edges": 14, "hops": (3, 3)}])
def test_every_drawn_graph_passes_the_solver(shape):
    found = [graph for kept in drawn(balanced.draw, 300, **shape) for graph in kept]
    assert len(found) >= 10
    assert {graphs.fault(graph) for graph in found} == {None}


def test_balanced_graphs_ask_two_mirror_questions_with_matched_options():
    for one, other in drawn(balanced.draw, 1000, nodes=12, edges=14, hops=(3, 3)):
        assert (one.edges, one.target, one.neg_target) == (other.edges, other.neg_target, other.target)
        assert (one.root, other.root) == (0, 1)
        assert len(one.edges) == 14
        assert len(one.names) == 12
        assert len(graphs.shortest_paths(one)[0]) == len(graphs.shortest_paths(other)[0]) == 4
        digraph = one.digraph
        assert digraph.in_degree(one.target) == digraph.in_degree(one.neg_target)
        assert digraph.out_degree(one.target) == digraph.out_degree(one.neg_target) == 0
