"""What a study must not contain, although every key of it is right."""

import pytest

from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan

from ...studies import REMOVAL, message_of, smoke, with_value

LATER = {"like": "coconut", "title": "Later", "start": "cot"}


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"a": LATER | {"start": "a"}}, "methods.a.start: leads back to its own method"),
        (
            {"a": LATER | {"start": "b"}, "b": LATER | {"title": "B", "start": "a"}},
            "start: leads back to its own method",
        ),
        ({"a": LATER | {"start": "cott"}}, "methods.a.start: cott is not defined; did you mean cot?"),
    ],
)
def test_starts_from_nowhere_are_refused(methods, message):
    assert message in message_of(smoke(["a"], methods))


def test_a_wrong_model_setting_of_a_method_is_named():
    methods = {"wide": {"like": "coconut", "title": "Wide", "model": {"tokeniser": "words"}}}
    message = message_of(smoke(["wide"], methods))
    assert "methods.wide.model.tokeniser: unknown key; did you mean tokenizer?" in message


def test_a_removing_method_needs_its_schedule():
    study = smoke(["icot"])
    message = "datasets.balanced.schedule.removal: is missing; icot needs to know how fast"
    assert message in message_of(study)
    (spec,) = Plan(read_study(with_value(study, "datasets.balanced.schedule.removal", REMOVAL))).chain(
        "balanced", "icot", 1
    )
    assert spec.removal.model_dump() == REMOVAL
    own = with_value(study, "methods.icot.schedule", {"removal": REMOVAL})
    assert Plan(read_study(own)).chain("balanced", "icot", 1)[0].removal == spec.removal


@pytest.mark.parametrize("key", ["methods.cot.training", "training"])
def test_only_a_removing_method_resets_the_optimizer_at_removals(key):
    study = smoke(["cot"])
    section = study["training"] if key == "training" else {}
    study = with_value(study, key, section | {"reset_optimizer": "removal"})
    assert "methods.cot: reset_optimizer: removal is for methods with steps: removed" in message_of(study)


@pytest.mark.parametrize("title", ["CoT", "Coconut"])
def test_two_runs_with_one_title_are_refused(title):
    study = smoke(["cot", "coconut"], methods__cot__title=title)
    if title == "CoT":
        assert read_study(study).methods["cot"].title == title
    else:
        assert "methods.coconut.title: Coconut is already the title of cot" in message_of(study)


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
        (
            comparing({"a": "cot", "b": "no_cot"}),
            "comparisons.one: no_cot on balanced is not one of the runs",
        ),
        (
            comparing({"a": "cot"}, datasets=["prosqa"]),
            "comparisons.one: cot on prosqa is not one of the runs",
        ),
        (comparing({"a": "cott"}), "comparisons.one.methods: cott is not defined; did you mean cot?"),
        (comparing({"a": "cot"}, datasets=["balance"]), "comparisons.one.datasets: balance is not defined"),
        (
            comparing({"a": "coconut"}, x="k"),
            "comparisons.one: coconut on balanced is not in the sweep; add it to sweep.methods",
        ),
        ({"a/b": comparing({"a": "cot"})["one"]}, "comparisons.a/b: use only letters, digits, - and _"),
    ],
)
def test_comparisons_of_what_is_not_run_are_refused(comparison, message):
    assert message in message_of(smoke(["cot", "coconut"], comparisons=comparison))


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
def test_experiments_on_thoughts_need_methods_with_thoughts_that_suit_them(key):
    runs = ["cot", "coconut", "pause_as_thought"]
    lacking = {"cot": "has no thoughts to probe" if key == "probing" else "has no continuous thoughts"}
    if key != "probing":
        lacking["pause_as_thought"] = lacking["cot"]
    for method, message in lacking.items():
        study = smoke(runs, **{key: EXPERIMENTS[key] | {"methods": ["coconut", method]}})
        assert f"{key}.methods: {method} {message}" in message_of(study)
    study = read_study(smoke(runs, **{key: EXPERIMENTS[key] | {"methods": ["coconut"]}}))
    assert Plan(study).selected(getattr(study, key)) == [("balanced", "coconut")]
    unknown = smoke(runs, **{key: EXPERIMENTS[key] | {"methods": ["coconot"]}})
    assert f"{key}.methods: coconot is not defined; did you mean coconut?" in message_of(unknown)


def test_loops_have_no_places_that_could_be_probed():
    study = smoke(["coconut", "looped"], probing=EXPERIMENTS["probing"] | {"methods": ["coconut", "looped"]})
    assert "probing.methods: looped has loops, which have no places in the sequence" in message_of(study)


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_soft_thoughts_suit_all_experiments_on_thoughts(key):
    soft = {"methods__coconut__thoughts": "soft", key: EXPERIMENTS[key] | {"methods": ["coconut"]}}
    study = read_study(smoke(["coconut"], **soft))
    assert Plan(study).selected(getattr(study, key)) == [("balanced", "coconut")]


