"""Thoughts that are replaced from Python: what the model says then is what the command's table has."""

import pytest

from coconut_study import load
from coconut_study.common.errors import StudyError
from coconut_study.evaluation.interventions import intervene
from coconut_study.questions.donors import donors
from coconut_study.questions.question import group_numbers

SEED = 0


@pytest.fixture(scope="module")
def tables(trained):
    """The table of the short battery of a method, over the first 8 test questions; computed once."""
    made = {}

    def table(method):
        if method not in made:
            model = load(trained.checkpoints[method])
            made[method] = intervene(
                model.model, model.tokenizer, trained.questions[:8], model.text, model.layout, "short", SEED,
                model.responding,
            )  # fmt: skip
        return made[method]

    return table


def of(table, content, part, thoughts="all", later="kept"):
    """Probabilities and whether free answers are right, by number of the question."""
    wanted = {"content": content, "part": part, "thoughts": thoughts, "later": later}
    for name, value in wanted.items():
        table = table[table[name] == value]
    rows = table[["question", "p right", "p wrong", "right"]].itertuples(index=False, name=None)
    return {
        number: (pytest.approx(right, rel=1e-4), pytest.approx(wrong, rel=1e-4), is_right)
        for number, right, wrong, is_right in rows
    }


def found(answers):
    return {number: (one.p_right, one.p_wrong, one.right) for number, one in enumerate(answers)}


@pytest.mark.parametrize(
    ("method", "part"), [("coconut", "input"), ("pause_as_thought", "both"), ("cot", "steps")]
)
@pytest.mark.parametrize("donor", ["own", "mirror", "other answer"])
def test_what_another_question_gives_is_in_the_table(trained, tables, method, part, donor):
    model, asked = load(trained.checkpoints[method]), trained.questions[:8]
    given = [of_one[donor] for of_one in donors(asked, range(len(asked)), SEED)]
    expected = of(tables(method), donor, part)
    assert len(expected) == len(asked)
    assert found(model.replaced(asked, given)) == expected
    alone = model.replaced(asked[3].question, given[3].question)
    assert (alone.p_right, alone.p_wrong, alone.right) == expected[3]
    assert alone.forced == pytest.approx(100 * alone.p_right / (alone.p_right + alone.p_wrong))


@pytest.mark.parametrize("content", ["noise", "zero", "pause", "removed"])
def test_what_is_no_thought_is_in_the_table(trained, tables, content):
    model, asked = load(trained.checkpoints["coconut"]), trained.questions[:8]
    answers = model.replaced(asked, content, seed=SEED)
    assert found(answers) == of(tables("coconut"), content, "input")
    assert {one.k for one in answers} == {0 if content == "removed" else model.k}


def test_the_mean_is_over_the_questions_that_are_given(trained, tables):
    model, asked = load(trained.checkpoints["coconut"]), trained.questions[:8]
    group_of = group_numbers(asked)
    others = [one for one, group in zip(asked, group_of, strict=True) if group != group_of[0]]
    mean = model.replaced(asked[0], "mean", over=others)
    assert (mean.p_right, mean.p_wrong, mean.right) == of(tables("coconut"), "mean", "input")[0]


def test_single_thoughts_parts_and_later_thoughts_are_those_of_the_table(trained, tables):
    model, asked = load(trained.checkpoints["coconut"]), trained.questions[:8]
    given = [of_one["mirror"] for of_one in donors(asked, range(len(asked)), SEED)]
    for which, part, later, name in [
        (1, None, "recomputed", "all but last"),
        ("all but last", "input", "kept", "all but last"),
        (2, None, "recomputed", "last"),
        ("all", "both", "kept", "all"),
        ("all", "values", "kept", "all"),
    ]:
        answers = model.replaced(asked, given, which=which, part=part, later=later)
        kept = "kept" if name == "last" else later
        assert found(answers) == of(tables("coconut"), "mirror", part or "input", name, kept)


def test_own_thoughts_change_no_answer(trained):
    model, asked = load(trained.checkpoints["coconut"]), trained.questions[:4]
    assert [one.text for one in model.replaced(asked, asked)] == [one.text for one in model.ask(asked)]


def test_a_question_without_options_has_no_forced_choice(trained):
    model, question = load(trained.checkpoints["coconut"]), trained.questions[0]
    if model.text.template == "symbols":
        pytest.skip("symbols are for questions about graphs alone")
    answer = model.replaced(question.question.partition(" Is ")[0], "zero")
    assert (answer.right, answer.outcome, answer.p_right, answer.p_wrong, answer.forced) == (None,) * 5
    assert answer.k == model.k


def test_what_cannot_be_replaced_is_one_sentence(trained, tmp_path):
    names = ("coconut", "pause_as_thought", "cot")
    model, pauses, cot = (load(trained.checkpoints[name]) for name in names)
    parallel = load(trained.save(tmp_path / "parallel", iterations=2))
    loops = load(trained.save(tmp_path / "loops", kind="loops"))
    one, other = trained.questions[:2]
    for asked, by, more, sentence in [
        (model, [other], {}, "by: give one question in place of one"),
        (model, "mean", {}, "over: give the questions of the mean"),
        (model, "zero", {"over": [other]}, "over: give the questions of the mean"),
        (model, other, {"which": 3}, "has 2 thoughts, and none of them is 3$"),
        (
            model,
            other,
            {"part": "steps"},
            "has no way to replace steps of thoughts all, with later ones kept, by",
        ),
        (pauses, other, {"part": "input"}, "has no way to replace input of thoughts all"),
        (cot, "zero", {}, "has no way to replace steps, by zero$"),
        (
            parallel,
            other,
            {"which": 1, "part": "both", "later": "recomputed"},
            "with later ones recomputed, by",
        ),
        (loops, other, {}, "has neither thoughts nor written steps to replace$"),
        (model, "", {}, "^by: the question is empty$"),
        (model, "mean", {"over": [other, ""]}, "^over 1: the question is empty$"),
    ]:
        with pytest.raises(StudyError, match=sentence):
            asked.replaced(one, by, **more)
