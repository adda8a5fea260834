"""Tables, marked for the report.

REQUIRED INPUTS:   <results>/runs/<run>/{{grades,clock,ending,probe}.csv}   <results>/<stage>/history.csv
                   <results>/data/{dataset}/{{split},shortcuts}.csv
OUTPUTS:           <results>/tables/*.{csv,html,md,tex}
"""


localrules:
    table_main,
    table_seeds,
    table_sweep,
    table_claims,
    table_data,
    table_learning,
    table_stages,
    table_comparison,
    table_clock,
    table_ending,
    table_costs,
    table_spent,
    plan,


SHOWN = list(dict.fromkeys((dataset, method) for dataset, method, _ in RUNS))
SHORTCUTS = {name: f"{RESULTS}/data/{name}/shortcuts.csv" for name in DATASETS}
HISTORIES = list(
    dict.fromkeys(f"{stage_folder(run, spec)}/history.csv" for run in RUNS for spec in CHAINS[run])
)
SPLIT_TITLES = [f"{study.datasets[name].title} ({split})" for name in DATASETS for split in SPLITS]
STAND_INS = {
    "datasets": named_by_paper(study.datasets),
    "methods": named_by_paper(study.methods),
    "trained": {
        f"{dataset} {method}": study.trained_k(dataset, method) for dataset, method in SHOWN
    },
}


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


def history_numbers(wildcards):
    """For every run the places of its stages in HISTORIES."""
    places = {path: place for place, path in enumerate(HISTORIES)}
    return in_file(
        json.dumps(
            [
                [
                    dict(zip(("dataset", "method", "seed"), run)),
                    [places[f"{stage_folder(run, spec)}/history.csv"] for spec in CHAINS[run]],
                ]
                for run in RUNS
            ]
        )
    )


def points(name):
    """The points of a comparison."""
    comparison = study.comparisons[name]
    return [
        {"dataset": dataset, "series": series, "label": label, "method": method, "k": k}
        for dataset in comparison.datasets
        for series, line in comparison.series.items()
        for label, method in line.items()
        for k in (study.sweep.k if comparison.x == "k" else [study.trained_k(dataset, method)])
    ]


def planned_costs(wildcards):
    """What the jobs of the rules that use a model may take, and where each job's benchmark is."""
    jobs = {"base": [(f"seed{base.seed}-{id}", None, 1) for id, base in BASES.items()]}
    jobs["train"] = [
        (f"{dataset}/seed{spec.seed}/stage{spec.stage}-{id}", dataset, max(spec.epochs, 1))
        for id, (dataset, spec) in stages_by_dataset().items()
    ]
    for rule, runs in ASKED.items():
        jobs[rule] = [(f"{d}/{m}/seed{s}", d, 1) for d, m, s in runs]
    return in_file(json.dumps([costs_of(rule, each) for rule, each in jobs.items() if each]))


def stages_by_dataset():
    """Every stage with its data set."""
    return {spec.id: (run[0], spec) for run, chain in CHAINS.items() for spec in chain}


def costs_of(rule, jobs):
    """The most of any job of a rule, and the hours of all of them."""
    each = [study.needs(rule, dataset) for _, dataset, _ in jobs]
    return {
        "rule": rule,
        "gpus": max(need.gpus for need in each),
        "memory_mb": max(need.memory_mb for need in each),
        "hours": sum(need.minutes * times / 60 for need, (_, _, times) in zip(each, jobs)),
        "benchmarks": [f"{rule}/{name}.tsv" for name, _, _ in jobs],
    }


def spending(wildcards):
    """What each data set and method has spent, as cards and benchmark files tell; a stage stands with all
    the methods that share it."""
    users = {}
    for run in RUNS:
        for spec in CHAINS[run]:
            users.setdefault((run[0], stage_folder(run, spec)), {})[run[1]] = True
    cells = {(dataset, (method,)): {"cards": [], "jobs": []} for dataset, method in SHOWN}
    for (dataset, folder), methods in users.items():
        cell = cells.setdefault((dataset, tuple(methods)), {"cards": [], "jobs": []})
        cell["cards"].append(f"{folder}/checkpoint/card.json")
    for rule, runs in ASKED.items():
        for d, m, s in runs:
            job = (f"{BENCHMARKS}/{rule}/{d}/{m}/seed{s}.tsv", study.needs(rule, d).gpus)
            cells[d, (m,)]["jobs"].append(job)
    bases = [f"{BENCHMARKS}/base/seed{base.seed}-{id}.tsv" for id, base in BASES.items()]
    cells[None, ()] = {"cards": [], "jobs": [(path, study.needs("base").gpus) for path in bases]}
    rows = [{"dataset": d, "methods": m, **cell} for (d, m), cell in cells.items()]
    return in_file(json.dumps(rows))


