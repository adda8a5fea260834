"""Models that are asked from Python: what they say is what the commands of the workflow write."""

import shutil
import subprocess
import sys

import huggingface_hub
import networkx as nx
import pandas as pd
import pytest

from coconut_study import load
from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.evaluation import commands, record, responses
from coconut_study.models.asked import question_of
from coconut_study.questions import schema
from coconut_study.questions.question import facts_of, options_of
from coconut_study.study.runs import Run

from .conftest import HEIGHT, METHODS


def graph_of(question):
    """A question as a networkx graph."""
    graph = question.graph
    return nx.DiGraph(
        facts_of(question.question), root=graph.names[graph.root], options=options_of(question.question)
    )


# ------------------------------------------------------------------------------------------------ equal


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_the_responses_of_the_command(trained, method, tmp_path):
    commands.respond(
        trained.settings(method, "respond"), trained.checkpoints[method], trained.path,
        tmp_path / "responses.jsonl", tmp_path / "timings.csv",
    )  # fmt: skip
    _, written = responses.read(tmp_path / "responses.jsonl", len(trained.questions))
    model = load(trained.checkpoints[method])
    ks = range(model.k + 1)
    answers = model.ask(trained.questions, thoughts=ks)
    texts = {(one.question, one.k): one.text for one in written}
    assert len(texts) == len(trained.questions) * len(ks)
    assert len({*texts.values()}) > 3
    assert {(i, one.k): one.text for i, row in enumerate(answers) for one in row} == texts
    assert [one.text for one in model.ask(trained.questions)] == [row[-1].text for row in answers]


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_graded_as_the_command_grades(trained, method, tmp_path):
    commands.respond(
        trained.settings(method, "respond"), trained.checkpoints[method], trained.path,
        tmp_path / "responses.jsonl", tmp_path / "timings.csv",
    )  # fmt: skip
    grading = trained.plan.study.grading.model_dump_json()
    template = trained.plan.study.text.template
    commands.grade(grading, template, tmp_path / "responses.jsonl", trained.path, tmp_path / "grades.csv")
    model = load(trained.checkpoints[method])
    answers = model.ask(trained.questions, thoughts=range(model.k + 1))
    found = [(one.k, i, one.outcome, one.right, one.tokens) for i, row in enumerate(answers) for one in row]
    grades = pd.read_csv(tmp_path / "grades.csv")[["k", "question", "outcome", "right", "tokens"]]
    assert sorted(found) == sorted(grades.itertuples(index=False, name=None))


def test_a_question_alone_is_answered_as_in_a_batch_in_whatever_form_it_is_asked(trained):
    model = load(trained.checkpoints["coconut"])
    for question, answer in zip(trained.questions[:3], model.ask(trained.questions[:3]), strict=True):
        for asked in (question, question.question, schema.to_json(question)):
            alone = model.ask(asked)
            assert (alone.text, alone.outcome, alone.right) == (answer.text, answer.outcome, answer.right)
        assert [one.k for one in model.ask(question, thoughts=[2, 0])] == [2, 0]


def test_a_networkx_graph_asks_about_its_edges_in_its_order(trained):
    for question in trained.questions:
        graph = graph_of(question)
        written = question_of(graph)
        assert facts_of(written.question) == [*graph.edges]
        assert sorted(facts_of(written.question)) == sorted(facts_of(question.question))
        assert options_of(written.question) == options_of(question.question)
        assert (written.answer, len(written.steps)) == (question.answer, len(question.steps))
        assert question_of(written.question) == written


@pytest.mark.parametrize("method", METHODS[1:])
def test_values_are_those_of_the_command(trained, method, tmp_path):
    settings = trained.settings(method, "probe")
    commands.probe(settings, HEIGHT, trained.checkpoints[method], trained.path, tmp_path / "values.csv")
    written = pd.read_csv(tmp_path / "values.csv").drop(columns=["dataset", "method", "seed", "group"])
    found = [
        (i, k, one.frontier, one.node, one.height, one.correct, one.option, float(f"{one.value:.10g}"))
        for i, values in enumerate(load(trained.checkpoints[method]).values(trained.questions, HEIGHT))
        for k, candidates in values.items()
        for one in candidates
    ]
    assert sorted(found) == sorted(written.itertuples(index=False, name=None))


