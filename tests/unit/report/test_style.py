"""The look of figures: files for light and dark pages, the same each time, and a font that is shipped."""

from hashlib import sha256
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import colors, font_manager

from coconut_study.report import palette, style

FONTS = Path(style.__file__).parent / "fonts"
SUMS = {
    "SourceSans3-Regular.ttf": "f590ce60cc093679822b42b7d47731759b5f0d5648641f5ff4cec6e0444ade64",
    "SourceSans3-SemiBold.ttf": "2b48b2c87332703bf333ee03c14cbc7a2788a5c966cd375f2a9c608842caba92",
}
NAMED = [value for value in vars(palette).values() if isinstance(value, str) and value[:1] == "C"]
NAMED = [value for value in NAMED if value[1:].isdigit()]


def draw():
    figure, axes = style.page(1.5, "It says 99 % & more", "How to read it.")
    axes[0][0].plot([1, 2], [1, 2], color=palette.THOUGHTS)
    return style.Drawn(figure, "It says 99 % & more", "A line rises from 1 to 2 & ends.")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    for run in ("one", "two"):
        style.save(draw, folder / run / "name.svg")
    return folder


def test_a_figure_has_five_files_that_are_the_same_each_time(saved):
    names = {path.name for path in (saved / "one").iterdir()}
    assert names == {"name.svg", "name.pdf", "name.png", "name-dark.png", "name.txt"}
    for name in names:
        assert (saved / "one" / name).read_bytes() == (saved / "two" / name).read_bytes(), name


def test_what_a_figure_shows_is_in_its_files_in_words(saved):
    svg = (saved / "one" / "name.svg").read_text(encoding="utf-8")
    assert "<title>It says 99 % &amp; more</title>" in svg
    assert "<desc>A line rises from 1 to 2 &amp; ends.</desc>" in svg
    assert b"A line rises from 1 to 2 & ends." in (saved / "one" / "name.png").read_bytes()
    assert (saved / "one" / "name.txt").read_text() == "A line rises from 1 to 2 & ends.\n"


def test_no_text_of_an_svg_depends_on_the_fonts_of_its_reader(saved):
    assert "<text" not in (saved / "one" / "name.svg").read_text(encoding="utf-8")


def test_a_figure_is_seven_inches_wide_and_has_one_of_a_few_heights():
    assert [style.height(needed) for needed in (1, 2.6, 2.7, 4, 4.4, 4.5, 5.7)] == pytest.approx(
        [2.6, 2.6, 3.2, 4.4, 4.4, 5.6, 6.8]
    )
    with style.style():
        assert draw().figure.get_size_inches() == pytest.approx((7.0, 2.6))


def test_the_font_is_the_one_that_is_shipped():
    assert {path.name: sha256(path.read_bytes()).hexdigest() for path in FONTS.glob("*.ttf")} == SUMS
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "OFL.txt").read_text(encoding="utf-8")
    for weight, name in (("normal", "SourceSans3-Regular.ttf"), ("bold", "SourceSans3-SemiBold.ttf")):
        with style.style():
            found = font_manager.findfont(font_manager.FontProperties(weight=weight))
        assert Path(found) == FONTS / name


def looked_up(*, dark):
    """Every colour that the palette names, as red, green and blue."""
    with style.style(dark=dark):
        return {name: colors.to_rgb(name) for name in NAMED}


def test_every_colour_of_the_palette_is_one_of_the_cycle_on_light_and_on_dark_pages():
    for dark in (False, True):
        with style.style(dark=dark):
            n_colours = len(mpl.rcParams["axes.prop_cycle"])
        used = {int(value[1:]) for value in [*NAMED, *palette.OUTCOMES.values(), *palette.ON.values()]}
        assert used == set(range(n_colours))


def luminance(rgb):
    """Relative luminance of a colour (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_marks_can_be_read_on_their_page(dark):
    found = looked_up(dark=dark)
    page = luminance(found[palette.PAPER])
    for name, least in (
        (palette.INK, 7), (palette.SECONDARY, 4.5), (palette.ZONE_TEXT, 4.5), (palette.THOUGHTS, 4.5),
        (palette.WRITTEN, 4), (palette.CONTROL, 4),
    ):  # fmt: skip
        bright, dim = sorted((page, luminance(found[name])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= least, name


def test_only_the_style_files_hold_colours():
    """No module of the report names a colour by itself."""
    for path in Path(style.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.stem != "markup":
            assert not any(f'"#{digit}' in text for digit in "0123456789abcdefABCDEF"), path.name
