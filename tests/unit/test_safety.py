"""Text of models, data and settings is never run as code, and neither is code next to weights."""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pandas as pd
import pytest
import torch
from docutils.core import publish_parts
from safetensors.torch import load_file, save_file

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import load_tokenizer, word_level
from coconut_study.report import markup, style, thoughts
from coconut_study.report.figures.learning import learning
from coconut_study.sequences.templates import Text

from ..conftest import tiny

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "<script>alert(1)</script>"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_titles_and_tokens_in_a_page_are_text():
    table = pd.DataFrame(
        {"dataset": ["d"], "method": ["m"], "seed": 1, "question": 0, "thought": 1, "token": SCRIPT,
         "probability": 0.5}
    )  # fmt: skip
    page = markup.html(thoughts.format_decoded(table, titles={"d": f"D {SCRIPT}", "m": f"M {SCRIPT}"}))
    assert page.count(SHOWN) == 3
    assert "<script" not in page


def test_titles_in_a_figure_are_text(tmp_path):
    table = pd.DataFrame(
        {"dataset": "d", "method": "m", "stage": 0, "epoch": [0, 1], "seen": [0, 8], "mean": [0.0, 50.0],
         "low": 0.0, "high": 60.0, "n": 1}
    )  # fmt: skip
    stages = pd.DataFrame({"dataset": "d", "method": "m", "stage": [0], "first mean": 0.0, "last mean": 50.0})
    named = {"titles": {"d": SCRIPT, "m": SCRIPT}, "roles": {"m": "control"}, "dataset": "d"}
    no_rules = pd.DataFrame({"dataset": ["d"], "method": ["m"], "accuracy": [50.0]})
    style.save(lambda: learning(table, stages, no_rules, **named), tmp_path / "figure.svg")
    drawn = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert SHOWN in drawn  # in the description; what is drawn are outlines
    assert "<script" not in drawn


@pytest.mark.parametrize("caption", sorted(ROOT.glob("workflow/report/*.rst")), ids=lambda path: path.stem)
def test_settings_in_a_caption_are_text(caption):
    text = f"{SCRIPT}\n\n.. raw:: html\n\n   {SCRIPT}\n`a <javascript:alert(1)>`_ javascript:alert(1)"
    settings = {"study": "s", "description": text, "tables": {"worked": 95},
                "comparisons": {"one": {"title": text, "reference": text}}}  # fmt: skip
    snakemake = SimpleNamespace(config=settings, wildcards=SimpleNamespace(comparison="one"))
    environment = jinja2.Environment()  # as Snakemake's report does
    environment.filters["as_text"] = markup.restructured
    source = caption.read_text(encoding="utf-8")
    headlines = [("figure.svg", [(text, "1 Main result")])]
    written = environment.from_string(source).render(snakemake=snakemake, headlines=lambda: headlines)
    written = written.replace("   :file: figure.svg", "   <svg/>")
    page = publish_parts(written, writer_name="html")["body"]
    assert "<script" not in page
    assert "<a" not in page
    assert (SHOWN in page) == ("as_text" in source)


CODE = "from pathlib import Path\n\nPath(__file__).with_name('run').touch()\n"


@pytest.fixture
def folder(tmp_path):
    """A tiny model and its tokenizer, with code next to them that would create a file."""
    tokenizer = word_level([Text("a b", ["c"], "d")])
    tiny("gpt2", len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "own.py").write_text(CODE)
    return tmp_path


def say(path: Path, **more) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | more))


def test_code_beside_a_model_is_never_run(folder):
    say(folder / "config.json", auto_map={"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"})
    assert checkpoints.load_model(str(folder)).config.model_type == "gpt2"
    say(folder / "config.json", model_type="own")
    with pytest.raises(StudyError, match="no causal language model there"):
        checkpoints.load_model(str(folder))
    assert not (folder / "run").exists()


def test_code_beside_a_tokenizer_is_never_run(folder):
    (folder / "tokenizer.json").unlink()
    say(folder / "tokenizer_config.json", tokenizer_class="T", auto_map={"AutoTokenizer": ["own.T", "own.T"]})
    with pytest.raises(StudyError, match="no tokenizer there"):
        load_tokenizer(folder)
    assert not (folder / "run").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"added_tokens": 3}', "\x00"])
def test_a_damaged_tokenizer_is_refused(folder, text):
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(StudyError, match="no tokenizer there"):
        load_tokenizer(folder)


FORBIDDEN = {"pickle", "shelve", "marshal", "joblib", "dill"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("src/**/*.py")), ids=lambda path: path.stem)
def test_nothing_is_unpickled_evaluated_or_trusted(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.partition(".")[0] for alias in node.names} | {getattr(node, "module", None)}
            assert not names & FORBIDDEN
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "torch.load", "yaml.load", "os.system", "pd.read_pickle"}
            for keyword in node.keywords:
                if keyword.arg in {"trust_remote_code", "shell", "allow_pickle"}:
                    assert ast.unparse(keyword.value) == "False"


# ---------------------------------------------------------------------------------------------- weights


def test_pickled_weights_are_not_read(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(StudyError, match=f"{folder}: no causal language model there"):
        checkpoints.load_model(str(folder))


def test_weights_that_are_missing_are_not_made_up(folder):
    held = load_file(folder / "model.safetensors")
    first = sorted(held)[0]
    del held[first]
    save_file(held, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(StudyError, match=f"the weights lack 1 tensors of the model, first {first}"):
        checkpoints.load_model(str(folder))