def test_thoughts_are_those_of_the_command(trained, tmp_path):
    settings, checkpoint = trained.settings("coconut", "decode"), trained.checkpoints["coconut"]
    commands.decode(settings, 32, 3, checkpoint, trained.path, tmp_path / "decoded.csv")
    written = pd.read_csv(tmp_path / "decoded.csv", keep_default_na=False)
    thoughts = load(checkpoint).thoughts(trained.questions, top=3)
    found = [
        (i, one.number, rank, token, float(f"{probability:.10g}"))
        for i, row in enumerate(thoughts)
        for one in row
        for rank, (token, probability) in enumerate(one.words, start=1)
    ]
    columns = ["question", "thought", "rank", "token", "probability"]
    assert found == [*written[columns].itertuples(index=False, name=None)]
    assert all(one.norm > 0 for row in thoughts for one in row)


# ---------------------------------------------------------------------------------------------- answers


def test_the_steps_and_the_answer_are_those_of_the_text(trained):
    for answer in load(trained.checkpoints["cot"]).ask(trained.questions):
        body, mark, _ = answer.text.partition("#")
        assert " ".join(answer.steps).split() == body.split()
        assert (answer.answer is None) == (not mark)
        assert answer.k == 0
        assert answer.outcome is not None


def test_an_empty_batch_has_no_answers(trained):
    model = load(trained.checkpoints["coconut"])
    assert (model.ask([]), model.thoughts([]), model.values([])) == ([], [], [])


# ----------------------------------------------------------------------------------------------- errors


TOM = "Tom is a lempus. Every lempus is a rompus. Alex is a gorpus."
ONE = "exactly one of them must be"
WRONG = {
    f"{TOM} Is Tom a rompus or lempus?": "both of the options rompus and lempus can be reached from Tom; "
    + ONE,
    f"{TOM} Is Alex a rompus or lempus?": "neither of the options rompus and lempus can be reached from "
    "Alex; " + ONE,
    f"{TOM} Is Tom a rompus or impus?": "no fact names impus",
    f"{TOM} Is Tom a rompus or gorpus? Yes": 'the facts are not followed by "Is Tom a rompus or gorpus?" '
    "and nothing else",
    " ": "the question is empty",
    nx.Graph([("Tom", "lempus")]): "the graph is not directed; give a networkx.DiGraph",
    nx.DiGraph([("Tom", "lempus")], root="Tom"): "the graph does not say what is asked; make it as "
    "networkx.DiGraph(edges, root=NAME, options=(NAME, NAME))",
    nx.DiGraph([("Tom", 5)], root="Tom", options=("a", "b")):
    "the node 5 of the graph is not a name of one word",
    5: "a question is text, a record, or a networkx graph (it is a int)",
}  # fmt: skip


@pytest.mark.parametrize(("asked", "sentence"), WRONG.items())
def test_a_wrong_question_is_one_sentence(asked, sentence):
    with pytest.raises(StudyError) as error:
        question_of(asked)
    assert str(error.value) == sentence


def test_a_wrong_record_names_its_field():
    with pytest.raises(StudyError, match=r'^the record has no field "answer"$'):
        question_of({"question": "Why?", "steps": []})


def test_text_without_a_graph_has_no_answer_yet():
    question = question_of("Two and two?")
    assert (question.question, question.answer, question.graph) == ("Two and two?", "", None)


def test_what_a_model_cannot_do_is_one_sentence(trained):
    model, cot = (load(trained.checkpoints[name]) for name in ("coconut", "cot"))
    question = trained.questions[0]
    with pytest.raises(StudyError, match=r"trained with 2 thoughts, cannot answer after 3$"):
        model.ask(question, thoughts=3)
    with pytest.raises(StudyError, match=r"^thoughts: -1 is not a number of thoughts$"):
        model.ask(question, thoughts=[0, -1])
    with pytest.raises(StudyError, match=r"^the model has no word Zed$"):
        model.ask(question.question.replace(question.graph.names[0], "Zed"))
    with pytest.raises(StudyError, match=r"^question 1: the question is empty$"):
        model.ask([question, ""])
    with pytest.raises(StudyError, match="has no continuous thoughts to read"):
        cot.thoughts(question)
    with pytest.raises(StudyError, match="has no thoughts to probe"):
        cot.values(question)
    with pytest.raises(StudyError, match=r"^top: 0 is not a number of tokens"):
        model.thoughts(question, top=0)