rule table_main:
    input:
        grades=rules.responses.input,
        shortcuts=SHORTCUTS.values(),
        paper=PAPER,
    output:
        csv="<results>/tables/main.csv",
        html=report(
            "<results>/tables/main.html",
            caption="../report/main.rst",
            category="Tables",
            labels={"table": "accuracy and tokens, beside the paper's"},
        ),
        others=multiext("<results>/tables/main", ".md", ".tex"),
    log:
        "<logs>/table_main.log",
    benchmark:
        "<benchmarks>/table_main.tsv"
    params:
        code=code("table_main"),
        grades=listed("grades"),
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
            {params.grades:q} &>{log:q}
        """


rule table_seeds:
    input:
        grades=rules.responses.input,
    output:
        csv="<results>/tables/seeds.csv",
        html=report(
            "<results>/tables/seeds.html",
            caption="../report/seeds.rst",
            category="Tables",
            labels={"table": "right answers of every run"},
        ),
        others=multiext("<results>/tables/seeds", ".md", ".tex"),
    log:
        "<logs>/table_seeds.log",
    benchmark:
        "<benchmarks>/table_seeds.tsv"
    params:
        code=code("table_seeds"),
        grades=listed("grades"),
        rows=json.dumps(main_rows()),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-seeds \
            --rows {params.rows:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.grades:q} &>{log:q}
        """


rule table_sweep:
    input:
        grades=rules.responses.input,
    output:
        csv="<results>/tables/sweep.csv",
        html=report(
            "<results>/tables/sweep.html",
            caption="../report/sweep.rst",
            category="Tables",
            labels={"table": "right answers and outcomes by number of thoughts"},
        ),
        others=multiext("<results>/tables/sweep", ".md", ".tex"),
    log:
        "<logs>/table_sweep.log",
    benchmark:
        "<benchmarks>/table_sweep.tsv"
    params:
        code=code("table_sweep"),
        grades=listed("grades"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-sweep \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.grades:q} &>{log:q}
        """


rule table_claims:
    input:
        grades=rules.responses.input,
        times=of_runs("clock.csv", ASKED["clock"]),
        values=of_runs("values.csv", ASKED["probe"]),
        paper=PAPER,
    output:
        csv="<results>/tables/claims.csv",
        html=report(
            "<results>/tables/claims.html",
            caption="../report/claims.rst",
            category="Tables",
            labels={"table": "claim by claim: the paper's and ours"},
        ),
        others=multiext("<results>/tables/claims", ".md", ".tex"),
    log:
        "<logs>/table_claims.log",
    benchmark:
        "<benchmarks>/table_claims.tsv"
    params:
        code=code("table_claims"),
        grades=listed("grades"),
        stand_ins=json.dumps(STAND_INS),
        others=listed(times="--times", values="--values"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-claims \
            --paper {input.paper:q} \
            --stand-ins {params.stand_ins:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.others:q} \
            {params.grades:q} &>{log:q}
        """


rule table_data:
    input:
        statistics=rules.data.input,
        paper=PAPER,
    output:
        csv="<results>/tables/data.csv",
        html=report(
            "<results>/tables/data.html",
            caption="../report/data.rst",
            category="Tables",
            labels={"table": "the questions, beside the published ones"},
        ),
        others=multiext("<results>/tables/data", ".md", ".tex"),
    log:
        "<logs>/table_data.log",
    benchmark:
        "<benchmarks>/table_data.tsv"
    params:
        code=code("table_data"),
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
    output:
        csv="<results>/tables/learning.csv",
    log:
        "<logs>/table_learning.log",
    benchmark:
        "<benchmarks>/table_learning.tsv"
    params:
        code=code("table_learning"),
        runs=history_numbers,
        histories=listed("histories"),
    shell:
        r"""
        python -m coconut_study table-learning \
            --runs {params.runs:q} \
            --out {output.csv:q} \
            {params.histories:q} &>{log:q}
        """


