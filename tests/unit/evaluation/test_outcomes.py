from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coconut_study.evaluation.outcomes import Map, Outcome, classify, edges
from coconut_study.questions import schema
from coconut_study.questions.question import sentence
from coconut_study.sequences.templates import TEMPLATES, is_right

from ...conftest import GRAPH

MAP = Map(GRAPH)
PROSE, SYMBOLS = TEMPLATES["prose"], TEMPLATES["symbols"]


def outcome(text, hidden=0, exact=False, template=PROSE):
    right = "# " in text and text.endswith(("Alex is a rompus.", "### rompus"))
    return classify(template.read(text), MAP, right=right, hidden=hidden, exact=exact)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Alex is a lempus.\nEvery lempus is a rompus.\n### Alex is a rompus.", "correct path"),
        ("Alex is a dumpus.\nEvery dumpus is a rompus.\n### Alex is a gorpus.", "correct path"),
        ("Alex is a lempus.\nEvery lempus is a dumpus.\nEvery dumpus is a rompus.\n### x", "longer path"),
        ("Alex is a lempus.\n### Alex is a rompus.", "wrong target"),
        ("Alex is a lempus.\nEvery lempus is a rompus.\nEvery rompus is a impus.\n### x", "wrong target"),
        ("Alex is a rompus.\n### Alex is a rompus.", "hallucination"),
        ("Alex is a lempus.\nEvery dumpus is a rompus.\n### Alex is a rompus.", "hallucination"),
        ("Alex is a lempus.\nEvery lempus rompus.\n### Alex is a rompus.", "hallucination"),
        ("Every lempus is a rompus.\n### Alex is a rompus.", "hallucination"),  # begins after the root
        ("Tom is a gorpus.\n### Alex is a gorpus.", "hallucination"),  # from another person
        ("Alex is a lempus. Every lempus is a rompus. ### Alex is a rompus.", "correct path"),
        ("### Alex is a rompus.", "correct label"),
        ("### Alex is a gorpus.", "incorrect label"),
        ("", "incorrect label"),
        ("###", "incorrect label"),
    ],
)
def test_whole_paths(text, expected):
    assert outcome(text) == expected


@pytest.mark.parametrize(
    ("text", "hidden", "exact", "expected"),
    [
        ("Every lempus is a rompus.\n### x", 1, False, "correct path"),
        ("Every lempus is a rompus.\n### x", 1, True, "correct path"),
        ("Every lempus is a dumpus.\nEvery dumpus is a rompus.\n### x", 1, False, "longer path"),
        ("Every rompus is a impus.\n### x", 2, False, "wrong target"),
        ("Every rompus is a impus.\n### x", 1, True, "hallucination"),  # rompus is not one step away
        ("Alex is a lempus.\nEvery lempus is a rompus.\n### x", 1, False, "correct path"),
        ("Alex is a lempus.\nEvery lempus is a rompus.\n### x", 1, True, "hallucination"),
        ("Tom is a gorpus.\n### x", 1, False, "hallucination"),
        ("Every gorpus is a rompus.\n### x", 1, False, "hallucination"),
        ("Every dumpus is a rompus.\n### x", 2, True, "correct path"),  # by Alex, lempus, dumpus
        ("Every dumpus is a rompus.\n### x", None, True, "correct path"),
        ("### Alex is a rompus.", 3, False, "correct label"),
    ],
)
def test_partial_paths_are_judged_by_what_they_can_be_completed_to(text, hidden, exact, expected):
    assert outcome(text, hidden, exact) == expected


@pytest.mark.parametrize(
    ("text", "hidden", "exact", "expected"),
    [
        (" lempus rompus ### rompus", 0, False, "correct path"),
        (" lempus dumpus rompus ### rompus", 0, False, "longer path"),
        (" rompus ### rompus", 0, False, "hallucination"),
        (" rompus ### rompus", 1, False, "correct path"),
        (" rompus ### rompus", 1, True, "correct path"),
        (" dumpus rompus ### rompus", 1, True, "correct path"),  # Alex, lempus hidden: Alex-lempus-dumpus
        (" gorpus ### gorpus", 1, False, "hallucination"),
        (" lempus ? rompus ### rompus", 0, False, "hallucination"),
        (" ### rompus", 3, False, "correct label"),
        (" ### gorpus", 3, False, "incorrect label"),
    ],
)
def test_symbols(text, hidden, exact, expected):
    assert outcome(text, hidden, exact, SYMBOLS) == expected


def test_the_gold_steps_of_the_published_questions_are_correct_paths(shared):
    questions = schema.read(shared("data/prosqa_valid.json"))
    for template in (PROSE, SYMBOLS):
        written = ["".join(template.text(q).steps) + template.text(q).answer for q in questions]
        outcomes = [
            classify(template.read(text), Map(q.graph), right=is_right(q, text, template))
            for q, text in zip(questions, written, strict=True)
        ]
        assert outcomes == [Outcome.CORRECT_PATH] * 300
        assert all(is_right(q, text, template) for q, text in zip(questions, written, strict=True))


WORDS = [*GRAPH.names, "Every", "is", "a", ".", "###", "\n", "?", "|", "nonsense"]
anything = st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map(" ".join))


@given(anything, st.one_of(st.none(), st.integers(0, 9)), st.booleans(), st.sampled_from([PROSE, SYMBOLS]))
def test_any_text_has_exactly_one_class(text, hidden, exact, template):
    found = outcome(text, hidden, exact, template)
    assert [kind for kind in Outcome if kind == found] == [found]


@given(st.lists(st.sampled_from(GRAPH.edges), min_size=1, max_size=4))
def test_chains_of_edges_are_classified_as_the_definitions_say(edges):
    text = "\n".join(sentence(GRAPH, edge) for edge in edges) + "\n### x"
    nodes = [edges[0][0], *(tail for _, tail in edges)]
    connected = all(a[1] == b[0] for a, b in pairwise(edges))
    if not connected or nodes[0] != GRAPH.root:
        expected = Outcome.HALLUCINATION
    elif nodes[-1] != GRAPH.target:
        expected = Outcome.WRONG_TARGET
    else:
        expected = Outcome.CORRECT_PATH if len(edges) == 2 else Outcome.LONGER_PATH
    assert outcome(text) == expected


@pytest.mark.parametrize(
    ("text", "hidden", "template", "expected"),
    [
        ("Alex is a lempus.\nEvery lempus is a rompus.\n### Alex is a rompus.", 0, PROSE, (2, 0)),
        ("Alex is a lempus.\nEvery lempus is a gorpus.\nEvery gorpus is a rompus.\n### x", 0, PROSE, (2, 1)),
        ("Alex is a rompus.\n### x", 0, PROSE, (1, 1)),
        ("Every lempus rompus.\n### x", 0, PROSE, (1, 1)),
        ("### Alex is a rompus.", 2, PROSE, (0, 0)),
        (" lempus rompus ### rompus", 0, SYMBOLS, (2, 0)),
        (" lempus gorpus ### gorpus", 0, SYMBOLS, (2, 1)),
        (" rompus ### rompus", 1, SYMBOLS, (1, 0)),
        (" gorpus ### gorpus", 1, SYMBOLS, (1, 1)),
    ],
)
def test_edges_are_counted_up_to_the_first_wrong_one(text, hidden, template, expected):
    assert edges(template.read(text), MAP, hidden=hidden) == expected
