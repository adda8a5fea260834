"""Rules that plan no path: by hand, on published questions, and on questions drawn to resist them."""

import pytest

from coconut_study.questions import datasets, schema, shortcuts
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question

from .test_datasets import balanced

# Alex -> a -> target, Alex -> b; Carl -> a; Bob -> c -> d -> other option
MISLEADING = Graph(
    ("Alex", "Bob", "a", "target", "c", "d", "other", "b", "Carl"),
    ((0, 2), (2, 3), (1, 4), (4, 5), (5, 6), (0, 7), (8, 2)),
    root=0, target=3, neg_target=6,
)  # fmt: skip

# Right answers on the 300 published validation questions. With the 500 published test questions these are
# 66.4, 91.6, 94.3, 80.9, 94.6, 96.8, 50, 92.2, 51.9 and 58.0 percent of 800.
PUBLISHED = {
    "fewer facts name it": 200,
    "deeper below its person": 277.5,
    "deeper below its base node": 285.5,
    "no parent told of another person": 244,
    "no other person within three edges": 286.5,
    "farther from the nearest other person": 290,
    "within two edges of the root": 150,
    "within four edges of the root": 278.5,
    "richer parents below a richer root": 156.5,
    "unplanned walk, else a coin": pytest.approx(174.347, abs=5e-4),
}

# The rules that have rows where all paths have three edges.
NOT_JOINING = (
    "fewer facts name it",
    "deeper below its person",
    "deeper below its base node",
    "no parent told of another person",
    "within two edges of the root",
)
JOINING = ("richer parents below a richer root", "unplanned walk, else a coin")


def points(graph):
    return {name: rule(graph, graph.digraph) for name, rule in shortcuts.RULES.items()}


def test_rules_by_hand(graph):
    assert points(graph) == {
        "fewer facts name it": 0,  # the right option has three, the other one
        "deeper below its person": 1,
        "deeper below its base node": 1,
        "no parent told of another person": 0.5,
        "no other person within three edges": 1,
        "farther from the nearest other person": 1,
        "within two edges of the root": 1,
        "within four edges of the root": 1,
        "richer parents below a richer root": 1,  # 3 facts below its children, 3 parents of parents
        "unplanned walk, else a coin": 1,  # every walk comes to the target
    }


def test_rules_by_hand_where_most_are_misled():
    assert points(MISLEADING) == {
        "fewer facts name it": 0.5,
        "deeper below its person": 0,
        "deeper below its base node": 0,
        "no parent told of another person": 0,  # Carl is an a
        "no other person within three edges": 0.5,  # Carl is near one, Bob near the other
        "farther from the nearest other person": 0,
        "within two edges of the root": 1,
        "within four edges of the root": 1,
        "richer parents below a richer root": 0.5,  # one fact below the children of each person
        "unplanned walk, else a coin": 0.75,  # one of two walks comes to the target, the other to b
    }


def test_a_poorer_root_prefers_poorer_parents():
    edges = ((0, 2), (2, 3), (1, 4), (4, 5), (4, 6), (5, 6), (1, 5))
    graph = Graph(("Alex", "Bob", "a", "target", "c", "d", "other"), edges, 0, 3, 6)
    assert points(graph)["richer parents below a richer root"] == 1
    mirror = Graph(graph.names, edges, 1, 6, 3)
    assert points(mirror)["richer parents below a richer root"] == 1


def test_an_option_that_no_other_person_reaches_is_farthest_from_them(graph):
    alone = Graph(("Alex", "Bob", "a", "target", "other"), ((0, 2), (2, 3), (1, 4)), 0, 3, 4)
    assert points(alone)["farther from the nearest other person"] == 1


def test_the_published_validation_questions_have_the_shortcuts_known_of_them(shared):
    questions = schema.read(shared("data/prosqa_valid.json"))
    table = shortcuts.table(questions)
    assert table.groupby("rule", sort=False)["points"].sum().to_dict() == PUBLISHED
    searched = table[table["rule"] == "within four edges of the root"]["points"]
    assert searched.tolist() == [1 if len(question.steps) <= 4 else 0.5 for question in questions]


def test_a_rule_is_right_about_one_of_two_balanced_questions_unless_it_joins_root_and_option():
    questions = datasets.generate(balanced(sizes={"train": 2, "valid": 2, "test": 100}))["test"]
    table = shortcuts.table(questions).groupby(["rule", "group"], sort=False)["points"].sum()
    assert {*table.index.unique("rule")} == {*NOT_JOINING, *JOINING}
    assert (table[[*NOT_JOINING]] == 1).all()
    assert all((table[name] != 1).any() for name in JOINING)


def test_a_search_that_finds_its_option_in_every_question_has_no_rows(question):
    misleading = Question(question.question, question.steps, question.answer, MISLEADING)
    searches = {*shortcuts.SEARCHES}
    assert searches & {*shortcuts.table([question])["rule"]} == {"no parent told of another person"}
    assert searches - {*shortcuts.table([question, misleading])["rule"]} == {
        "within two edges of the root", "within four edges of the root",
    }  # fmt: skip


def test_there_is_a_row_for_each_rule_and_question():
    questions = datasets.generate(balanced(sizes={"train": 2, "valid": 2, "test": 6}))["test"]
    table = shortcuts.table(questions)
    assert tuple(table) == shortcuts.COLUMNS
    for _, rows in table.groupby("rule"):
        assert rows["question"].tolist() == [*range(6)]
        assert rows["group"].tolist() == [0, 0, 1, 1, 2, 2]
    assert table["points"].between(0, 1).all()


def test_questions_without_graphs_have_no_rows(question):
    table = shortcuts.table([question, Question("2+3?", (), "5")])
    assert (len(table), tuple(table)) == (0, shortcuts.COLUMNS)
