import re
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from coconut_study.questions import graphs, prontoqa, schema
from coconut_study.questions.question import Question

# Alex -> tumpus -> gorpus, gorpuses are happy; everything else leads elsewhere.
SMALL = Question(
    "Gorpuses are happy. Every tumpus is an impus. Jompuses are hot. Each impus is not red. Vumpuses are not "
    "happy. Each tumpus is a gorpus. Alex is a jompus. Alex is a tumpus. True or false: Alex is not happy.",
    ("Alex is a tumpus. Each tumpus is a gorpus.", "Alex is a gorpus. Gorpuses are happy.", "Alex is happy."),
    "False",
)


def drawn(count, hops=5, seed=0):
    rng = np.random.default_rng(seed)
    return [prontoqa.draw(rng, hops) for _ in range(count)]


@pytest.fixture(scope="module", params=["published", "drawn"])
def sample(request):
    """The published questions and drawn ones: what is true of the first must be true of the second."""
    if request.param == "drawn":
        return drawn(2000)
    return schema.read(request.getfixturevalue("shared")("data/prontoqa_valid.json"))


def sentences(question):
    """All sentences; the last three are the two facts and the query."""
    text = question.question.replace(f" {prontoqa.QUERY} ", " ")
    return [f"{sentence}." for sentence in text.removesuffix(".").split(". ")]


def rules(question):
    return [prontoqa.read(sentence) for sentence in sentences(question)[:-3]]


def properties(question):
    return [rule for rule in rules(question) if not is_concept(rule.word)]


def is_concept(word):
    return word.endswith("pus")


def premise(step):
    return prontoqa.read(step.split(". ")[0] + ".")


def conclusion(question):
    return prontoqa.read(question.steps[-1])


def chain(question):
    return [premise(step).word for step in question.steps[:-1]]


def outline(question):
    """The links of the ontology and the roles of its concepts, names aside."""
    links = [rule for rule in rules(question) if is_concept(rule.word)]
    children = {link.word for link in links}
    facts = {prontoqa.read(sentence).word for sentence in sentences(question)[-3:-1]}
    on_chain, said = chain(question), properties(question)

    def role(concept):
        words = [rule.word for rule in said if rule.subject == concept]
        place = on_chain.index(concept) if concept in on_chain else -1
        return place, concept in facts, concept in children, len(words), words == [conclusion(question).word]

    concepts = {rule.subject for rule in rules(question)} | children
    return sorted(map(role, concepts)), sorted((role(link.subject), role(link.word)) for link in links)


# --------------------------------------------------------------------------------------- statistics


def test_the_prover_accepts_the_questions(sample):
    assert {prontoqa.fault(question) for question in sample} == {None}


def test_questions_have_the_published_size(sample):
    assert {len(sentences(question)) for question in sample} == {26}
    assert {len(question.steps) for question in sample} == {6}
    assert {tuple(step.count(".") for step in question.steps) for question in sample} == {(2, 2, 2, 2, 2, 1)}


def test_questions_have_one_and_the_same_structure(sample):
    on_chain = [(place, place == 0, place > 0, 1, place == 4) for place in range(5)]
    side, plain = (-1, False, True, 1, False), (-1, False, True, 0, False)
    decoy, rival = (-1, True, False, 1, False), (-1, False, False, 1, True)
    links = [
        *pairwise(on_chain),
        *((above, side) for above in on_chain),
        (on_chain[4], plain),
        (decoy, plain),
    ]
    expected = sorted([*on_chain, *[side] * 5, plain, plain, decoy, rival]), sorted(links)
    assert all(outline(question) == expected for question in sample)


def test_names_and_adjectives_are_the_published_ones(sample):
    said = [prontoqa.read(sentence) for question in sample for sentence in sentences(question)]
    words = {s.word for s in said}
    assert {s.subject for s in said if s.subject[0].isupper()} == set(prontoqa.PERSONS)
    assert {word for word in words if is_concept(word)} == set(prontoqa.CONCEPTS)
    assert {word for word in words if not is_concept(word)} == {a for f in prontoqa.FAMILIES for a in f}