def test_a_model_that_is_no_trained_stage_is_refused(trained, tmp_path):
    with pytest.raises(StudyError, match=r"not a checkpoint of this study \(it has no card.json\)"):
        load(tmp_path)
    model = load(trained.checkpoints["cot"])
    checkpoints.save(tmp_path, model.model, model.tokenizer, {"stage": None})
    with pytest.raises(StudyError, match="is not the checkpoint of a stage of training"):
        load(tmp_path)
    (tmp_path / "card.json").unlink()
    checkpoints.save(tmp_path, model.model, model.tokenizer, {"spec": {"layout": {}}, "thoughts": 1})
    with pytest.raises(StudyError, match=r"card.json: spec.base: is missing; spec.layout.hidden: is missing"):
        load(tmp_path)


# -------------------------------------------------------------------------------------------------- hub


def test_a_name_of_the_hub_is_downloaded_at_its_revision(trained, monkeypatch):
    asked = []

    def download(name, revision):
        asked.append((name, revision))
        return str(trained.checkpoints["coconut"])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    question = trained.questions[0]
    assert (
        load("owner/name", "v1").ask(question).text == load(trained.checkpoints["coconut"]).ask(question).text
    )
    assert asked == [("owner/name", "v1")]


def test_a_folder_is_not_looked_for_on_the_hub(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained.checkpoints["coconut"], tmp_path / "owner" / "name")
    assert load("owner/name").k == 2
    with pytest.raises(StudyError, match=r"not a checkpoint of this study \(it has no card.json\)$"):
        load("results/quick/runs")


def test_without_a_connection_the_hub_is_one_sentence(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StudyError) as error:
        load("owner/name")
    assert str(error.value) == (
        "owner/name: no such folder, not in the cache of the hub, and the hub cannot be reached"
    )


# ------------------------------------------------------------------------------------------------- runs


def record_of(trained, folder, method):
    """Let the command write the record of a run, whose checkpoint is a copy below `folder`."""
    shutil.copytree(trained.checkpoints[method], folder / "stage" / "checkpoint")
    run = folder / "runs" / "seed1"
    run.mkdir(parents=True)
    commands.respond(
        trained.settings(method, "respond"), folder / "stage" / "checkpoint", trained.path,
        run / "responses.jsonl", run / "timings.csv", record=run / "run.json",
        stage=["earlier", "stage"],
    )  # fmt: skip
    return run


def test_a_run_is_asked_by_its_folder_also_after_it_was_moved(trained, tmp_path):
    record_of(trained, tmp_path / "here", "coconut")
    (tmp_path / "here").rename(tmp_path / "there")
    run = tmp_path / "there" / "runs" / "seed1"
    question = trained.questions[0]
    assert load(run).ask(question).text == load(trained.checkpoints["coconut"]).ask(question).text
    found = record.read(run / "run.json")
    assert (found.checkpoint, found.stages) == ("../../stage/checkpoint", ("../../earlier", "../../stage"))
    assert found.asked.model_dump_json() == trained.settings("coconut", "respond")


def test_the_record_of_a_run_has_its_thoughts_settings_and_right_answers(trained, tmp_path):
    run, study = record_of(trained, tmp_path, "coconut"), trained.plan.study
    commands.grade(
        study.grading.model_dump_json(), study.text.template, run / "responses.jsonl", trained.path,
        run / "grades.csv",
    )  # fmt: skip
    found, spec = record.read(run / "run.json"), trained.plan.chains[Run("balanced", "coconut", 1)][-1]
    assert found.k == spec.layout.thoughts == 2
    assert found.settings == spec.training.model_dump(mode="json")
    right = pd.read_csv(run / "grades.csv").groupby("k")["right"].mean()
    assert found.accuracy == {str(k): share for k, share in right.items()}


