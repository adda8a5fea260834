import numpy as np
import pytest

from coconut_study.questions import datasets, graphs, schema, shortcuts
from coconut_study.questions.question import Question

from .test_datasets import balanced


def test_no_shortcut_helps_on_balanced_questions():
    questions = datasets.generate(balanced(sizes={"train": 2, "valid": 2, "test": 100}))["test"]
    assert shortcuts.table(questions)["accuracy"].tolist() == [50.0] * len(shortcuts.RULES)


def test_shortcuts_help_on_published_questions(shared):
    table = shortcuts.table(schema.read(shared("data/prosqa_valid.json"))).set_index("rule")["accuracy"]
    assert table["fewer facts name it"] == pytest.approx(66, abs=6)
    assert table["deeper below its person"] == pytest.approx(94, abs=6)
    assert table["no parent told of another person"] == pytest.approx(84, abs=6)


def test_a_tie_is_a_coin_and_a_set_without_graphs_has_no_number(question):
    assert shortcuts.accuracy(lambda *_: 0.0, [question]) == 50
    assert np.isnan(shortcuts.accuracy(shortcuts.deeper, [Question("2+3?", (), "5")]))


def test_rules_by_hand(graph):
    digraph = graph.digraph
    assert shortcuts.fewer_facts(graph, digraph, 4) == -3
    assert shortcuts.fewer_facts(graph, digraph, 5) == -1
    assert [shortcuts.deeper(graph, digraph, option) for option in (4, 5)] == [2, 1]
    assert shortcuts.within_two_steps(graph, digraph, 4)
    assert not shortcuts.within_two_steps(graph, digraph, 5)
    longer = graphs.Graph(("Al", "Bo", "x", "y"), ((0, 2), (1, 3)), 0, 2, 3)
    assert not shortcuts.no_other_person_near(longer, longer.digraph, 2)
