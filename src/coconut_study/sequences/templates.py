"""How a question is written for the model, and how what it wrote is read back (both pure).

`prose` is the text of the published files; `symbols` writes a graph question with one word a node:

    prose    Every lempus is a rompus. Tom is a lempus. ... Is Tom a rompus or gorpus?
             Tom is a lempus.
             Every lempus is a rompus.
             ### Tom is a rompus.
    symbols  lempus rompus Tom lempus ... ? rompus gorpus | Tom lempus rompus ### rompus
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol

from coconut_study.questions.graphs import Edge, Graph
from coconut_study.questions.question import Question, facts_of, options_of, sentence

TemplateName = Literal["prose", "symbols"]

WORD = re.compile(r"\w+|[^\w\s]+|\n")
NUMBER = re.compile(r"\$?\s*([+-]?\s*(?:\d+(?:\.\d*)?|\.\d+))\s*%?\.?")
ANSWER_MARK = "###"


class Text(NamedTuple):
    """A question as the model reads it; concatenated it is the whole training text."""

    question: str
    steps: list[str]
    answer: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a response says: its steps as edges, and its answer.

    A head of None is not written (the first step of `symbols`). `malformed` marks text among the steps
    that is no step at all.
    """

    steps: tuple[tuple[str | None, str], ...]
    malformed: bool
    answer: str | None


class Template(Protocol):
    """A way to write and read questions."""

    def text(self, question: Question) -> Text:
        """The question in words."""

    def positions(self, n_facts: int, n_tokens: int, shared: bool) -> list[int]:
        """Position ids of tokens that begin with facts; `shared` lets the tokens of a fact share one."""

    def facts(self, graph: Graph, edges: Sequence[Edge]) -> str:
        """Facts alone."""

    def walk(self, graph: Graph, path: Sequence[int]) -> tuple[str, str]:
        """How a walk behind the facts starts, and where it goes."""

    def read(self, response: str) -> Reading:
        """What a response says."""


def answer_of(response: str) -> str | None:
    """The answer: the words after the last "#", commas removed as in the published code; None without."""
    _, mark, tail = response.rpartition("#")
    return " ".join(WORD.findall(tail.replace(",", ""))) if mark else None


def is_right(question: Question, response: str, template: Template) -> bool:
    """Whether the response gives the gold answer, compared word by word."""
    return answer_of(response) == answer_of(template.text(question).answer)


def is_right_number(question: Question, response: str) -> bool | None:
    """Whether the response's answer has the gold answer's value; None where the gold one is no number."""
    gold = _number(question.answer)
    _, mark, tail = response.rpartition("#")
    return None if gold is None else bool(mark) and _number(tail) == gold


def _number(text: str) -> float | None:
    """The value of a written number, with a sign, thousands commas, currency or per cent sign; else None."""
    joined = re.sub(r" ?([.,]) ?", r"\1", " ".join(text.split()))  # a word tokenizer writes blanks around
    match = NUMBER.fullmatch(joined.replace(",", "").strip())
    return float("".join(match[1].split())) if match else None


class Prose:
    """The published text; any question can be written this way."""

    STEP = re.compile(r"(?:every )?(\w+) is an? (\w+) \.", re.IGNORECASE)

    def text(self, question: Question) -> Text:
        """Question, steps and answer, one a line (paper section 4; `### ` before the answer)."""
        steps = [f"{step}\n" for step in question.steps]
        return Text(f"{question.question}\n", steps, f"{ANSWER_MARK} {question.answer}")

    def positions(self, n_facts: int, n_tokens: int, shared: bool) -> list[int]:
        """One after the other: sentences have no fixed number of tokens to share a position."""
        return list(range(n_tokens))

    def facts(self, graph: Graph, edges: Sequence[Edge]) -> str:
        """Sentences."""
        return " ".join(sentence(graph, edge) for edge in edges)

    def walk(self, graph: Graph, path: Sequence[int]) -> tuple[str, str]:
        """The head of the first sentence, and the rest of them."""
        sentences = "\n".join(sentence(graph, edge) for edge in pairwise(path))
        start = sentences.index(" is a ")
        return f"\n{sentences[:start]}", sentences[start:]

    def read(self, response: str) -> Reading:
        """Sentences before the answer mark, one a line or several."""
        body = response.partition("#")[0]
        sentences = [s for s in re.split(r"(?<=\.)|\n", body) if s.strip()]
        matches = [self.STEP.fullmatch(" ".join(WORD.findall(sentence))) for sentence in sentences]
        steps = tuple((m[1], m[2]) for m in matches if m)
        return Reading(steps, malformed=None in matches, answer=answer_of(response))


class Symbols:
    """One word a node: facts as pairs, a step as the node it reaches. For graph questions only."""

    def text(self, question: Question) -> Text:
        """`a b c d ... ? x y | root`, then the nodes of the path, then `### target`."""
        graph = question.graph
        if graph is None:
            raise ValueError("the symbols template writes graph questions only; use prose")
        first, second = options_of(question.question)
        root, target = graph.names[graph.root], graph.names[graph.target]
        steps = [f" {tail}" for _, tail in map(_step_names, question.steps)]
        facts = " ".join(word for fact in facts_of(question.question) for word in fact)
        return Text(f"{facts} ? {first} {second} | {root}", steps, f" {ANSWER_MARK} {target}")

    def positions(self, n_facts: int, n_tokens: int, shared: bool) -> list[int]:
        """With `shared`, both tokens of a fact have the number of the fact."""
        if not shared:
            return list(range(n_tokens))
        facts = [number for number in range(n_facts) for _ in range(2)]
        return facts + list(range(n_facts, n_tokens - n_facts))

    def facts(self, graph: Graph, edges: Sequence[Edge]) -> str:
        """Heads and tails."""
        return " ".join(graph.names[node] for edge in edges for node in edge)

    def walk(self, graph: Graph, path: Sequence[int]) -> tuple[str, str]:
        """The first node as it would stand in a question, and the nodes behind it as steps."""
        first, *others = (graph.names[node] for node in path)
        return f" | {first}", "".join(f" {name}" for name in others)

    def read(self, response: str) -> Reading:
        """Words before the answer mark are the nodes of a path; the first has no written head."""
        words: Sequence[str] = WORD.findall(response.partition("#")[0])
        path: list[str | None] = [None, *words]
        steps = tuple((a, b) for a, b in pairwise(path) if b is not None)
        malformed = any(not word.isalpha() for word in words)
        return Reading(steps, malformed, answer_of(response))


def _step_names(step: str) -> tuple[str, str]:
    return facts_of(step)[0]


TEMPLATES: dict[TemplateName, Template] = {"prose": Prose(), "symbols": Symbols()}
