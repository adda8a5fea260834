"""Tables and figures, marked for the report.

REQUIRED INPUTS:   <results>/runs/<run>/grades.csv   <results>/<stage>/history.csv   <results>/data/{dataset}/{{split},shortcuts}.csv
OUTPUTS:           <results>/tables/{main,seeds,sweep,data,learning}.*   <results>/figures/{accuracy,learning,sweep-*}.*
"""

SHOWN = list(dict.fromkeys((dataset, method) for dataset, method, _ in RUNS))
SWEPT = [(dataset, method) for dataset, method in SHOWN if method in study.sweep.methods]
SHORTCUTS = {name: f"{RESULTS}/data/{name}/shortcuts.csv" for name in study.datasets}
REFERENCES = ["no_cot", "cot"]  # drawn below a sweep, as in the paper's figure
HISTORIES = list(
    dict.fromkeys(f"{stage_folder(run, spec)}/history.csv" for run in RUNS for spec in CHAINS[run])
)
SPLIT_TITLES = [
    f"{study.datasets[name].title} ({split})" for name in study.datasets for split in SPLITS
]


def main_rows():
    """The rows of the main table: a method at the number of thoughts it was trained for."""
    return [
        {
            "dataset": dataset,
            "method": method,
            "k": study.trained_k(dataset, method),
            "paper_dataset": study.datasets[dataset].paper,
            "paper_method": study.methods[method].paper,
        }
        for dataset, method in SHOWN
    ]


def history_numbers():
    """For every run the places of its stages in HISTORIES."""
    return [
        [
            dict(zip(("dataset", "method", "seed"), run)),
            [HISTORIES.index(f"{stage_folder(run, spec)}/history.csv") for spec in CHAINS[run]],
        ]
        for run in RUNS
    ]


rule table_main:
    input:
        grades=rules.responses.input,
        shortcuts=SHORTCUTS.values(),
        paper="config/paper_numbers.yaml",
        code=code("tables"),
    output:
        csv="<results>/tables/main.csv",
        html=report(
            "<results>/tables/main.html",
            caption="../report/main.rst",
            category="Tables",
            labels={"table": "accuracy and tokens, beside the paper's"},
        ),
        markdown="<results>/tables/main.md",
        latex="<results>/tables/main.tex",
    log:
        "<logs>/table_main.log",
    benchmark:
        "<benchmarks>/table_main.tsv"
    params:
        rows=json.dumps(main_rows()),
        shortcuts=json.dumps(SHORTCUTS),
        worked=study.tables.worked,
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-main \
            --rows {params.rows:q} \
            --paper {input.paper:q} \
            --shortcuts {params.shortcuts:q} \
            --worked {params.worked} \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {input.grades:q} &>{log:q}
        """


rule table_seeds:
    input:
        grades=rules.responses.input,
        code=code("tables"),
    output:
        csv="<results>/tables/seeds.csv",
        html=report(
            "<results>/tables/seeds.html",
            caption="../report/seeds.rst",
            category="Tables",
            labels={"table": "right answers of every run"},
        ),
        markdown="<results>/tables/seeds.md",
        latex="<results>/tables/seeds.tex",
    log:
        "<logs>/table_seeds.log",
    benchmark:
        "<benchmarks>/table_seeds.tsv"
    params:
        rows=json.dumps(main_rows()),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-seeds \
            --rows {params.rows:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {input.grades:q} &>{log:q}
        """


