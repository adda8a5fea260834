from dataclasses import replace

import numpy as np
import pytest

from coconut_study.questions import balanced, graphs, prosqa


def drawn(draw, tries, **shape):
    rng = np.random.default_rng(0)
    return [found for _ in range(tries) if (found := draw(rng, **shape))]


def test_the_prosqa_process_reproduces_the_published_statistics():
    """Targets: 800 released questions, and 18,686 of 20,000 tries kept; bounds are 4 standard errors."""
    tries = 2000
    found = [g for (g,) in drawn(prosqa.draw_prosqa, tries)]
    hops = np.array([len(graphs.shortest_paths(g)[0]) - 1 for g in found])
    assert len(found) / tries == pytest.approx(0.934, abs=4 * 0.0056)
    assert np.mean([len(g.names) for g in found]) == pytest.approx(22.81, abs=4 * 2.0 / 28 + 4 * 2.0 / 43)
    assert np.mean([len(g.edges) for g in found]) == pytest.approx(36.0, abs=4 * 5.7 / 28 + 4 * 5.7 / 43)
    for hop, share in {3: 0.407, 4: 0.438, 5: 0.131, 6: 0.024}.items():
        error = (share * (1 - share)) ** 0.5 * (1 / 28 + 1 / 43)
        assert np.mean(hops == hop) == pytest.approx(share, abs=4 * error), hop
    assert np.mean([len(graphs.shortest_paths(g)) for g in found]) == pytest.approx(1.59, abs=0.2)
    assert np.mean([len(g.persons) for g in found]) == pytest.approx(2.56, abs=0.15)
    assert np.mean([g.root == 0 for g in found]) == pytest.approx(0.364, abs=4 * 0.48 * (1 / 28 + 1 / 43))


@pytest.mark.parametrize(
    "draw",
    [
        (prosqa.draw_prosqa, {}),
        (prosqa.draw_prosqa, {"nodes": 14, "hops": (2, 4)}),
        (balanced.draw_balanced, {"nodes": 12, "edges": 14, "hops": (3, 3)}),
        (balanced.draw_balanced, {}),
    ],
)
def test_every_drawn_graph_passes_the_solver(draw):
    process, shape = draw
    found = [graph for kept in drawn(process, 300, **shape) for graph in kept]
    assert len(found) >= 10
    assert {graphs.fault(graph) for graph in found} == {None}


def test_balanced_graphs_ask_two_mirror_questions_with_matched_options():
    for one, other in drawn(balanced.draw_balanced, 1000, nodes=12, edges=14, hops=(3, 3)):
        assert (one.edges, one.target, one.neg_target) == (other.edges, other.neg_target, other.target)
        assert (one.root, other.root) == (0, 1)
        assert len(one.edges) == 14
        assert len(one.names) == 12
        assert len(graphs.shortest_paths(one)[0]) == len(graphs.shortest_paths(other)[0]) == 4
        digraph = one.digraph
        assert digraph.in_degree(one.target) == digraph.in_degree(one.neg_target)
        assert digraph.out_degree(one.target) == digraph.out_degree(one.neg_target) == 0


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
    (named,) = graphs.name((graph,), rng, persons=2, concepts=5)
    assert {named.names[0], named.names[1]} == set(graphs.PERSONS[:2])
    assert set(named.names[2:]) == set(graphs.CONCEPTS[:5])
    with pytest.raises(ValueError, match="more names"):
        graphs.name((graph,), rng, persons=2, concepts=4)
