"""Ten thousand random responses: each is read, judged and counted as exactly one thing, whatever it is."""

from random import Random

import numpy as np
import pytest

from coconut_study.evaluation.grade import COLUMNS, grade
from coconut_study.evaluation.outcomes import Outcome
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import Grading
from coconut_study.questions.question import Question, from_graphs, sentence
from coconut_study.sequences.templates import TEMPLATES

from ...conftest import GRAPH

RESPONSES = 10_000
NAMES = (*GRAPH.names, "Every", "every", "True", "False", "nonsense")
SIGNS = (
    "###", "##", "#", ".", ",", "?", "|", "<<", ">>", "=", "$", "%", "-", "\n", " ", "\t", "is a", "is an",
)  # fmt: skip
NUMBERS = ("18", "-3.5", "1,005", ".5", "1e400", "٣", "0" * 40, "5.")
ODD = (
    "\0", "\ud800", "\u2028", "\x85", "ｅ", "👩‍👩‍👧", "ß", "İ", "a\u0301", "\u202e", "<script>", "{}", "\\",
)  # fmt: skip


def fragment(random: Random) -> str:
    """A sentence, a node, a sign, a number, or letters of anywhere."""
    kind = random.randrange(6)
    if kind == 0:
        return sentence(GRAPH, random.choice(GRAPH.edges))
    if kind == 1:
        return f"{random.choice(NAMES)} is a {random.choice(NAMES)}."
    if kind == 5:
        return "".join(chr(random.randrange(0x11000)) for _ in range(random.randrange(8)))
    return random.choice((NAMES, SIGNS, NUMBERS + ODD)[kind - 2])


def response(random: Random) -> str:
    """Fragments in a row, few or (rarely) thousands; an answer now and then."""
    n = random.choice((0, 1, 2, 3, 5, 8, 13)) if random.random() < 0.999 else 5_000
    body = random.choice(("", " ", "\n")).join(fragment(random) for _ in range(n))
    return body + random.choice(
        ("", "", f"### {random.choice(NAMES)} is a {random.choice(NAMES)}.", "### 18")
    )


@pytest.fixture(scope="module")
def texts() -> list[str]:
    random = Random(0)
    return [
        "",
        "#" * 5_000,
        "1" * 20_000 + "x",
        "### " + " " * 20_000,
        *(response(random) for _ in range(RESPONSES)),
    ]


QUESTIONS = [
    from_graphs([GRAPH], np.random.default_rng(0))[0],
    Question("How many?", ("<<2*9=18>>",), "18"),
    Question("True or false: Max is red.", ("Max is a jompus.",), "True"),
]


def graded(texts, questions, template, prefix, hidden):
    """The grades of responses to questions in turn."""
    responses = [
        Response(question=i % len(questions), k=2, kind="continuous", hidden=hidden, finished=False,
                 text=text, token_ids=[1, 2, 3])
        for i, text in enumerate(texts)
    ]  # fmt: skip
    return grade(responses, questions, TEMPLATES[template], Grading(hidden_prefix=prefix))


@pytest.mark.parametrize("hidden", [0, 2, None])
@pytest.mark.parametrize("prefix", ["completable", "exact"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_any_response_has_one_outcome_and_is_right_or_wrong(texts, template, prefix, hidden):
    questions = QUESTIONS if template == "prose" else QUESTIONS[:1]  # symbols writes graph questions alone
    found = graded(texts, questions, template, prefix, hidden)
    assert list(found.columns) == list(COLUMNS)
    assert len(found) == len(texts) > RESPONSES
    assert set(found["outcome"]) <= {outcome.value for outcome in Outcome}
    assert {type(right) for right in found["right"]} == {bool}
    labels = found[found["outcome"].isin(["correct label", "incorrect label"])]
    assert (labels["right"] == (labels["outcome"] == "correct label")).all()
    assert set(found["tokens"]) == {5}


def test_the_random_responses_reach_every_outcome(texts):
    found = graded(texts, QUESTIONS[:1], "prose", "completable", 1)
    assert set(found["outcome"]) == {outcome.value for outcome in Outcome}
