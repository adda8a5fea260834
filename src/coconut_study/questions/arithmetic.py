"""Word problems with equation steps: drawing them, and solving them from their text alone.

The form is that of GSM8k-Aug (Deng et al. 2023, arXiv:2311.01460): a little story in plain English, one
equation `<<12*3=36>>` a step, the last result as the answer. `stories` holds the sentences. `draw` adds
them up to a story and never solves it; `fault` starts from the finished text and looks at the steps last.
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

from coconut_study.questions import arithmetic_language
from coconut_study.questions.arithmetic_language import (
    EVENT,
    GIVEN,
    LINK,
    NUMBERS,
    QUESTION,
    Key,
    Line,
    Sentence,
    Unfit,
)
from coconut_study.questions.question import Question

PUBLISHED = {1: 83, 2: 357, 3: 364, 4: 290, 5: 138, 6: 57, 7: 21, 8: 9}  # test questions by equations
OPENINGS = ("goods", "goods", "money", "prices", "sales", "reading")  # kinds that a story begins with
TRIES = 20  # before a sentence, or a story, is given up

T = TypeVar("T")


# ------------------------------------------------------------------------------------------- drawing


@dataclass(slots=True)
class Story:
    """A growing story: its lines, the steps so far, and the quantity it goes on with."""

    rng: np.random.Generator
    kind: str
    unit: str
    subject: str = ""
    known: dict[Key, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def tell(self, role: int, room: int) -> None:
        """Add a sentence of at most `room` equations, exactly so many for a question; Unfit if none suits."""
        sentence = _one(self.rng, _sentences(self.kind, role, room))
        for _ in range(TRIES):
            with suppress(Unfit):
                return self.add(self.fill(sentence))
        raise Unfit(f"no numbers suit: {sentence.text}")

    def fill(self, sentence: Sentence) -> Line:
        """The sentence with drawn words and numbers; Unfit when no word is left for a slot."""
        words: dict[str, str] = {}
        for slot in dict.fromkeys(arithmetic_language.SLOT.findall(sentence.text)):
            pool = self.pool(slot, sentence.becomes or self.kind)
            if slot not in NUMBERS:  # numbers may repeat
                pool = [word for word in pool if word not in words.values()]
            words[slot] = _one(self.rng, pool)
        return Line(sentence, words)

    def pool(self, slot: str, kind: str) -> Sequence[str]:
        """What may stand in the slot of a sentence after which the story is of this kind."""
        subjects, units = arithmetic_language.KINDS[kind]
        if slot in NUMBERS:
            return list(NUMBERS[slot])
        if slot == "a":
            told = {subject for subject, _ in self.known}
            return [subject for subject in subjects if subject not in told]
        if slot in "cd":
            alike = [subject for subject, unit in self.known if unit == self.unit]
            return [subject for subject in alike if subject in subjects and subject != self.subject]
        return {"b": (self.subject,), "unit": (self.unit,), "new": units, "pack": arithmetic_language.PACKS}[
            slot
        ]

    def add(self, line: Line) -> None:
        """Add the line and go on with what it tells; Unfit when that is out of bounds or nothing new."""
        steps, value = line.work(self.known[key] for key in line.sources)
        if steps and value in self.known.values():
            raise Unfit("equations that come back to a known number can be left out")
        self.subject, self.unit = line.target
        self.known[line.target] = value
        self.kind = line.sentence.becomes or self.kind
        self.lines.append(line)
        self.steps += steps


def draw(rng: np.random.Generator, steps: tuple[int, int]) -> Question:
    """A problem with steps[0] to steps[1] equations, their number distributed as in the published test set.

    ValueError for a range outside 1..8. Every equation is needed for the answer; a text may tell more.
    """
    if not 1 <= steps[0] <= steps[1] <= max(PUBLISHED):
        raise ValueError(f"steps {steps} are no range within 1..{max(PUBLISHED)}")
    counts = range(steps[0], steps[1] + 1)
    weights = np.array([PUBLISHED[count] for count in counts])
    count = int(rng.choice(counts, p=weights / weights.sum()))
    while True:
        with suppress(Unfit):
            return _written(_told(rng, count))


def _told(rng: np.random.Generator, count: int) -> Story:
    """A story with `count` equations; Unfit when it gets stuck."""
    kind = _one(rng, OPENINGS)
    story = Story(rng, kind, _one(rng, arithmetic_language.KINDS[kind][1]))
    for _ in range(int(rng.integers(3))):  # used later, or beside the point
        story.tell(GIVEN, 0)
    story.tell(GIVEN, count)
    for _ in range(TRIES):
        facts = story.lines[-1].sentence.role < EVENT
        with suppress(Unfit):
            role = _one(rng, (LINK, LINK, EVENT, QUESTION) if facts else (EVENT, QUESTION))
            story.tell(role, count - len(story.steps))
            if role == QUESTION:
                return story
    raise Unfit(f"no question after {TRIES} sentences")


def _written(story: Story) -> Question:
    """The problem in words; its facts stand in any order half of the time."""
    facts = [line.text for line in story.lines if line.sentence.role < EVENT]
    others = []
    for line in story.lines[len(facts) :]:
        happens = line.sentence.role == EVENT and "a" not in line.words
        others.append((_one(story.rng, arithmetic_language.TIMES) if happens else "") + line.text)
    if story.rng.random() < 0.5:
        facts = [facts[i] for i in story.rng.permutation(len(facts))]
    answer = str(story.known[story.subject, story.unit])
    return Question(" ".join(facts + others), tuple(story.steps), answer)


@cache
def _sentences(kind: str, role: int, room: int) -> list[Sentence]:
    """The sentences that fit into the room; questions must fill it."""
    fits = operator.eq if role == QUESTION else operator.le
    suited = [row for row in arithmetic_language.SENTENCES if row.role == role and kind in row.kinds.split()]
    return [row for row in suited if fits(len(arithmetic_language.EQUATION.findall(row.formula)), room)]


def _one(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of the items; Unfit when there is none."""
    if not items:
        raise Unfit("nothing is left to choose from")
    return items[int(rng.integers(len(items)))]


