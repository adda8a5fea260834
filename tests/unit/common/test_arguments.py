"""Arguments in files, as rules about thousands of files pass them."""

from pathlib import Path

from coconut_study.common.arguments import expanded, in_file


def test_an_argument_with_an_at_sign_stands_for_the_lines_of_a_file(tmp_path):
    path = tmp_path / "many"
    path.write_text("--times=a b.csv\nü.csv\n", encoding="utf-8")
    assert expanded(f"@{path}") == ["--times=a b.csv", "ü.csv"]
    path.write_text("")
    assert expanded(f"@{path}") == []


def test_other_arguments_stand_for_themselves():
    assert expanded("a@b.csv") == ["a@b.csv"]
    assert expanded('{"x": 1}') == ['{"x": 1}']


def test_a_file_gives_the_arguments_back_and_is_named_by_them(tmp_path):
    argument = in_file(tmp_path / "new", "--times=a b.csv", "ü.csv")
    assert expanded(argument) == ["--times=a b.csv", "ü.csv"]
    assert in_file(tmp_path / "new", "--times=a b.csv", "ü.csv") == argument
    assert in_file(tmp_path / "new", "ü.csv") != argument
    assert in_file(tmp_path / "new", *[]) not in (argument, "@")


def test_a_file_with_other_content_is_replaced(tmp_path):
    argument = in_file(tmp_path, "one.csv")
    for damage in (b"two.csv\n", b"", b"\xff"):
        Path(argument[1:]).write_bytes(damage)
        assert in_file(tmp_path, "one.csv") == argument
        assert expanded(argument) == ["one.csv"]
