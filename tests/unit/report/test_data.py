"""The questions in numbers."""

import math

import pandas as pd

from coconut_study.report import data

PAPER = {
    "statistics": {
        "prosqa": {"title": "ProsQA (released)", "reference": "files", "questions": 800, "nodes": 22.81}
    }
}


def test_data_statistics_stand_beside_the_published_ones():
    ours = {"Toy (test)": pd.Series({"questions": 8.0, "steps": 3.0})}
    table = data.data(ours, PAPER).set_index("measure")
    assert table.loc["questions"].tolist() == [800, 8]
    assert math.isnan(table.loc["nodes", "Toy (test)"])
    read = data.format_data(table.reset_index()).set_index("measure")
    assert read.loc["nodes"].tolist() == ["22.81", "–"]
