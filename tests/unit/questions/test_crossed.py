"""Crossed groups: four proved questions, and what a graph and its twin have in common."""

from __future__ import annotations

import warnings
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from coconut_study.questions import crossed, datasets, graphs, shortcuts
from coconut_study.questions.question import by_group, options_of
from coconut_study.questions.settings import Crossed

SIZES = [(12, 14, (3, 3)), (16, 20, (3, 3)), (23, 36, (3, 6)), (23, 36, (6, 6))]


def groups(number, nodes, edges, hops, seed=0):
    rng, drawn = np.random.default_rng(seed), []
    while len(drawn) < number:
        if group := crossed.draw(rng, nodes, edges, hops):
            drawn.append(group)
    return drawn


@pytest.fixture(
    scope="module",
    params=[(100, *size) for size in SIZES]
    + [pytest.param((1000, *size), marks=pytest.mark.slow) for size in SIZES],
    ids=str,
)
def drawn(request):
    return groups(*request.param)


def test_every_question_is_proved_and_the_answers_of_a_group_are_a_b_b_a(drawn):
    for group in drawn:
        assert [graphs.fault(graph) for graph in group] == [None] * 4
        targets = [graph.target for graph in group]
        assert targets == [targets[0], targets[1], targets[1], targets[0]]
        assert [graph.root for graph in group] == [group[0].root, group[1].root] * 2
        assert {frozenset((graph.target, graph.neg_target)) for graph in group} == {frozenset(targets)}


def test_all_paths_of_a_group_are_equally_long(drawn):
    for group in drawn:
        assert len({len(graphs.shortest_paths(graph)[0]) for graph in group}) == 1


def test_two_facts_differ_and_keep_their_places(drawn):
    for one, mirror, twin, _ in drawn:
        differing = [pair for pair in zip(one.edges, twin.edges, strict=True) if pair[0] != pair[1]]
        assert len(differing) == 2
        ((u, v), swapped), ((x, y), other) = differing
        assert (swapped, other) == ((u, y), (x, v))
        assert {u, x}.isdisjoint({one.root, mirror.root})
        assert {v, y}.isdisjoint({one.target, one.neg_target})


def test_every_path_crosses_the_facts_that_differ(drawn):
    for one, mirror, twin, _ in drawn:
        kept = nx.DiGraph(edge for edge in one.edges if edge in twin.edges)
        kept.add_nodes_from(range(len(one.names)))
        assert not nx.has_path(kept, one.root, one.target)
        assert not nx.has_path(kept, mirror.root, mirror.target)


def degrees(digraph, nodes):
    return Counter((digraph.in_degree(node), digraph.out_degree(node)) for node in nodes)


def levels(digraph, start, depth):
    """Degrees of the nodes at each distance from a node, up to a depth."""
    distance = nx.single_source_shortest_path_length(digraph, start, cutoff=depth)
    return [degrees(digraph, [n for n, d in distance.items() if d == level]) for level in range(depth + 1)]


def test_what_graph_and_twin_have_in_common(drawn):
    """The invariants of docs/crossed.md."""
    for one, mirror, twin, _ in drawn:
        before, after = one.digraph, twin.digraph
        crossed_facts = [edge for edge in one.edges if edge not in twin.edges]
        assert dict(before.in_degree()) == dict(after.in_degree())
        assert dict(before.out_degree()) == dict(after.out_degree())
        for node in (one.root, mirror.root, one.target, one.neg_target):
            assert set(before.successors(node)) == set(after.successors(node))
            assert set(before.predecessors(node)) == set(after.predecessors(node))
        (v,) = (v for u, v in crossed_facts if nx.has_path(before, one.root, u))
        up_to_v = nx.shortest_path_length(before, one.root, v)
        for root in (one.root, mirror.root):
            assert levels(before, root, up_to_v) == levels(after, root, up_to_v)
        length = len(graphs.shortest_paths(one)[0]) - 1
        for option in (one.target, one.neg_target):
            up_to_u = length - up_to_v + 1
            assert levels(before.reverse(), option, up_to_u) == levels(after.reverse(), option, up_to_u)


LOCAL = (
    "fewer facts name it",
    "deeper below its person",
    "deeper below its base node",
    "no parent told of another person",
    "within two edges of the root",
    "richer parents below a richer root",
)


