"""Methods as variations of others, runs that start from other runs, and what a study refuses."""

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan

from ...studies import settings, with_value

REMOVAL = {"unit": "step", "per_epoch": 1, "smoothing": None, "limit": None}
ALONE = {"comparisons": {}, "clock": None, "ending": None, "probing": None, "decoding": None}


def smoke(runs, methods=None, **values):
    """The smoke study with other methods and with some runs alone; `a__b` is a key a.b."""
    study = settings("smoke") | ALONE | {"sweep": {"methods": [], "k": []}}
    study |= {"runs": [{"datasets": ["balanced"], "methods": list(runs), "seeds": [1, 2]}]}
    for name, method in (methods or {}).items():
        study = with_value(study, f"methods.{name}", method)
    for key, value in values.items():
        study = with_value(study, key.replace("__", "."), value)
    return study


def refusal(study):
    with pytest.raises(StudyError) as raised:
        read_study(study)
    return str(raised.value)


def ids(study, method, seed=1):
    return [spec.id for spec in Plan(study).chain("balanced", method, seed)]


# ------------------------------------------------------------------------------------------------ like


def test_a_variation_has_the_settings_of_the_other_but_for_its_own_and_the_papers_row():
    other = {"like": "coconut", "title": "Other", "markers": False}
    study = read_study(smoke(["other"], {"other": other}))
    ours, coconut = study.methods["other"], study.methods["coconut"]
    assert coconut.paper == "coconut"
    expected = coconut.model_copy(update={"title": "Other", "markers": False, "paper": None})
    assert ours == expected


def test_a_variation_may_stand_for_a_row_of_the_paper_itself():
    other = {"like": "coconut", "title": "Other", "paper": "coconut_c1"}
    assert read_study(smoke(["other"], {"other": other})).methods["other"].paper == "coconut_c1"


def test_what_both_say_of_a_section_is_merged():
    methods = {
        "one": {
            "like": "coconut",
            "title": "One",
            "training": {"learning_rate": 0.5, "mixing": {"probability": 0.1, "stages": "any"}},
            "schedule": {"c": 2, "epochs": [1, 2, 3]},
        },
        "two": {
            "like": "one",
            "title": "Two",
            "training": {"batch_size": 32, "mixing": {"probability": 0.9}},
            "schedule": {"epochs": [3, 2, 1]},
        },
    }
    study = read_study(smoke(["one", "two"], methods))
    assert study.methods["two"].training == {
        "learning_rate": 0.5, "batch_size": 32, "mixing": {"probability": 0.9, "stages": "any"},
    }  # fmt: skip
    assert study.methods["two"].schedule == {"c": 2, "epochs": [3, 2, 1]}
    assert study.methods["one"].training["mixing"] == {"probability": 0.1, "stages": "any"}
    assert study.training_of("two").mixing.probability == 0.9
    assert study.training_of("two").clip == study.training.clip
    assert study.schedule_of("balanced", "two").thoughts(2) == 4


def test_the_order_in_which_variations_are_written_does_not_matter():
    methods = {
        "a": {"like": "b", "title": "A"},
        "b": {"like": "cot", "title": "B", "training": {"batch_size": 32}},
    }
    assert read_study(smoke(["a"], methods)).training_of("a").batch_size == 32


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"a": {"like": "a", "title": "A"}}, "methods.a.like: goes round in a circle"),
        (
            {"a": {"like": "b", "title": "A"}, "b": {"like": "a", "title": "B"}},
            "like: goes round in a circle",
        ),
        (
            {"a": {"like": "coconot", "title": "A"}},
            "methods.a.like: coconot is not defined; did you mean coconut?",
        ),
        ({"a": {"like": "coconut", "title": "A", "marker": False}}, "methods.a.marker: unknown key"),
        ({"a": {"like": "coconut"}}, "methods.a.title: Coconut is the title of coconut already"),
    ],
)
def test_variations_of_nothing_are_refused(methods, message):
    assert message in refusal(smoke(["coconut", "a"], methods))


