"""The page of a long table in a browser. Skipped where Playwright or Chromium is missing."""

import pandas as pd
import pytest

from coconut_study.report import markup

NUMBERS = ["12.3 [1, 2]", "–", "−4.0 [−9, 1]", "100.0", "9.9", ".5", "0", "7", "8.25", "", "12.2 [0, 99]"]
UPWARDS = ["−4.0 [−9, 1]", "0", ".5", "7", "8.25", "9.9", "12.2 [0, 99]", "12.3 [1, 2]", "100.0"]
NAMES = ["k 10", "k 9", "Z", "a", "b", "c", "d", "e", "f", "g", "h"]


@pytest.fixture
def page(browser, tmp_path):
    (tmp_path / "table.html").write_text(
        markup.html(pd.DataFrame({"name": NAMES, "accuracy (%)": NUMBERS})), encoding="utf-8"
    )
    said = []
    opened = browser.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto((tmp_path / "table.html").as_uri())
    yield opened
    opened.close()
    assert said == []


def column(page, number):
    return page.locator(f"tbody td:nth-child({number})").all_inner_texts()


def sorts(page):
    return [header.get_attribute("aria-sort") for header in page.locator("th").all()]


def test_rows_are_sorted_by_number_upwards_downwards_and_as_they_were(page):
    header = page.get_by_role("button", name="accuracy (%)")
    header.click()
    assert column(page, 2) == [*UPWARDS, "–", ""]
    assert sorts(page) == [None, "ascending"]
    header.click()
    assert column(page, 2) == [*UPWARDS[::-1], "–", ""]
    assert sorts(page) == [None, "descending"]
    header.click()
    assert (column(page, 1), column(page, 2)) == (NAMES, NUMBERS)
    assert sorts(page) == [None, "none"]


def test_a_key_sorts_by_name_and_rows_stay_whole(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert column(page, 1) == ["a", "b", "c", "d", "e", "f", "g", "h", "k 9", "k 10", "Z"]
    assert sorts(page) == ["ascending", None]
    assert dict(zip(column(page, 1), column(page, 2), strict=True)) == dict(zip(NAMES, NUMBERS, strict=True))