rule table_sweep:
    input:
        grades=rules.responses.input,
        code=code("tables"),
    output:
        csv="<results>/tables/sweep.csv",
        html=report(
            "<results>/tables/sweep.html",
            caption="../report/sweep.rst",
            category="Tables",
            labels={"table": "right answers and outcomes by number of thoughts"},
        ),
        markdown="<results>/tables/sweep.md",
        latex="<results>/tables/sweep.tex",
    log:
        "<logs>/table_sweep.log",
    benchmark:
        "<benchmarks>/table_sweep.tsv"
    params:
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-sweep \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {input.grades:q} &>{log:q}
        """


rule table_data:
    input:
        statistics=rules.data.input,
        paper="config/paper_numbers.yaml",
        code=code("tables"),
    output:
        csv="<results>/tables/data.csv",
        html=report(
            "<results>/tables/data.html",
            caption="../report/data.rst",
            category="Tables",
            labels={"table": "the questions, beside the published ones"},
        ),
        markdown="<results>/tables/data.md",
        latex="<results>/tables/data.tex",
    log:
        "<logs>/table_data.log",
    benchmark:
        "<benchmarks>/table_data.tsv"
    params:
        columns=json.dumps(SPLIT_TITLES),
    shell:
        r"""
        python -m coconut_study table-data \
            --columns {params.columns:q} \
            --paper {input.paper:q} \
            --out {output.csv:q} \
            {input.statistics:q} &>{log:q}
        """


rule table_learning:
    input:
        histories=HISTORIES,
        code=code("tables"),
    output:
        csv="<results>/tables/learning.csv",
    log:
        "<logs>/table_learning.log",
    benchmark:
        "<benchmarks>/table_learning.tsv"
    params:
        runs=json.dumps(history_numbers()),
    shell:
        r"""
        python -m coconut_study table-learning \
            --runs {params.runs:q} \
            --out {output.csv:q} \
            {input.histories:q} &>{log:q}
        """


rule figure_accuracy:
    input:
        table="<results>/tables/main.csv",
        seeds="<results>/tables/seeds.csv",
        code=code("figures"),
    output:
        svg=report(
            "<results>/figures/accuracy.svg",
            caption="../report/accuracy.rst",
            category="Figures",
            labels={"figure": "right answers of every method"},
        ),
        others=multiext("<results>/figures/accuracy", ".pdf", ".png"),
    log:
        "<logs>/figure_accuracy.log",
    benchmark:
        "<benchmarks>/figure_accuracy.tsv"
    params:
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study figure-accuracy \
            --table {input.table:q} \
            --seeds {input.seeds:q} \
            --titles {params.titles:q} \
            --out {output.svg:q} &>{log:q}
        """


rule figure_sweep:
    input:
        table="<results>/tables/sweep.csv",
        code=code("figures"),
    output:
        svg=report(
            "<results>/figures/sweep-{dataset}-{method}.svg",
            caption="../report/sweep.rst",
            category="Figures",
            labels={
                "figure": "right answers and outcomes by number of thoughts: {dataset}, {method}"
            },
        ),
        others=multiext("<results>/figures/sweep-{dataset}-{method}", ".pdf", ".png"),
    log:
        "<logs>/figure_sweep/{dataset}-{method}.log",
    benchmark:
        "<benchmarks>/figure_sweep/{dataset}-{method}.tsv"
    params:
        titles=json.dumps(TITLES),
        references=json.dumps(REFERENCES),
    shell:
        r"""
        python -m coconut_study figure-sweep \
            --table {input.table:q} \
            --titles {params.titles:q} \
            --dataset {wildcards.dataset} \
            --method {wildcards.method} \
            --references {params.references:q} \
            --out {output.svg:q} &>{log:q}
        """


rule figure_learning:
    input:
        table="<results>/tables/learning.csv",
        code=code("figures"),
    output:
        svg=report(
            "<results>/figures/learning.svg",
            caption="../report/learning.rst",
            category="Figures",
            labels={"figure": "learning curves over the stages"},
        ),
        others=multiext("<results>/figures/learning", ".pdf", ".png"),
    log:
        "<logs>/figure_learning.log",
    benchmark:
        "<benchmarks>/figure_learning.tsv"
    params:
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study figure-learning \
            --table {input.table:q} \
            --titles {params.titles:q} \
            --out {output.svg:q} &>{log:q}
        """


rule tables:
    """Every table."""
    input:
        expand("<results>/tables/{table}.csv", table=["main", "seeds", "sweep", "data", "learning"]),


rule figures:
    """Every figure."""
    input:
        expand("<results>/figures/{figure}.svg", figure=["accuracy", "learning"]),
        [f"{RESULTS}/figures/sweep-{dataset}-{method}.svg" for dataset, method in SWEPT],
