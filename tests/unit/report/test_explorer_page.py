"""The explorer in a browser without a window. Skipped where Playwright or Chromium is missing."""

import pytest

from . import explored


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_text(explored.page(), encoding="utf-8")
    return path


@pytest.fixture
def visit(browser, file):
    """Open the page at an address; at the end it must have written no message and loaded nothing."""
    said, asked, contexts = [], [], []

    def opened(address="", **options):
        contexts.append(context := browser.new_context(reduced_motion="reduce", **options))
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        page.goto(f"{file.as_uri()}{address}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}


def numbers(page):
    """The candidates and their values, as the page lists them."""
    rows = page.locator("#values li").all()
    return {row.locator(".name").inner_text(): row.locator(".figure").inner_text() for row in rows}


def labels(page):
    return page.locator("#graph").get_attribute("aria-label")


def listed(page):
    return page.locator("#list button b").all_inner_texts()


def test_an_address_names_what_is_shown(visit):
    page = visit("#d/coconut/1/q0/k0")
    assert page.title() == "q0, Coconut – toy"
    assert page.locator("#asked").inner_text().startswith("Is Alex a ")
    assert page.locator("#k-label").inner_text() == "Before any thought"
    assert numbers(page) == {"lempus": "75\u00a0%", "dumpus": "20\u00a0%"}


def test_one_more_thought_changes_values_and_what_is_written(visit):
    page = visit("#d/coconut/1/q0/k0")
    assert "lempus gorpus" in page.locator("#written").inner_text()
    assert "hallucination" in page.locator("#written").inner_text()
    page.locator("#k").press("ArrowRight")
    assert page.url.endswith("#d/coconut/1/q0/k1")
    assert numbers(page) == {"rompus": "91\u00a0%"}
    assert "rompus 91\u00a0%" in labels(page)
    assert "correct path" in page.locator("#written").inner_text()
    page.keyboard.press("Escape")
    page.locator("#question").focus()
    page.keyboard.press("ArrowLeft")
    assert page.url.endswith("/k0")


def drawn(page):
    """The colours of at least a hundred pixels of the graph, as "red,green,blue"."""
    return page.evaluate("""() => {
        const canvas = [...document.querySelectorAll("#graph canvas")].at(-1);
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const found = new Map();
        for (let i = 0; i < data.length; i += 4) {
            const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
            found.set(colour, (found.get(colour) ?? 0) + 1);
        }
        return [...found].filter(([, n]) => n >= 100).map(([colour]) => colour);
    }""")


@pytest.mark.parametrize("width", [1440, 390])
def test_nodes_have_the_colour_of_their_value(visit, width):
    page = visit("#d/coconut/1/q0/k0", viewport={"width": width, "height": 844}, color_scheme="light")
    page.wait_for_timeout(500)  # until it is drawn
    found, thoughts = drawn(page), (0x0B, 0x6E, 0x99)
    shares = {value: 0.08 + 0.92 * value for value in (0.75, 0.2, 0.91)}
    colours = {
        value: ",".join(str(round(255 + share * (part - 255))) for part in thoughts)
        for value, share in shares.items()
    }
    assert [value for value in colours if colours[value] in found] == [0.75, 0.2]


def test_mirror_and_twin_are_one_click_away_and_back_returns(visit):
    page = visit("#d/coconut/1/q0/k1")
    page.get_by_role("button", name="Mirror: ").click()
    assert page.locator("#asked").inner_text().startswith("Is Tom a ")
    assert page.url.endswith("/q1/k1")
    page.go_back()
    assert page.url.endswith("/q0/k1")
    page.locator("#replaced").get_by_role("button", name="the mirror").click()
    assert page.url.endswith("/q1/k1")
    page.locator("#question").focus()
    page.keyboard.press("t")
    assert page.url.endswith("/q3/k1")


def test_filters_leave_the_questions_that_they_name(visit):
    page = visit("#d/coconut/1/q0/k0")
    assert listed(page) == ["q0", "q1", "q2", "q3", "q4"]
    page.get_by_label("wrong before any thought").check()
    assert listed(page) == ["q0"]
    page.locator("#k").press("End")
    assert listed(page) == ["q3"]
    page.get_by_label("wrong after 1 thought").uncheck()
    page.get_by_label("methods disagree").check()
    assert listed(page) == ["q0", "q3"]
    page.locator("#turned").select_option(label="the mirror’s")
    assert listed(page) == ["q0"]
    assert page.locator("#count").inner_text() == "1 of 5 questions; the data set has 40"


def test_replaced_thoughts_show_their_forced_choice_and_the_free_answer(visit):
    page = visit("#d/coconut/1/q0/k1")
    rows = {
        row.get_attribute("data-content"): row for row in page.locator("#replaced li[data-content]").all()
    }
    assert [*rows] == ["own", "mean", "mirror"]
    assert "11\u00a0%" in rows["mirror"].inner_text()
    assert rows["mirror"].locator(".free").get_attribute("aria-label") == "free answer wrong"
    assert "10\u00a0% on neither option" in rows["mirror"].inner_text()


def test_a_method_without_measurements_says_so(visit):
    page = visit("#d/coconut/1/q0/k1")
    page.get_by_role("button", name="CoT, seed 2").click()
    assert page.url.endswith("#d/cot/2/q0/k0")
    assert page.locator("#k-label").inner_text() == "Without thoughts"
    assert page.locator("#slider").is_hidden()
    for part in ("values", "replaced"):
        assert "The study has not" in page.locator(f"#{part}-how").inner_text()
    assert page.locator("#words-title").is_hidden()


def test_a_word_problem_has_answers_and_no_graph(visit):
    page = visit("#w/coconut/1/q0/k2")
    assert page.locator("#graph").is_hidden()
    assert page.locator("#asked").inner_text() == f"What is 1 + 1, {explored.EVIL}?"
    assert f"2 {explored.EVIL}" in page.locator("#written").inner_text()


@pytest.mark.parametrize("address", ["#d/cot/9/q99/k7", "#%/%%/x/q/k", "#d/coconut/1/q4/k1"])
def test_any_address_shows_some_question_and_hostile_names_are_text(visit, address):
    page = visit(address)
    assert page.locator("#asked").inner_text().endswith("?")
    assert page.locator("img").count() == 0
    assert page.title().endswith("– toy")


@pytest.mark.parametrize(
    ("size", "scheme"), [((1440, 900), "light"), ((1024, 768), "dark"), ((390, 844), "light")]
)
def test_the_page_is_as_wide_as_the_window(visit, size, scheme):
    page = visit("#d/coconut/1/q0/k0", viewport=dict(zip(("width", "height"), size, strict=True)),
                 color_scheme=scheme)  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#graph canvas").count() > 0
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")


def test_on_a_narrow_page_the_list_opens_and_closes_with_a_choice(visit):
    page = visit("#d/coconut/1/q0/k0", viewport={"width": 390, "height": 844})
    assert page.locator("#list").is_hidden()
    page.get_by_role("button", name="Questions").click()
    page.locator("#list button").nth(2).click()
    assert page.locator("#list").is_hidden()
    assert page.url.endswith("/q2/k0")
