import pytest

from coconut_study.common.errors import StudyError
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan

from ...studies import settings, with_value


@pytest.mark.parametrize("name", ["quick", "smoke", "tour", "scratch", "paper", "large"])
def test_shipped_studies_are_valid_and_write_every_setting_out(name):
    study = read_study(settings(name))
    assert study.study == name
    assert Plan(study).runs


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("metods", {}, "metods: unknown key; did you mean methods?"),
        ("training.batchsize", 3, "training.batchsize: unknown key; did you mean batch_size?"),
        ("training.learning_rate", -1, "training.learning_rate: Input should be greater than 0 (it is -1)"),
        ("training.micro_batch_size", 5, "batch_size: 32 is not a multiple of micro_batch_size: 5"),
        ("sweep.k", [0, 7], "sweep.k: 7 is above what coconut is trained for on planning (3 thoughts)"),
        ("sweep.methods", ["coconot"], "coconot is not defined; did you mean coconut?"),
        ("sweep.methods", ["cot"], "cot has no thoughts to vary"),
        (
            "runs",
            [{"datasets": ["x"], "methods": ["cot"], "seeds": [1]}],
            "runs.0.datasets: x is not defined",
        ),
        ("runs", [{"datasets": ["planning"], "methods": ["icoat"], "seeds": [1]}], "icoat is not defined"),
        ("runs", [], "runs: Tuple should have at least 1 item"),
        ("study", "a/b", "study: String should match"),
        (
            "methods.cot.steps",
            "stage",
            "methods.cot.steps: Input should be 'kept', 'dropped', 'staged' or 'removed'",
        ),
        ("methods.cot.training", {"lr": 1}, "methods.cot.training.lr: unknown key"),
        ("methods.cot.schedule", {"c": -1}, "methods.cot.schedule.c: Input should be greater than or equal"),
        ("datasets.planning.schedule.epochs", [1], "epochs has 1 entries; with stages: 3 it needs 4, or 5"),
        ("datasets.planning.questions.concepts", 3, "nodes: 12 needs concepts: 10 or more"),
        ("datasets.planning.questions.nodez", 3, "datasets.planning.questions.nodez: unknown key"),
        ("datasets.planning.questions.source", "x", "does not match any of the expected tags"),
        ("datasets.planning.questions.sizes.test", 3, "sizes must be even"),
        ("model", {"tokenizer": "words", "new_tokens": {"init": "random"}}, "either path or architecture"),
        ("model.tokenizer", "./nowhere", "./nowhere is not a folder"),
        ("model.new_tokens", {"init": "copy"}, "of: names a token with init: copy"),
        ("text.template", "prose", "text.facts_share_position: works with template: symbols alone"),
    ],
)
def test_mistakes_are_one_sentence_that_names_the_key(key, value, message):
    with pytest.raises(StudyError) as raised:
        read_study(with_value(settings("quick"), key, value))
    lines = str(raised.value).splitlines()
    assert any(message in line for line in lines), lines


def test_the_other_seeds_share_no_seed_with_the_shipped_ones():
    shipped, other = read_study(settings("quick")), read_study(settings("quick", "other_seeds"))
    for seeds_of in (
        lambda study: {seed for _, _, seed in Plan(study).runs},
        lambda study: set(study.base_seeds),
        lambda study: {study.datasets["planning"].questions.root.seed},
    ):
        assert not seeds_of(shipped) & seeds_of(other)
    assert {method for _, method, _ in Plan(shipped).runs} == {method for _, method, _ in Plan(other).runs}
    assert (shipped.training, shipped.methods) == (other.training, other.methods)


def test_a_second_file_may_change_the_data_and_leave_experiments_out():
    study = settings("paper")
    changed = {
        "runs": [{"datasets": ["word_problems"], "methods": ["icot", "coconut"], "seeds": [0]}],
        "sweep": study["sweep"] | {"datasets": ["word_problems"]},
        "comparisons": dict.fromkeys(study["comparisons"]),
        "clock": None, "probing": None, "decoding": None,
    }  # fmt: skip
    found = read_study(study | changed)
    assert found.comparisons == {}
    assert [spec.stage for spec in Plan(found).chain("word_problems", "coconut", 0)] == [0, 1, 2, 3, 4]


def test_a_missing_section_is_named():
    study = settings("quick")
    del study["training"]
    with pytest.raises(StudyError, match="training: is missing"):
        read_study(study)


def stage_ids(study, method):
    return [spec.id for spec in Plan(study).chain("planning", method, 1)]


def test_methods_share_the_stages_they_agree_on_and_no_others():
    study = read_study(settings("quick"))
    coconut, pause = stage_ids(study, "coconut"), stage_ids(study, "pause_as_thought")
    assert coconut[0] == pause[0]
    assert not set(coconut[1:]) & set(pause[1:])
    assert coconut[0] != Plan(study).chain("planning", "coconut", 2)[0].id


def test_changing_one_method_leaves_the_stages_of_the_others():
    before = read_study(settings("quick"))
    changed = with_value(settings("quick"), "methods.coconut.training", {"learning_rate": 1.0e-3})
    after = read_study(changed)
    for method in before.methods:
        same = stage_ids(before, method) == stage_ids(after, method)
        assert same == (method != "coconut")


def test_seeds_take_the_base_models_in_turn():
    study = read_study(with_value(settings("quick"), "base_seeds", [5, 6]))
    seeds = sorted({seed for _, _, seed in Plan(study).runs})
    assert [Plan(study).base_spec("cot", seed).seed for seed in seeds] == [
        (5, 6)[i % 2] for i in range(len(seeds))
    ]
