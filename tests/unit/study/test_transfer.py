"""Runs that are asked the questions of other data sets: what is planned, and what is refused."""

import pytest

from coconut_study.study.runs import Ask, Run

from ...studies import message_of, plan_of, smoke

ENTRY = {"trained": ["balanced"], "asked": ["prosqa", "changed"], "methods": ["coconut"], "k": [0, 2]}
TOY = {"source": "balanced", "nodes": 10, "edges": 12, "hops": [2, 2], "persons": 2, "concepts": 8, "seed": 5}
SIZES = {"test": 8}
NAMES = {"persons": 17, "concepts": 38}


def asking(**entry):
    """The smoke study with one entry under transfer, whose models know all names."""
    return smoke(["coconut", "cot"], transfer=[ENTRY | entry], model__names=NAMES)


def test_a_run_is_asked_with_the_thoughts_it_was_trained_with_and_with_others():
    plan = plan_of(asking(methods=["coconut", "cot"]))
    run = Run("balanced", "coconut", 1)
    spec = plan.ask_spec(Ask(run, "changed"))
    assert [layout.thoughts for layout in spec.layouts] == [0, 2]
    assert spec.run == {"dataset": "changed", "method": "coconut", "seed": 1}
    without = plan.ask_spec(Ask(Run("balanced", "cot", 2), "prosqa"))
    assert [layout.thoughts for layout in without.layouts] == [0]
    assert len(plan.asks) == 2 * 2 * 2
    assert "more_thoughts" not in spec.model_dump()


def test_more_thoughts_than_trained_must_be_allowed():
    assert (
        "transfer.0.k: 3 exceeds the 2 thoughts of coconut on balanced; use 2 or less, or set "
        "more_thoughts: true" in message_of(asking(k=[3]))
    )
    plan = plan_of(asking(k=[3], more_thoughts=True))
    assert plan.ask_spec(Ask(Run("balanced", "coconut", 1), "prosqa")).more_thoughts


def test_seeds_can_be_chosen():
    plan = plan_of(asking(seeds=[2]))
    assert {ask.run.seed for ask in plan.asks} == {2}
    assert "transfer.0.seeds: coconut on balanced is not run with seed 7" in message_of(asking(seeds=[7]))


def test_a_data_set_that_is_not_there_cannot_be_asked():
    right = "transfer.0.asked: changd is not defined; did you mean changed?"
    assert right in message_of(asking(asked=["changd"]))


@pytest.mark.parametrize("entry", [{"trained": ["prosqa"]}, {"methods": ["icot"]}])
def test_a_study_without_the_runs_asks_nothing(entry):
    assert not plan_of(asking(**entry)).asks


def test_names_that_the_models_do_not_know_are_refused():
    prosqa = "datasets.prosqa.questions.persons: 17 are in use, but the model of coconut has words for 2"
    assert prosqa in message_of(smoke(["coconut"], transfer=[ENTRY]))
    assert plan_of(asking()).asks


def test_questions_that_are_only_asked_need_no_schedule_and_no_training_questions():
    other = {"title": "Other", "questions": TOY | {"sizes": SIZES}}
    study = smoke(["coconut"], datasets__other=other, transfer=[ENTRY | {"asked": ["other"]}])
    plan = plan_of(study)
    assert plan.asked == ["other"]
    assert plan.used == ["balanced", "other"]
    trained = study | {"runs": [{"datasets": ["other"], "methods": ["cot"], "seeds": [1]}], "transfer": []}
    message = message_of(trained)
    assert "datasets.other.questions.sizes.train: is missing; runs are trained on other" in message
    assert "datasets.other.schedule: is missing; runs are trained on other" in message


def test_runs_cannot_be_trained_on_questions_made_of_others():
    study = smoke(["cot"], runs=[{"datasets": ["changed"], "methods": ["cot"], "seeds": [1]}])
    assert "datasets.changed.questions: source: rewrites is only asked" in message_of(study)


@pytest.mark.parametrize(
    ("of", "right"),
    [
        ("balancd", "datasets.changed.questions.of: balancd is not defined; did you mean balanced?"),
        ("changed", "datasets.changed.questions.of: changed is made of other questions itself"),
    ],
)
def test_rewrites_are_made_of_questions_that_are_drawn(of, right):
    assert right in message_of(smoke(["cot"], datasets__changed__questions__of=of))


def test_the_card_of_rewrites_holds_the_settings_of_their_questions():
    plan = plan_of(smoke(["cot"]))
    settings = plan.question_settings("changed")
    assert settings["of"] == plan.question_settings("balanced")
    assert settings["of"]["nodes"] == 10


def test_an_unknown_shortcut_is_named():
    subset = {"source": "subset", "of": "balanced", "rule": "fewer facts", "right": False}
    message = message_of(smoke(["cot"], datasets__changed__questions=subset))
    assert "fewer facts is not a shortcut; did you mean fewer facts name it?" in message


def test_a_method_has_a_text_of_its_own():
    apart = {"like": "coconut", "title": "Apart", "text": {"facts_share_position": True}}
    study = smoke(["coconut", "apart"], {"apart": apart}, text__template="symbols")
    plan = plan_of(study)
    shared = [plan.base_spec(method, 1).text.facts_share_position for method in ("coconut", "apart")]
    assert shared == [False, True]
    assert plan.generation_spec(Run("balanced", "apart", 1)).text.facts_share_position
    prose = smoke(["apart"], {"apart": apart})
    assert "methods.apart.text.facts_share_position: works only with template: symbols" in message_of(prose)
