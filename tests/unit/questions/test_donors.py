"""Donors: what they share with a question, and what they do not."""

import numpy as np
import pytest

from coconut_study.questions import crossed, graphs
from coconut_study.questions.donors import donors, renamed
from coconut_study.questions.graphs import shortest_paths
from coconut_study.questions.question import Question, facts_of, fault, from_graphs, group_numbers, options_of

N_GROUPS = 3


@pytest.fixture(scope="module")
def questions():
    rng = np.random.default_rng(0)
    found = []
    while len(found) < 4 * N_GROUPS:
        group = crossed.draw(rng, 12, 14, (3, 3))
        found += from_graphs(graphs.rename(group, rng), rng) if group else []
    return found


@pytest.fixture(scope="module")
def found(questions):
    return donors(questions, range(len(questions)), seed=0)


def answer(question):
    return question.graph.names[question.graph.target]


def test_the_mirror_differs_in_the_root_alone_and_has_the_other_answer(questions, found):
    for own, of_one in zip(questions, found, strict=True):
        words = list(zip(own.question.split(), of_one["mirror"].question.split(), strict=True))
        (root,) = [place for place, (one, other) in enumerate(words) if one != other]
        assert root == len(words) - 5  # Is <root> a <option> or <option>?
        assert {answer(own), answer(of_one["mirror"])} == {*options_of(own.question)}


def test_the_twin_differs_in_two_facts_and_has_the_other_answer(questions, found):
    for own, of_one in zip(questions, found, strict=True):
        twin = of_one["twin"]
        facts = zip(facts_of(own.question), facts_of(twin.question), strict=True)
        assert sum(one != other for one, other in facts) == 2
        assert own.question.rpartition("Is ")[2] == twin.question.rpartition("Is ")[2]
        assert {answer(own), answer(twin)} == {*options_of(own.question)}


def test_renamed_donors_are_sound_questions_of_other_groups_with_the_options_in_the_same_order(
    questions, found
):
    edges = {one.graph.edges: group for one, group in zip(questions, group_numbers(questions), strict=True)}
    for number, (own, of_one) in enumerate(zip(questions, found, strict=True)):
        for name in ("same answer", "other answer"):
            assert fault(of_one[name]) is None
            assert options_of(of_one[name].question) == options_of(own.question)
            assert (answer(of_one[name]) == answer(own)) is (name == "same answer")
        for name in ("same answer", "other answer", "random"):
            assert edges[of_one[name].graph.edges] != number // 4
        assert of_one["random"] in questions


def test_donors_of_a_question_depend_on_its_number_and_the_seed_alone(questions, found):
    assert donors(questions, [5, 2], seed=0) == [found[5], found[2]]
    assert donors(questions, range(12), seed=1) != found
    assert [{*of_one} for of_one in found] == [
        {"own", "mirror", "twin", "same answer", "other answer", "random"}
    ] * 12


def test_questions_without_mates_have_no_mirror_and_no_twin(questions):
    alone = questions[::4]
    for of_one in donors(alone, range(3), seed=0):
        assert {*of_one} == {"own", "same answer", "other answer", "random"}


def test_a_name_that_is_taken_is_exchanged(questions):
    own = questions[0]
    other = next(
        name for name in own.graph.names if name[0].islower() and name not in options_of(own.question)
    )
    swapped = renamed(own, other, answer(own))
    assert fault(swapped) is None
    assert sorted(swapped.graph.names) == sorted(own.graph.names)
    assert (answer(swapped), swapped.graph.names[own.graph.neg_target]) == (other, answer(own))
    assert len(shortest_paths(swapped.graph)) == len(shortest_paths(own.graph))


def test_without_graphs_or_other_groups_there_are_no_donors(questions):
    with pytest.raises(ValueError, match="of one group"):
        donors(questions[:4], range(4), seed=0)
    with pytest.raises(ValueError, match="only graph questions"):
        donors([*questions, Question("1 + 1?", (), "2")], [0], seed=0)
