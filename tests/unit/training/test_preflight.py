"""What a study needs from outside is looked for before its first job."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from time import perf_counter
from typing import Any

import pytest
from huggingface_hub import constants
from pydantic import ValidationError

from coconut_study.common.errors import StudyError
from coconut_study.questions.settings import Source
from coconut_study.study.load import read_study
from coconut_study.training import preflight
from coconut_study.training.settings import Model

from ...studies import changed

# --------------------------------------------------------------------------------------- architectures

SHAPE = {"model_type": "gpt2", "n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 64}


def new(**architecture: Any) -> Model:
    """A model made from a configuration."""
    return Model(architecture=SHAPE | architecture, tokenizer="words", new_tokens={"init": "random"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "gtp2"}, ".model_type: gtp2 is not known to transformers; did you mean gpt2?"),
        ({"n_layers": 3}, ".n_layers: unknown key of gpt2; did you mean n_layer?"),
        ({"n_head": 3}, ": makes no gpt2 model"),
        ({"n_head": 0}, ": makes no gpt2 model"),
        ({"n_layer": "two"}, ": makes no gpt2 model"),
        ({"n_positions": None}, ": makes no gpt2 model"),
        ({"n_embd": -16}, ": makes no gpt2 model"),
        ({"activation_function": "gelo"}, ": makes no gpt2 model"),
    ],
)
def test_an_architecture_that_makes_no_model_is_named(change, words):
    (line,) = preflight.mistakes([new(**change)])
    assert line.startswith(f"model.architecture{words}")
    assert len(line.splitlines()) == 1


def test_architectures_that_make_models_are_not_refused():
    llama = {"model_type": "llama", "hidden_size": 16, "num_attention_heads": 2, "rope_theta": 1e4}
    other = Model(architecture=llama, tokenizer="words", new_tokens={"init": "random"})
    assert preflight.mistakes([new(), other]) == []


# --------------------------------------------------------------------------------------------- files


def test_files_of_questions_that_are_not_there_are_named_in_one_sentence(tmp_path):
    def source(path):
        splits = {split: {"path": str(path / split)} for split in ("train", "valid", "test")}
        return Source.model_validate({"source": "files"} | splits)

    (tmp_path / "valid").touch()
    (line,) = preflight.mistakes([], [source(tmp_path)])
    assert f"no file {tmp_path}/train, {tmp_path}/test;" in line
    for split in ("train", "test"):
        (tmp_path / split).touch()
    assert preflight.mistakes([], [source(tmp_path)]) == []


# ------------------------------------------------------------------------------------------- the hub

ERRORS = {"gated": (401, "GatedRepo"), "private": (401, "RepoNotFound"), "missing": (404, "RepoNotFound")}


class FakeHub(BaseHTTPRequestHandler):
    """Answers by the name that is asked for."""

    def do_HEAD(self):
        name, _, revision = self.path.lstrip("/").removeprefix("datasets/").partition("/resolve/")
        status, code = ERRORS.get(name.partition("/")[2], (200, None))
        if revision.startswith("nowhere/"):
            status, code = 404, "RevisionNotFound"
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("ETag", '"1"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()

    def log_message(self, *_):
        pass


def at(monkeypatch, port: int) -> None:
    """Look for the hub at a port of this machine."""
    endpoint = f"http://127.0.0.1:{port}"
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub on this machine, and an empty cache."""
    server = HTTPServer(("127.0.0.1", 0), FakeHub)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    at(monkeypatch, server.server_port)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    server.shutdown()
    server.server_close()


def loaded(name: str, tokenizer: str = "words") -> Model:
    """A model of the hub, unchecked."""
    return new().model_copy(update={"path": name, "architecture": None, "tokenizer": tokenizer})


def data(path: str, revision: str | None = None) -> Source:
    """A data set of the hub."""
    splits = {split: {"split": split} for split in ("train", "valid", "test")}
    return Source.model_validate({"source": "hub", "path": path, "revision": revision, **splits})


def test_what_the_hub_gives_is_not_refused(hub):
    assert preflight.mistakes([loaded("some/model", "some/tokenizer")], [data("some/data")]) == []


@pytest.mark.parametrize(
    ("models", "sources", "words"),
    [
        ([loaded("some/gated")], [], "model.path: some/gated needs permission; ask for it at http://"),
        ([loaded("some/private")], [], "model.path: some/private is neither a folder nor on the hub"),
        (
            [loaded("some/model", "some/missing")],
            [],
            "model.tokenizer: some/missing is neither a folder nor on",
        ),
        ([], [data("some/missing")], "questions.path: some/missing is neither a folder nor on the hub"),
        ([], [data("some/data", "nowhere")], "questions.path: some/data has no revision nowhere"),
        ([loaded("no name at/all/of this")], [], "is neither a folder nor a name of the hub"),
    ],
)
def test_what_the_hub_does_not_give_is_one_sentence(hub, models, sources, words):
    (line,) = preflight.mistakes(models, sources)
    assert words in line
    assert len(line.splitlines()) == 1


def test_a_hub_that_cannot_be_reached_is_named_in_seconds(hub, monkeypatch):
    at(monkeypatch, 9)
    start = perf_counter()
    lines = preflight.mistakes([loaded("some/model", "some/tokenizer")], [data("some/data")])
    assert perf_counter() - start < 5
    assert len(lines) == 3
    assert all(f"is not in {hub}, and http://127.0.0.1:9 does not answer" in line for line in lines)


def test_what_is_in_the_cache_or_in_a_folder_is_not_asked_for(hub, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    wanted = [loaded("some/model", "some/model")], [data("some/data")]
    lines = preflight.mistakes(*wanted)
    assert len(lines) == 3
    assert all("HF_HUB_OFFLINE forbids the download" in line for line in lines)
    for repository, file in (
        ("models--some--model", "model.safetensors"),
        ("datasets--some--data", "a.parquet"),
    ):
        snapshot = hub / repository / "snapshots" / "main"
        snapshot.mkdir(parents=True)
        (snapshot / file).touch()
    (line,) = preflight.mistakes(*wanted)  # the model's weights alone are there
    assert line.startswith("model.tokenizer: some/model is not in")
    assert preflight.mistakes([loaded(str(tmp_path), str(tmp_path))], [data(str(tmp_path))]) == []


# ---------------------------------------------------------------------------------- folders of models


def from_folder(folder) -> Model:
    return Model(path=str(folder), tokenizer=str(folder), new_tokens={"init": "mean"})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "config.json: cannot be read"),
        ({"config.json": "{"}, "config.json, line 1: not JSON"),
        ({"config.json": "[]"}, "config.json is not a JSON object"),
        ({"config.json": "{}"}, "holds no *.safetensors; weights in other formats are not read"),
        ({"config.json": "{}", "pytorch_model.bin": ""}, "holds no *.safetensors"),
    ],
)
def test_a_folder_without_a_model_is_refused(tmp_path, files, words):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValidationError, match=r"(?s)" + words.replace("*", r"\*").replace(".", r"\.")):
        from_folder(tmp_path)


def test_thoughts_and_answers_fit_into_the_model_of_a_folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 18}}))
    (tmp_path / "model.safetensors").touch()
    assert from_folder(tmp_path).positions == 18
    model = {"path": str(tmp_path), "tokenizer": str(tmp_path), "new_tokens": {"init": "mean"}}
    with pytest.raises(StudyError, match="exceed the 18 positions of the model of coconut on planning"):
        read_study(changed("quick", {"model": model}))
    read_study(changed("quick", {"model": model, "responding.max_new_tokens": 14}))
