"""The language of word problems: words, numbers, and sentences with the equations they stand for.

A problem first states its facts, which hold at the same time and may come in any order, then its events,
which happen one after the other, and ends with one question. The sentences were written for this project.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from coconut_study.questions.graphs import PERSONS

# fmt: off
OBJECTS = (
    "badge", "balloon", "bead", "book", "button", "candle", "card", "cookie", "kite", "lemon", "marble",
    "mug", "pebble", "pen", "pencil", "postcard", "ribbon", "shell", "spoon", "stamp", "sticker", "ticket",
)
# fmt: on
PACKS = ("bag", "basket", "crate", "jar", "packet", "tray")
WRITINGS = ("chapter", "letter", "page", "poem")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TIMES = ("Then ", "Later ", "After that ", "The next day ", "", "")  # possible beginnings of an event

KINDS = {  # kind of story: (subjects it compares, units it counts)
    "goods": (PERSONS, OBJECTS),
    "packs": (PERSONS, PACKS),
    "money": (PERSONS, ("dollar",)),
    "prices": (OBJECTS, ("dollar",)),
    "sales": (DAYS, OBJECTS),
    "reading": (PERSONS, WRITINGS),
}
NUMBERS = {  # slot: words or digits it may be filled with, and their values
    "n": {str(number): number for number in range(1, 61)},
    "m": {str(number): number for number in range(2, 21)},
    "k": {str(number): number for number in range(2, 13)},
    "w": {str(number): number for number in range(50, 501)},
    "t": {"twice": 2, "three times": 3, "four times": 4},
    "p": {"half": 2, "a third": 3, "a quarter": 4, "a fifth": 5},
}
LARGEST = 999  # all numbers of a problem are between 1 and this

SLOT = re.compile(r"\{(\w+)\}")
EQUATION = re.compile(r"(\w)([-+*/])(\w)")
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
Key = tuple[str, str]  # (subject, unit): names a quantity, for example the marbles that Tom has


class ProblemError(ValueError):
    """A text that is not a solvable word problem, for the reason in the message."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with slots, the kinds of stories in which it can be used, and its formula.

    Slots are numbers (see `NUMBERS`), subjects (a: a new one, b: the current one, c and d: others), `unit`
    (the unit that is counted), `new` (a new unit) and `pack`; "(s)" is the plural ending that agrees with n.
    In the formula x, y, z are the quantities of b, c, d, and _ is the previous result. After a sentence with
    `becomes`, the story is of that kind.
    """

    role: int
    kinds: str
    formula: str
    text: str
    becomes: str = ""


S = Sentence
GIVEN, LINK, EVENT, QUESTION = range(4)  # roles; given quantities and links between quantities are facts
OWNED = "goods packs money"
SENTENCES = (
    S(GIVEN, "goods money", "n", "{a} has {n} {unit}(s)."),
    S(GIVEN, "goods", "k*m", "{a} has {k} {pack}s with {m} {unit}s in each."),
    S(GIVEN, "goods", "m+k", "{a} has {m} old and {k} new {unit}s."),
    S(GIVEN, "money", "m*k", "{a} has saved {m} {unit}s a week for {k} weeks."),
    S(LINK, OWNED, "x+n", "{a} has {n} more {unit}(s) than {b}."),
    S(LINK, OWNED, "x-n", "{a} has {n} fewer {unit}(s) than {b}."),
    S(LINK, OWNED, "x*t", "{a} has {t} as many {unit}s as {b}."),
    S(LINK, OWNED, "x/p", "{a} has {p} as many {unit}s as {b}."),
    S(LINK, OWNED, "x*t _+n", "{a} has {n} more than {t} as many {unit}s as {b}."),
    S(LINK, OWNED, "x+n", "{b} needs {n} more {unit}(s) to have as many as {a}."),
    S(LINK, OWNED, "x-n", "If {a} had {n} more {unit}(s), {a} would have as many as {b}."),
    S(LINK, OWNED, "x+y", "{a} has as many {unit}s as {b} and {c} together."),
    S(LINK, OWNED, "x+y _-n", "{a} has {n} fewer {unit}(s) than {b} and {c} together."),
    S(EVENT, OWNED, "x+n", "{b} gets {n} {unit}(s) as a present."),
    S(EVENT, OWNED, "x-n", "{b} loses {n} {unit}(s)."),
    S(EVENT, OWNED, "x-n", "{b} gives {n} {unit}(s) to a friend."),
    S(EVENT, OWNED, "k*m x-_", "{b} gives {m} {unit}s to each of {k} friends."),
    S(EVENT, OWNED, "x/p x-_", "{b} gives away {p} of the {unit}s."),
    S(EVENT, OWNED, "x/p", "{b} keeps {p} of the {unit}s and gives away the others."),
    S(EVENT, "goods", "x+n", "{b} buys {n} more {unit}(s)."),
    S(EVENT, "goods", "k*m x+_", "{b} buys {k} {pack}s of {m} {unit}s each."),
    S(EVENT, "goods", "x/k", "{b} packs all the {unit}s into {new}s of {k}.", "packs"),
    S(EVENT, "goods", "x*k", "{b} swaps every {unit} for {k} {new}s.", "goods"),
    S(EVENT, "goods", "x/k", "{b} swaps all the {unit}s and gets one {new} for every {k} of them.", "goods"),
    S(EVENT, "goods packs", "x*k", "{b} sells all the {unit}s for {k} {new}s each.", "money"),
    S(EVENT, "packs", "x*k", "{b} opens all the {unit}s and takes {k} {new}s out of each.", "goods"),
    S(EVENT, "money", "x+n", "{b} earns {n} more {unit}(s)."),
    S(EVENT, "money", "k*m x+_", "{b} works for {k} hours and earns {m} {unit}s an hour."),
    S(EVENT, "money", "x-n", "{b} spends {n} {unit}(s) on lunch."),
    S(EVENT, "money", "k*m x-_", "{b} pays for {k} meals at {m} {unit}s each."),
    S(EVENT, "money", "x/k", "{b} spends all the {unit}s on {new}s at {k} {unit}s each.", "goods"),
    S(QUESTION, OWNED, "x", "How many {unit}s does {b} have now?"),
    S(QUESTION, OWNED, "x+y", "How many {unit}s do {b} and {c} have together?"),
    S(QUESTION, OWNED, "x+y _+z", "How many {unit}s do {b}, {c} and {d} have in all?"),
    S(QUESTION, OWNED, "x-y", "How many more {unit}s does {b} have than {c}?"),
    S(QUESTION, OWNED, "y-x", "How many fewer {unit}s does {b} have than {c}?"),
    S(QUESTION, OWNED, "x-n", "How many {unit}s will {b} have left after giving away {n} of them?"),
    S(QUESTION, OWNED, "x/k", "How many {unit}s does each friend get if {b} shares them among {k} friends?"),
    S(GIVEN, "prices", "n", "A {a} costs {n} {unit}(s)."),
    S(GIVEN, "prices", "w/k", "{k} {a}s cost {w} {unit}s in all."),
    S(LINK, "prices", "x+n", "A {a} costs {n} {unit}(s) more than a {b}."),
    S(LINK, "prices", "x-n", "A {a} costs {n} {unit}(s) less than a {b}."),
    S(LINK, "prices", "x*t", "A {a} costs {t} as many {unit}s as a {b}."),
    S(LINK, "prices", "x/p", "A {a} costs {p} as many {unit}s as a {b}."),
    S(LINK, "prices", "x*k", "A {a} costs as many {unit}s as {k} {b}s."),
    S(LINK, "prices", "x+y", "A {a} costs as many {unit}s as a {b} and a {c} together."),
    S(EVENT, "prices", "x*k", "{a} has just enough {unit}s for {k} {b}s.", "money"),
    S(EVENT, "prices", "w-x", "{a} has {w} {unit}s and buys a {b}.", "money"),
    S(EVENT, "prices", "x*k w-_", "{a} has {w} {unit}s and buys {k} {b}s.", "money"),
    S(QUESTION, "prices", "x", "How many {unit}s does a {b} cost?"),
    S(QUESTION, "prices", "x*k", "How many {unit}s do {k} {b}s cost?"),
    S(QUESTION, "prices", "x+y", "How many {unit}s do a {b} and a {c} cost together?"),
    S(QUESTION, "prices", "x*k _+y", "How many {unit}s do {k} {b}s and a {c} cost together?"),
    S(QUESTION, "prices", "w-x", "How many of {w} {unit}s are left after buying a {b}?"),
    S(QUESTION, "prices", "w/x", "How many {b}s can be bought for {w} {unit}s?"),
    S(GIVEN, "sales", "n", "On {a} the shop sells {n} {unit}(s)."),
    S(GIVEN, "sales", "k*m", "On {a} the shop sells {k} {pack}s of {m} {unit}s each."),
    S(LINK, "sales", "x+n", "On {a} the shop sells {n} more {unit}(s) than on {b}."),
    S(LINK, "sales", "x-n", "On {a} the shop sells {n} fewer {unit}(s) than on {b}."),
    S(LINK, "sales", "x*t", "On {a} the shop sells {t} as many {unit}s as on {b}."),
    S(LINK, "sales", "x/p", "On {a} the shop sells {p} as many {unit}s as on {b}."),
    S(LINK, "sales", "x+y", "On {a} the shop sells as many {unit}s as on {b} and {c} together."),
    S(EVENT, "sales", "x/p", "{a} has bought {p} of the {unit}s sold on {b}.", "goods"),
    S(EVENT, "sales", "x*k", "{a} gets {k} {new}s for each of the {unit}s sold on {b}.", "money"),
    S(QUESTION, "sales", "x", "How many {unit}s does the shop sell on {b}?"),
    S(QUESTION, "sales", "x+y", "How many {unit}s does the shop sell on {b} and {c} together?"),
    S(QUESTION, "sales", "x-y", "How many more {unit}s does the shop sell on {b} than on {c}?"),
    S(QUESTION, "sales", "x*k", "What is paid on {b} if the shop sells the {unit}s for {k} dollars each?"),
    S(GIVEN, "reading", "n", "{a} reads {n} {unit}(s)."),
    S(GIVEN, "reading", "m*k", "{a} reads {m} {unit}s a day for {k} days."),
    S(LINK, "reading", "x+n", "{a} reads {n} more {unit}(s) than {b}."),
    S(LINK, "reading", "x-n", "{a} reads {n} fewer {unit}(s) than {b}."),
    S(LINK, "reading", "x*t", "{a} reads {t} as many {unit}s as {b}."),
    S(LINK, "reading", "x/p", "{a} reads {p} as many {unit}s as {b}."),
    S(LINK, "reading", "x+y", "{a} reads as many {unit}s as {b} and {c} together."),
    S(EVENT, "reading", "x+n", "{b} reads another {n} {unit}(s)."),
    S(EVENT, "reading", "k*m x+_", "{b} reads another {m} {unit}s on each of {k} days."),
    S(EVENT, "reading", "x*k", "{b} gets {k} {new}s for every {unit} so far.", "money"),
    S(QUESTION, "reading", "x", "How many {unit}s does {b} read?"),
    S(QUESTION, "reading", "x+y", "How many {unit}s do {b} and {c} read together?"),
    S(QUESTION, "reading", "x-y", "How many more {unit}s does {b} read than {c}?"),
    S(QUESTION, "reading", "x/k", "How many {unit}s does {b} read a day if it takes {k} days?"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A sentence in a text, with the words in its slots.

    Lines are compared by identity, because a text may contain the same line twice.
    """

    sentence: Sentence
    words: dict[str, str]

    @property
    def text(self) -> str:
        """The line as it is written in the problem."""
        ending = "" if self.words.get("n") == "1" else "s"
        return self.sentence.text.replace("(s)", ending).format(**self.words)

    @property
    def sources(self) -> list[Key]:
        """The quantities that its formula uses: x, y, z."""
        return [(self.words[slot], self.words["unit"]) for slot in "bcd" if slot in self.words]

    @property
    def target(self) -> Key:
        """The quantity that its formula determines."""
        return self.words.get("a") or self.words["b"], self.words.get("new") or self.words["unit"]

    def work(self, values: Iterable[int]) -> tuple[list[str], int]:
        """Compute its formula from the values of `sources`: the steps as text, and the result.

        ProblemError if a result is not a whole number from 1 to `LARGEST`.
        """
        known = {slot: NUMBERS[slot][word] for slot, word in self.words.items() if slot in NUMBERS}
        known |= zip("xyz", values, strict=False)
        result, steps = known.get(self.sentence.formula, 0), []  # a formula may be a single quantity
        for a, sign, b in EQUATION.findall(self.sentence.formula):
            term, exact = f"{known[a]}{sign}{known[b]}", OPERATIONS[sign](known[a], known[b])
            result = known["_"] = int(exact)
            if not 1 <= result == exact <= LARGEST:
                raise ProblemError(f"{term} is not a whole number from 1 to {LARGEST}")
            steps.append(f"<<{term}={result}>>")
        return steps, result


def read(text: str) -> Line:
    """Parse one line, the inverse of `Line.text`; ProblemError if it is not a known sentence."""
    bare = re.sub(f"^({'|'.join(TIMES)})", "", text)
    for sentence in SENTENCES:
        if match := pattern(sentence).fullmatch(bare):
            line = Line(sentence, dict(zip(SLOT.findall(sentence.text), match.groups(), strict=True)))
            if line.text == bare:
                return line
    raise ProblemError(f"this sentence is not known: {text}")


@cache
def pattern(sentence: Sentence) -> re.Pattern[str]:
    """The regular expression that matches the sentence, with a group for each slot."""
    regex = re.escape(sentence.text).replace(r"\(s\)", "s?")
    for slot in SLOT.findall(sentence.text):
        allowed = "|".join(NUMBERS.get(slot, ["[A-Za-z]+?"]))
        regex = regex.replace(rf"\{{{slot}\}}", f"({allowed})")
    return re.compile(regex)
