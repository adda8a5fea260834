"""Arithmetic word problems in the form of GSM8k-Aug: a story in plain English, and equations as steps.

GSM8k-Aug is by Deng et al. (2023, arXiv 2311.01460). Each step is one equation, `<<12*3=36>>`, and the last
result is the answer. `arithmetic_language` has the sentences. `draw` builds a story sentence by sentence;
`fault` solves the finished text, without looking at the steps, and then compares.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import numpy as np

from coconut_study.questions import arithmetic_language as language
from coconut_study.questions.arithmetic_language import (
    EVENT,
    GIVEN,
    LINK,
    NUMBERS,
    QUESTION,
    Key,
    Line,
    ProblemError,
    Sentence,
)
from coconut_study.questions.question import Question

PUBLISHED = {1: 83, 2: 357, 3: 364, 4: 290, 5: 138, 6: 57, 7: 21, 8: 9}  # equations: published test questions
OPENINGS = ("goods", "goods", "money", "prices", "sales", "reading")  # kinds with which a story begins
TRIES = 20  # attempts at a sentence, and sentences of a story, before starting again

T = TypeVar("T")


# ------------------------------------------------------------------------------------------- drawing


@dataclass(slots=True)
class Story:
    """An unfinished problem: its lines and steps so far, its known quantities, and the current one.

    The current quantity is that of `subject` in `unit`; the next sentence is about it.
    """

    rng: np.random.Generator
    kind: str
    unit: str
    subject: str = ""
    known: dict[Key, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def extend(self, role: int, limit: int) -> None:
        """Add a random sentence of this role with at most `limit` equations (a question: exactly as many).

        ProblemError if no sentence or no numbers fit.
        """
        sentence = _choose(self.rng, _sentences(self.kind, role, limit))
        for _ in range(TRIES):
            with suppress(ProblemError):
                return self.add(self.fill(sentence))
        raise ProblemError(f"no numbers fit: {sentence.text}")

    def fill(self, sentence: Sentence) -> Line:
        """The sentence with random words and numbers in its slots; ProblemError if no word is left."""
        words: dict[str, str] = {}
        for slot in dict.fromkeys(language.SLOT.findall(sentence.text)):
            pool = self.pool(slot, sentence.becomes or self.kind)
            if slot not in NUMBERS:  # numbers may repeat
                pool = [word for word in pool if word not in words.values()]
            words[slot] = _choose(self.rng, pool)
        return Line(sentence, words)

    def pool(self, slot: str, kind: str) -> Sequence[str]:
        """The words a slot may be filled with, if the story is of this kind after the sentence."""
        subjects, units = language.KINDS[kind]
        if slot in NUMBERS:
            return list(NUMBERS[slot])
        if slot == "a":
            used = {subject for subject, _ in self.known}
            return [subject for subject in subjects if subject not in used]
        if slot in "cd":
            same_unit = [subject for subject, unit in self.known if unit == self.unit]
            return [subject for subject in same_unit if subject in subjects and subject != self.subject]
        return {"b": (self.subject,), "unit": (self.unit,), "new": units, "pack": language.PACKS}[slot]

    def add(self, line: Line) -> None:
        """Add a line and make its quantity the current one.

        ProblemError if the result is out of range or equals a quantity that is known already.
        """
        steps, value = line.work(self.known[key] for key in line.sources)
        if steps and value in self.known.values():
            raise ProblemError("equations that lead back to a known number could be left out")
        self.subject, self.unit = line.target
        self.known[line.target] = value
        self.kind = line.sentence.becomes or self.kind
        self.lines.append(line)
        self.steps += steps


def draw(rng: np.random.Generator, steps: tuple[int, int]) -> Question:
    """Draw a problem with steps[0] to steps[1] equations, as frequent as in the published test set.

    Every equation is needed for the answer; the text may state quantities that are not needed. ValueError
    for a range outside 1 to 8.
    """
    if not 1 <= steps[0] <= steps[1] <= max(PUBLISHED):
        raise ValueError(f"steps {steps} are not a range within 1..{max(PUBLISHED)}")
    counts = range(steps[0], steps[1] + 1)
    weights = np.array([PUBLISHED[count] for count in counts])
    count = int(rng.choice(counts, p=weights / weights.sum()))
    while True:
        with suppress(ProblemError):
            return _question(_story(rng, count))


def _story(rng: np.random.Generator, count: int) -> Story:
    """A complete story with `count` equations; ProblemError if it cannot be completed."""
    kind = _choose(rng, OPENINGS)
    story = Story(rng, kind, _choose(rng, language.KINDS[kind][1]))
    for _ in range(int(rng.integers(3))):  # quantities that are used later, or never
        story.extend(GIVEN, 0)
    story.extend(GIVEN, count)
    for _ in range(TRIES):
        facts = story.lines[-1].sentence.role < EVENT
        with suppress(ProblemError):
            role = _choose(rng, (LINK, LINK, EVENT, QUESTION) if facts else (EVENT, QUESTION))
            story.extend(role, count - len(story.steps))
            if role == QUESTION:
                return story
    raise ProblemError(f"no question after {TRIES} sentences")


def _question(story: Story) -> Question:
    """The problem in words; its facts are shuffled in half of the cases."""
    facts = [line.text for line in story.lines if line.sentence.role < EVENT]
    others = []
    for line in story.lines[len(facts) :]:
        dated = line.sentence.role == EVENT and "a" not in line.words
        others.append((_choose(story.rng, language.TIMES) if dated else "") + line.text)
    if story.rng.random() < 0.5:
        facts = [facts[i] for i in story.rng.permutation(len(facts))]
    answer = str(story.known[story.subject, story.unit])
    return Question(" ".join(facts + others), tuple(story.steps), answer)


@cache
def _sentences(kind: str, role: int, limit: int) -> list[Sentence]:
    """The sentences of a kind and role with at most `limit` equations; questions with exactly as many."""
    fits = operator.eq if role == QUESTION else operator.le
    rows = [row for row in language.SENTENCES if row.role == role and kind in row.kinds.split()]
    return [row for row in rows if fits(len(language.EQUATION.findall(row.formula)), limit)]


def _choose(rng: np.random.Generator, items: Sequence[T]) -> T:
    """A random item; ProblemError if there is none."""
    if not items:
        raise ProblemError("nothing is left to choose from")
    return items[int(rng.integers(len(items)))]


# --------------------------------------------------------------------------------------------- proof

Solution = tuple[int, dict[Line, list[str]]]  # a value, and the steps of every line that is needed for it


def fault(question: Question) -> str | None:
    """The first thing that is wrong with a problem, or None if it is sound.

    The text is solved without looking at the steps; these must be the steps of its solution, in its order.
    """
    try:
        value, steps = solve([language.read(text) for text in re.split(r"(?<=[.?]) ", question.question)])
    except ProblemError as error:
        return str(error)
    expected = [step for part in steps.values() for step in part]
    if list(question.steps) != expected:
        return f"the text asks for the steps {' '.join(expected)}"
    if question.answer != str(value):
        return f"the answer is {question.answer}, the text asks for {value}"
    return None


def solve(lines: Sequence[Line]) -> Solution:
    """The value that the last line asks for, and the lines needed for it with their steps.

    ProblemError if the other lines do not determine it.
    """
    roles = [max(line.sentence.role, LINK) for line in lines]
    if roles != sorted(roles) or roles.count(QUESTION) != 1:
        raise ProblemError("a text states facts, then events, and ends with its only question")
    facts, others = lines[: roles.count(LINK)], lines[roles.count(LINK) :]
    if len({fact.target for fact in facts}) != len(facts):
        raise ProblemError("the text states a quantity twice")
    known: dict[Key, Solution] = {}
    for fact in [*facts] * len(facts):  # each round determines at least one more, whatever their order
        if fact.target not in known and known.keys() >= {*fact.sources}:
            known[fact.target] = _solve_line(fact, known)
    for line in others:
        solution = _solve_line(line, known)
        if "new" in line.words:  # the quantity that was exchanged no longer exists
            del known[line.sources[0]]
        known[line.target] = solution
    return solution


def _solve_line(line: Line, known: dict[Key, Solution]) -> Solution:
    """The quantity of one line, with the steps of its sources first; ProblemError if one is not known."""
    for subject, unit in line.sources:
        if (subject, unit) not in known:
            raise ProblemError(f"the text does not say how many {unit}s belong to {subject}")
    sources = [known[key] for key in line.sources]
    steps, result = line.work(value for value, _ in sources)
    before = {earlier: part for _, solution in sources for earlier, part in solution.items()}
    return result, before | {line: steps}
