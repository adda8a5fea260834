import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from coconut_study.questions import arithmetic, arithmetic_language
from coconut_study.questions.arithmetic import draw, fault
from coconut_study.questions.question import Question
from coconut_study.questions.schema import from_json, to_json

# Solved by hand; together they use every sentence. Problems are parted by blank lines.
BY_HAND = """
Tom has 12 marbles. Sally has 4 more marbles than Tom. How many marbles does Sally have now?
= 12+4=16

Sally has 1 fewer pen than Tom. Tom has 3 bags with 5 pens in each. How many pens do Sally and Tom have
together?
= 3*5=15 15-1=14 14+15=29

Tom has 5 old and 4 new kites. Max has twice as many kites as Tom. Eva has a third as many kites as Max.
How many fewer kites does Eva have than Tom?
= 5+4=9 9*2=18 18/3=6 9-6=3

Eva has 7 more than three times as many dollars as Bob. Bob has saved 10 dollars a week for 4 weeks. How
many more dollars does Eva have than Bob?
= 10*4=40 40*3=120 120+7=127 127-40=87

Tom needs 8 more shells to have as many as Sam. If Rex had 3 more shells, Rex would have as many as Sam.
Tom has 20 shells. How many shells do Rex, Sam and Tom have in all?
= 20+8=28 28-3=25 25+28=53 53+20=73

Wren has 6 mugs. Bob has as many mugs as Wren and Fae together. Fae has 9 mugs. Max has 5 fewer mugs than
Bob and Fae together. Then Max gets 1 mug as a present. How many mugs does Max have now?
= 6+9=15 15+9=24 24-5=19 19+1=20

Tom has 50 beads. The next day Tom loses 2 beads. Tom gives 8 beads to a friend. Later Tom gives 3 beads
to each of 4 friends. How many beads does each friend get if Tom shares them among 7 friends?
= 50-2=48 48-8=40 4*3=12 40-12=28 28/7=4

Tom has 60 cards. Tom gives away a quarter of the cards. Tom keeps a fifth of the cards and gives away
the others. How many cards will Tom have left after giving away 2 of them?
= 60/4=15 60-15=45 45/5=9 9-2=7

Tom has 6 pens. Tom buys 4 more pens. Tom buys 5 bags of 10 pens each. Tom packs all the pens into jars
of 6. Tom opens all the jars and takes 3 stamps out of each. Tom swaps every stamp for 2 mugs. Tom swaps
all the mugs and gets one kite for every 12 of them. Tom sells all the kites for 9 dollars each. How many
dollars does Tom have now?
= 6+4=10 5*10=50 10+50=60 60/6=10 10*3=30 30*2=60 60/12=5 5*9=45

Tom has 6 dollars. Tom earns 20 more dollars. Tom works for 3 hours and earns 15 dollars an hour. Tom
spends 1 dollar on lunch. After that Tom pays for 2 meals at 11 dollars each. Tom spends all the dollars
on pens at 4 dollars each. How many pens does Tom have now?
= 6+20=26 3*15=45 26+45=71 71-1=70 2*11=22 70-22=48 48/4=12

A pen costs 1 dollar more than a card. A card costs 9 dollars. A mug costs four times as many dollars as
a pen. How many dollars do a mug and a pen cost together?
= 9+1=10 10*4=40 40+10=50

6 mugs cost 120 dollars in all. A kite costs 2 dollars less than a mug. A pen costs half as many dollars
as a kite. How many dollars do 3 pens cost?
= 120/6=20 20-2=18 18/2=9 9*3=27

A pen costs 5 dollars. A mug costs as many dollars as 3 pens. A kite costs as many dollars as a mug and a
pen together. How many dollars do 2 kites and a pen cost together?
= 5*3=15 15+5=20 20*2=40 40+5=45

A pen costs 5 dollars. A mug costs as many dollars as 3 pens. How many dollars does a mug cost?
= 5*3=15

A pen costs 5 dollars. How many of 90 dollars are left after buying a pen?
= 90-5=85

A pen costs 5 dollars. How many pens can be bought for 90 dollars?
= 90/5=18

A pen costs 5 dollars. Sam has just enough dollars for 7 pens. How many dollars does Sam have now?
= 5*7=35

A pen costs 5 dollars. Sam has 80 dollars and buys a pen. How many dollars does Sam have now?
= 80-5=75

A pen costs 5 dollars. Sam has 80 dollars and buys 3 pens. How many dollars does Sam have now?
= 5*3=15 80-15=65

On Friday the shop sells 4 more pens than on Monday. On Monday the shop sells 20 pens. On Sunday the shop
sells twice as many pens as on Friday. How many pens does the shop sell on Sunday?
= 20+4=24 24*2=48

On Monday the shop sells 3 bags of 6 pens each. On Friday the shop sells 2 fewer pens than on Monday. How
many pens does the shop sell on Friday and Monday together?
= 3*6=18 18-2=16 16+18=34

On Monday the shop sells 9 pens. On Friday the shop sells a third as many pens as on Monday. On Sunday
the shop sells as many pens as on Friday and Monday together. How many more pens does the shop sell on
Sunday than on Monday?
= 9/3=3 3+9=12 12-9=3

On Monday the shop sells 9 pens. What is paid on Monday if the shop sells the pens for 4 dollars each?
= 9*4=36

On Monday the shop sells 8 pens. Bob has bought half of the pens sold on Monday. How many pens does Bob
have now?
= 8/2=4

On Monday the shop sells 8 pens. Bob gets 3 dollars for each of the pens sold on Monday. How many dollars
does Bob have now?
= 8*3=24

Eva reads 1 page. Bob reads 7 more pages than Eva. Rex reads 2 fewer pages than Bob. How many pages do
Rex and Bob read together?
= 1+7=8 8-2=6 6+8=14

Eva reads 5 pages a day for 4 days. Bob reads twice as many pages as Eva. Rex reads a quarter as many
pages as Bob. Tom reads as many pages as Rex and Bob together. How many pages does Tom read?
= 5*4=20 20*2=40 40/4=10 10+40=50

Eva reads 8 poems. Bob reads 3 poems. Then Eva reads another 2 poems. Eva reads another 5 poems on each
of 6 days. How many more poems does Eva read than Bob?
= 8+2=10 6*5=30 10+30=40 40-3=37

Eva reads 8 poems. How many poems does Eva read a day if it takes 4 days?
= 8/4=2

Eva reads 8 poems. Eva gets 3 dollars for every poem so far. How many dollars does Eva have now?
= 8*3=24
"""

