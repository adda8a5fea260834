"""Every command of docs/partial_reruns.md plans the jobs that stand beside it, and no others."""

import re
import shlex
import shutil

import pytest

from .conftest import ROOT, Project

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs" / "partial_reruns.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```yaml\n# (\w+\.yaml)\n(.*?)```", PAGE, flags=re.DOTALL))


def documented() -> list[tuple[str, str, dict[str, int]]]:
    """(what comes before, command, jobs) of every row of the page's tables."""
    rows, before = [], ""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[1:] == ["command", "jobs"]:
            before = cells[0]
        elif len(cells) == 3 and cells[1].startswith("`snakemake"):
            jobs = dict(job.split() for job in cells[2].split(", "))
            rows.append((before, cells[1].strip("`"), {rule: int(number) for rule, number in jobs.items()}))
    return rows


def dry(project: Project, command: str) -> dict[str, int]:
    """The jobs that a command would do, its target left out where that is a rule."""
    for name, text in FILES.items():
        project.write(name, text)
    _, target, *rest = shlex.split(command)
    jobs = project.counted(project.run("snakemake", target, *rest, "--dry-run", "--quiet", "rules"))
    return {rule: count for rule, count in jobs.items() if rule != target}


def test_the_page_has_its_commands():
    assert len(documented()) == PAGE.count("--cores all --configfile ") > 15
    assert {before for before, _, _ in documented()} == {
        "from nothing", "after the study has run", "after an edit of `training/stage.py`",
    }  # fmt: skip
    assert set(FILES) == set(re.findall(r"smoke\.yaml (\w+\.yaml)", PAGE))


@pytest.mark.parametrize(("before", "command", "jobs"), documented())
def test_a_documented_command_plans_its_jobs_and_no_others(finished, fresh, before, command, jobs):
    if before == "from nothing":
        assert dry(fresh, command) == jobs
    elif before == "after the study has run":
        assert dry(finished, command) == jobs
    else:
        with finished.edited("src/coconut_study/training/stage.py"):
            assert dry(finished, command) == jobs


def test_chapters_and_parts_together_are_the_whole_study(fresh):
    """Every run is in one data set, one method and one seed."""
    whole = fresh.planned("responses")
    for parts in (
        ["dataset_balanced", "dataset_prosqa"],
        ["method_coconut", "method_pause_as_thought", "method_without_thought", "method_cot"],
        ["seed_1", "seed_2"],
    ):
        planned = fresh.planned(*parts)
        assert {rule: planned[rule] for rule in whole if rule != "responses"} == {
            rule: count for rule, count in whole.items() if rule != "responses"
        }


def test_a_part_has_what_experiments_measure_of_its_runs(fresh):
    jobs = fresh.planned("method_coconut", study="tour")
    assert (jobs["respond"], jobs["grade"]) == (4, 4)
    assert (jobs["clock"], jobs["ending"], jobs["probe"], jobs["decode"]) == (4, 4, 2, 3)
    assert not {"clock", "ending", "probe", "decode"} & fresh.planned("method_icot", study="tour").keys()


def test_a_new_data_set_leaves_a_loaded_model_alone_and_changes_one_that_learns_its_words(finished):
    """The page says so of both."""
    (base,) = (finished.folder / "results" / "smoke" / "base").iterdir()
    path = base.relative_to(finished.folder)
    model = f"model: {{path: {path}, architecture: null, tokenizer: {path}}}\n"
    loaded = finished.write("loaded.yaml", "study: loaded\n" + model)
    done = finished.snakemake("method_cot", "--cores", "1", "--until", "base", also=loaded)
    assert done.returncode == 0, done.stderr[-2000:]
    larger = FILES["one_more_data_set.yaml"].partition("runs:")[0].replace("study: smoke_larger\n", "")
    both = (
        larger + "runs:\n- {datasets: [balanced], methods: [cot], seeds: [1]}\n"
        "- {datasets: [larger], methods: [coconut], seeds: [1]}\n"
    )
    overlay = finished.write("larger.yaml", both + "study: loaded\n" + model)
    assert finished.planned("dataset_larger", also=overlay) == {
        "questions": 1, "train": 3, "respond": 1, "grade": 1, "dataset_larger": 1,
    }  # fmt: skip
    made = finished.planned("responses", also=finished.write("larger.yaml", both))
    assert made["base"] == 1
    assert made["train"] == 1 + 3  # CoT, which was trained before, too
    shutil.rmtree(finished.folder / "results" / "loaded")


@pytest.fixture
def copy(finished, tmp_path) -> Project:
    """The finished project once more, to be touched."""
    return finished.copied_to(tmp_path / "copy")


def edit(project: Project, module: str) -> None:
    """Change the code of a module, but nothing that it does."""
    path = project.folder / f"src/coconut_study/{module}.py"
    path.write_text(path.read_text() + "\nEDITED = True\n")


def touch(project: Project, *targets: str, also: str = "") -> None:
    done = project.snakemake(*targets, "--touch", "--quiet", "all", also=also)
    assert done.returncode == 0, done.stderr[-2000:]


def test_comments_and_docstrings_rerun_nothing(copy):
    for module in ("training/stage", "report/figures/accuracy", "common/files"):
        path = copy.folder / f"src/coconut_study/{module}.py"
        path.write_text(path.read_text().replace('"""', '"""Edited. ', 1) + "\n# why\n")
    assert copy.planned() == {}


def test_touching_after_an_edit_leaves_nothing_to_do_and_makes_nothing(copy):
    edit(copy, "training/stage")
    assert copy.planned()["train"] == 13
    shutil.rmtree(copy.folder / "results/smoke/figures")
    touch(copy)
    assert not (copy.folder / "results/smoke/figures").exists()
    jobs = copy.planned()
    assert jobs.pop("figure_accuracy") == 2
    assert all(rule.startswith("figure_") for rule in jobs)


def test_touching_tables_stops_there(copy):
    edit(copy, "training/stage")
    edit(copy, "report/figures/accuracy")
    touch(copy, "tables")
    assert copy.planned("tables") == {}
    assert copy.planned() == {"figure_accuracy": 2}


def test_touching_hides_a_changed_setting(copy):
    """Why the page says to look first: Snakemake trains six stages before it, and nothing after it."""
    slower = "study: smoke\nmethods: {coconut: {training: {learning_rate: 1.0e-4}}}\n"
    overlay = copy.write("slower.yaml", slower)
    assert copy.planned(also=overlay)["train"] == 6
    touch(copy, also=overlay)
    assert copy.planned(also=overlay) == {}
