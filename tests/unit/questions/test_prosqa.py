"""The process behind the published ProsQA files."""

import numpy as np
import pytest

from coconut_study.questions import graphs, prosqa


def drawn(draw, tries, **shape):
    rng = np.random.default_rng(0)
    return [found for _ in range(tries) if (found := draw(rng, **shape))]


def test_the_prosqa_process_reproduces_the_published_statistics():
    """Targets: 800 released questions, and 18,686 of 20,000 tries kept; bounds are 4 standard errors."""
    tries = 2000
    found = [g for (g,) in drawn(prosqa.draw, tries)]
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


@pytest.mark.parametrize("shape", [{}, {"nodes": 14, "hops": (2, 4)}])
def test_every_drawn_graph_passes_the_solver(shape):
    found = [graph for kept in drawn(prosqa.draw, 300, **shape) for graph in kept]
    assert len(found) >= 10
    assert {graphs.fault(graph) for graph in found} == {None}