def test_a_family_has_at_most_one_adjective_in_a_question(sample):
    together = {
        pair
        for question in sample
        for pair in combinations(sorted({rule.word for rule in properties(question)}), 2)
    }
    adjectives = sorted(adjective for family in prontoqa.FAMILIES for adjective in family)
    kin = {pair for family in prontoqa.FAMILIES for pair in combinations(sorted(family), 2)}
    assert set(combinations(adjectives, 2)) - together == kin


def near(cases, share):
    """Whether cases come in a share that 4600 published sentences suggest, within 4 standard errors."""
    error = (share * (1 - share) * (1 / len(cases) + 1 / 4600)) ** 0.5
    return np.mean(cases) == pytest.approx(share, abs=4 * error)


def test_sentence_forms_come_in_the_published_shares(sample):
    first = [sentence.split()[0] for question in sample for sentence in sentences(question)[:-3]]
    assert near([word == "Each" for word in first], 1177 / 4600)
    assert near([word == "Every" for word in first], 1164 / 4600)


def test_negation_comes_in_the_published_shares(sample):
    on_chain, off_chain = [], []
    for question in sample:
        for subject, holds, word in properties(question):
            if word != conclusion(question).word:
                (on_chain if subject in chain(question) else off_chain).append(not holds)
    assert near(on_chain, 210 / 800)
    assert near(off_chain, 402 / 1200)
    assert near([not conclusion(question).holds for question in sample], 0.5)


def test_only_properties_are_negated(sample):
    assert all(rule.holds for question in sample for rule in rules(question) if is_concept(rule.word))


def test_rules_and_facts_are_in_random_order(sample):
    places = [sentences(q).index(step.split(". ")[1]) for q in sample for step in q.steps[:-1]]
    assert np.mean(places) == pytest.approx(11, abs=4 * 6.63 / len(places) ** 0.5)
    assert set(places) == set(range(23))
    assert near([q.steps[0].startswith(sentences(q)[-3]) for q in sample], 0.5)


def query(question):
    return prontoqa.read(sentences(question)[-1])


def mentions(question):
    """The rules with the adjective of the query: that of the proof and that of the rival."""
    return [rule for rule in properties(question) if rule.word == query(question).word]


CUES = {
    "always true": lambda q: True,
    "asked without not": lambda q: query(q).holds,
    "first mention without not": lambda q: mentions(q)[0].holds,
    "first mention as asked": lambda q: mentions(q)[0].holds == query(q).holds,
    "even number of not": lambda q: q.question.count(" not ") % 2 == 0,
    "few not": lambda q: q.question.count(" not ") <= 4,
}


@pytest.mark.parametrize("cue", CUES)
def test_cheap_cues_do_not_give_the_answer_away(sample, cue):
    assert near([str(CUES[cue](question)) == question.answer for question in sample], 0.5)


def test_that_the_rival_is_named_once_gives_the_answer_away_as_published(sample):
    for question in sample:
        named = Counter(word for rule in rules(question) for word in (rule.subject, rule.word))
        rival, decisive = sorted(mentions(question), key=lambda rule: named[rule.subject])
        assert named[rival.subject] == 1
        assert question.answer == str(decisive.holds == query(question).holds)


# ------------------------------------------------------------------------------------------ drawing


@pytest.mark.parametrize("hops", range(1, 7))
def test_drawn_questions_of_any_length_prove_clean(hops):
    found = drawn(300, hops, seed=hops)
    assert {prontoqa.fault(question) for question in found} == {None}
    assert {len(question.steps) for question in found} == {hops + 1}
    assert {len(sentences(question)) for question in found} == {4 * hops + 6}
    assert {question.answer for question in found} == {"True", "False"}
    assert len({question.question for question in found}) == 300


def test_drawn_text_is_grammatical():
    text = " ".join(" ".join((question.question, *question.steps)) for question in drawn(200))
    assert re.search(r"\b(an impus|Impuses are)\b", text)
    assert not re.search(r"\b(a [aeiou]|an [^aeiou]|are an? |is \w+uses\b)", text)


@pytest.mark.parametrize("hops", [0, 7])
def test_hops_need_names_enough(hops):
    with pytest.raises(ValueError, match=f"{hops} hops: 17 concept names are enough for 1 to 6"):
        prontoqa.draw(np.random.default_rng(0), hops)


def test_a_question_depends_on_the_generator_alone():
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(5, seed=1)


