"""Arguments that stand for many, as rules about thousands of files pass them."""

from coconut_study.__main__ import expanded


def test_an_argument_with_an_at_sign_stands_for_the_lines_of_a_file(tmp_path):
    path = tmp_path / "many"
    path.write_text("--times=a b.csv\nü.csv\n", encoding="utf-8")
    assert expanded(f"@{path}") == ["--times=a b.csv", "ü.csv"]
    path.write_text("")
    assert expanded(f"@{path}") == []


def test_other_arguments_stand_for_themselves():
    assert expanded("a@b.csv") == ["a@b.csv"]
    assert expanded('{"x": 1}') == ['{"x": 1}']
