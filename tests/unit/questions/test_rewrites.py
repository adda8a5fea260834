"""Single-fact rewrites, subsets by a shortcut, names by rank, and persons that nobody asks about."""

import networkx as nx
import numpy as np
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import datasets, graphs, rewrites, shortcuts
from coconut_study.questions.derived import derive
from coconut_study.questions.question import by_group, facts_of, fault, options_of, redraw
from coconut_study.questions.settings import Crossed, Prosqa, Rewrites, Subset

SIZES = {"test": 40}
RELEASED = Prosqa(
    source="prosqa", nodes=12, hops=(3, 3), persons=17, concepts=38, sizes={"test": 200}, seed=1
)


def crossed(**changes):
    settings = {"nodes": 12, "edges": 14, "hops": (3, 3), "persons": 6, "concepts": 12, "sizes": SIZES}
    return Crossed(source="crossed", seed=1, **settings | changes)


@pytest.fixture(scope="module")
def asked():
    return datasets.generate(crossed())["test"]


@pytest.fixture(scope="module")
def released():
    return datasets.generate(RELEASED)["test"]


def test_a_data_set_that_is_only_asked_has_no_training_questions():
    assert {split: len(drawn) for split, drawn in datasets.generate(crossed()).items()} == {
        "train": 0, "valid": 0, "test": 40,
    }  # fmt: skip


@pytest.mark.parametrize("source", ["asked", "released"])
def test_a_rewrite_differs_in_one_word_and_has_the_other_answer(source, request):
    made = rewrites.pairs(request.getfixturevalue(source), np.random.default_rng(0))
    assert len(made) > 80 if source == "released" else len(made) == 80
    for one, other in zip(made[::2], made[1::2], strict=True):
        assert fault(other) is None
        assert sum(a != b for a, b in zip(one.question.split(), other.question.split(), strict=True)) == 1
        assert options_of(one.question) == options_of(other.question)
        pairs = zip(facts_of(one.question), facts_of(other.question), strict=True)
        assert [a[0] == b[0] for a, b in pairs if a != b] == [True]
        assert one.graph.names == other.graph.names
        assert one.graph.target == other.graph.neg_target
        assert one.answer != other.answer
        assert len(one.steps) == len(other.steps)


def test_a_rewrite_is_in_the_group_of_its_question(asked):
    made = rewrites.pairs(asked, np.random.default_rng(0))
    assert [len(group) for group in by_group(made)] == [8] * 10  # four crossed questions and their rewrites


def test_a_subset_has_the_questions_that_a_shortcut_answers_wrong(released):
    rule = "fewer facts name it"
    kept = {
        right: derive(Subset(source="subset", of="leaky", rule=rule, right=right), released)
        for right in (True, False)
    }
    ties = sum(shortcuts.RULES[rule](one.graph, one.graph.digraph) == 0.5 for one in released)
    assert len(kept[True]) + len(kept[False]) + ties == len(released)
    assert 0 < len(kept[False]) < len(kept[True])
    assert not set(kept[True]) & set(kept[False])


def test_a_derived_data_set_without_questions_is_refused(asked):
    never = Subset(source="subset", of="crossed", rule="fewer facts name it", right=False)
    with pytest.raises(StudyError, match="source: subset leaves none of the 40 test questions of crossed"):
        derive(never, asked)  # both options have equally many facts


def test_rewrites_are_the_same_at_every_call(asked):
    settings = Rewrites(source="rewrites", of="crossed", seed=3)
    assert derive(settings, asked) == derive(settings, asked)


def test_ranked_names_of_concepts_ascend_with_the_distance_from_the_persons():
    for question in datasets.generate(crossed(names="ranked"))["test"]:
        for one in (question, *redraw([question], np.random.default_rng(0), concepts=12, names="ranked")):
            graph = one.graph
            distances = nx.multi_source_dijkstra_path_length(graph.digraph, set(graph.persons))
            concepts = [node for node in distances if node not in graph.persons]
            ordered = sorted(concepts, key=lambda node: graphs.CONCEPTS.index(graph.names[node]))
            assert [distances[node] for node in ordered] == sorted(distances[node] for node in concepts)
            assert fault(one) is None


def test_ranked_names_are_those_of_a_group_together():
    (first, *others) = datasets.generate(crossed(names="ranked", sizes={"test": 4}))["test"]
    assert {one.graph.names for one in others} == {first.graph.names}


def test_bystanders_change_no_answer_and_no_path():
    plain, more = (datasets.generate(crossed(bystanders=n, concepts=38))["test"] for n in (0, 3))
    assert {len(one.graph.persons) for one in plain} == {2}
    assert [len(one.graph.persons) for one in more] == [5] * 40
    assert [len(group) for group in by_group(more)] == [4] * 10
    for one in more:
        told = {tail for head, tail in one.graph.edges if head >= 12}
        paths = {node for path in graphs.shortest_paths(one.graph) for node in path}
        assert not told & (paths | {one.graph.neg_target})
        assert len(one.steps) == 3


def test_bystanders_need_names():
    with pytest.raises(ValueError, match="bystanders: 5 needs persons: 7 or more"):
        crossed(bystanders=5)


def test_new_settings_do_not_show_in_old_ones():
    assert not {"names", "bystanders"} & crossed().model_dump().keys()
