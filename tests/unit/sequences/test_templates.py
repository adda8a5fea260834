"""Answers compared by value."""

import pytest

from coconut_study.engine.tokenizer import word_level
from coconut_study.questions.question import Question
from coconut_study.sequences.templates import Text, is_right_number


def problem(answer):
    return Question("How many?", ("<<2*9=18>>",), answer)


@pytest.mark.parametrize(
    ("gold", "response", "right"),
    [
        ("18", "### 18", True),
        ("18", "### 18.0", True),
        ("18", "### 18.", True),
        ("18", "### 18.5", False),
        ("18", "### 81", False),
        ("18", "### $18", True),
        ("18", "### 18 %", True),
        ("18", "### +18", True),
        ("18", "### -18", False),
        ("-18", "### - 18", True),
        ("1005", "### $1,005", True),
        ("1,005", "### 1005.00", True),
        ("1005", "### 1 , 005", True),
        ("12.5", "### 12 . 5", True),
        ("12.5", "### 12.50", True),
        ("0.5", "### .5", True),
        ("18", "<<2*9=18>>\n### 18", True),
        ("18", "### 17 ### 18", True),
        ("18", "#### 18", True),
        ("18", "18", False),
        ("18", "", False),
        ("18", "###", False),
        ("18", "### eighteen", False),
        ("18", "### 18 apples", False),
        ("18", "### 18 18", False),
        ("12", "### 1 2", False),
        ("Alex is a rompus.", "### Alex is a rompus.", None),
        ("Alex is a rompus.", "### 18", None),
        ("True", "nothing", None),
    ],
)
def test_answers_are_compared_by_value_where_the_gold_one_is_a_number(gold, response, right):
    assert is_right_number(problem(gold), response) is right


@pytest.mark.parametrize("number", ["12.5", "$1,005", "-3", "18"])
def test_a_number_comes_back_from_a_word_tokenizer(number):
    tokenizer = word_level([Text("How many?", [], f"### {number}")])
    decoded = tokenizer.decode(tokenizer(f"### {number}", add_special_tokens=False)["input_ids"])
    assert is_right_number(problem(number), decoded) is True