EXAMPLE = Question(
    "Bob has 7 pens. Sally has 4 more pens than Tom. Tom has 12 pens. Then Sally buys 3 bags of 5 pens each. "
    "How many pens does Sally have now?",
    ("<<12+4=16>>", "<<3*5=15>>", "<<16+15=31>>"),
    "31",
)


def by_hand():
    for block in BY_HAND.strip().split("\n\n"):
        text, equations = block.split("\n= ")
        steps = tuple(f"<<{equation}>>" for equation in equations.split())
        yield Question(text.replace("\n", " "), steps, equations.rpartition("=")[2])


def lines_of(question):
    return [arithmetic_language.read(line) for line in re.split(r"(?<=[.?]) ", question.question)]


def drawn(count, tries=300):
    rng = np.random.default_rng(count)
    return [draw(rng, (count, count)) for _ in range(tries)]


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    return [draw(rng, (1, 8)) for _ in range(10_000)]


@pytest.mark.parametrize("question", list(by_hand()), ids=lambda question: question.question[-40:])
def test_problems_solved_by_hand_prove_clean(question):
    assert fault(question) is None


def test_every_sentence_is_solved_by_hand_and_reads_as_no_other():
    read = [line for question in by_hand() for line in lines_of(question)]
    assert {line.sentence for line in read} == set(arithmetic_language.SENTENCES)
    for line in read:
        matches = [
            s for s in arithmetic_language.SENTENCES if arithmetic_language.pattern(s).fullmatch(line.text)
        ]
        assert matches == [line.sentence]


@pytest.mark.parametrize("count", range(1, 9))
def test_drawn_problems_prove_clean_with_the_wanted_number_of_steps(count):
    found = drawn(count)
    assert {fault(question) for question in found} == {None}
    assert {len(question.steps) for question in found} == {count}
    assert all(from_json(to_json(question)) == question for question in found)