def test_a_variation_that_is_not_run_may_have_the_title_of_another():
    study = read_study(smoke(["coconut"], {"a": {"like": "coconut"}}))
    assert study.methods["a"].title == study.methods["coconut"].title


# ----------------------------------------------------------------------------------------------- start


LATER = {"like": "coconut", "title": "Later", "start": "cot"}


def test_a_run_that_starts_from_another_goes_through_its_stages_first():
    study = read_study(smoke(["cot", "coconut", "later"], {"later": LATER}))
    later, cot, coconut = (Plan(study).chain("balanced", name, 1) for name in ("later", "cot", "coconut"))
    assert later[:1] == cot
    assert [spec.stage for spec in later] == [0, 0, 1, 2]
    assert [spec.parent for spec in later] == [None, *(spec.id for spec in later[:-1])]
    assert [spec.layout for spec in later[1:]] == [spec.layout for spec in coconut]
    assert not {spec.id for spec in later[1:]} & {spec.id for spec in coconut}
    assert [spec.epochs_before for spec in later] == [0, 0, 1, 2]
    assert [spec.epochs_in_all for spec in later] == [3, 3, 3, 3]
    assert [spec.keep for spec in later] == ["best", "last", "last", "best"]
    assert later[0].id != Plan(study).chain("balanced", "later", 2)[0].id


def test_stages_of_the_start_are_its_own_even_where_it_is_not_run():
    methods = {
        "short": {"like": "cot", "title": "Short", "schedule": {"stages": 0, "epochs": [2]}},
        "later": LATER | {"start": "short", "schedule": {"epochs": [0, 1, 4]}},
    }
    study = read_study(smoke(["later"], methods))
    chain = Plan(study).chain("balanced", "later", 1)
    assert [(spec.stage, spec.epochs) for spec in chain] == [(0, 2), (1, 1), (2, 4)]
    assert (chain[0].layout.hidden, chain[0].layout.markers) == (0, False)
    assert chain[:1] == Plan(study).chain("balanced", "short", 1)


def test_runs_that_start_from_the_same_run_share_it():
    methods = {"later": LATER, "other": LATER | {"title": "Other", "training": {"learning_rate": 0.5}}}
    study = read_study(smoke(["later", "other"], methods))
    later, other = ids(study, "later"), ids(study, "other")
    assert later[0] == other[0]
    assert not set(later[1:]) & set(other[1:])


def test_a_start_may_itself_start_from_another():
    methods = {"later": LATER, "last": {"like": "no_cot", "title": "Last", "start": "later"}}
    study = read_study(smoke(["last"], methods))
    chain = Plan(study).chain("balanced", "last", 1)
    assert chain[:-1] == Plan(study).chain("balanced", "later", 1)
    assert (len(chain), chain[-1].parent) == (5, chain[-2].id)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"a": LATER | {"start": "a"}}, "methods.a.start: goes round in a circle"),
        (
            {"a": LATER | {"start": "b"}, "b": LATER | {"title": "B", "start": "a"}},
            "start: goes round in a circle",
        ),
        ({"a": LATER | {"start": "cott"}}, "methods.a.start: cott is not defined; did you mean cot?"),
    ],
)
def test_starts_from_nowhere_are_refused(methods, message):
    assert message in refusal(smoke(["a"], methods))


# ------------------------------------------------------------------------------------- models and stages


def test_a_method_with_a_model_of_its_own_has_a_base_of_its_own():
    methods = {"wide": {"like": "coconut", "title": "Wide", "model": {"architecture": {"n_embd": 32}}}}
    study = read_study(smoke(["coconut", "wide"], methods))
    ours, wide = Plan(study).base_spec("coconut", 1), Plan(study).base_spec("wide", 1)
    assert ours.id != wide.id
    assert wide.model.architecture == study.model.architecture | {"n_embd": 32}
    assert ours.id == Plan(study).base_spec("cot", 1).id
    assert not set(ids(study, "coconut")) & set(ids(study, "wide"))
    assert {spec.base.id for spec in Plan(study).chain("balanced", "wide", 1)} == {wide.id}