def test_the_folder_of_a_run_links_the_last_checkpoint_also_after_it_was_moved(trained, tmp_path):
    record_of(trained, tmp_path / "here", "coconut")
    (tmp_path / "here").rename(tmp_path / "there")
    run, checkpoint = tmp_path / "there/runs/seed1", tmp_path / "there/stage/checkpoint"
    assert (run / "model").is_symlink()
    assert (run / "model").resolve() == checkpoint.resolve()
    other = tmp_path / "there/other/checkpoint"
    shutil.copytree(checkpoint, other)
    record.write(run / "run.json", other, ["other"], {2: 0.5}, record.read(run / "run.json").asked)
    assert (run / "model").resolve() == other.resolve()


def test_a_run_is_loaded_without_its_link_and_a_link_that_cannot_be_is_named(trained, tmp_path, capsys):
    run = record_of(trained, tmp_path, "coconut")
    (run / "model").unlink()
    assert load(run).k == 2
    (run / "model").mkdir()
    capsys.readouterr()
    record.write(
        run / "run.json", tmp_path / "stage/checkpoint", ["stage"], {}, record.read(run / "run.json").asked
    )
    assert "model: no link to ../../stage/checkpoint (" in capsys.readouterr().err
    assert load(run).k == 2


def test_a_record_that_is_none_is_refused(trained, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(
        StudyError, match=r"run.json: checkpoint: is missing; k: is missing.*; remove it, and run"
    ):
        load(tmp_path)


# ---------------------------------------------------------------------------------------------- imports


def python(code: str, *arguments: object) -> str:
    """What a new Python process prints."""
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return run.stdout


def test_the_import_loads_no_library():
    code = "import coconut_study, sys; print({'torch', 'pandas', 'pydantic', 'snakemake'} & {*sys.modules})"
    assert python(code) == "set()\n"


# A process in which the libraries of no extra are installed.
CORE_ALONE = """
import sys
from importlib.machinery import PathFinder

LEFT_OUT = {
    "snakemake", "pandas", "seaborn", "matplotlib", "scipy", "statsmodels", "sklearn", "datasets", "peft",
    "tabulate", "platformdirs", "pynvml",
}

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in LEFT_OUT else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def test_a_model_is_asked_with_the_core_dependencies_alone(trained):
    code = """
from coconut_study import load
model, question = load(sys.argv[1]), sys.argv[2]
print(model.ask(question).text, model.thoughts(question), model.values(question), sep="\\n")
print(model.replaced(question, question).p_right)
"""
    model, question = load(trained.checkpoints["coconut"]), trained.questions[0].question
    results = [model.ask(question).text, model.thoughts(question), model.values(question)]
    results += [model.replaced(question, question).p_right]
    said = python(CORE_ALONE + code, trained.checkpoints["coconut"], question)
    assert said == "".join(f"{result}\n" for result in results)


def test_adapters_without_the_library_for_them_are_one_sentence(trained, tmp_path, monkeypatch):
    trained.save(tmp_path / "adapters", lora=True)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(StudyError, match="has adapters, and peft is not installed; install the extra lora"):
        load(tmp_path / "adapters")


def test_the_program_starts_with_the_core_dependencies_alone(tmp_path):
    (tmp_path / "runs/data/method/seed1").mkdir(parents=True)
    (tmp_path / "runs/data/method/seed1/grades.csv").touch()
    code = """
from coconut_study import __main__ as program
for arguments in (["--help"], ["runs", sys.argv[1]]):
    sys.argv = ["coconut", *arguments]
    try:
        program.main()
    except SystemExit as ended:
        print(ended.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", CORE_ALONE + code.replace("sys.argv[1]", repr(str(tmp_path)))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for command in ("ask", "runs", "questions", "train", "respond", "table"):
        assert f" {command} " in done.stdout
    wanted = "error: pandas is not installed; install the extra workflow: pip install -e '.[workflow]'\n"
    assert done.stderr == wanted
