"""Tables and figures for the report: one rule for each record of coconut_study.report.catalog.

REQUIRED INPUTS:   <results>/runs/<run>/{grades,clock,ending,values,tracing,linear,attention,removal,decoded}.csv
                   <results>/<stage>/history.csv
                   <results>/data/{dataset}/{test.jsonl,{train,valid,test,shortcuts}.csv}
OUTPUTS:           <results>/tables/*.{csv,md,tex,html}   <results>/figures/*.{svg,pdf,png,txt}
                   <results>/explorer.html
"""

import json

from jinja2.defaults import DEFAULT_FILTERS, DEFAULT_NAMESPACE

from coconut_study.report import catalog, markup
from coconut_study.report.catalog import FIGURES, TABLES, explorer_code
from coconut_study.study import table_inputs


localrules:
    plan,
    explorer,


DEFAULT_FILTERS["as_text"] = markup.restructured  # for captions: settings in them are text


def headlines():
    """The headline figure of each data set, and the sentences below it. For the start page of the report."""
    from coconut_study.report import inputs
    from coconut_study.report.front import READS, front

    made = {
        name: inputs.table(path, columns)
        for name, columns in READS.items()
        if table_inputs.names(plan, TABLES[name])
        and (path := Path(f"{plan.results}/tables/{name}.csv")).exists()
    }
    given = {
        name: table_inputs.SETTINGS[name](plan, {}) for name in ("titles", "roles", "stand_ins")
    }
    return [
        (figure, front(made, read_yaml(Path(PAPER)), dataset=wildcards["dataset"], **given))
        for name, wildcards in table_inputs.names(plan, FIGURES["accuracy"]).items()
        if (figure := Path(f"{plan.results}/figures/{name}.svg")).exists()
    ]


DEFAULT_NAMESPACE["headlines"] = headlines


def inputs_of(record):
    """The files that a table or figure is made from."""
    return lambda wildcards: to_make(
        table_inputs.inputs(plan, record, dict(wildcards.items()), PAPER)
    )


def arguments_of(record):
    """The argument that stands for these files and for the settings of a table or figure."""
    return lambda wildcards: in_file(
        json.dumps(table_inputs.arguments(plan, record, dict(wildcards.items()), PAPER))
    )


def printed(record):
    """The files of a table other than its CSV, with the page for the report; none for a table without a format."""
    if record.format_settings is None:
        return {}
    page = report(
        f"<results>/tables/{record.file}.html",
        caption=f"../report/{record.name}.rst",
        category=record.chapter.value,
        labels=catalog.labels(record),
    )
    return {"html": page, "others": multiext(f"<results>/tables/{record.file}", ".md", ".tex")}


for record in TABLES.values():

    rule:
        name:
            record.rule
        input:
            inputs_of(record),
        output:
            **printed(record),
            csv=f"<results>/tables/{record.file}.csv",
        log:
            f"<logs>/{record.log}.log",
        benchmark:
            f"<benchmarks>/{record.log}.tsv"
        localrule: True
        params:
            code=record.code(),
            name=record.name,
            arguments=arguments_of(record),
        shell:
            r"""
            python -m coconut_study table {params.name} \
                --arguments {params.arguments:q} \
                --out {output.csv:q} &>{log:q}
            """


for record in FIGURES.values():

    rule:
        name:
            record.rule
        input:
            inputs_of(record),
        output:
            svg=report(
                f"<results>/figures/{record.file}.svg",
                caption=f"../report/{record.name}.rst",
                category=record.chapter.value,
                labels=catalog.labels(record),
            ),
            others=multiext(f"<results>/figures/{record.file}", ".pdf", ".png", "-dark.png", ".txt"),
        log:
            f"<logs>/{record.log}.log",
        benchmark:
            f"<benchmarks>/{record.log}.tsv"
        localrule: True
        params:
            code=record.code(),
            name=record.name,
            arguments=arguments_of(record),
        shell:
            r"""
            python -m coconut_study figure {params.name} \
                --arguments {params.arguments:q} \
                --out {output.svg:q} &>{log:q}
            """


rule explorer:
    """One page on which single questions, and what every run answers, are looked at."""
    input:
        lambda wildcards: table_inputs.explored_inputs(plan),
    output:
        page=report(
            "<results>/explorer.html",
            caption="../report/explorer.rst",
            category=catalog.Chapter.SINGLE.value,
            labels={"result": "one page for all of them", "kind": "page"},
        ),
    log:
        "<logs>/explorer.log",
    benchmark:
        "<benchmarks>/explorer.tsv"
    params:
        code=explorer_code(),
        arguments=lambda wildcards: in_file(json.dumps(table_inputs.explored(plan))),
    shell:
        r"""
        python -m coconut_study explorer \
            --arguments {params.arguments:q} \
            --out {output.page:q} &>{log:q}
        """


rule plan:
    """What the study will cost, before anything runs."""
    output:
        csv="<results>/tables/plan.csv",
        others=multiext("<results>/tables/plan", ".md", ".tex", ".html"),
    log:
        "<logs>/plan.log",
    params:
        arguments=arguments_of(TABLES["costs"]),
        kept=lambda wildcards: in_file(json.dumps(plan.kept)),
    shell:
        r"""
        python -m coconut_study table costs \
            --arguments {params.arguments:q} \
            --out {output.csv:q} &>{log:q} && cat {output.others[0]:q}
        python -m coconut_study disk --kept {params.kept:q} 2>>{log:q}
        """


rule tables:
    """Every table."""
    input:
        [
            f"<results>/tables/{name}.csv"
            for record in TABLES.values()
            for name in table_inputs.names(plan, record)
        ],


rule figures:
    """Every figure."""
    input:
        [
            f"<results>/figures/{name}.svg"
            for record in FIGURES.values()
            for name in table_inputs.names(plan, record)
        ],
