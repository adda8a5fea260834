"""Question files as others publish them."""

import json
from collections import Counter

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import formats


def test_gsm8k_lines_are_read_with_their_steps(shared):
    found = formats.read(shared("data/gsm8k_aug_valid.txt"))
    assert len(found) == 500
    steps = Counter(len(question.steps) for question in found)
    assert [steps[n] for n in range(1, 9)] == [32, 155, 140, 91, 53, 18, 8, 3]
    assert found[0].steps == ("<<4-2=2>>", "<<2/.5=4>>", "<<12/4=3>>", "<<100*3=300>>")
    assert found[0].answer == "300"
    assert found[0].question.endswith("How much does he pay per year?")


def test_a_bad_line_is_named(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("How many?||<<1+1=2>> #### 2\nHow many? 3\n")
    with pytest.raises(StudyError, match=r"train.txt, line 2: is not `question"):
        formats.read(path)


def test_prontoqas_own_output_is_read_in_pairs_of_sentences(tmp_path):
    chain = ["Max is a jompus.", "Every jompus is red.", "Max is red."]
    example = {"question": "Every jompus is red. Max is a jompus.", "query": "True or false: Max is red.",
               "chain_of_thought": chain, "answer": "True"}  # fmt: skip
    path = tmp_path / "5hop.json"
    path.write_text(json.dumps({"example1": {"test_example": example}}))
    (question,) = formats.read(path)
    assert question.question == f"{example['question']} {example['query']}"
    assert question.steps == ("Max is a jompus. Every jompus is red.", "Max is red.")
    path.write_text(json.dumps({"example1": {"test_example": {"question": "x"}}}))
    with pytest.raises(StudyError, match=r"5hop.json, example1: has no test_example with 'chain_of_thought'"):
        formats.read(path)
