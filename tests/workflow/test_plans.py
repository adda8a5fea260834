"""What Snakemake plans, and what it refuses, before anything runs."""

import re
import shutil

import pytest
import yaml

from .conftest import ROOT

pytestmark = pytest.mark.workflow


def test_the_default_study_is_quick_and_every_target_is_planned(fresh):
    jobs = fresh.planned(study=None)
    assert {"questions", "base", "train", "respond", "grade", "table_main", "figure_sweep"} <= jobs.keys()
    for target, rule in {"data": "describe", "checkpoints": "train", "responses": "grade",
                         "tables": "table_main", "figures": "figure_accuracy"}.items():  # fmt: skip
        assert rule in fresh.planned(target, study=None), target


def test_a_shared_stage_is_planned_once(fresh):
    """Coconut and pause as thought have 3 stages each in the smoke study and share the first."""
    only = "study: smoke\nruns:\n- {datasets: [balanced], methods: [coconut, pause_as_thought], seeds: [1]}\n"
    overlay = fresh.write("shared.yaml", only)
    assert fresh.planned("checkpoints", also=overlay)["train"] == 5


def test_the_paper_is_planned_whole(fresh):
    """Three data sets, eight methods and three seeds, with every experiment."""
    jobs = fresh.planned(study="paper")
    variations = 10 + 10  # on GSM8k and on ProsQA
    assert jobs["respond"] == jobs["grade"] == (3 * 8 + variations) * 3
    assert jobs["table_comparison"] == jobs["figure_comparison"] == 5
    assert {"clock", "ending", "probe", "decode", "table_claims", "table_costs"} <= jobs.keys()
    assert jobs["figure_sweep"] == 4


@pytest.mark.parametrize("study", ["large", "scratch"])
def test_studies_for_gpus_are_planned(fresh, study):
    assert {"base", "train", "respond", "table_claims"} <= fresh.planned(study=study).keys()


def test_the_cost_of_a_study_is_told_before_anything_runs(fresh):
    done = fresh.snakemake("--cores", "1", "plan", study="paper")
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| train")]
    assert [cell.strip() for cell in rows[0][1:3]] == [str(fresh.planned(study="paper")["train"]), "1"]
    disk = done.stdout.partition("Disk: openai-community/gpt2\n")[2].splitlines()
    assert re.match(r"  machine.keep: all: \d+ checkpoints", disk[0])
    assert re.match(r"  machine.keep: last: \d+ checkpoints", disk[1])
    shutil.rmtree(fresh.folder / "results")


def test_with_keep_last_the_checkpoints_of_stages_that_others_follow_are_temporary(fresh):
    overlay = fresh.write("keep.yaml", "study: smoke\nmachine: {keep: last}\n")
    jobs = fresh.planned("checkpoints", also=overlay)
    assert (jobs["train"], jobs["train_earlier"], jobs["stage_card"]) == (6, 7, 7)


def test_another_value_of_keep_trains_and_asks_nothing_again(finished, tmp_path):
    """Also not where the checkpoints of earlier stages are gone."""
    twin = finished.copied_to(tmp_path / "twin")
    overlay = twin.write("keep.yaml", "study: smoke\nmachine: {keep: last}\n")
    cheap = {"stage_card", "table_spent", "table_costs"}
    jobs = twin.planned(also=overlay)
    assert jobs.keys() <= cheap
    assert jobs["stage_card"] == 7
    last = {(run / "model").resolve() for run in twin.folder.glob("results/smoke/runs/*/*/*")}
    for checkpoint in twin.folder.glob("results/smoke/stages/*/*/*/checkpoint"):
        if checkpoint not in last:
            shutil.rmtree(checkpoint)
    assert twin.planned(also=overlay).keys() <= cheap - {"stage_card"}
    assert twin.planned().keys() <= cheap - {"stage_card"}


def test_a_run_on_several_gpus_is_started_once_a_gpu(fresh):
    overlay = "study: smoke\nmachine: {train: {gpus: 2, memory_mb: 1000, minutes: 5}}\n"
    done = fresh.snakemake("checkpoints", "-n", "-p", also=fresh.write("gpus.yaml", overlay))
    assert done.stdout.count("python -m torch.distributed.run --standalone --nproc-per-node=2") == 13
    alone = fresh.snakemake("checkpoints", "-n", "-p")
    assert "torch.distributed.run" not in alone.stdout


def arrows(graph: str) -> set[tuple[str, str]]:
    """Pairs of rule names that a mermaid graph connects."""
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    return {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)}


def test_the_documentation_draws_the_rules(fresh):
    drawn = fresh.snakemake("--rulegraph", "mermaid-js", study="tour").stdout
    page = (ROOT / "docs" / "workflow.md").read_text(encoding="utf-8")
    assert len(arrows(drawn)) > 50
    assert arrows(page) == arrows(drawn)


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("study: smoke\nmetods: {}\n", "metods: unknown key; did you mean methods?"),
        (
            "study: smoke\nruns: [{datasets: [prosqa], methods: [icoat], seeds: [1]}]\n",
            "icoat is not defined",
        ),
        (
            "study: smoke\nsweep: {methods: [coconut], k: [9]}\n",
            "sweep.k: 9 exceeds the 2 thoughts of coconut",
        ),
        ("study: smoke\nmodel: {tokenizer: ./nowhere}\n", "./nowhere is not a folder"),
        (
            "study: smoke\ndatasets: {prosqa: {paper: proqsa}}\n",
            "proqsa is not defined; did you mean prosqa?",
        ),
        (
            "study: smoke\nmodel: {architecture: {n_layers: 3}}\n",
            "unknown key of gpt2; did you mean n_layer?",
        ),
        (
            "study: smoke\nmodel: {architecture: null, path: no/model, tokenizer: no/model}\n",
            "study: model.path: no/model is n",  # neither there nor to be had, or not in the cache
        ),
    ],
)
def test_a_bad_study_is_one_sentence_and_writes_nothing(fresh, overlay, words):
    done = fresh.snakemake("--cores", "1", also=fresh.write("bad.yaml", overlay))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert words in said
    assert "Traceback" not in said
    assert not (fresh.folder / "results").exists()


def test_missing_question_files_are_named_before_anything_runs(fresh):
    files = {split: {"path": f"nowhere/{split}.json"} for split in ("train", "valid", "test")}
    study = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    study["datasets"]["balanced"]["questions"] = {"source": "files", **files}
    fresh.write("config/files.yaml", yaml.safe_dump(study))
    done = fresh.snakemake("--cores", "1", study="files")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "study: questions: no file nowhere/train.json, nowhere/valid.json, nowhere/test.json;" in said
    assert "Traceback" not in said
    assert not (fresh.folder / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["describe", "--questions", "nowhere.json", "--out", "out.csv"], "nowhere.json: cannot be read"),
        (["questions", "--settings", '{"source": "prosqa"}', "--train", "a", "--valid", "b", "--test", "c"],
         "nodes: is missing"),
        (["respond", "--settings", "{}", "--checkpoint", "x", "--questions", "q", "--responses", "r",
          "--timings", "t"], "layouts: is missing"),
    ],
)  # fmt: skip
def test_a_command_says_in_one_sentence_what_is_wrong(fresh, arguments, words):
    done = fresh.run("coconut_study", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
