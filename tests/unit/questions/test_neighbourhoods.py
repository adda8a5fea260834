"""What is learned from neighbourhoods of root and options that are never joined."""

from dataclasses import replace

import numpy as np
import pytest

from coconut_study.questions import datasets, neighbourhoods
from coconut_study.questions.question import Question
from coconut_study.questions.settings import Balanced, Crossed

SIZES = "learned from sizes of neighbourhoods"
DEGREES = "learned from degrees by distance"
SHAPE = {"nodes": 12, "edges": 14, "hops": (3, 3), "persons": 2, "concepts": 10, "seed": 1}


def learned(settings):
    splits = datasets.generate(settings)
    return neighbourhoods.table(splits["train"], splits["test"])


@pytest.fixture(scope="module")
def balanced():
    sizes = {"train": 1600, "valid": 2, "test": 600}
    return learned(Balanced(source="balanced", **SHAPE, sizes=sizes))


@pytest.fixture(scope="module")
def crossed():
    sizes = {"train": 1600, "valid": 4, "test": 1000}
    return learned(Crossed(source="crossed", **SHAPE, sizes=sizes))


def percent(table):
    return (100 * table.groupby("rule")["points"].mean()).to_dict()


def test_neighbourhoods_tell_the_answers_of_balanced_questions(balanced):
    assert percent(balanced) == {SIZES: pytest.approx(73, abs=4), DEGREES: pytest.approx(90, abs=4)}


def test_neighbourhoods_do_not_tell_the_answers_of_crossed_questions(crossed):
    """The proposition of docs/crossed.md covers degrees by distance; sizes, outside of it, hardly help."""
    assert percent(crossed) == {SIZES: pytest.approx(50, abs=3), DEGREES: 50}
    of_groups = crossed.groupby(["rule", "group"])["points"].sum()
    assert (of_groups[DEGREES] == 2).all()


def test_larger_crossed_graphs_do_not_tell_their_answers():
    sizes = {"train": 240, "valid": 4, "test": 120}
    larger = SHAPE | {"nodes": 23, "edges": 36, "hops": (3, 6), "persons": 17, "concepts": 38}
    assert percent(learned(Crossed(source="crossed", **larger, sizes=sizes)))[DEGREES] == 50


def test_counts_by_hand(graph):
    """Alex is a lempus and a dumpus, a lempus is a dumpus, both are a rompus, which is an impus."""
    sizes, degrees = neighbourhoods.sizes(graph.digraph), neighbourhoods.degrees(graph.digraph)
    assert sizes(0) == [3, 3, 4, 5]
    assert sizes(5) == [2, 1, 2, 1]
    assert sizes(6) == [2, 1, 4, 4]
    # below: Alex; lempus and dumpus (3 children, 3 parents); rompus (1, 2). Above: Alex alone.
    assert degrees(0) == [1, 2, 0, 2, 3, 3, 1, 1, 2, *[1, 2, 0, 0, 0, 0, 0, 0, 0]]
    assert degrees(5) == [1, 0, 1, 0, 0, 0, 0, 0, 0, *[1, 0, 1, 1, 1, 0, 0, 0, 0]]


def test_the_contrast_changes_its_sign_with_the_order_of_the_options(graph):
    swapped = replace(graph, target=graph.neg_target, neg_target=graph.target)
    for describe in neighbourhoods.WAYS.values():
        assert (neighbourhoods.contrast(graph, describe) == -neighbourhoods.contrast(swapped, describe)).all()


def test_options_that_look_the_same_are_a_coin_toss(graph):
    alike = replace(graph, edges=((0, 2), (0, 3), (2, 4), (3, 4), (1, 5), (1, 6), (6, 5)), target=4)
    learn = [graph, alike]
    for describe in neighbourhoods.WAYS.values():
        points = neighbourhoods.points(learn, [replace(alike, neg_target=alike.target)], describe)
        assert points == [0.5]


def test_learning_is_the_same_at_every_call(question):
    questions = datasets.generate(
        Balanced(source="balanced", **SHAPE, sizes={"train": 200, "valid": 2, "test": 100})
    )
    tables = [neighbourhoods.table(questions["train"], questions["test"]) for _ in range(2)]
    assert tables[0].equals(tables[1])


def test_questions_without_graphs_teach_nothing_and_have_no_rows(question):
    text = Question("2+3?", (), "5")
    for train, test in (([text], [question]), ([question], [text]), ([text], [text])):
        assert len(neighbourhoods.table(train, test)) == 0
    assert np.isin(neighbourhoods.table([question], [question])["points"], (0, 0.5, 1)).all()