def test_numbers_of_steps_follow_the_published_test_set(many):
    """Bounds are 4 standard errors."""
    counts = Counter(len(question.steps) for question in many)
    total = sum(arithmetic.PUBLISHED.values())
    for count, published in arithmetic.PUBLISHED.items():
        share = published / total
        error = (share * (1 - share) / len(many)) ** 0.5
        assert counts[count] / len(many) == pytest.approx(share, abs=4 * error), count


def test_a_narrower_range_keeps_the_published_proportions():
    rng = np.random.default_rng(1)
    counts = Counter(len(draw(rng, (2, 3)).steps) for _ in range(2000))
    assert counts.keys() == {2, 3}
    assert counts[2] / 2000 == pytest.approx(357 / 721, abs=4 * 0.5 / 2000**0.5)


@pytest.mark.parametrize("steps", [(0, 3), (1, 9), (4, 3)])
def test_a_range_outside_the_published_one_is_refused(steps):
    with pytest.raises(ValueError, match=r"within 1\.\.8"):
        draw(np.random.default_rng(0), steps)


def test_the_same_generator_draws_the_same_problems():
    assert drawn(4, 50) == drawn(4, 50)
    assert drawn(4, 1) != [draw(np.random.default_rng(99), (4, 4))]


def test_problems_hardly_repeat(many):
    for count in range(1, 9):
        found = [question.question for question in many if len(question.steps) == count]
        assert len(set(found)) > 0.99 * len(found), count


def test_problems_differ_by_more_than_names_and_numbers(many):
    """Thousands of outlines, every operation, and no sentence that is in every text."""
    assert len({tuple(map(outline, question.question.split(". "))) for question in many}) > 5000
    signs = Counter(
        sign for question in many for step in question.steps for sign in re.findall(r"[-+*/]", step)
    )
    assert min(signs[sign] for sign in "+-*/") > 0.1 * signs.total()
    sentences = Counter(outline(line) for question in many for line in question.question.split(". "))
    assert max(sentences.values()) < 0.1 * sentences.total()


def outline(line):
    return re.sub(r"[A-Z]\w+|\d+", "_", line)


def test_the_english_is_in_order(many):
    nouns = "|".join(
        (*arithmetic_language.OBJECTS, *arithmetic_language.PACKS, *arithmetic_language.WRITINGS, "dollar")
    )
    for text in (question.question for question in many):
        assert not re.search(rf"\b1 (more |fewer )?({nouns})s\b", text), text
        assert not re.search(rf"\b(?!1\b)\d+ (more |fewer )?({nouns})\b", text), text
        assert text.endswith("?"), text
        assert not re.search(r"[{}()]|\s\s", text), text
    assert any(re.search(rf"\b1 (more |fewer )?({nouns})\b", question.question) for question in many)


def test_numbers_are_whole_and_bounded(many):
    for question in many:
        numbers = re.findall(r"[\d.]+", " ".join((*question.steps, question.answer)))
        assert all(number.isdecimal() and 1 <= int(number) <= 999 for number in numbers), question


def test_some_texts_shuffle_their_facts_and_some_tell_more_than_is_needed(many):
    shuffled = beside = 0
    for question in many[:2000]:
        lines = lines_of(question)
        told: dict = {}
        for place, line in enumerate(lines):
            told.setdefault(line.target, place)
        _, needed = arithmetic.solve(lines)
        shuffled += any(told[key] > lines.index(line) for line in needed for key in line.sources)
        beside += len(needed) < len(lines)
    assert 0.1 < shuffled / 2000 < 0.5
    assert 0.1 < beside / 2000 < 0.6


