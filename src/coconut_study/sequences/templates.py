"""Templates: a question as text for the model, and a response read back (pure functions).

`prose` is the text of the published files; `symbols` writes a graph question with one word per node:

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
    """The parts of a training text, in order."""

    question: str
    steps: list[str]
    answer: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A response read back: its steps as edges (head, tail), and its answer.

    A head is None if it is not written (the first step of `symbols`). `malformed` is true if some text
    before the answer is not a step.
    """

    steps: tuple[tuple[str | None, str], ...]
    malformed: bool
    answer: str | None


class Template(Protocol):
    """A way to write questions and to read responses."""

    def text(self, question: Question) -> Text:
        """The question, steps and answer as text."""

    def positions(self, n_facts: int, n_tokens: int, shared: bool) -> list[int]:
        """Position ids of tokens that begin with facts; `shared` gives both tokens of a fact one id."""

    def facts(self, graph: Graph, edges: Sequence[Edge]) -> str:
        """Facts as text."""

    def walk(self, graph: Graph, path: Sequence[int]) -> tuple[str, str]:
        """A walk that follows the facts: its start, and its continuation."""

    def read(self, response: str) -> Reading:
        """The steps and the answer of a response."""


def answer_of(response: str) -> str | None:
    """The words after the last "#", without commas as in the published code; None if there is no "#"."""
    _, mark, tail = response.rpartition("#")
    return " ".join(WORD.findall(tail.replace(",", ""))) if mark else None


def is_right(question: Question, response: str, template: Template) -> bool:
    """Whether the response gives the gold answer; the words are compared."""
    return answer_of(response) == answer_of(template.text(question).answer)


def is_right_number(question: Question, response: str) -> bool | None:
    """Whether the answer equals the gold answer as a number; None if the gold answer is not a number."""
    gold = _number(question.answer)
    _, mark, tail = response.rpartition("#")
    return None if gold is None else bool(mark) and _number(tail) == gold


def _number(text: str) -> float | None:
    """The value of a number written with or without sign, commas, $ and %; None for other text."""
    joined = re.sub(
        r" ?([.,]) ?", r"\1", " ".join(text.split())
    )  # a word-level tokenizer puts blanks around them
    match = NUMBER.fullmatch(joined.replace(",", "").strip())
    return float("".join(match[1].split())) if match else None


class Prose:
    """The text of the published files, for any question."""

    STEP = re.compile(r"(?:every )?(\w+) is an? (\w+) \.", re.IGNORECASE)

    def text(self, question: Question) -> Text:
        """Question, steps and answer, one per line (paper section 4), with `### ` before the answer."""
        steps = [f"{step}\n" for step in question.steps]
        return Text(f"{question.question}\n", steps, f"{ANSWER_MARK} {question.answer}")

    def positions(self, n_facts: int, n_tokens: int, shared: bool) -> list[int]:
        """Consecutive numbers: `shared` has no effect, as facts differ in their number of tokens."""
        return list(range(n_tokens))

    def facts(self, graph: Graph, edges: Sequence[Edge]) -> str:
        """One sentence per edge."""
        return " ".join(sentence(graph, edge) for edge in edges)

    def walk(self, graph: Graph, path: Sequence[int]) -> tuple[str, str]:
        """The first words of the first sentence, and the rest."""
        sentences = "\n".join(sentence(graph, edge) for edge in pairwise(path))
        start = sentences.index(" is a ")
        return f"\n{sentences[:start]}", sentences[start:]

    def read(self, response: str) -> Reading:
        """Sentences before the answer mark; a line may have several."""
        body = response.partition("#")[0]
        sentences = [s for s in re.split(r"(?<=\.)|\n", body) if s.strip()]
        matches = [self.STEP.fullmatch(" ".join(WORD.findall(sentence))) for sentence in sentences]
        steps = tuple((m[1], m[2]) for m in matches if m)
        return Reading(steps, malformed=None in matches, answer=answer_of(response))


class Symbols:
    """One word per node: a fact is two words, a step the node that it reaches. For graph questions only."""

    def text(self, question: Question) -> Text:
        """`a b c d ... ? x y | root`, then the nodes of the path, then `### target`."""
        graph = question.graph
        if graph is None:
            raise ValueError("the symbols template can write graph questions only; use prose")
        first, second = options_of(question.question)
        root, target = graph.names[graph.root], graph.names[graph.target]
        steps = [f" {tail}" for _, tail in map(_step_names, question.steps)]
        facts = " ".join(word for fact in facts_of(question.question) for word in fact)
        return Text(f"{facts} ? {first} {second} | {root}", steps, f" {ANSWER_MARK} {target}")

    def positions(self, n_facts: int, n_tokens: int, shared: bool) -> list[int]:
        """With `shared`, both tokens of a fact have the number of the fact as position."""
        if not shared:
            return list(range(n_tokens))
        facts = [number for number in range(n_facts) for _ in range(2)]
        return facts + list(range(n_facts, n_tokens - n_facts))

    def facts(self, graph: Graph, edges: Sequence[Edge]) -> str:
        """Head and tail of each edge."""
        return " ".join(graph.names[node] for edge in edges for node in edge)

    def walk(self, graph: Graph, path: Sequence[int]) -> tuple[str, str]:
        """The first node, written as the root of a question, and the nodes after it, written as steps."""
        first, *others = (graph.names[node] for node in path)
        return f" | {first}", "".join(f" {name}" for name in others)

    def read(self, response: str) -> Reading:
        """Words before the answer mark are the nodes of a path; the first step has no written head."""
        words: Sequence[str] = WORD.findall(response.partition("#")[0])
        path: list[str | None] = [None, *words]
        steps = tuple((a, b) for a, b in pairwise(path) if b is not None)
        malformed = any(not word.isalpha() for word in words)
        return Reading(steps, malformed, answer_of(response))


def _step_names(step: str) -> tuple[str, str]:
    return facts_of(step)[0]


TEMPLATES: dict[TemplateName, Template] = {"prose": Prose(), "symbols": Symbols()}
