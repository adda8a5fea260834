"""Questions whose thoughts can take the place of a question's own (pure functions).

All have two options, written in the order in which the question itself names its options, so that an answer
given by place and an answer given by name agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from coconut_study.common.seeds import stream
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import QUERY, Question, group_numbers, options_of

Donor = Literal["own", "mirror", "twin", "same answer", "other answer", "random", "given"]


def donors(questions: Sequence[Question], numbers: Sequence[int], seed: int) -> list[dict[Donor, Question]]:
    """The donors of the questions with these `numbers`; a question lacks those that its data set has none of.

    own           the question itself
    mirror        asked about the other root, with the same facts in the same order
    twin          asked about the same root, with the two facts crossed (see `crossed`)
    same answer   of another group, renamed so that it has the same options and the same answer
    other answer  the same one, renamed so that its answer is the other option
    random        of another group, with its own names

    One that is "given" is of no data set: somebody chose it.

    Donors of other groups are drawn from a stream of their own for each question. ValueError if all questions
    are of one group, or if one has no graph.
    """
    if any(question.graph is None for question in questions):
        raise ValueError("only graph questions have donors")
    group_of = group_numbers(questions)
    if len({*group_of}) < 2:
        raise ValueError("donors are of other groups; all questions are of one group")
    found = []
    for number in numbers:
        own, group = questions[number], group_of[number]
        mates = [questions[i] for i in range(len(questions)) if group_of[i] == group and i != number]
        others = [i for i in range(len(questions)) if group_of[i] != group]
        drawn = stream("donors", seed, number).choice(others, size=2)
        found.append(_of_question(own, mates, questions[drawn[0]], questions[drawn[1]]))
    return found


def _of_question(
    own: Question, mates: Sequence[Question], other: Question, another: Question
) -> dict[Donor, Question]:
    graph = _graph(own)
    options = options_of(own.question)
    found: dict[Donor, Question] = {"own": own}
    for mate in mates:
        one = _graph(mate)
        if one.root != graph.root and one.edges == graph.edges:
            found["mirror"] = _asked(own.question, mate, options)
        if one.root == graph.root and one.edges != graph.edges:
            found["twin"] = _asked(mate.question, mate, options)
    answer, wrong = graph.names[graph.target], graph.names[graph.neg_target]
    found["same answer"] = _asked_of(renamed(other, answer, wrong), options)
    found["other answer"] = _asked_of(renamed(other, wrong, answer), options)
    found["random"] = another
    return found


def renamed(question: Question, answer: str, other: str) -> Question:
    """A graph question in which the options have other names: `answer` the right one, `other` the wrong one.

    A node that had such a name before takes the name that the option gives up.
    """
    graph = _graph(question)
    names = [*graph.names]
    for node, name in ((graph.target, answer), (graph.neg_target, other)):
        if name in names:
            names[names.index(name)] = names[node]
        names[node] = name
    new = dict(zip(graph.names, names, strict=True))

    def write(text: str) -> str:
        return re.sub(r"\w+", lambda word: new.get(word[0], word[0]), text)

    return Question(
        question=write(question.question),
        steps=tuple(map(write, question.steps)),
        answer=write(question.answer),
        graph=replace(graph, names=tuple(names)),
    )


def _asked_of(question: Question, options: tuple[str, str]) -> Question:
    """The question with its options in this order."""
    return _asked(question.question, question, options)


def _asked(facts: str, question: Question, options: tuple[str, str]) -> Question:
    """A question with the facts of a text, and its options in this order."""
    graph = _graph(question)
    query = f"Is {graph.names[graph.root]} a {options[0]} or {options[1]}?"
    return replace(question, question=QUERY.sub(query, facts))


def _graph(question: Question) -> Graph:
    assert question.graph is not None
    return question.graph