rule table_stages:
    input:
        table="<results>/tables/learning.csv",
    output:
        csv="<results>/tables/stages.csv",
        html=report(
            "<results>/tables/stages.html",
            caption="../report/stages.rst",
            category="Tables",
            labels={"table": "right answers at both ends of every stage"},
        ),
        others=multiext("<results>/tables/stages", ".md", ".tex"),
    log:
        "<logs>/table_stages.log",
    benchmark:
        "<benchmarks>/table_stages.tsv"
    params:
        code=code("table_stages"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-stages \
            --table {input.table:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} &>{log:q}
        """


rule table_comparison:
    input:
        grades=rules.responses.input,
    output:
        csv="<results>/tables/comparison-{comparison}.csv",
        html=report(
            "<results>/tables/comparison-{comparison}.html",
            caption="../report/comparison.rst",
            category="Tables",
            labels={"table": "experiment: {comparison}"},
        ),
        others=multiext("<results>/tables/comparison-{comparison}", ".md", ".tex"),
    log:
        "<logs>/table_comparison/{comparison}.log",
    benchmark:
        "<benchmarks>/table_comparison/{comparison}.tsv"
    params:
        code=code("table_comparison"),
        grades=listed("grades"),
        points=lambda wildcards: json.dumps(points(wildcards.comparison)),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-comparison \
            --points {params.points:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.grades:q} &>{log:q}
        """


rule table_clock:
    input:
        times=of_runs("clock.csv", ASKED["clock"]),
        paper=PAPER,
    output:
        csv="<results>/tables/clock.csv",
        html=report(
            "<results>/tables/clock.html",
            caption="../report/clock.rst",
            category="Tables",
            labels={"table": "seconds per question, beside the paper's"},
        ),
        others=multiext("<results>/tables/clock", ".md", ".tex"),
    log:
        "<logs>/table_clock.log",
    benchmark:
        "<benchmarks>/table_clock.tsv"
    params:
        code=code("table_clock"),
        times=listed("times"),
        rows=json.dumps(main_rows()),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-clock \
            --rows {params.rows:q} \
            --paper {input.paper:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.times:q} &>{log:q}
        """


rule table_ending:
    input:
        ends=of_runs("ending.csv", ASKED["ending"]),
    output:
        csv="<results>/tables/ending.csv",
        html=report(
            "<results>/tables/ending.html",
            caption="../report/ending.rst",
            category="Tables",
            labels={"table": "when thoughts end: a fixed number, or a classifier"},
        ),
        others=multiext("<results>/tables/ending", ".md", ".tex"),
    log:
        "<logs>/table_ending.log",
    benchmark:
        "<benchmarks>/table_ending.tsv"
    params:
        code=code("table_ending"),
        ends=listed("ends"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-ending \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.ends:q} &>{log:q}
        """


rule table_costs:
    input:
        measured=measured(RUNS),
    output:
        csv="<results>/tables/costs.csv",
        html=report(
            "<results>/tables/costs.html",
            caption="../report/costs.rst",
            category="Tables",
            labels={"table": "jobs, memory and hours, planned and measured"},
        ),
        others=multiext("<results>/tables/costs", ".md", ".tex"),
    log:
        "<logs>/table_costs.log",
    benchmark:
        "<benchmarks>/table_costs.tsv"
    params:
        code=code("table_costs"),
        plan=planned_costs,
        benchmarks=BENCHMARKS,
    shell:
        r"""
        python -m coconut_study table-costs \
            --plan {params.plan:q} \
            --benchmarks {params.benchmarks:q} \
            --out {output.csv:q} &>{log:q}
        """


rule table_spent:
    input:
        measured=measured(RUNS),
    output:
        csv="<results>/tables/spent.csv",
        html=report(
            "<results>/tables/spent.html",
            caption="../report/spent.rst",
            category="Tables",
            labels={"table": "hours and energy of every data set and method"},
        ),
        others=multiext("<results>/tables/spent", ".md", ".tex"),
    log:
        "<logs>/table_spent.log",
    benchmark:
        "<benchmarks>/table_spent.tsv"
    params:
        code=code("table_spent"),
        cells=spending,
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-spent \
            --cells {params.cells:q} \
            --titles {params.titles:q} \
            --out {output.csv:q} &>{log:q}
        """


rule plan:
    """What the study will cost, before anything runs."""
    output:
        csv="<results>/tables/plan.csv",
        others=multiext("<results>/tables/plan", ".md", ".tex", ".html"),
    log:
        "<logs>/plan.log",
    params:
        plan=planned_costs,
        benchmarks=BENCHMARKS,
    shell:
        r"""
        python -m coconut_study table-costs \
            --plan {params.plan:q} \
            --benchmarks {params.benchmarks:q} \
            --out {output.csv:q} &>{log:q} && cat {output.others[0]:q}
        """


TABLES = ["main", "seeds", "sweep", "claims", "data", "learning", "stages", "costs", "spent"]
TABLES += [f"comparison-{name}" for name in study.comparisons]
TABLES += [name for name in ("clock", "ending") if ASKED[name]]
TABLES += ["parallelism", "heights"] * bool(ASKED["probe"]) + ["decoded"] * bool(ASKED["decode"])


rule tables:
    """Every table."""
    input:
        expand("<results>/tables/{table}.csv", table=TABLES),
