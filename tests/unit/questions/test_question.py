"""Graph questions in words: sound ones, wrong ones, mirrors."""

from dataclasses import replace

import numpy as np
import pytest

from coconut_study.questions import balanced, graphs
from coconut_study.questions.question import Question, by_graph, fault, from_graphs, redraw


def test_an_asked_question_is_sound_and_in_the_published_words(question):
    assert fault(question) is None
    assert question.answer == "Alex is a rompus."
    assert question.question.count(" is a ") == 7
    assert question.question.endswith(("a rompus or gorpus?", "a gorpus or rompus?"))
    assert "Every lempus is a rompus." in question.question


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": ("Alex is a lempus.",)}, "shortest path"),
        (
            {"steps": ("Alex is a lempus.", "Every lempus is a dumpus.", "Every dumpus is a rompus.")},
            "shortest",
        ),
        ({"answer": "Alex is a gorpus."}, "answer"),
        ({"question": "Alex is a lempus. Is Alex a rompus or gorpus?"}, "sentences"),
    ],
)
def test_text_that_contradicts_the_graph_is_found(question, change, words):
    assert words in fault(replace(question, **change))


def test_a_redrawn_question_is_the_same_graph_under_other_names(question):
    other = redraw([question], np.random.default_rng(1), persons=2, concepts=5)[0]
    assert other.graph.edges == question.graph.edges
    assert other.question != question.question
    assert fault(other) is None


def mirrors(rng):
    """The two questions of a graph."""
    drawn = ()
    while not drawn:
        drawn = balanced.draw(rng, nodes=12, edges=14, hops=(3, 3))
    return from_graphs(graphs.rename(drawn, rng, persons=2, concepts=10), rng)


def facts(question):
    return question.question[: question.question.rindex(" Is ")]


def test_mirror_questions_begin_with_the_same_facts_in_the_same_order():
    rng = np.random.default_rng(2)
    one, other = mirrors(rng)
    assert facts(one) == facts(other)
    assert one.question != other.question
    again = redraw([one, other], rng, persons=2, concepts=10)
    assert facts(again[0]) == facts(again[1]) != facts(one)
    assert [fault(question) for question in again] == [None, None]
    assert [question.graph.root for question in again] == [one.graph.root, other.graph.root]


def test_questions_are_put_together_by_their_graph(question):
    rng = np.random.default_rng(3)
    text = Question("How many?", (), "3")
    asked = [*mirrors(rng), text, text, question, *mirrors(rng)]
    assert by_graph(asked) == [[0, 1], [2], [3], [4], [5, 6]]
