"""Data sets from generators, files and the hub."""

import json
from collections import Counter

import numpy as np
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import datasets, graphs, schema
from coconut_study.questions.question import redraw
from coconut_study.questions.settings import Arithmetic, Balanced, File, Files, Hub, Prontoqa, Prosqa

SMALL = {"persons": 2, "concepts": 10, "sizes": {"train": 20, "valid": 6, "test": 8}, "seed": 0}


def balanced(**changes):
    shape = {"source": "balanced", "nodes": 12, "edges": 14, "hops": (3, 3)}
    return Balanced.model_validate(shape | SMALL | changes)


def test_generated_splits_share_no_graph_up_to_renaming():
    splits = datasets.generate(balanced())
    assert {split: len(found) for split, found in splits.items()} == {"train": 20, "valid": 6, "test": 8}
    marks = [graphs.fingerprint(q.graph) for found in splits.values() for q in found]
    assert len(set(marks)) == len(marks) / 2  # two mirror questions a graph
    for found in splits.values():
        for one, other in zip(found[::2], found[1::2], strict=True):
            assert one.graph.edges == other.graph.edges
            assert one.graph.names == other.graph.names
            assert one.answer != other.answer


def test_generation_depends_on_the_seed_alone_and_tests_do_not_move_with_the_training_size():
    again = datasets.generate(balanced())
    assert again == datasets.generate(balanced())
    assert again != datasets.generate(balanced(seed=1))
    larger = datasets.generate(balanced(sizes={"train": 40, "valid": 6, "test": 8}))
    assert (larger["test"], larger["valid"]) == (again["test"], again["valid"])


def test_smaller_prosqa_questions():
    settings = {"source": "prosqa", "nodes": 12, "hops": (2, 4)} | SMALL | {"persons": 17, "concepts": 38}
    found = datasets.generate(Prosqa.model_validate(settings))["train"]
    assert {len(question.steps) for question in found} <= {2, 3, 4}


def test_impossible_graphs_are_refused_with_a_sentence():
    with pytest.raises(StudyError, match="gave nothing new"):
        datasets.generate(balanced(nodes=8, edges=7, hops=(3, 3), concepts=6))


def test_files_are_checked_by_count_and_checksum(question, tmp_path):
    paths = {split: tmp_path / f"{split}.json" for split in datasets.SPLITS}
    for number, path in enumerate(paths.values()):
        schema.write(path, [redraw([question], np.random.default_rng(number))[0]])
    good = {split: File(path=str(path), count=1) for split, path in paths.items()}
    assert len(datasets.load(Files(source="files", **good))["test"]) == 1
    path = str(paths["valid"])
    for wrong in (File(path=path, count=2), File(path=path, sha256="0" * 64)):
        with pytest.raises(StudyError, match=r"valid\.json.* the study expects"):
            datasets.load(Files(source="files", **good | {"valid": wrong}))


# ----------------------------------------------------------------------------- other kinds of questions

SIZES = {"train": 30, "valid": 10, "test": 10}


@pytest.mark.parametrize(
    "settings",
    [
        Prontoqa(source="prontoqa", hops=5, sizes=SIZES, seed=0),
        Arithmetic(source="arithmetic", steps=(1, 4), sizes=SIZES, seed=0),
    ],
)
def test_texts_are_proved_and_never_repeated(settings):
    splits = datasets.generate(settings)
    assert {split: len(found) for split, found in splits.items()} == SIZES
    texts = [question.question for found in splits.values() for question in found]
    assert len(set(texts)) == len(texts)
    _, find_fault = datasets.generator(settings)
    assert {find_fault(question) for found in splits.values() for question in found} == {None}


def test_shards_together_are_a_data_set_and_do_not_depend_on_the_others():
    whole = balanced(shards=3)
    shards = [datasets.draw_shard(whole, number) for number in range(3)]
    assert shards[1] == datasets.draw_shard(whole, 1)
    splits = datasets.combine_shards(whole, shards)
    assert {split: len(found) for split, found in splits.items()} == whole.sizes.model_dump()
    marks = Counter(graphs.fingerprint(q.graph) for found in splits.values() for q in found)
    assert set(marks.values()) == {2}  # mirror questions stay together


def test_what_two_shards_share_is_replaced():
    whole = balanced(shards=2)
    one = datasets.draw_shard(whole, 0)
    splits = datasets.combine_shards(whole, [one, one])
    texts = [question.question for found in splits.values() for question in found]
    assert len(texts) == len(set(texts)) == sum(whole.sizes.model_dump().values())


# ------------------------------------------------------------------------------------ files and the hub


def test_rows_of_one_file_make_the_splits(question, tmp_path):
    path = tmp_path / "all.jsonl"
    schema.write(path, [redraw([question], np.random.default_rng(n))[0] for n in range(5)])
    parts = {"train": (0, 3), "valid": (3, 4), "test": (4, 5)}
    files = {split: File(path=str(path), rows=rows) for split, rows in parts.items()}
    splits = datasets.load(Files(source="files", **files))
    assert [len(splits[split]) for split in parts] == [3, 1, 1]
    with pytest.raises(StudyError, match="has 5 rows, the study takes 4 to 6"):
        datasets.load(Files(source="files", **files | {"test": File(path=str(path), rows=(4, 6))}))


def hub(path, **counts):
    splits = {"train": "train", "valid": "validation", "test": "test"}
    return Hub(source="hub", path=str(path), **{
        name: {"split": split, "count": counts.get(name)} for name, split in splits.items()
    })  # fmt: skip


@pytest.fixture
def hub_folder(tmp_path, monkeypatch):
    """A folder in the form of the hub: a file a split, found by its name."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    rows = [
        {"question": f"{n} and 1?", "steps": [f"<<{n}+1={n + 1}>>"], "answer": str(n + 1)} for n in range(6)
    ]
    folder = tmp_path / "gsm"
    folder.mkdir()
    for split, part in (("train", rows[:3]), ("validation", rows[3:5]), ("test", rows[5:])):
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return folder


def test_a_data_set_of_the_hub_is_read_by_its_columns(hub_folder):
    splits = datasets.load(hub(hub_folder, train=3, valid=2, test=1))
    assert [len(splits[name]) for name in datasets.SPLITS] == [3, 2, 1]
    assert splits["test"][0].steps == ("<<5+1=6>>",)
    with pytest.raises(StudyError, match="split train: 3 questions, the study expects 4"):
        datasets.load(hub(hub_folder, train=4))


def test_a_data_set_that_is_not_there_or_lacks_a_column_is_named(hub_folder, tmp_path):
    with pytest.raises(StudyError, match="nowhere: split train cannot be loaded"):
        datasets.load(hub(tmp_path).model_copy(update={"path": str(tmp_path / "nowhere")}))
    for file in hub_folder.iterdir():
        file.write_text(file.read_text().replace('"steps"', '"chain"'))
    with pytest.raises(StudyError, match="has no column steps"):
        datasets.load(hub(hub_folder))
