"""What a model can be asked: text, a record of a question file, a question, or a networkx graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import networkx as nx

from coconut_study.common.errors import StudyError
from coconut_study.questions import graphs, schema
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import QUERY, Question, Wording, facts_of, fault, written

Asked: TypeAlias = str | Mapping[str, Any] | nx.DiGraph | Question


def question_of(asked: Asked) -> Question:
    """The question that is asked.

    A string is the text of a question. If it has facts and ends with "Is <person> a <concept> or <concept>?",
    it is a question about the graph of these facts, whose steps and answer are found; the answer of any other
    text is not known (""). A mapping is a record in the published schema. A networkx graph has names of one
    word as nodes, its edges are the facts in the order in which it lists them, and its attributes `root` and
    `options` (a pair) say what is asked. StudyError if the graph or the record is wrong, or not exactly one
    of the options can be reached from the root.
    """
    if isinstance(asked, Question):
        return asked
    if isinstance(asked, str):
        return _from_text(asked.strip())
    if isinstance(asked, nx.Graph):
        return _from_networkx(asked)
    if isinstance(asked, Mapping):
        try:
            return schema.from_json(dict(asked))
        except ValueError as error:
            raise StudyError(f"the record {error}") from error
    raise StudyError(f"a question is text, a record, or a networkx graph (it is a {type(asked).__name__})")


def _from_text(text: str) -> Question:
    if not text:
        raise StudyError("the question is empty")
    query, facts = QUERY.search(text), facts_of(text)
    if query is None or not facts:
        return Question(text, (), "")
    question = replace(_about(facts, query[1], (query[2], query[3])), question=text)
    if wrong := fault(question):
        raise StudyError(wrong)
    return question


def _from_networkx(graph: nx.Graph) -> Question:
    root, options = graph.graph.get("root"), graph.graph.get("options")
    if not isinstance(graph, nx.DiGraph):
        raise StudyError("the graph is not directed; give a networkx.DiGraph")
    if root is None or not isinstance(options, Sequence) or len(options) != 2:
        raise StudyError(
            "the graph does not say what is asked; make it as networkx.DiGraph(edges, root=NAME, "
            "options=(NAME, NAME))"
        )
    for name in graph:
        if not isinstance(name, str) or not schema.NAME.fullmatch(name):
            raise StudyError(f"the node {name!r} of the graph is not a name of one word")
    for name in nx.isolates(graph):
        raise StudyError(f"the node {name} of the graph has no edge")
    return _about(list(graph.edges), root, (options[0], options[1]))


def _about(facts: Sequence[tuple[str, str]], root: str, options: tuple[str, str]) -> Question:
    """The question whether `root` is the first or the second of `options`, by `facts` (head, tail)."""
    number = {name: i for i, name in enumerate(dict.fromkeys(name for fact in facts for name in fact))}
    for name in (root, *options):
        if name not in number:
            raise StudyError(f"no fact names {name}")
    reached = nx.descendants(nx.DiGraph(facts), root)
    if (options[0] in reached) == (options[1] in reached):
        which = "both" if options[0] in reached else "neither"
        raise StudyError(
            f"{which} of the options {options[0]} and {options[1]} can be reached from {root}; "
            "exactly one of them must be"
        )
    target, other = options if options[0] in reached else options[::-1]
    edges = tuple((number[head], number[tail]) for head, tail in facts)
    graph = Graph(tuple(number), edges, number[root], number[target], number[other])
    if wrong := graphs.fault(graph):
        raise StudyError(wrong)
    path = graphs.shortest_paths(graph)[0]
    return written(graph, Wording(list(range(len(edges))), (number[options[0]], number[options[1]]), path))
