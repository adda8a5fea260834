from pathlib import Path

from coconut_study.common import provenance


def names(module):
    return {Path(path).stem for path in provenance.sources(module)}


def test_the_sources_of_a_step_are_what_it_imports_and_no_more():
    assert names("streams") == {"streams"}
    assert {"train", "learner", "model", "sequences", "batches", "respond", "graphs"} <= names("train")
    assert not {"paths", "grade", "tables", "figures", "config", "__main__"} & names("train")
    assert {"grade", "paths", "templates", "questions"} <= names("grade")
    assert not {"train", "model", "batches", "tokens"} & names("grade")
    assert "figures" not in names("tables")


def test_grading_and_tables_need_no_torch():
    for module in ("grade", "tables", "figures", "statistics", "questions", "paths"):
        for path in provenance.sources(module):
            assert "import torch" not in Path(path).read_text(), path


def test_a_card_says_where_a_result_comes_from():
    card = provenance.card(seed=3)
    assert card["seed"] == 3
    assert {"commit", "versions", "python", "finished"} <= card.keys()
    assert "torch" in card["versions"]