def test_names_are_among_those_of_the_other_questions():
    assert set(prontoqa.PERSONS) < set(graphs.PERSONS)
    assert set(prontoqa.CONCEPTS) < set(graphs.CONCEPTS)


# -------------------------------------------------------------------------------------------- proof


def changed(old, new, question=SMALL):
    assert old in question.question
    return replace(question, question=question.question.replace(old, new, 1))


def test_the_small_question_is_sound():
    assert prontoqa.fault(SMALL) is None
    asked_plainly = changed("false: Alex is not happy", "false: Alex is happy")
    assert prontoqa.fault(replace(asked_plainly, answer="True")) is None


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (replace(SMALL, answer="True"), 'the answer is "True" where "False" follows'),
        (replace(SMALL, answer="Maybe"), 'the answer is "Maybe" where "False" follows'),
        (
            replace(SMALL, steps=SMALL.steps[::-1]),
            'the step "Alex is happy." is not stated and does not follow',
        ),
        (
            replace(SMALL, steps=SMALL.steps[1:]),
            'the step "Alex is a gorpus." is not stated and does not follow',
        ),
        (
            replace(SMALL, steps=(*SMALL.steps[:2], "Alex is not happy.")),
            '"Alex is not happy." is not stated',
        ),
        (replace(SMALL, steps=(*SMALL.steps[:1], "Alex is happy.")), '"Alex is happy." is not stated'),
        (replace(SMALL, steps=SMALL.steps[:1]), "is not a sentence of a known form"),
        (replace(SMALL, steps=("Alex is a tumpus.",)), "the last step is neither the query"),
        (replace(SMALL, steps=()), "the last step is neither the query"),
        (changed("Alex is a tumpus. ", ""), "neither the query nor its opposite follows"),
        (changed("Each tumpus is a gorpus. ", ""), "neither the query nor its opposite follows"),
        (changed("Alex is a tumpus", "Max is a tumpus"), "neither the query nor its opposite follows"),
        (changed("Vumpuses", "Tumpuses"), '"happy" both holds and does not hold of Alex'),
        (changed("Jompuses are hot", "Jompuses are red"), '"red" both holds and does not hold of Alex'),
        (
            changed("Gorpuses are", "Gorpuses were"),
            '"Gorpuses were happy." is not a sentence of a known form',
        ),
        (changed("True or false:", "Is it so:"), "does not end with"),
    ],
)
def test_the_prover_says_what_is_wrong(question, words):
    assert words in prontoqa.fault(question)


def test_every_corruption_of_a_drawn_question_is_refused():
    for question in drawn(100):
        flipped = {"True": "False", "False": "True"}[question.answer]
        assert "the answer is" in prontoqa.fault(replace(question, answer=flipped))
        one, two, *others = question.steps
        assert "is not stated" in prontoqa.fault(replace(question, steps=(two, one, *others)))
        fact, rule = one.split(". ")
        assert "opposite follows" in prontoqa.fault(changed(f"{fact}. ", "", question))
        assert "opposite follows" in prontoqa.fault(changed(f"{rule} ", "", question))
        subject, holds, word = prontoqa.read(others[-2].split(". ")[1])
        against = f"Each {subject} is {'not ' if holds else ''}{word}. "
        both = replace(question, question=against + question.question)
        assert f'"{word}" both holds and does not hold' in prontoqa.fault(both)


@pytest.mark.parametrize(
    ("sentence", "meaning"),
    [
        ("Each impus is a wumpus.", ("impus", True, "wumpus")),
        ("Every wumpus is not hot.", ("wumpus", False, "hot")),
        ("Impuses are wumpuses.", ("impus", True, "wumpus")),
        ("Wumpuses are not hot.", ("wumpus", False, "hot")),
        ("Alex is an impus.", ("Alex", True, "impus")),
        ("Alex is not hot.", ("Alex", False, "hot")),
    ],
)
def test_sentences_are_read(sentence, meaning):
    assert prontoqa.read(sentence) == meaning


@pytest.mark.parametrize(
    "sentence", ["", "Alex is hot", "wumpus is hot.", "Each wumpus are hot.", "Is Alex hot?"]
)
def test_other_sentences_are_refused(sentence):
    with pytest.raises(ValueError, match="not a sentence of a known form"):
        prontoqa.read(sentence)