# --------------------------------------------------------------------------------------------- proof

Solved = tuple[int, dict[Line, list[str]]]  # how many, and the steps of each line on the way there


def fault(question: Question) -> str | None:
    """What is wrong with a problem, or None. The proof behind every problem drawn.

    The text is solved without a look at the steps; these must be those that it asks for, in its order.
    """
    try:
        value, steps = _solved(
            [arithmetic_language.read(text) for text in re.split(r"(?<=[.?]) ", question.question)]
        )
    except Unfit as error:
        return str(error)
    needed = [step for found in steps.values() for step in found]
    if list(question.steps) != needed:
        return f"the text asks for the steps {' '.join(needed)}"
    if question.answer != str(value):
        return f"the answer is {question.answer}, the text asks for {value}"
    return None


def _solved(lines: Sequence[Line]) -> Solved:
    """What the last line asks for; Unfit when the others do not tell it."""
    roles = [max(line.sentence.role, LINK) for line in lines]
    if roles != sorted(roles) or roles.count(QUESTION) != 1:
        raise Unfit("a text tells facts, then events, and ends with its only question")
    facts, others = lines[: roles.count(LINK)], lines[roles.count(LINK) :]
    if len({fact.target for fact in facts}) != len(facts):
        raise Unfit("the text tells a quantity twice")
    known: dict[Key, Solved] = {}
    for fact in [*facts] * len(facts):  # each round settles one at least, in whatever order they stand
        if fact.target not in known and known.keys() >= {*fact.sources}:
            known[fact.target] = _followed(fact, known)
    for line in others:
        told = _followed(line, known)
        if "new" in line.words:  # what was exchanged is gone
            del known[line.sources[0]]
        known[line.target] = told
    return told


def _followed(line: Line, known: dict[Key, Solved]) -> Solved:
    """What the line tells, behind the steps to its sources; Unfit when one of these is not known."""
    for subject, unit in line.sources:
        if (subject, unit) not in known:
            raise Unfit(f"the text does not tell how many {unit}s go with {subject}")
    sources = [known[key] for key in line.sources]
    steps, result = line.work(value for value, _ in sources)
    before = {earlier: found for _, way in sources for earlier, found in way.items()}
    return result, before | {line: steps}
