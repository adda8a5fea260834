"""True-or-false questions about fictional ontologies, as in 5-hop ProntoQA (paper section 4.1).

    Each gorpus is a grimpus. Wumpuses are not loud. ... Alex is a tumpus. Alex is a jompus.
    True or false: Alex is happy.

`draw` makes new questions; `fault` checks any question of this kind from its text alone.

ProntoQA is by Saparov and He (arXiv 2210.01240); the 5-hop set is the one of the Coconut paper (arXiv
2412.06769). Structure, names and frequencies were measured on its 200 validation questions, which all have
the same structure. An ontology has these concepts; arrows read "is a":

    chain[0] -> chain[1] -> ... -> chain[-1] -> plain      decoy -> end      rival
        |           |                  |
        v           v                  v
    sides[0]    sides[1]    ...    sides[-1]

The person is a chain[0] and a decoy. Every concept but plain and end has one property. The question is about
the property of chain[-1]; the rival, which describes nobody, has the opposite one. The rival is named only
once, in the published questions and here, so that counting names is enough to find the answer.
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
# Adjectives of one family exclude each other: an ontology uses at most one of them.
FAMILIES = (
    ("aggressive", "amenable", "angry", "kind", "mean"), ("bitter", "sour", "spicy", "sweet"),
    ("blue", "brown", "orange", "red"), ("bright", "dull"), ("cold", "hot", "temperate"),
    ("discordant", "loud", "melodic", "muffled"), ("earthy", "floral", "fruity"),
    ("fast", "moderate", "slow"), ("feisty", "happy", "nervous", "shy"), ("large", "small"),
    ("liquid", "luminous", "metallic", "wooden"), ("opaque", "transparent"),
    ("overcast", "rainy", "snowy", "sunny", "windy"),
)
# fmt: on

# Shares of properties with "not" in the published questions; for chain[-1] it is half.
NEGATED_ON_CHAIN = 210 / 800  # of chain[:-1]
NEGATED_OFF_CHAIN = 402 / 1200  # of sides and decoy
QUERY = "True or false:"

PLURAL = re.compile(r"([A-Z][a-z]*us)es are (not )?([a-z]+)\.")
SINGULAR = re.compile(r"(?:(?:Each|Every) ([a-z]+)|([A-Z][a-z]+)) is (not )?(?:an? )?([a-z]+)\.")


class Statement(NamedTuple):
    """The meaning of one sentence: `word`, a concept or an adjective, holds of `subject` or does not.

    A subject that begins with a capital letter is a person, any other a concept.
    """

    subject: str
    holds: bool
    word: str

    @property
    def opposite(self) -> Statement:
        """The negation of this statement."""
        return self._replace(holds=not self.holds)


# ------------------------------------------------------------------------------------------- drawing


def draw(rng: np.random.Generator, hops: int) -> Question:
    """Draw a question whose proof applies `hops` rules and has hops + 1 steps; its `graph` is None.

    The text has 4 * hops + 6 sentences: rules in random order, two facts, and the query. The published
    questions have 5 hops. ValueError if the concept names do not suffice, which is so outside 1 to 6 hops.
    """
    limit = (len(CONCEPTS) - 4) // 2
    if not 1 <= hops <= limit:
        raise ValueError(f"{hops} hops: {len(CONCEPTS)} concept names are enough for 1 to {limit}")
    names = [CONCEPTS[i] for i in rng.permutation(len(CONCEPTS))]
    chain, decoy = names[:hops], names[hops]
    proof, others = _ontology(rng, chain, decoy, names[hops + 1 :])
    rules = [_rule(rng, statement) for statement in proof + others]
    person = PERSONS[int(rng.integers(len(PERSONS)))]
    facts = [_singular(person, True, concept) for concept in (chain[0], decoy)]
    conclusion = proof[-1]._replace(subject=person)
    query = conclusion if _chance(rng, 0.5) else conclusion.opposite
    text = [*_shuffled(rng, rules), *_shuffled(rng, facts), QUERY, _singular(*query)]
    premises = [_singular(person, True, concept) for concept in chain]
    steps = [f"{premise} {rule}" for premise, rule in zip(premises, rules[:hops], strict=True)]
    return Question(" ".join(text), (*steps, _singular(*conclusion)), str(query == conclusion))


def _ontology(
    rng: np.random.Generator, chain: list[str], decoy: str, names: list[str]
) -> tuple[list[Statement], list[Statement]]:
    """The rules of the proof in its order, and all other rules; see the diagram at the top of this file."""
    plain, end, rival, *sides = names[: 3 + len(chain)]
    adjectives = _adjectives(rng)
    decisive = Statement(chain[-1], _chance(rng, 0.5), next(adjectives))
    proof = [Statement(a, True, b) for a, b in pairwise(chain)] + [decisive]
    pairs = [*zip(chain, sides, strict=True), (chain[-1], plain), (decoy, end)]
    others = [Statement(a, True, b) for a, b in pairs] + [decisive.opposite._replace(subject=rival)]
    for concepts, negated in ((chain[:-1], NEGATED_ON_CHAIN), ([*sides, decoy], NEGATED_OFF_CHAIN)):
        others += [Statement(a, not _chance(rng, negated), next(adjectives)) for a in concepts]
    return proof, others


def _adjectives(rng: np.random.Generator) -> Iterator[str]:
    """One adjective of each family, families in random order."""
    chosen = [family[int(rng.integers(len(family)))] for family in FAMILIES]
    return iter(_shuffled(rng, chosen))


def _chance(rng: np.random.Generator, probability: float) -> bool:
    """True with the given probability."""
    return bool(rng.random() < probability)


def _shuffled(rng: np.random.Generator, words: list[str]) -> list[str]:
    return [words[i] for i in rng.permutation(len(words))]


def _rule(rng: np.random.Generator, statement: Statement) -> str:
    """A rule in one of the published forms: plural in half of the cases, else "Each" or "Every"."""
    subject, holds, word = statement
    if _chance(rng, 0.5):
        return _plural(subject, holds, word)
    return _singular(f"{'Each' if _chance(rng, 0.5) else 'Every'} {subject}", holds, word)


def _singular(subject: str, holds: bool, word: str) -> str:
    article = ("an " if word[0] in "aeiou" else "a ") if word in CONCEPTS else ""
    return f"{subject} is {'' if holds else 'not '}{article}{word}."


def _plural(subject: str, holds: bool, word: str) -> str:
    ending = "es" if word in CONCEPTS else ""
    return f"{subject.capitalize()}es are {'' if holds else 'not '}{word}{ending}."


# --------------------------------------------------------------------------------------------- proof


def fault(question: Question) -> str | None:
    """The first thing that is wrong with a question, drawn or published, or None if it is sound.

    By modus ponens, the facts about the person must imply the query or its opposite, and never both a
    statement and its opposite; the steps must prove it and the answer must agree.
    """
    try:
        stated, query = _read_question(question.question)
        wrong = _fault_of_answer(question.answer, stated, query)
        return wrong or _fault_of_steps(question.steps, stated, query)
    except ValueError as error:
        return str(error)


def _fault_of_answer(answer: str, stated: set[Statement], query: Statement) -> str | None:
    implied = _consequences(stated, query.subject)
    for statement in sorted(implied):
        if statement.opposite in implied:
            return f'"{statement.word}" both holds and does not hold of {statement.subject}'
    if not implied & {query, query.opposite}:
        return "neither the query nor its opposite follows"
    if answer != str(query in implied):
        return f'the answer is "{answer}" where "{query in implied}" follows'
    return None


def _fault_of_steps(steps: tuple[str, ...], stated: set[Statement], query: Statement) -> str | None:
    proved: set[Statement] = set()
    for sentence in (sentence for step in steps for sentence in _sentences(step)):
        statement = read(sentence)
        if statement not in stated | _modus_ponens(proved, statement.subject):
            return f'the step "{sentence}" is not stated and does not follow from the steps before it'
        proved.add(statement)
    if not steps or read(steps[-1]) not in (query, query.opposite):
        return "the last step is neither the query nor its opposite"
    return None


def _consequences(stated: set[Statement], person: str) -> set[Statement]:
    """All statements about the person that are stated or follow."""
    implied = {statement for statement in stated if statement.subject == person}
    while new := _modus_ponens(stated | implied, person) - implied:
        implied |= new
    return implied


def _modus_ponens(known: set[Statement], person: str) -> set[Statement]:
    """The statements about the person that follow by one application of modus ponens."""
    return {rule._replace(subject=person) for rule in known if Statement(person, True, rule.subject) in known}


# ------------------------------------------------------------------------------------------- reading


def read(sentence: str) -> Statement:
    """The meaning of a sentence; ValueError if it has none of the published forms.

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
    """The facts and rules of a question, and its query."""
    stated, separator, query = text.partition(f" {QUERY} ")
    if not separator:
        raise ValueError(f'the question does not end with "{QUERY} <statement>"')
    return {read(sentence) for sentence in _sentences(stated)}, read(query)
