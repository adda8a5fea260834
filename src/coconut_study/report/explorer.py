"""The explorer: one page on which single questions of a study, and what its runs answer, are looked at.

`of_dataset` and `of_run` make the data of the page from what a study has measured; they are pure. `page` puts
the data into the page, whose files are in the folder `web`. The page needs no network and no other file.

The page holds, as JSON (see `web/explorer.js`, which reads it):

| of       | key          | what it holds                                                                    |
|----------|--------------|----------------------------------------------------------------------------------|
| data set | `questions`  | the first questions, whole groups; a question is named by its place in the list  |
|          | `total`      | how many test questions there are                                                |
|          | `texts`      | for each question the distinct texts that runs wrote: [text, written edges]      |
| question | `graph`      | names of nodes, edges, root, target, other option, distances (see `distances`)   |
|          | `mates`      | [question, relation] of the others of its group (see `relation`)                 |
| run      | `answers`    | for each k: per question the place of its text, its outcome, and 1 if it is      |
|          |              | right, else 0                                                                    |
|          | `values`     | for each k: per question candidates and their values, [node, 1000 x value, ..]   |
|          | `thoughts`   | by question: for each thought its likeliest tokens with 1000 x probability       |
|          | `conditions` | for each condition: per question the forced choice (percent, as two hexadecimal  |
|          |              | digits; -- where it was not asked), and 1 if the free answer is right, else 0    |
|          |              | (- where it was not asked); by question what is on neither option (percent), if  |
|          |              | it is `ESCAPED` or more                                                          |
|          | `turned`     | by content: the questions whose answer it turned at some place (see              |
|          |              | `interventions.FLIPS`)                                                           |
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd
from jinja2 import Environment
from jinja2.utils import htmlsafe_json_dumps

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.evaluation.responses import Response
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, by_group, facts_of
from coconut_study.report import palette
from coconut_study.report.interventions import (
    CHOICE,
    CONDITION,
    CONTENTS,
    ESCAPE,
    FLIPS,
    NOTHING,
    OPPOSITE,
    OWN,
    PARTS,
    SAME,
    measured,
)
from coconut_study.report.markup import allowed
from coconut_study.sequences.templates import Template

HERE = Path(__file__).parent
WEB = HERE / "web"
OUTCOMES = [outcome.value for outcome in Outcome]
ESCAPED = 5.0  # percent on neither option from which the page says so
ABSENT = -1  # in place of a node that a response names and its graph does not have
UNWRITTEN = None  # in place of a node that a template leaves out: the head of a first step

Json = dict[str, Any]

# ------------------------------------------------------------------------------------------ the questions


def chosen(questions: Sequence[Question], limit: int) -> list[Question]:
    """The first questions in whole groups: at most `limit` of them, but at least one group."""
    n_chosen = 0
    for group in by_group(questions):
        if n_chosen and n_chosen + len(group) > limit:
            break
        n_chosen += len(group)
    return list(questions[:n_chosen])


def of_dataset(name: str, title: str, questions: Sequence[Question], total: int) -> Json:
    """A data set without its runs: its chosen questions, of `total`."""
    groups = by_group(questions)
    group_of = {number: index for index, group in enumerate(groups) for number in group}
    return {
        "name": name,
        "title": title,
        "total": total,
        "questions": [
            _question(question, group_of[number], _mates(questions, number, groups[group_of[number]]))
            for number, question in enumerate(questions)
        ],
        "texts": [[] for _ in questions],
        "runs": [],
    }


def _question(question: Question, group: int, mates: list[tuple[int, str]]) -> Json:
    found: Json = {
        "group": group,
        "question": question.question,
        "steps": list(question.steps),
        "answer": question.answer,
        "mates": mates,
    }
    return found if question.graph is None else found | {"graph": _graph(question)}


def _graph(question: Question) -> Json:
    graph = question.graph
    assert graph is not None
    number = {name: node for node, name in enumerate(graph.names)}
    return {
        "names": list(graph.names),
        "edges": [list(edge) for edge in graph.edges],
        "root": graph.root,
        "target": graph.target,
        "other": graph.neg_target,
        "path": [graph.root, *(number[tail] for step in question.steps for _, tail in facts_of(step))],
        "distances": distances(graph),
    }


def distances(graph: Graph) -> list[tuple[int, bool]]:
    """For each node its distance in edges, and whether it is reached: from the root if the root reaches it,
    else from the nearest node without parents."""
    digraph = graph.digraph
    reached = nx.single_source_shortest_path_length(digraph, graph.root)
    others = nx.multi_source_dijkstra_path_length(digraph, {*graph.persons})
    return [(reached.get(node, others[node]), node in reached) for node in sorted(digraph)]


def _mates(questions: Sequence[Question], number: int, group: Sequence[int]) -> list[tuple[int, str]]:
    own = questions[number].graph
    others = [(one, questions[one].graph) for one in group if one != number]
    return [(one, relation(own, graph)) for one, graph in others if own is not None and graph is not None]


def relation(own: Graph, other: Graph) -> str:
    """What a question of a group is to another: "mirror" with the same facts and another root, "twin" with
    other facts and the same root, "both" with other facts and another root, else "same"."""
    facts, root = own.edges == other.edges, own.root == other.root
    return {(True, False): "mirror", (False, True): "twin", (False, False): "both"}.get((facts, root), "same")


# ----------------------------------------------------------------------------------------------- the runs


def add_run(dataset: Json, run: Json) -> None:
    """Put a run (see `of_run`) into its data set, which keeps the texts of answers once for each question."""
    for answers in run["answers"]:
        answers["text"] = [
            _place(texts, text) for texts, text in zip(dataset["texts"], answers.pop("written"), strict=True)
        ]
    dataset["runs"].append(run)


def _place(texts: list[Any], text: Any) -> int:
    if text not in texts:
        texts.append(text)
    return texts.index(text)


def of_run(
    run: Mapping[str, Any],
    questions: Sequence[Question],
    template: Template,
    responses: Iterable[Response],
    grades: pd.DataFrame,
    values: pd.DataFrame,
    decoded: pd.DataFrame,
    interventions: pd.DataFrame,
) -> Json:
    """What one run answers to the chosen questions, and what was measured of its thoughts.

    `run` has method, seed, and the k that it was `trained` with. The tables have the columns of
    `evaluation.columns` and may have rows of other questions; what was not measured has no rows.
    """
    n, names = len(questions), [question.graph.names if question.graph else () for question in questions]
    asked = [response for response in responses if response.question < n]
    return {
        **run,
        "answers": _answers(asked, _of(grades, n), names, template),
        "values": _values(_of(values, n), names),
        "thoughts": _thoughts(_of(decoded, n)),
        **_conditions(_of(interventions, n), n),
    }


def _of(table: pd.DataFrame, n_questions: int) -> pd.DataFrame:
    """The rows of the first questions."""
    return table[table["question"] < n_questions]


def _answers(
    responses: Sequence[Response], grades: pd.DataFrame, names: Sequence[Sequence[str]], template: Template
) -> list[Json]:
    given = {(response.k, response.question): response for response in responses}
    found = []
    for k, rows in grades.sort_values("question").groupby("k"):
        ordered = [given[int(str(k)), question] for question in rows["question"]]
        found.append(
            {
                "k": ordered[0].k,
                "kind": ordered[0].kind,
                "hidden": ordered[0].hidden,
                "written": [
                    [one.text, written_edges(one.text, names[one.question], template)] for one in ordered
                ],
                "outcome": [OUTCOMES.index(outcome) for outcome in rows["outcome"]],
                "right": _flags(rows["right"]),
                "unfinished": [one.question for one in ordered if not one.finished],
            }
        )
    return found


def written_edges(text: str, names: Sequence[str], template: Template) -> list[int | None]:
    """The steps of a response as nodes, head and tail in turn; none for a question without a graph.

    A head that is not written is None, and a name that is none of `names` is -1.
    """
    if not names:
        return []
    number = {name: node for node, name in enumerate(names)}
    return [
        UNWRITTEN if name is None else number.get(name, ABSENT)
        for step in template.read(text).steps
        for name in step
    ]


def _flags(right: Iterable[Any]) -> str:
    return "".join("1" if one else "0" for one in right)


def _values(values: pd.DataFrame, names: Sequence[Sequence[str]]) -> list[Json]:
    found = []
    for (k, frontier), rows in values.groupby(["k", "frontier"]):
        of: list[Any] = [None] * len(names)
        for question, candidates in rows.groupby("question"):
            nodes = [names[question].index(node) for node in candidates["node"]]
            thousandths = (1000 * candidates["value"]).round().astype(int)
            of[question] = [one for pair in zip(nodes, thousandths.tolist(), strict=True) for one in pair]
        found.append({"k": int(k), "frontier": int(frontier), "of": of})
    return found


def _thoughts(decoded: pd.DataFrame) -> dict[int, list[list[Any]]]:
    found: dict[int, list[list[Any]]] = {}
    for (question, _), tokens in decoded.groupby(["question", "thought"]):
        thousandths = (1000 * tokens["probability"]).round().astype(int)
        pairs = zip(tokens["token"], thousandths.tolist(), strict=True)
        found.setdefault(question, []).append([[token, p] for token, p in pairs])
    return found


def _conditions(rows: pd.DataFrame, n_questions: int) -> Json:
    """The conditions in the order of their contents, and the questions whose answer each content turned."""
    if rows.empty:
        return {"conditions": [], "turned": {}}
    table = measured(rows)
    table = table.assign(say=table["content"].map([*CONTENTS].index))
    conditions = []
    for key, cell in table.groupby([*CONDITION, "say"], sort=False):
        at = cell.set_index("question")
        conditions.append(
            dict(zip(CONDITION, key, strict=False))
            | {"choice": _packed(_percent(at[CHOICE]), n_questions)}
            | {"neither": _percent(at[ESCAPE][at[ESCAPE] >= ESCAPED])}
            | {"right": _flags_of(at["right"], n_questions), "say": key[-1]}
        )
    conditions.sort(key=lambda one: one.pop("say"))
    turned = table[(table[FLIPS] > 0) & (table["content"] != OWN)]
    by_content = turned.groupby("content")["question"].unique()
    return {
        "conditions": conditions,
        "turned": {name: sorted(of.tolist()) for name, of in by_content.items()},
    }


def _percent(column: pd.Series) -> dict[int, int]:
    """Whole percentages by question."""
    return column.clip(0, 100).round().astype(int).to_dict()


def _packed(percents: Mapping[int, int], n_questions: int) -> str:
    """Two characters for each question."""
    digits = {number: f"{percent:02x}" for number, percent in percents.items()}
    return "".join(digits.get(number, "--") for number in range(n_questions))


def _flags_of(column: pd.Series, n_questions: int) -> str:
    """One character for each question: 1 right, 0 wrong, - not asked."""
    right = column.to_dict()
    return "".join(_flags([right[number]]) if number in right else "-" for number in range(n_questions))


# ----------------------------------------------------------------------------------------------- the page


def page(study: str, description: str, methods: Sequence[Json], datasets: Sequence[Json]) -> str:
    """The page of a study, as HTML. `methods` have name, title and role.

    Nothing in the data is read as markup: it stands in the page as JSON without <, > and &, and the script
    shows it as text. The page says itself that no script but its own may run and nothing may be loaded.
    """
    says = {"same": SAME, "nothing": NOTHING, "opposite": OPPOSITE}
    words = {content: {"words": CONTENTS[content], "says": say} for say in says for content in says[say]}
    data = {
        "study": study,
        "description": description,
        "methods": list(methods),
        "outcomes": OUTCOMES,
        "contents": words,
        "parts": PARTS,
        "datasets": list(datasets),
    }
    scripts = [_read(name) for name in ("vendor/cytoscape.min.js", "explorer.js")]
    template = Environment(autoescape=True).from_string(_read("page.html"))
    return template.render(
        study=study,
        scripts=scripts,
        hashes=allowed(*scripts),
        style=_fonts()
        + colours()
        + f"@media (prefers-color-scheme: dark) {{ {colours(dark=True)} }}\n"
        + _read("explorer.css")
        + _badges(),
        data=htmlsafe_json_dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False),
    )


def _read(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _fonts() -> str:
    """The fonts of the figures."""
    return "".join(
        f'@font-face{{font-family:"Source Sans 3";font-weight:{weight};'
        f"src:url(data:font/ttf;base64,{base64.b64encode((HERE / 'fonts' / name).read_bytes()).decode()})}}\n"
        for name, weight in (("SourceSans3-Regular.ttf", 400), ("SourceSans3-SemiBold.ttf", 600))
    )


def colours(*, dark: bool = False) -> str:
    """A CSS rule with the colours of `palette` by their names in lower case: --thoughts, --ink, ..; those of
    outcomes are called --correct-path and so on, and text on them --on-correct-path."""
    places = {
        name.lower().replace("_", "-"): place
        for name, place in vars(palette).items()
        if name.isupper() and isinstance(place, str)
    }
    for prefix, by_outcome in (("", palette.OUTCOMES), ("on-", palette.ON)):
        places |= {prefix + outcome.replace(" ", "-"): place for outcome, place in by_outcome.items()}
    cycle = _cycle("coconut-dark" if dark else "coconut")
    return f":root {{ {' '.join(f'--{name}: {cycle[int(at[1:])]};' for name, at in places.items())} }}\n"


def _badges() -> str:
    """The colours of outcomes on the page."""
    names = (outcome.replace(" ", "-") for outcome in OUTCOMES)
    return "".join(
        f'[data-outcome="{n}"] {{ background: var(--{n}); color: var(--on-{n}); }}\n' for n in names
    )


def _cycle(style: str) -> list[str]:
    """The colours of a style file, in their order."""
    import matplotlib as mpl

    read = mpl.rc_params_from_file(HERE / f"{style}.mplstyle", use_default_template=False)
    return list(read["axes.prop_cycle"].by_key()["color"])