@pytest.mark.parametrize("rule", LOCAL)
def test_a_local_rule_is_right_for_half_of_every_group(drawn, rule):
    """A tie counts as half. With three steps, a search of two steps sees no option."""
    for group in drawn:
        assert sum(shortcuts.RULES[rule](graph, graph.digraph) for graph in group) == 2


@pytest.fixture(scope="module")
def splits():
    settings = Crossed(
        source="crossed", nodes=12, edges=14, hops=(3, 3), persons=2, concepts=10, seed=0,
        sizes={"train": 40, "valid": 8, "test": 12},
    )  # fmt: skip
    return settings, datasets.generate(settings)


def test_a_group_stands_together_with_the_same_words(splits):
    for questions in splits[1].values():
        for indices in by_group(questions):
            group = [questions[index] for index in indices]
            assert len(group) == 4
            assert len({options_of(question.question) for question in group}) == 1
            facts = [question.question.partition(" Is ")[0].split(". ") for question in group]
            assert facts[0] == facts[1]
            assert facts[2] == facts[3]
            assert sum(one != other for one, other in zip(facts[0], facts[2], strict=True)) == 2


def test_both_orders_of_the_options_occur(splits):
    named_first = {
        options_of(question.question)[0] == question.graph.names[question.graph.target]
        for question in splits[1]["train"][::4]
    }
    assert named_first == {True, False}


def test_splits_share_no_graph_up_to_renaming(splits):
    marks = [{datasets.identity(question) for question in questions} for questions in splits[1].values()]
    assert len(set.union(*marks)) == sum(map(len, marks))


def deciding(graph):
    """A hash of the nodes on paths from a person to an option, and of their facts, up to renaming."""
    digraph, options = graph.digraph, {graph.target, graph.neg_target}
    above = options.union(*(nx.ancestors(digraph, option) for option in options))
    part = digraph.subgraph(above)
    kinds = {node: "option" if node in options else str(part.in_degree(node) == 0) for node in part}
    nx.set_node_attributes(part, kinds, "kind")
    with warnings.catch_warnings():  # networkx warns that version 3.5 changed these hashes
        warnings.simplefilter("ignore", UserWarning)
        return nx.weisfeiler_lehman_graph_hash(part, node_attr="kind", iterations=6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "shapes", "known"),
    [((12, 14, (3, 3), 2, 10), 10, 254), ((23, 36, (3, 6), 17, 38), 297, 223)],
    ids=["quick", "large"],
)
def test_most_test_groups_are_decided_by_a_part_that_train_has_too(shape, shapes, known):
    """Splits share no graph, but nearly all shapes of its part that decides the answer (docs/crossed.md)."""
    nodes, edges, hops, persons, concepts = shape
    drawn = datasets.generate(
        Crossed(
            source="crossed", nodes=nodes, edges=edges, hops=hops, persons=persons, concepts=concepts,
            seed=1, sizes={"train": 6400, "valid": 256, "test": 1024},
        )
    )  # fmt: skip
    train, test = (
        [
            {deciding(one.graph), deciding(twin.graph)}
            for one, twin in zip(found[::4], found[2::4], strict=True)
        ]
        for found in (drawn["train"], drawn["test"])
    )
    there = set.union(*train)
    assert (len(there), sum(group <= there for group in test), len(test)) == (shapes, known, 256)


def test_shards_keep_groups_whole(splits):
    settings = splits[0].model_copy(update={"shards": 2})
    shards = [datasets.draw_shard(settings, number) for number in range(2)]
    combined = datasets.combine_shards(settings, [shards[0], shards[0] + shards[1]])
    assert {len(group) for questions in combined.values() for group in by_group(questions)} == {4}


def test_too_few_steps_and_broken_groups_are_refused():
    shape = {"source": "crossed", "nodes": 12, "edges": 14, "persons": 2, "concepts": 10, "seed": 0}
    with pytest.raises(ValueError, match="hops"):
        Crossed(**shape, hops=(2, 3), sizes={"train": 4, "valid": 4, "test": 4})
    with pytest.raises(ValueError, match="multiples of 4"):
        Crossed(**shape, hops=(3, 3), sizes={"train": 4, "valid": 4, "test": 6})