def test_a_wrong_model_setting_of_a_method_is_named():
    methods = {"wide": {"like": "coconut", "title": "Wide", "model": {"tokeniser": "words"}}}
    message = refusal(smoke(["wide"], methods))
    assert "methods.wide.model.tokeniser: unknown key; did you mean tokenizer?" in message


CHANGES = {
    "training": {"learning_rate": 0.5},
    "schedule": {"c": 2},
    "model": {"architecture": {"n_embd": 32}},
    "markers": False,
    "thoughts": "pause",
    "start": "cot",
}


@pytest.mark.parametrize("key", CHANGES)
def test_stages_that_differ_have_ids_that_differ(key):
    study = read_study(smoke(["coconut", "a"], {"a": {"like": "coconut", "title": "A", key: CHANGES[key]}}))
    ours, other = ids(study, "coconut"), ids(study, "a")
    assert len(set(ours)) == 3
    assert ours[-1] != other[-1]
    assert (ours[0] in other) == (
        key in ("schedule", "thoughts")
    )  # the first stage has neither thoughts nor c


def test_stages_that_agree_have_one_id_whatever_the_methods_are_called():
    methods = {"a": {"like": "coconut", "title": "A"}, "b": {"like": "a", "title": "B", "paper": "cot"}}
    study = read_study(smoke(["coconut", "a", "b"], methods))
    assert ids(study, "coconut") == ids(study, "a") == ids(study, "b")
    assert Plan(study).chain("balanced", "a", 1) == Plan(study).chain("balanced", "b", 1)
    assert not set(ids(study, "a", 1)) & set(ids(study, "a", 2))


def test_mixing_tells_stages_apart_only_where_something_is_mixed_in():
    methods = {"a": {"like": "coconut", "title": "A", "training": {"mixing": {"probability": 0.5}}}}
    study = read_study(smoke(["coconut", "a", "cot"], methods))
    ours, other = ids(study, "coconut"), ids(study, "a")
    assert ours[0] == other[0]
    assert not set(ours[1:]) & set(other[1:])
    more = read_study(smoke(["cot"], training__mixing__probability=0.5))
    assert ids(study, "cot") == ids(more, "cot")


# ------------------------------------------------------------------------------------------- refusals


def test_a_removing_method_needs_its_schedule():
    study = smoke(["icot"])
    message = "datasets.balanced.schedule.removal: is missing; icot needs to know how fast"
    assert message in refusal(study)
    (spec,) = Plan(read_study(with_value(study, "datasets.balanced.schedule.removal", REMOVAL))).chain(
        "balanced", "icot", 1
    )
    assert spec.removal.model_dump() == REMOVAL
    own = with_value(study, "methods.icot.schedule", {"removal": REMOVAL})
    assert Plan(read_study(own)).chain("balanced", "icot", 1)[0].removal == spec.removal


def test_the_schedule_of_removal_changes_no_other_method():
    study = smoke(["icot", "no_cot", "coconut"], datasets__balanced__schedule__removal=REMOVAL)
    before = read_study(study)
    after = read_study(with_value(study, "datasets.balanced.schedule.removal.per_epoch", 2))
    for method in ("icot", "no_cot", "coconut"):
        assert (ids(before, method) == ids(after, method)) == (method != "icot")


@pytest.mark.parametrize("key", ["methods.cot.training", "training"])
def test_only_a_removing_method_resets_the_optimizer_at_removals(key):
    study = smoke(["cot"])
    section = study["training"] if key == "training" else {}
    study = with_value(study, key, section | {"reset_optimizer": "removal"})
    assert "methods.cot: reset_optimizer: removal is for methods with steps: removed" in refusal(study)


