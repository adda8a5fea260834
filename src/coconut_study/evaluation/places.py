"""Where the parts of a question stand in its tokens, and the mirror of a question.

A place is a list of numbers of tokens. Facts are told apart by what their head, the node that a fact starts
from, is to the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
from transformers import PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError
from coconut_study.engine.decoding import Option
from coconut_study.evaluation.probe import name_tokens
from coconut_study.questions import graphs
from coconut_study.questions.question import QUERY, Question, facts_of, sentence
from coconut_study.sequences.templates import TEMPLATES, WORD, Template, TemplateName

Span = tuple[int, int]  # the first character, and the one after the last
FACT = re.compile(r"(?:Every )?\w+ is an? \w+\.")


class Spans(NamedTuple):
    """Where the facts, the options and the root stand in the text of a question."""

    facts: list[Span]
    options: list[Span]
    root: list[Span]


def mirrored(question: Question) -> Question | None:
    """The same question about another person, who is what the wrong option says; None if nobody is.

    Facts and options keep their order. The steps are the first of the shortest paths.
    """
    graph = question.graph
    if graph is None:
        return None
    other = next((person for person in graph.persons if _leads(graph, person)), None)
    if other is None:
        return None
    mirror = replace(graph, root=other, target=graph.neg_target, neg_target=graph.target)
    name, target = mirror.names[mirror.root], mirror.names[mirror.target]
    asked = question.question.rindex(" Is ") + len(" Is ")
    words = question.question[asked:].replace(graph.names[graph.root], name, 1)
    path = graphs.shortest_paths(mirror)[0]
    return Question(
        question=question.question[:asked] + words,
        steps=tuple(sentence(mirror, edge) for edge in pairwise(path)),
        answer=f"{name} is a {target}.",
        graph=mirror,
    )


def _leads(graph: graphs.Graph, person: int) -> bool:
    """Whether the wrong option alone can be reached from a person."""
    reached = nx.descendants(graph.digraph, person)
    return graph.neg_target in reached and graph.target not in reached


# ---------------------------------------------------------------------------------------------- tokens


def option_names(question: Question) -> tuple[str, str]:
    """The names of the right and of the wrong option of a graph question."""
    graph = question.graph
    assert graph is not None
    return graph.names[graph.target], graph.names[graph.neg_target]


def option_tokens(
    tokenizer: PreTrainedTokenizerBase, question: Question, template: Template
) -> tuple[Option, Option]:
    """The right and the wrong option, each after the words that come before the right one in the answer."""
    names = option_names(question)
    opening = template.text(question).answer.rpartition(names[0])[0].rstrip()
    right, wrong = (Option(*name_tokens(tokenizer, opening, name)) for name in names)
    return right, wrong


def question_places(
    tokenizer: PreTrainedTokenizerBase, question: Question, template: TemplateName
) -> dict[str, list[int]]:
    """The tokens of the facts on a shortest path, of other facts, of the options and of the root."""
    facts, spans = fact_tokens(tokenizer, question, template), SPANS[template](question)
    on_path = path_edges(question)
    told = [*zip(facts_of(question.question), facts, strict=True)]
    return {
        "facts on the path": [token for fact, tokens in told if fact in on_path for token in tokens],
        "other facts": [token for fact, tokens in told if fact not in on_path for token in tokens],
        "options": _tokens(tokenizer, question, template, spans.options),
        "root": _tokens(tokenizer, question, template, spans.root),
    }


def fact_tokens(
    tokenizer: PreTrainedTokenizerBase, question: Question, template: TemplateName
) -> list[list[int]]:
    """The tokens of every fact, in the order of the question."""
    spans = SPANS[template](question).facts
    return [_tokens(tokenizer, question, template, [span]) for span in spans]


def path_edges(question: Question) -> set[tuple[str, str]]:
    """Head and tail, by name, of every fact on a shortest path from the root to the target."""
    graph = question.graph
    assert graph is not None
    paths = graphs.shortest_paths(graph)
    return {(graph.names[head], graph.names[tail]) for path in paths for head, tail in pairwise(path)}


def _tokens(
    tokenizer: PreTrainedTokenizerBase, question: Question, template: TemplateName, spans: list[Span]
) -> list[int]:
    """The tokens that have a character in one of the spans; StudyError if the tokenizer cannot tell."""
    if not tokenizer.is_fast:
        raise StudyError(f"{tokenizer.name_or_path}: the tokenizer does not tell where its tokens stand")
    text = TEMPLATES[template].text(question).question
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return [
        number
        for number, (start, stop) in enumerate(offsets)
        if any(start < end and stop > begin for begin, end in spans)
    ]


def _prose(question: Question) -> Spans:
    text = question.question
    query = QUERY.search(text)
    assert query is not None
    facts = [match.span() for match in FACT.finditer(text, 0, query.start())]
    return Spans(facts, [query.span(2), query.span(3)], [query.span(1)])


def _symbols(question: Question) -> Spans:
    text = TEMPLATES["symbols"].text(question).question
    words = [match.span() for match in WORD.finditer(text)]
    heads = range(0, 2 * len(facts_of(question.question)), 2)
    facts = [(words[head][0], words[head + 1][1]) for head in heads]
    return Spans(facts, words[-4:-2], words[-1:])


SPANS: Mapping[TemplateName, Callable[[Question], Spans]] = {"prose": _prose, "symbols": _symbols}
