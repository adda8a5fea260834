"""The study from another folder: as a module of another workflow, and by its Snakefile."""

import shutil

import pytest

from .conftest import ROOT, Project

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A project with the example beside it, in its own place and in the only folder it writes to."""
    project = Project(tmp_path_factory.mktemp("module"))
    shutil.copytree(ROOT / "docs" / "examples", project.folder / "docs" / "examples")
    return project


def run(project, *arguments, folder="docs/examples/module"):
    return project.run("snakemake", "--directory", folder, *arguments)


def test_a_workflow_with_the_study_in_it_plans_the_rules_of_both(project):
    example = ["--snakefile", "docs/examples/module/Snakefile"]
    jobs = project.counted(run(project, *example, "-n", "--quiet", "rules"))
    assert jobs == {
        "best": 1, "coconut_questions": 1, "coconut_base": 1, "coconut_train": 7,
        "coconut_respond": 3, "coconut_grade": 3, "coconut_table_seeds": 1,
    }  # fmt: skip
    whole = project.counted(run(project, "coconut_all", *example, "-n", "--quiet", "rules"))
    assert {"coconut_figure_accuracy", "coconut_table_main", "coconut_shortcuts"} <= whole.keys()
    part = project.counted(run(project, "coconut_method_cot", *example, "-n", "--quiet", "rules"))
    assert (part["coconut_train"], part["coconut_respond"]) == (1, 1)


def test_its_rules_run_where_the_other_workflow_does(project):
    example = ["--snakefile", "docs/examples/module/Snakefile"]
    done = run(project, "coconut_data", *example, "--cores", "1")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = project.folder / "docs" / "examples" / "module"
    questions = (folder / "results/module/data/toy/test.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(questions) == 32
    assert (folder / "logs/module/questions/toy.log").exists()
    assert not (project.folder / "results").exists()


def test_the_snakefile_plans_from_any_folder(project, tmp_path):
    """The default study is found beside it."""
    done = run(project, "-n", "--quiet", "rules", folder=str(tmp_path))
    here = project.run("snakemake", "-n", "--quiet", "rules")
    assert project.counted(done) == project.counted(here)
    assert project.counted(here)["train"] == 59
