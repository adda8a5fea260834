"""Figures, marked for the report: each reads one table (and the runs behind it).

REQUIRED INPUTS:   <results>/tables/*.csv
OUTPUTS:           <results>/figures/*.{svg,pdf,png}
"""


localrules:
    figure_accuracy,
    figure_sweep,
    figure_learning,
    figure_stages,
    figure_comparison,


SWEPT = study.selected(study.sweep)
REFERENCES = ["no_cot", "cot"]  # drawn below a sweep, as in the paper's figure


rule figure_accuracy:
    input:
        table="<results>/tables/main.csv",
        seeds="<results>/tables/seeds.csv",
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
        code=code("figure_accuracy"),
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
        code=code("figure_sweep"),
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
        code=code("figure_learning"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study figure-learning \
            --table {input.table:q} \
            --titles {params.titles:q} \
            --out {output.svg:q} &>{log:q}
        """


rule figure_stages:
    input:
        table="<results>/tables/stages.csv",
    output:
        svg=report(
            "<results>/figures/stages.svg",
            caption="../report/stages.rst",
            category="Figures",
            labels={"figure": "right answers at both ends of every stage"},
        ),
        others=multiext("<results>/figures/stages", ".pdf", ".png"),
    log:
        "<logs>/figure_stages.log",
    benchmark:
        "<benchmarks>/figure_stages.tsv"
    params:
        code=code("figure_stages"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study figure-stages \
            --table {input.table:q} \
            --titles {params.titles:q} \
            --out {output.svg:q} &>{log:q}
        """


rule figure_comparison:
    input:
        table="<results>/tables/comparison-{comparison}.csv",
    output:
        svg=report(
            "<results>/figures/comparison-{comparison}.svg",
            caption="../report/comparison.rst",
            category="Figures",
            labels={"figure": "experiment: {comparison}"},
        ),
        others=multiext("<results>/figures/comparison-{comparison}", ".pdf", ".png"),
    log:
        "<logs>/figure_comparison/{comparison}.log",
    benchmark:
        "<benchmarks>/figure_comparison/{comparison}.tsv"
    params:
        code=code("figure_comparison"),
        x=lambda wildcards: study.comparisons[wildcards.comparison].x,
        xlabel=lambda wildcards: study.comparisons[wildcards.comparison].xlabel,
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study figure-comparison \
            --table {input.table:q} \
            --x {params.x} \
            --xlabel={params.xlabel:q} \
            --titles {params.titles:q} \
            --out {output.svg:q} &>{log:q}
        """


FIGURES = ["accuracy", "learning", "stages"]
FIGURES += [f"sweep-{dataset}-{method}" for dataset, method in SWEPT]
FIGURES += [f"comparison-{name}" for name in study.comparisons]
FIGURES += [
    f"{figure}-{dataset}-{method}"
    for figure in ("parallelism", "heights")
    for dataset, method in study.selected(study.probing)
]
FIGURES += [f"tree-{d}-{m}-seed{s}" for d, m, s in ASKED["probe"]]


rule figures:
    """Every figure."""
    input:
        expand("<results>/figures/{figure}.svg", figure=FIGURES),
