"""Questions on fictional ontologies, like those of 5-hop ProntoQA: drawing them, and proving any of them.

    Each gorpus is a grimpus. Wumpuses are not loud. ... Alex is a tumpus. Alex is a jompus.
    True or false: Alex is happy.

ProntoQA is by Saparov and He (arXiv 2210.01240), the 5-hop set is the one of the Coconut paper (arXiv
2412.06769). No code of theirs is used: structure, names and shares were read off the 200 validation
questions, which all have one structure. An ontology holds these concepts, arrows read "is a":

    chain[0] -> chain[1] -> ... -> chain[-1] -> plain      decoy -> end      rival
        |           |                  |
        v           v                  v
    sides[0]    sides[1]    ...    sides[-1]

The person is a chain[0] and a decoy. All but plain and end have one property each. That of chain[-1] is
asked for; the rival, which nobody is, has its opposite. That the rival is named only once gives the answer
away, in the published questions as here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coconut_study.questions.question import Question

# fmt: off
PERSONS = ("Alex", "Fae", "Max", "Polly", "Rex", "Sally", "Sam", "Stella", "Wren")
CONCEPTS = (
    "brimpus", "dumpus", "gorpus", "grimpus", "impus", "jompus", "lempus", "lorpus", "numpus", "rompus",
    "shumpus", "sterpus", "tumpus", "vumpus", "wumpus", "yumpus", "zumpus",
)
# Adjectives of one family exclude each other: an ontology has at most one of them.
FAMILIES = (
    ("aggressive", "amenable", "angry", "kind", "mean"), ("bitter", "sour", "spicy", "sweet"),
    ("blue", "brown", "orange", "red"), ("bright", "dull"), ("cold", "hot", "temperate"),
    ("discordant", "loud", "melodic", "muffled"), ("earthy", "floral", "fruity"),
    ("fast", "moderate", "slow"), ("feisty", "happy", "nervous", "shy"), ("large", "small"),
    ("liquid", "luminous", "metallic", "wooden"), ("opaque", "transparent"),
    ("overcast", "rainy", "snowy", "sunny", "windy"),
)

# fmt: on

# Shares of properties with "not", as counted in the published questions; half of those asked for have it.
NEGATED_ON_CHAIN = 210 / 800  # of chain[:-1]
NEGATED_OFF_CHAIN = 402 / 1200  # of sides and decoy
ASKING = "True or false:"

PLURAL = re.compile(r"([A-Z][a-z]*us)es are (not )?([a-z]+)\.")
SINGULAR = re.compile(r"(?:(?:Each|Every) ([a-z]+)|([A-Z][a-z]+)) is (not )?(?:an? )?([a-z]+)\.")


class Statement(NamedTuple):
    """What one sentence says: that `word`, a concept or an adjective, holds of `subject` or does not.

    A subject with a capital letter is a person, another one a concept.
    """

    subject: str
    holds: bool
    word: str

    @property
    def opposite(self) -> Statement:
        """The same with "not" added or removed."""
        return self._replace(holds=not self.holds)


# ------------------------------------------------------------------------------------------- drawing


def draw(rng: np.random.Generator, hops: int) -> Question:
    """A question whose proof has `hops` rules, hence hops + 1 steps; `graph` is None.

    Its text has 4 * hops + 6 sentences: rules in random order, two facts, what is asked. The published
    questions have 5 hops. ValueError unless there are names enough: hops from 1 to 6.
    """
    most = (len(CONCEPTS) - 4) // 2
    if not 1 <= hops <= most:
        raise ValueError(f"{hops} hops: {len(CONCEPTS)} concept names are enough for 1 to {most}")
    names = [CONCEPTS[i] for i in rng.permutation(len(CONCEPTS))]
    chain, decoy = names[:hops], names[hops]
    proof, others = _ontology(rng, chain, decoy, names[hops + 1 :])
    rules = [_rule(rng, statement) for statement in proof + others]
    person = PERSONS[int(rng.integers(len(PERSONS)))]
    facts = [_singular(person, True, concept) for concept in (chain[0], decoy)]
    conclusion = proof[-1]._replace(subject=person)
    asked = conclusion if _happens(rng, 0.5) else conclusion.opposite
    text = [*_shuffled(rng, rules), *_shuffled(rng, facts), ASKING, _singular(*asked)]
    premises = [_singular(person, True, concept) for concept in chain]
    steps = [f"{premise} {rule}" for premise, rule in zip(premises, rules[:hops], strict=True)]
    return Question(" ".join(text), (*steps, _singular(*conclusion)), str(asked == conclusion))


def _ontology(
    rng: np.random.Generator, chain: list[str], decoy: str, names: list[str]
) -> tuple[list[Statement], list[Statement]]:
    """The rules of the proof in its order, and all others; see the drawing at the top of this file."""
    plain, end, rival, *sides = names[: 3 + len(chain)]
    adjectives = _adjectives(rng)
    asked = Statement(chain[-1], _happens(rng, 0.5), next(adjectives))
    proof = [Statement(a, True, b) for a, b in pairwise(chain)] + [asked]
    pairs = [*zip(chain, sides, strict=True), (chain[-1], plain), (decoy, end)]
    others = [Statement(a, True, b) for a, b in pairs] + [asked.opposite._replace(subject=rival)]
    for concepts, negated in ((chain[:-1], NEGATED_ON_CHAIN), ([*sides, decoy], NEGATED_OFF_CHAIN)):
        others += [Statement(a, not _happens(rng, negated), next(adjectives)) for a in concepts]
    return proof, others


def _adjectives(rng: np.random.Generator) -> Iterator[str]:
    """One adjective of each family, families in random order."""
    chosen = [family[int(rng.integers(len(family)))] for family in FAMILIES]
    return iter(_shuffled(rng, chosen))


def _happens(rng: np.random.Generator, chance: float) -> bool:
    return bool(rng.random() < chance)


def _shuffled(rng: np.random.Generator, words: list[str]) -> list[str]:
    return [words[i] for i in rng.permutation(len(words))]


def _rule(rng: np.random.Generator, statement: Statement) -> str:
    """A rule in one of the published forms: half of them plural, "Each" and "Every" a quarter each."""
    subject, holds, word = statement
    if _happens(rng, 0.5):
        return _plural(subject, holds, word)
    return _singular(f"{'Each' if _happens(rng, 0.5) else 'Every'} {subject}", holds, word)


def _singular(subject: str, holds: bool, word: str) -> str:
    article = ("an " if word[0] in "aeiou" else "a ") if word in CONCEPTS else ""
    return f"{subject} is {'' if holds else 'not '}{article}{word}."


def _plural(subject: str, holds: bool, word: str) -> str:
    ending = "es" if word in CONCEPTS else ""
    return f"{subject.capitalize()}es are {'' if holds else 'not '}{word}{ending}."


# --------------------------------------------------------------------------------------------- proof


def fault(question: Question) -> str | None:
    """What is wrong with a question in words, or None. Reads the text alone, drawn or published.

    Modus ponens from the facts about the person must yield what is asked or its opposite, and nothing
    together with its opposite; the steps must be a proof of it, and the answer agree.
    """
    try:
        stated, asked = _read_question(question.question)
        wrong = _fault_of_answer(question.answer, stated, asked)
        return wrong or _fault_of_steps(question.steps, stated, asked)
    except ValueError as error:
        return str(error)


def _fault_of_answer(answer: str, stated: set[Statement], asked: Statement) -> str | None:
    found = _consequences(stated, asked.subject)
    for statement in sorted(found):
        if statement.opposite in found:
            return f'"{statement.word}" both holds and does not hold of {statement.subject}'
    if not found & {asked, asked.opposite}:
        return "neither what is asked nor its opposite follows"
    if answer != str(asked in found):
        return f'the answer is "{answer}" where "{asked in found}" follows'
    return None


def _fault_of_steps(steps: tuple[str, ...], stated: set[Statement], asked: Statement) -> str | None:
    shown: set[Statement] = set()
    for sentence in (sentence for step in steps for sentence in _sentences(step)):
        statement = read(sentence)
        if statement not in stated | _yielded(shown, statement.subject):
            return f'the step "{sentence}" is neither stated nor follows from the steps before it'
        shown.add(statement)
    if not steps or read(steps[-1]) not in (asked, asked.opposite):
        return "the last step is neither what is asked nor its opposite"
    return None


def _consequences(stated: set[Statement], person: str) -> set[Statement]:
    """All that follows about the person, facts included."""
    found = {statement for statement in stated if statement.subject == person}
    while new := _yielded(stated | found, person) - found:
        found |= new
    return found


def _yielded(known: set[Statement], person: str) -> set[Statement]:
    """What one application of modus ponens yields about the person."""
    return {rule._replace(subject=person) for rule in known if Statement(person, True, rule.subject) in known}


# ------------------------------------------------------------------------------------------- reading


def read(sentence: str) -> Statement:
    """What a sentence says; ValueError when it has none of the published forms.

    The forms are "Each/Every x is (not) y.", "Xes are (not) y(es)." and "Person is (not) y.".
    """
    if match := PLURAL.fullmatch(sentence):
        subject, negation, word = match.groups()
        return Statement(subject.lower(), negation is None, re.sub("uses$", "us", word))
    if match := SINGULAR.fullmatch(sentence):
        concept, person, negation, word = match.groups()
        return Statement(concept or person, negation is None, word)
    raise ValueError(f'"{sentence}" is not a sentence of a known form')


def _sentences(text: str) -> list[str]:
    return text.replace(". ", ".\n").split("\n")


def _read_question(text: str) -> tuple[set[Statement], Statement]:
    """Facts and rules, and what is asked."""
    stated, mark, asked = text.partition(f" {ASKING} ")
    if not mark:
        raise ValueError(f'the question does not end with "{ASKING} <statement>"')
    return {read(sentence) for sentence in _sentences(stated)}, read(asked)
