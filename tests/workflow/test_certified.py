"""Results say what they were made from, also if they were copied or edited unseen by Snakemake."""

import json
import shutil

import pytest

from .conftest import Project

pytestmark = pytest.mark.workflow

OTHER_SEED = "study: smoke\ndatasets: {balanced: {questions: {seed: 7}}}\n"
REFUSED = (
    "results/smoke/data/balanced/card.json: the questions were made with seed: 0, but the study has seed: 7; "
    "restore the setting, or remove the folder of the card to have the questions made again"
)


@pytest.fixture
def moved(finished, tmp_path) -> Project:
    """A project with the results of another, but without Snakemake's records of them."""
    return finished.copied_to(tmp_path / "moved", ".snakemake", "logs", "benchmarks")


@pytest.fixture
def copied(finished, tmp_path) -> Project:
    """A project with the results of another and the records of them."""
    return finished.copied_to(tmp_path / "copied", "logs")


def contents(project: Project) -> dict[str, bytes]:
    folder = project.folder / "results"
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_results_that_were_copied_without_records_are_up_to_date(moved):
    assert moved.planned() == {}


def test_a_study_says_if_no_records_would_show_a_changed_setting(finished, moved, fresh):
    """Another learning rate ran nothing again, and nobody was told why."""
    other = "study: smoke\ntraining: {learning_rate: 1.0e-4}\n"
    words = "results/smoke: Snakemake has no records (.snakemake) of how these results were made"
    done = moved.snakemake("-n", also=moved.write("rate.yaml", other))
    assert moved.counted(done) == {}
    assert (done.stdout + done.stderr).count(words) == 1
    for project in (finished, fresh):
        done = project.snakemake("-n", also=project.write("rate.yaml", other))
        assert words not in done.stdout + done.stderr


def test_a_card_never_certifies_questions_of_another_seed(moved):
    """Training took the questions that were there, and its card had the new seed."""
    overlay = moved.write("seed.yaml", OTHER_SEED)
    before = contents(moved)
    for target in ([], ["checkpoints"], ["data"]):
        done = moved.snakemake(*target, "--cores", "1", also=overlay)
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert f"study: {REFUSED}" in said
        assert "Traceback" not in said
    assert contents(moved) == before
    for made in ("balanced", "changed"):  # questions, and rewrites of them
        shutil.rmtree(moved.folder / "results/smoke/data" / made)
    jobs = moved.planned("checkpoints", also=overlay)
    assert (jobs["questions"], jobs["base"], jobs["train"]) == (1, 1, 13)


def test_records_of_other_results_do_not_help(moved):
    """Snakemake knew of another study here, so that it was not asked about these questions."""
    overlay = moved.write("seed.yaml", OTHER_SEED)
    assert moved.snakemake("data", "--cores", "1", also=moved.write("b.yaml", "study: b\n")).returncode == 0
    before = contents(moved)
    done = moved.snakemake("checkpoints", "--cores", "1", also=overlay)
    assert done.returncode != 0
    assert f"study: {REFUSED}" in done.stdout + done.stderr
    assert contents(moved) == before


def test_a_changed_seed_makes_questions_again_where_there_are_records(finished):
    jobs = finished.planned("checkpoints", also=finished.write("seed.yaml", OTHER_SEED))
    assert (jobs["questions"], jobs["base"], jobs["train"]) == (1, 1, 13)


def test_a_job_refuses_questions_that_snakemake_does_not_make_again(copied):
    """Snakemake may be told to look at times alone, and to call no hooks."""
    overlay = copied.write("seed.yaml", OTHER_SEED)
    done = copied.snakemake(
        "checkpoints", "--cores", "1", "--rerun-triggers", "mtime", "--no-hooks", also=overlay
    )
    assert done.returncode != 0
    (log, *_) = (copied.folder / "logs").rglob("train/balanced/**/*.log")
    assert log.read_text() == f"error: {REFUSED}\n"


def test_a_shortened_argument_file_is_written_again(copied):
    """A table of fewer runs was made of it, and the job ended well."""
    table = copied.folder / "results/smoke/tables/seeds.csv"
    before = table.read_bytes()
    for path in (copied.folder / ".snakemake/arguments").iterdir():
        arguments = json.loads(path.read_text())
        if "files" not in arguments:  # of a command that makes no table
            continue
        for files in arguments["files"].values():
            files.pop(next(iter(files), None), None)
        path.write_text(json.dumps(arguments) + "\n")
    done = copied.snakemake("-R", "table_seeds", "--cores", "1", str(table.relative_to(copied.folder)))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "table_seeds" in done.stdout + done.stderr
    assert table.read_bytes() == before


@pytest.mark.parametrize("name", ["grades.csv", "responses.jsonl"])
def test_a_file_of_another_run_becomes_no_grade_and_no_table(copied, name):
    """Its numbers were taken for those of the run in whose folder it lies."""
    runs = copied.folder / "results/smoke/runs/balanced/cot"
    shutil.copy(runs / "seed2" / name, runs / "seed1" / name)
    done = copied.snakemake("--cores", "1", "results/smoke/tables/seeds.csv")
    assert done.returncode != 0
    said = "".join(path.read_text() for path in (copied.folder / "logs").rglob("*.log"))
    assert "expected rows of balanced/cot/seed1 alone" in said or "expected those of dataset balanced" in said
