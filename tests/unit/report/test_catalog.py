"""The catalog: every record has its functions, its caption and its code."""

import inspect
from pathlib import Path
from string import Formatter

import pytest

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError
from coconut_study.report import catalog
from coconut_study.report.catalog import FIGURES, TABLES

ROOT = Path(__file__).resolve().parents[3]
RECORDS = {record.rule: record for record in [*TABLES.values(), *FIGURES.values()]}


def wildcards(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_the_functions_of_a_record_take_what_it_names(record):
    takes = inspect.signature(catalog.function(record.module, record.name)).parameters.values()
    n_inputs = sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in takes)
    assert n_inputs == len(record.tables) + len(record.reads)
    assert {one.name for one in takes if one.kind is one.KEYWORD_ONLY} == set(record.settings)
    for kind in record.reads:
        assert callable(catalog.function("inputs", kind))


@pytest.mark.parametrize("record", TABLES.values(), ids=TABLES)
def test_the_format_of_a_table_takes_the_table_and_what_the_record_names(record):
    if record.format_settings is not None:
        takes = inspect.signature(catalog.function(record.module, f"format_{record.name}")).parameters
        assert tuple(takes) == ("table", *record.format_settings)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_names_and_titles_have_the_same_wildcards_and_there_is_a_caption(record):
    assert wildcards(record.title) == wildcards(record.file) == wildcards(record.log)
    assert record.file.startswith(record.name)
    in_report = not isinstance(record, catalog.Table) or record.format_settings is not None
    assert (ROOT / "workflow" / "report" / f"{record.name}.rst").is_file() or not in_report


def test_every_caption_is_of_a_table_or_figure_or_page():
    captions = {path.stem for path in (ROOT / "workflow" / "report").glob("*.rst")} - {"study", "explorer"}
    assert captions <= {*TABLES, *FIGURES}


def modules(record):
    """The modules of the report whose code counts for a record."""
    reached = {name for target in record.targets for name in provenance.modules(target)}
    return {name.partition(".")[2] for name in reached if name.startswith("report.")}


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("claims", {"table_claims"}),
        ("verdicts", {"table_claims", "table_necessity", "table_predictions", "table_removal",
                      "figure_necessity"}),
        ("data", {"table_data"}),
        ("learning", {"table_learning", "table_following_epochs", "table_stages"}),
        ("results", {"table_main", "table_seeds", "table_sweep", "table_sweep_seeds", "table_comparison"}),
        ("costs", {"table_clock", "table_costs", "table_spent"}),
        ("thoughts", {"table_claims", "table_ending", "table_decoded"}),
        ("values", {"table_claims", "table_parallelism", "table_best", "table_contrasts",
                    "table_values_seeds", "table_heights", "figure_values"}),
        ("contrasts", {"table_best", "table_contrasts", "table_values_seeds", "figure_values"}),
        ("candidates", {"table_parallelism", "table_heights"}),
        ("interventions", {"table_main", "table_seeds", "table_sweep", "table_sweep_seeds",
                           "table_comparison", "table_claims", "table_interventions",
                           "table_interventions_seeds", "figure_interventions"}),
        *((f"figures.{name}", {f"figure_{name}"}) for name in FIGURES),
        ("marks", {f"figure_{name}" for name in FIGURES} - {"figure_tracing"}),
        ("palette", {f"figure_{name}" for name in FIGURES}),
        ("style", {f"figure_{name}" for name in FIGURES}),
        ("markup", {f"table_{name}" for name in TABLES}),
        ("catalog", set()),
    ],
)  # fmt: skip
def test_a_module_counts_for_what_it_makes_and_nothing_else(module, rules):
    assert {rule for rule, record in RECORDS.items() if module in modules(record)} == rules


def test_an_edited_record_has_another_code():
    record = TABLES["seeds"]
    other = catalog.Table(**{**vars(record), "title": "another"})
    assert record.code() == catalog.Table(**vars(record)).code() != other.code()
    assert len({record.code() for record in RECORDS.values()}) == len(RECORDS)


def test_a_name_that_is_not_in_the_catalog_is_refused():
    with pytest.raises(StudyError, match="mian is not in the catalog; did you mean main"):
        catalog.find(TABLES, "mian")


def test_a_chapter_of_the_report_lists_its_figures_and_then_its_tables():
    records = [*catalog.FIGURES.values(), *catalog.TABLES.values()]
    shown = [record for record in records if getattr(record, "format_settings", ()) is not None]
    for chapter in catalog.Chapter:
        listed = sorted(
            (catalog.labels(one) for one in shown if one.chapter == chapter), key=lambda one: one["result"]
        )
        kinds = [one["kind"] for one in listed]
        assert kinds == sorted(kinds)
        assert [int(one["result"].split()[0]) for one in listed] == [*range(1, len(listed) + 1)]
    assert {record.chapter for record in shown} == {*catalog.Chapter} - {catalog.Chapter.SINGLE}