def test_a_looped_model_responds_after_any_number_of_loops():
    swept = {"methods": ["looped", "coconut"], "k": [0, 1]}
    assert read_study(smoke(["looped", "coconut"], sweep=swept))
    assert read_study(smoke(["looped"], sweep={"methods": ["looped"], "k": [9]}))
    message = "sweep.k: 9 exceeds the 2 thoughts of coconut on balanced"
    assert message in message_of(smoke(["coconut"], sweep={"methods": ["coconut"], "k": [9]}))


def test_loops_take_no_positions():
    """A model of as many positions as a question of one token and the written tokens need."""
    exact = {"model__architecture__n_positions": 13}
    assert read_study(smoke(["looped"], **exact))
    assert "and a question exceed the 13 positions" in message_of(smoke(["pause_as_thought"], **exact))


def test_pauses_are_probed_beside_thoughts():
    methods = ["coconut", "pause_as_thought"]
    study = read_study(smoke(methods, probing=EXPERIMENTS["probing"] | {"methods": methods}))
    assert Plan(study).selected(study.probing) == [("balanced", method) for method in methods]


def test_no_more_thoughts_are_probed_than_were_trained():
    probing = EXPERIMENTS["probing"] | {"methods": ["coconut"], "k": [0, 3]}
    message = "probing.k: 3 exceeds the 2 thoughts of coconut on balanced; use 2 or less"
    assert message in message_of(smoke(["coconut"], probing=probing))


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
    message = "text.template: symbols can write only graph questions; use prose for balanced"
    assert message in message_of(with_value(study, "text.template", "symbols"))


def test_a_run_that_starts_from_another_has_its_model():
    methods = {"later": LATER | {"model": {"architecture": {"n_embd": 32}}}}
    assert "methods.later" in message_of(smoke(["later"], methods))


# ------------------------------------------------------------------------------------- names and text


@pytest.mark.parametrize("section", ["datasets", "methods", "comparisons"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "A"), "A: differs from a only in the form of letters; rename it"),
        (("\u00e4", "a\u0308"), ": use only letters, digits, - and _"),
        (("2", "\u00b2"), "\u00b2: differs from 2 only in the form of letters; rename it"),
        (("a" * 61,), f"{'a' * 20}...: use at most 60 letters"),
    ],
)
def test_names_that_a_file_system_cannot_keep_apart_are_refused(section, names, message):
    study = smoke(["cot"])
    one = {
        "datasets": study["datasets"]["balanced"],
        "methods": {"like": "cot", "title": "T"},
        "comparisons": {"title": "T", "datasets": ["balanced"], "x": "label", "xlabel": "x",
                        "series": {"a": {"b": "cot"}}},
    }[section]  # fmt: skip
    study[section] = study[section] | dict.fromkeys(names, one)
    assert f"{section}.{message}" in message_of(study) or message in message_of(study)


def test_two_figures_of_the_same_name_are_refused():
    study = smoke(["cot"], {"c": {"like": "cot", "title": "C"}, "b-c": {"like": "cot", "title": "B"}})
    study["datasets"] |= dict.fromkeys(["a", "a-b"], study["datasets"]["balanced"])
    assert "datasets.a-b: figures of c on a-b would have the names of those of b-c on a" in message_of(study)


def test_labels_are_text_and_each_is_there_once():
    series = {"line": {5: "cot", "NA": "cot", 0.50: "cot", "1e5": "cot"}}
    one = {"title": "T", "datasets": ["balanced"], "x": "label", "xlabel": "x", "series": series}
    study = smoke(["cot"], comparisons={"one": one})
    assert [*read_study(study).comparisons["one"].series["line"]] == ["5", "NA", "0.5", "1e5"]
    series["line"]["5"] = "cot"
    assert "comparisons.one.series.line: has two labels 5" in message_of(study)


@pytest.mark.parametrize("label", [None, True])
def test_labels_that_yaml_reads_as_something_else_are_to_be_quoted(label):
    series = {"line": {label: "cot"}}
    one = {"title": "T", "datasets": ["balanced"], "x": "label", "xlabel": "x", "series": series}
    message = message_of(smoke(["cot"], comparisons={"one": one}))
    assert message.endswith(f"(it is {label}); put it in quotes if it is text")


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\r", "\ud800", "\u2028", "\u202e", "\ufffe"])
def test_characters_that_no_page_can_show_are_refused(sign):
    study = smoke(["cot"], {"cot": {"title": f"a{sign}b"}})
    message = message_of(study)
    assert message.startswith(f"study: methods.cot.title: has the character U+{ord(sign):04X}")
    assert message.isprintable()


def test_a_message_can_be_printed_whatever_a_study_holds():
    message = message_of(smoke(["c\u200bt"], machine__default__minutes="x" * 10**6))
    assert all(line.isprintable() and len(line) <= 1000 for line in message.splitlines())