def test_every_step_is_right_and_starts_from_numbers_of_the_text_or_earlier_results(many):
    """Worked out here, with nothing of the solver."""
    words = arithmetic_language.NUMBERS["t"] | arithmetic_language.NUMBERS["p"]
    for question in many:
        known = {int(number) for number in re.findall(r"\d+", question.question)}
        known |= {number for word, number in words.items() if word in question.question}
        for step in question.steps:
            left, sign, right, result = re.fullmatch(r"<<(\d+)([-+*/])(\d+)=(\d+)>>", step).groups()
            a, b = int(left), int(right)
            assert {a, b} <= known, question
            assert {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[sign] == int(result), question
            known.add(int(result))


@pytest.mark.parametrize(
    "steps",
    [
        ("<<12+4=17>>", "<<3*5=15>>", "<<17+15=32>>"),  # not right
        ("<<12+9=21>>", "<<3*5=15>>", "<<21+15=36>>"),  # from a number that is nowhere
        ("<<16+15=31>>", "<<3*5=15>>", "<<12+4=16>>"),  # from a later result
        ("<<3*5=15>>", "<<12+4=16>>", "<<16+15=31>>"),  # in another order
        ("<<12+4=16>>", "<<16+7=23>>", "<<23+5=28>>"),  # right, but not asked for
        ("<<12+4=16>>", "<<3*5=15>>"),
        ("<<12-12=0>>",),
        ("<<12/5=2>>",),
        ("<<3+4+5=12>>",),
        ("12+4=16", "3*5=15", "16+15=31"),
        (),
    ],
)
def test_the_proof_says_which_steps_the_text_asks_for(steps):
    words = "the text asks for the steps <<12+4=16>> <<3*5=15>> <<16+15=31>>"
    assert fault(replace(EXAMPLE, steps=steps)) == words


def test_the_proof_says_which_answer_the_text_asks_for():
    assert fault(EXAMPLE) is None
    assert fault(replace(EXAMPLE, answer="30")) == "the answer is 30, the text asks for 31"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("4 more", "5 more", "asks for the steps <<12+5=17>>"),
        ("4 more", "12 more", "asks for the steps <<12+12=24>>"),
        ("4 more", "12 fewer", "12-12 is not a whole number from 1 to 999"),
        ("buys 3 bags of 5 pens each", "packs all the pens into jars of 5", "16/5 is not a whole number"),
        ("4 more", "4 fewer", "asks for the steps <<12-4=8>>"),
        ("than Tom", "than Bob", "asks for the steps <<7+4=11>>"),
        ("than Tom", "than Max", "does not say how many pens belong to Sally"),
        ("Tom has 12 pens. ", "", "does not say how many pens belong to Sally"),
        ("Tom has 12 pens", "Tom has 12 mugs", "does not say how many pens belong to Sally"),
        ("Bob has 7", "Tom has 7", "states a quantity twice"),
        ("than Tom", "than Sally", "does not say how many pens belong to Sally"),
        ("bags of 5 pens", "bags of 5 mugs", "does not say how many mugs belong to Sally"),
        ("7 pens", "1 pens", "this sentence is not known: Bob has 1 pens."),
        ("7 pens", "0 pens", "this sentence is not known"),
        ("7 pens", "07 pens", "this sentence is not known"),
        ("7 pens", "61 pens", "this sentence is not known"),
        ("7 pens", "some pens", "this sentence is not known"),
        (" How many pens does Sally have now?", "", "ends with its only question"),
        ("Bob has 7 pens.", "How many pens does Tom have now?", "ends with its only question"),
        ("Bob has 7 pens.", "Tom loses 7 pens.", "facts, then events"),
        (
            "Then Sally buys 3 bags of 5 pens each.",
            "Sally swaps every pen for 3 mugs.",
            "how many pens belong to",
        ),
    ],
)
def test_the_proof_says_what_is_wrong_with_a_text(old, new, words):
    assert old in EXAMPLE.question
    assert words in fault(replace(EXAMPLE, question=EXAMPLE.question.replace(old, new)))


@pytest.mark.parametrize("count", range(1, 9))
def test_every_corrupted_problem_is_refused(count):
    for question in drawn(count, 100):
        left = re.match(r"<<(\d+)", question.steps[0])[1]
        result = question.steps[-1].rpartition("=")[2][:-2]
        spoilt = [
            replace(question, answer=str(int(question.answer) + 1)),
            replace(
                question,
                steps=(*question.steps[:-1], question.steps[-1].replace(f"={result}", f"={result}1")),
            ),
            replace(question, steps=(f"<<997-{left}={997 - int(left)}>>", *question.steps[1:])),
            replace(question, steps=question.steps[:-1]),
            replace(question, steps=(*question.steps, question.steps[-1])),
        ]
        if len(re.findall(rf"\b{left}\b", question.question)) == 1:
            changed = re.sub(rf"\b{left}\b", str(int(left) + 1), question.question)
            spoilt.append(replace(question, question=changed))
        if question.steps[::-1] != question.steps:
            spoilt.append(replace(question, steps=question.steps[::-1]))
        for other in spoilt:
            assert fault(other), other
