"""What Snakemake makes of the text of a study: keys, titles, and paths."""

import os
import subprocess
import sys

import pytest
import yaml

from .conftest import ROOT

pytestmark = pytest.mark.workflow

NASTY = (
    r"$\frac$",
    "x_{a}",
    "{dataset}",
    "{{}}",
    "a|b",
    r"\input{x}",
    "<script>",
    "'\"$(ls)`ls`",
)


def said_of(done):
    return done.stdout + done.stderr


def test_a_key_that_a_study_has_twice_is_refused(fresh):
    """The second of two equal keys won, and nobody was told."""
    overlay = fresh.write("twice.yaml", "study: smoke\nbase_seeds: [0]\nbase_seeds: [1]\n")
    done = fresh.snakemake("--dry-run", also=overlay)
    assert done.returncode != 0
    assert "twice.yaml: the key base_seeds is on line 2 and again on line 3" in said_of(done)
    assert "Traceback" not in said_of(done)


def test_a_key_that_the_methods_have_twice_is_refused(fresh, tmp_path):
    project = fresh.copied_to(tmp_path / "copy")
    methods = project.folder / "config" / "methods.yaml"
    methods.write_text(methods.read_text() + "methods: {}\n")
    done = project.snakemake("--dry-run")
    assert done.returncode != 0
    assert "methods.yaml: the key methods is on line" in said_of(done)


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("datasets: {5: {title: T}}", "datasets.5: Input should be a valid string (it is 5); put it in"),
        ("runs: [{datasets: [null], methods: [cot], seeds: [1]}]", "(it is None); put it in quotes"),
        ('methods: {cot: {title: "a\\eb"}}', "methods.cot.title: has the character U+001B"),
        ('methods: {cot: {title: "a\\u202eb"}}', "methods.cot.title: has the character U+202E"),
        ("methods: {COT: {like: cot, title: T}}", "methods.COT: differs from cot only in the form"),
    ],
)  # fmt: skip
def test_names_and_titles_that_cannot_be_kept_are_refused(fresh, overlay, words):
    done = fresh.snakemake("--dry-run", also=fresh.write("bad.yaml", f"study: smoke\n{overlay}\n"))
    assert done.returncode != 0
    assert words in said_of(done)
    assert "Traceback" not in said_of(done)


def test_any_title_can_be_planned(fresh):
    """`x_{a}` ended the plan, because Snakemake read it as a wildcard."""
    methods = [f"method{number}" for number in range(len(NASTY))]
    comparison = {"datasets": ["balanced"], "x": "label", "xlabel": NASTY[1]}
    overlay = {
        "study": "smoke",
        "description": " ".join(NASTY),
        "datasets": {"balanced": {"title": NASTY[1]}},
        "methods": {
            name: {"like": "cot", "title": title} for name, title in zip(methods, NASTY, strict=True)
        },
        "runs": [{"datasets": ["balanced"], "methods": [*methods, "coconut"], "seeds": [1]}],
        "sweep": {"methods": [], "k": []},
        "comparisons": {
            f"comparison{number}": comparison
            | {"title": title, "reference": title, "series": {title: {title: "method0"}}}
            for number, title in enumerate(NASTY)
        },
    }
    jobs = fresh.planned(also=fresh.write("titles.yaml", yaml.safe_dump(overlay)))
    assert jobs["figure_comparison"] == len(NASTY)


def test_question_files_in_braces_are_refused(fresh):
    """Snakemake reads braces in paths as wildcards."""
    files = {split: {"path": f"some/{{{split}}}.json"} for split in ("train", "valid", "test")}
    study = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    study["datasets"]["balanced"]["questions"] = {"source": "files", **files}
    fresh.write("config/braces.yaml", yaml.safe_dump(study))
    done = fresh.snakemake("--dry-run", study="braces")
    assert done.returncode != 0
    assert "datasets.balanced.questions.train.path: rename some/{train}.json" in said_of(done)


def test_an_environment_in_a_folder_with_an_apostrophe_works(fresh, tmp_path):
    """The path of Python was written into the shell of every job as it is."""
    project = fresh.copied_to(tmp_path / "copy")
    environment = tmp_path / "it's an \u00fc $HOME"
    environment.symlink_to(sys.prefix, target_is_directory=True)
    python = environment / "bin" / "python"
    command = [python, "-m", "snakemake", "--cores", "1", "results/smoke/data/balanced/shortcuts.csv",
               "--configfile", "config/smoke.yaml"]  # fmt: skip
    variables = os.environ | {"PYTHONPATH": str(project.folder / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=project.folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (project.folder / "results/smoke/data/balanced/shortcuts.csv").is_file()