@pytest.mark.parametrize("title", ["CoT", "Coconut"])
def test_two_runs_with_one_title_are_refused(title):
    study = smoke(["cot", "coconut"], methods__cot__title=title)
    if title == "CoT":
        assert read_study(study).methods["cot"].title == title
    else:
        assert "methods.coconut.title: Coconut is the title of cot already" in refusal(study)


def comparing(methods, x="label", datasets=("balanced",)):
    return {
        "one": {
            "title": "One",
            "datasets": list(datasets),
            "x": x,
            "xlabel": "x",
            "series": {"line": methods},
        }
    }


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        (comparing({"a": "cot", "b": "no_cot"}), "comparisons.one: no_cot on balanced is not among the runs"),
        (
            comparing({"a": "cot"}, datasets=["prosqa"]),
            "comparisons.one: cot on prosqa is not among the runs",
        ),
        (comparing({"a": "cott"}), "comparisons.one.methods: cott is not defined; did you mean cot?"),
        (comparing({"a": "cot"}, datasets=["balance"]), "comparisons.one.datasets: balance is not defined"),
        (comparing({"a": "coconut"}, x="k"), "comparisons.one: coconut on balanced is not in the sweep"),
        ({"a/b": comparing({"a": "cot"})["one"]}, "comparisons.a/b: use letters, digits, - and _ alone"),
    ],
)
def test_comparisons_of_what_is_not_run_are_refused(comparison, message):
    assert message in refusal(smoke(["cot", "coconut"], comparisons=comparison))


def test_comparisons_of_runs_are_fine():
    study = read_study(smoke(["cot", "coconut"], comparisons=comparing({1: "cot", "b": "coconut"})))
    assert study.comparisons["one"].methods == ("cot", "coconut")
    swept = smoke(["coconut"], comparisons=comparing({"a": "coconut"}, x="k"))
    assert read_study(swept | {"sweep": {"methods": ["coconut"], "k": [0, 1]}})


EXPERIMENTS = {
    "ending": {"questions": 8},
    "probing": {"datasets": ["balanced"], "k": [0], "height": "shortest", "questions": None, "case": 0},
    "decoding": {"datasets": ["balanced"], "questions": 2, "top": 3},
}


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_experiments_on_thoughts_need_methods_with_continuous_ones(key):
    runs = ["cot", "coconut", "pause_as_thought"]
    for method in ("cot", "pause_as_thought"):
        study = smoke(runs, **{key: EXPERIMENTS[key] | {"methods": ["coconut", method]}})
        assert f"{key}.methods: {method} has no continuous thoughts" in refusal(study)
    study = read_study(smoke(runs, **{key: EXPERIMENTS[key] | {"methods": ["coconut"]}}))
    assert Plan(study).selected(getattr(study, key)) == [("balanced", "coconut")]
    unknown = smoke(runs, **{key: EXPERIMENTS[key] | {"methods": ["coconot"]}})
    assert f"{key}.methods: coconot is not defined; did you mean coconut?" in refusal(unknown)


def test_no_more_thoughts_are_probed_than_were_trained():
    probing = EXPERIMENTS["probing"] | {"methods": ["coconut"], "k": [0, 3]}
    message = "probing.k: 3 is above what coconut is trained for on balanced (2 thoughts); use 2 or less"
    assert message in refusal(smoke(["coconut"], probing=probing))


@pytest.mark.parametrize(
    "source",
    [
        {"source": "arithmetic", "steps": [1, 3]},
        {"source": "prontoqa", "hops": 2},
    ],
)
def test_symbols_write_no_word_problems(source):
    questions = source | {"sizes": {"train": 8, "valid": 4, "test": 4}, "seed": 0}
    study = smoke(["cot"], datasets__balanced__questions=questions)
    assert read_study(study).text.template == "prose"
    message = "text.template: symbols writes graph questions alone; balanced needs prose"
    assert message in refusal(with_value(study, "text.template", "symbols"))


def test_a_run_that_starts_from_another_has_its_model():
    methods = {"later": LATER | {"model": {"architecture": {"n_embd": 32}}}}
    assert "methods.later" in refusal(smoke(["later"], methods))
