/*
 * The explorer. It shows what the element #data holds as JSON (src/coconut_study/report/explorer.py lists the
 * keys). What is shown is a function of `state`, which the address names: #dataset/method/seed/q17/k2. Text from
 * the data becomes text nodes and attributes, never markup.
 */
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const methods = new Map(data.methods.map((method) => [method.name, method]));
  const RIGHT = "\u2713", WRONG = "\u2717", TIMES = "\u00d7";

  // ------------------------------------------------------------------------------------------- elements

  /** An element. `given`: its attributes, and listeners (functions, named onclick and so on); null and false
   * leave one out. Children are elements or text. */
  function el(tag, given = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (typeof value === "function") made.addEventListener(name.slice(2), value);
      else if (name === "width") made.style.width = value; // not as an attribute, for lengths in percent
      else if (name === "left") made.style.left = value;
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const fill = (id, ...children) => byId(id).replaceChildren(...children.filter((child) => child !== null));

  /** Put options into a select: pairs of value and words. */
  function choose(id, pairs, chosen) {
    fill(id, ...pairs.map(([value, words]) => el("option", {value, selected: value === String(chosen)}, words)));
    byId(id).value = String(chosen);
  }

  // ---------------------------------------------------------------------------------------------- state

  const state = {dataset: "", method: "", seed: 0, question: 0, k: 0};
  const kept = {place: "", wrong: false, disagree: false, turned: ""}; // not in the address

  const dataset = () => data.datasets.find((one) => one.name === state.dataset);
  const questions = () => dataset().questions;
  const question = () => questions()[state.question];
  const run = () => runOf(state.method, state.seed);

  /** The run of a method and seed; the method's first one if it has no such seed. */
  function runOf(method, seed) {
    const all = dataset().runs.filter((one) => one.method === method);
    return all.find((one) => one.seed === seed) ?? all[0];
  }

  /** The numbers of thoughts that a run was asked or probed with. */
  function ksOf(one) {
    const ks = new Set([...one.answers, ...one.values].map((of) => of.k));
    return [...ks].sort((a, b) => a - b);
  }

  const answersAt = (one, k) => one.answers.find((answers) => answers.k === k);
  const trained = (one) => answersAt(one, one.trained) ?? one.answers.at(-1);

  /** A state that exists, as near as possible to what is wanted. */
  function settle(wanted) {
    const of = data.datasets.find((one) => one.name === wanted.dataset) ?? data.datasets[0];
    state.dataset = of.name;
    state.method = of.runs.some((one) => one.method === wanted.method) ? wanted.method : of.runs[0].method;
    const found = runOf(state.method, wanted.seed);
    state.seed = found.seed;
    state.question = Math.min(Math.max(wanted.question || 0, 0), of.questions.length - 1);
    const ks = ksOf(found);
    const usual = found.values.length ? found.values.at(-1).k : found.trained;
    state.k = ks.includes(wanted.k) ? wanted.k : ks.includes(usual) ? usual : ks.at(-1);
  }

  const address = () =>
    "#" + [state.dataset, state.method, state.seed, `q${state.question}`, `k${state.k}`].map(encodeURIComponent).join("/");

  /** The state that the address names; what it does not name is undefined. */
  function named() {
    const parts = location.hash.slice(1).split("/").map(decoded);
    const number = (part, mark) => (part?.startsWith(mark) && /^\d+$/.test(part.slice(mark.length)) ? Number(part.slice(mark.length)) : undefined);
    return {dataset: parts[0], method: parts[1], seed: number(parts[2], ""), question: number(parts[3], "q"), k: number(parts[4], "k")};
  }

  function decoded(part) {
    try {
      return decodeURIComponent(part);
    } catch {
      return part; // a % that stands for itself
    }
  }

  /** Show another state; another question becomes a step of the browser's history. */
  function show(changes) {
    const before = address(), number = state.question;
    settle({...state, ...changes});
    if (address() !== before) remember(state.question !== number);
    render();
  }

  function remember(step) {
    try {
      history[step ? "pushState" : "replaceState"](null, "", address());
    } catch {
      // a page inside a report has no address of its own
    }
  }

  // ------------------------------------------------------------------------------------------- in words

  const percent = (thousandths) => `${Math.round(thousandths / 10)}\u00a0%`;
  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const title = (method) => methods.get(method)?.title ?? method;
  const KINDS = {continuous: "thought", soft: "soft thought", pause: "pause", loops: "loop"};
  const kindOf = (one) => KINDS[trained(one).kind];

  /** "after 2 thoughts", "before any thought", or "" for a method without thoughts. */
  function after(one, k) {
    const kind = kindOf(one);
    if (!kind) return "";
    return k ? `after ${plural(k, kind)}` : `before any ${kind}`;
  }

  /** The last sentence of a graph question, or a whole other question. */
  const askedIn = (one) => (one.graph ? one.question.slice(one.question.lastIndexOf(". ") + 2) : one.question);

  const outcomeOf = (answers, number) => data.outcomes[answers.outcome[number]];
  const isRight = (answers, number) => answers.right[number] === "1";
  const textOf = (answers, number) => dataset().texts[number][answers.text[number]][0];

  function badge(answers, number) {
    const outcome = outcomeOf(answers, number);
    return el("span", {class: "badge", "data-outcome": outcome.replaceAll(" ", "-")}, outcome);
  }

  /** A mark for a right or a wrong answer. */
  const tick = (right) => el("span", {class: right ? "right" : "wrong", role: "img", "aria-label": right ? "right" : "wrong"}, right ? RIGHT : WRONG);

  /** What was written, with a mark behind the answer. */
  function response(answers, number, ...before) {
    const [steps, mark, answer] = parted(textOf(answers, number));
    return el("span", {class: "text"}, ...before, steps, el("span", {class: "mark"}, mark), el("b", {}, answer), "\u00a0", tick(isRight(answers, number)));
  }

  /** A response as its steps, the mark before the answer, and the answer. */
  function parted(text) {
    const at = text.indexOf("###");
    return at < 0 ? [text, "", ""] : [text.slice(0, at), "###", text.slice(at + 3)];
  }

  // -------------------------------------------------------------------------------------- list and filter

  /** Whether a question passes the filters. */
  function passes(number) {
    if (kept.wrong && isRight(answersAt(run(), state.k) ?? trained(run()), number)) return false;
    if (kept.disagree && !disagree(number)) return false;
    return !kept.turned || turnedBy(run(), kept.turned).has(number);
  }

  /** Whether some methods answer a question right with this seed, and others wrong. */
  function disagree(number) {
    const found = dataset().runs.filter((one) => one.seed === state.seed).map((one) => isRight(trained(one), number));
    return found.includes(true) && found.includes(false);
  }

  function turnedBy(one, content) {
    const lists = content === "any" ? Object.values(one.turned) : [one.turned[content] ?? []];
    return new Set(lists.flat());
  }

  const shown = () => questions().map((_, number) => number).filter(passes);

  function renderFilters() {
    const here = Object.keys(data.contents).filter((content) => run().turned[content]);
    if (kept.turned !== "any" && !here.includes(kept.turned)) kept.turned = "";
    if (!here.length) kept.turned = "";
    const any = here.length ? [["any", "any replacement"]] : [];
    const none = run().conditions.length ? "no filter" : "not measured for this method";
    choose("turned", [["", none], ...any, ...here.map((content) => [content, data.contents[content].words])], kept.turned);
    byId("turned").disabled = !here.length;
    byId("wrong-k").textContent = after(run(), (answersAt(run(), state.k) ?? trained(run())).k);
  }

  function renderList() {
    const inside = byId("list").contains(document.activeElement);
    const groups = Map.groupBy ? Map.groupBy(shown(), groupOf) : grouped(shown());
    fill("list", ...[...groups].map(([, numbers]) => el("li", {class: "group"}, heading(numbers[0]), el("ol", {}, ...numbers.map(row)))));
    const n = shown().length;
    byId("count").textContent = `${n} of ${questions().length} questions; the data set has ${dataset().total}`;
    const current = byId("list").querySelector("[aria-current]");
    current?.scrollIntoView({block: "nearest"});
    if (inside) current?.focus();
  }

  /** The two options, in alphabetical order, which the questions of a group share. */
  function heading(number) {
    const {graph} = questions()[number];
    return graph ? el("span", {class: "of"}, [graph.names[graph.target], graph.names[graph.other]].sort().join(" or ")) : null;
  }

  const groupOf = (number) => questions()[number].group;

  function grouped(numbers) {
    const groups = new Map();
    for (const number of numbers) groups.set(groupOf(number), [...(groups.get(groupOf(number)) ?? []), number]);
    return groups;
  }

  function row(number) {
    const one = questions()[number];
    const marks = run().answers.map((answers) => el("i", {class: isRight(answers, number) ? "right" : "wrong"}));
    const words = run().answers.map((answers) => `${after(run(), answers.k)} ${isRight(answers, number) ? "right" : "wrong"}`);
    return el("li", {}, el("button", {
      type: "button", "data-question": number, "aria-current": number === state.question ? "true" : null,
      "aria-label": `Question ${number}: ${askedIn(one)} ${words.join(", ")}`, onclick: () => open(number),
    }, el("b", {}, `q${number}`), el("span", {class: "ask"}, short(one)), el("span", {class: "marks"}, ...marks)));
  }

  const short = ({graph, question}) => (graph ? `${graph.names[graph.root]} \u2192 ${graph.names[graph.target]}` : question);

  function open(number) {
    listing(false);
    show({question: number});
  }

  /** Open or close the list on a narrow page. */
  function listing(on) {
    document.body.classList.toggle("listing", on);
    byId("open").setAttribute("aria-expanded", String(on));
  }

  /** The next question that passes the filters, or the one before. */
  function step(by) {
    const numbers = shown();
    const next = by > 0 ? numbers.find((one) => one > state.question) : numbers.findLast((one) => one < state.question);
    if (next !== undefined) show({question: next});
  }

  // ------------------------------------------------------------------------------------------- question

  const RELATIONS = {
    mirror: ["Mirror", "the same facts, the other person"],
    twin: ["Twin", "two facts crossed, the same person"],
    both: ["Mirror of the twin", "two facts crossed, the other person"],
    same: ["Other", "the same facts"],
  };

  function renderQuestion() {
    const one = question();
    byId("number").textContent = `q${state.question} \u00b7 ${plural(questions().length, "question")}`;
    byId("asked").textContent = askedIn(one);
    const order = ([, relation]) => Object.keys(RELATIONS).indexOf(relation);
    fill("mates", ...[...one.mates].sort((a, b) => order(a) - order(b)).map(([number, relation]) => mate(number, relation)));
    byId("facts").querySelector("p").textContent = one.question;
    byId("facts").querySelector("ol").replaceChildren(...[...one.steps, one.answer].map((step) => el("li", {}, step)));
    byId("facts").open = !one.graph || byId("facts").open;
  }

  function mate(number, relation) {
    const [name, how] = RELATIONS[relation], answers = answersAt(run(), state.k) ?? trained(run());
    const right = isRight(answers, number);
    return el("button", {type: "button", "data-relation": relation, title: how, onclick: () => open(number),
      "aria-label": `${name}: ${how}. ${askedIn(questions()[number])} Answered ${right ? "right" : "wrong"}.`},
      el("b", {}, name), ` ${short(questions()[number])} `,
      tick(right));
  }

  // ---------------------------------------------------------------------------------------------- graph

  const GAP = {x: 24, y: 92}, HEIGHT = 40, MARGIN = 10;
  let cy = null;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const measure = document.createElement("canvas").getContext("2d");
  function widthOf(text) {
    measure.font = '600 15px "Source Sans 3", sans-serif';
    return Math.max(56, Math.ceil(measure.measureText(text).width) + 26);
  }

  /** Rows of nodes by distance, those that the root reaches apart from the others; edges cross as little as
   * a few sweeps of barycenters can bring about. */
  function rowsOf(graph) {
    const rows = [];
    graph.distances.forEach(([distance, reached], node) => {
      rows[distance] ??= [[], []];
      rows[distance][reached ? 0 : 1].push(node);
    });
    const full = Array.from(rows, (row) => row ?? [[], []]);
    for (let sweep = 0; sweep < 6; sweep++) {
      const order = sweep % 2 ? [...full].reverse() : full;
      for (const row of order) row.forEach((block) => sortBlock(graph, full, block));
    }
    return full;
  }

  function sortBlock(graph, rows, block) {
    const place = new Map();
    for (const row of rows) row.flat().forEach((node, i) => place.set(node, i - row.flat().length / 2));
    const mean = (node) => {
      const near = graph.edges.filter((edge) => edge.includes(node)).map(([a, b]) => place.get(a === node ? b : a));
      return near.reduce((sum, at) => sum + at, 0) / Math.max(near.length, 1);
    };
    const weight = new Map(block.map((node) => [node, mean(node)]));
    block.sort((a, b) => weight.get(a) - weight.get(b));
  }

  /** Positions of the nodes: a row for each distance, from top to bottom, or a column, from left to right
   * (`across`). Nodes that the root reaches and others are two blocks, and a row is centred in its block.
   * `line` is the place of each row, `whole` the size of the picture with the words beside the rows. */
  function layout(graph, across) {
    const rows = rowsOf(graph), widths = graph.names.map(widthOf), widest = Math.max(...widths);
    const room = (node) => (across ? HEIGHT + 16 : widths[node] + GAP.x);
    const long = (nodes) => nodes.reduce((sum, node) => sum + room(node), 0);
    const block = [0, 1].map((side) => Math.max(0, ...rows.map((row) => long(row[side]))));
    const line = rows.map((_, row) => row * (across ? widest + 44 : GAP.y)), at = [];
    rows.forEach((row, number) => row.forEach((nodes, side) => {
      let along = side * (block[0] + 16) + (block[side] - long(nodes)) / 2;
      for (const node of nodes) {
        const place = along + room(node) / 2;
        at[node] = across ? {x: line[number], y: place} : {x: place, y: line[number]};
        along += room(node);
      }
    }));
    const length = block[0] + block[1] + 16, depth = line.at(-1) + (across ? widest : HEIGHT) + 2 * MARGIN;
    return {at, widths, line, length, across, widest,
      whole: across ? {width: depth, height: length + 44} : {width: length + 100, height: depth + 20}};
  }

  /** The layout whose names are larger in this room; from top to bottom if both are large enough. */
  function fitted(graph, room) {
    const scale = (plan) => room / plan.whole.width, plans = [layout(graph, false), layout(graph, true)];
    return scale(plans[0]) > 0.75 || scale(plans[0]) >= scale(plans[1]) ? plans[0] : plans[1];
  }

  /** The steps that a text writes, as pairs of nodes: heads that it leaves out are the root if no step is
   * hidden, and unknown otherwise; names that are not in the graph are left out. */
  function writtenEdges(graph, answers, number) {
    const flat = dataset().texts[number][answers.text[number]][1], pairs = [];
    for (let i = 0; i < flat.length; i += 2) {
      const head = flat[i] === null && answers.hidden === 0 ? graph.root : flat[i];
      pairs.push([head, flat[i + 1]]);
    }
    return pairs.filter(([, tail]) => tail !== -1 && tail !== null);
  }

  /** The values of a question's candidates after k thoughts: pairs of node and thousandths; null if there
   * are none. */
  function valuesAt(one, k, number) {
    const of = one.values.find((values) => values.k === k)?.of[number];
    if (!of) return null;
    return Array.from({length: of.length / 2}, (_, i) => [of[2 * i], of[2 * i + 1]]);
  }

  const nodeId = (node) => `n${node}`, edgeId = ([head, tail]) => `e${head}-${tail}`;

  function elements(graph, plan) {
    const onPath = new Set(graph.path), steps = new Set(graph.path.slice(1).map((tail, i) => edgeId([graph.path[i], tail])));
    const nodes = graph.names.map((name, node) => ({
      group: "nodes", data: {id: nodeId(node), name, label: name, width: plan.widths[node], value: 0},
      position: {...plan.at[node]},
      classes: [graph.distances[node][1] ? "" : "far", onPath.has(node) ? "gold" : "", node === graph.root ? "root" : "",
        node === graph.target ? "target" : node === graph.other ? "other" : ""].join(" "),
    }));
    const edges = graph.edges.map((edge) => ({
      group: "edges", data: {id: edgeId(edge), source: nodeId(edge[0]), target: nodeId(edge[1]), bend: plan.across ? plan.widest * 0.8 : -38},
      classes: [steps.has(edgeId(edge)) ? "gold" : "", graph.distances[edge[0]][1] ? "" : "far",
        beside(graph, plan, edge) ? "beside" : ""].join(" "),
    }));
    return [...rulers(plan), ...nodes, ...edges];
  }

  /** Whether an edge would run behind other nodes of its row. */
  function beside(graph, {at, across}, [head, tail]) {
    const [one, other] = across ? ["x", "y"] : ["y", "x"];
    if (at[head][one] !== at[tail][one]) return false;
    const [low, high] = [at[head][other], at[tail][other]].sort((a, b) => a - b);
    return at.some((place) => place[one] === at[head][one] && place[other] > low && place[other] < high);
  }

  /** The words beside the rows, and the band behind the row of candidates. */
  function rulers({line, length, across, widest}) {
    const words = (row) => (row === 0 ? "root" : plural(row, "edge"));
    const place = (row) => (across ? {x: line[row], y: -22} : {x: -46, y: line[row]});
    const size = across ? {width: widest + 24, height: length + 36} : {width: length + 92, height: HEIGHT + 28};
    const middle = across ? {x: 0, y: (length - 36) / 2} : {x: (length - 84) / 2, y: 0};
    const fixed = {group: "nodes", selectable: false, grabbable: false};
    return [{...fixed, data: {id: "band", ...size}, position: middle, classes: "band"},
      ...line.map((_, row) => ({...fixed, data: {id: `row${row}`, label: words(row)}, position: place(row), classes: "ruler"}))];
  }

  function look() {
    const [paper, ink, secondary, rule, thoughts, written, gold, zone] =
      ["paper", "ink", "secondary", "rule", "thoughts", "written", "zone-text", "zone"].map(css);
    return [
      {selector: "node[label]", style: {label: "data(label)"}},
      {selector: "node", style: {
        shape: "round-rectangle", height: HEIGHT, "background-color": paper, "border-width": 1.5,
        "border-color": secondary, color: ink, "font-family": '"Source Sans 3", sans-serif',
        "font-size": 15, "font-weight": 600, "text-valign": "center", "text-wrap": "wrap", "line-height": 1.05}},
      {selector: "node[name]", style: {width: "data(width)"}},
      {selector: "node[fill]", style: {"background-color": "data(fill)", color: "data(text)", "border-color": thoughts}},
      {selector: "node.far", style: {opacity: 0.6}},
      {selector: "node.root", style: {shape: "ellipse", "border-width": 3, "border-color": ink, height: HEIGHT + 6}},
      {selector: "node.target", style: {"border-width": 3, "border-color": ink}},
      {selector: "node.other", style: {"border-width": 3, "border-color": ink, "border-style": "dashed", opacity: 1}},
      {selector: ".gold", style: {"underlay-color": gold, "underlay-opacity": 0.28, "underlay-padding": 6}},
      {selector: "edge", style: {
        width: 1.6, "line-color": secondary, "target-arrow-color": secondary, "target-arrow-shape": "triangle",
        "arrow-scale": 0.9, "curve-style": "straight", opacity: 0.75}},
      {selector: "edge.gold", style: {"underlay-padding": 5, opacity: 1}},
      {selector: "edge.far", style: {opacity: 0.28}},
      {selector: "edge.beside", style: {"curve-style": "unbundled-bezier", "control-point-distances": "data(bend)", "control-point-weights": 0.5}},
      {selector: "edge.written", style: {width: 4, "line-color": thoughts, "target-arrow-color": thoughts, opacity: 1, "z-index": 5}},
      {selector: "edge.absent", style: {
        width: 3.5, "line-color": written, "target-arrow-color": written, "line-style": "dashed", opacity: 1,
        "curve-style": "unbundled-bezier", "control-point-distances": 28, "control-point-weights": 0.5, "z-index": 6}},
      {selector: "node.written", style: {"border-color": thoughts, "border-width": 4, opacity: 1}},
      {selector: "node.picked", style: {"overlay-color": ink, "overlay-opacity": 0.1, "overlay-padding": 6}},
      {selector: "node.ruler, node.band", style: {
        shape: "rectangle", "background-opacity": 0, "border-width": 0, color: secondary, "font-weight": 400, "font-size": 13,
        events: "no", "overlay-opacity": 0}},
      {selector: "node.band", style: {
        width: "data(width)", height: "data(height)", "background-color": zone, "background-opacity": 1, "z-index": 0,
        "z-index-compare": "manual", visibility: "hidden"}},
      {selector: "node.band.here", style: {visibility: "visible"}},
      {selector: "node.ruler", style: {"z-index": 1}},
    ];
  }

  function renderGraph() {
    const graph = question().graph;
    byId("picture").hidden = !graph;
    if (!graph) return;
    if (!cy) {
      cy = cytoscape({container: byId("graph"), style: look(), userZoomingEnabled: false, userPanningEnabled: false,
        boxSelectionEnabled: false, autounselectify: true});
      cy.on("tap", "node", (event) => pick(event.target));
      cy.on("tap", (event) => event.target === cy && pick(null));
      new ResizeObserver(renderGraph).observe(byId("scroller"));
    }
    draw(graph);
    paint(graph);
  }

  /** Draw the graph of another question, or for another room; as wide as the page, or wider with a scrollbar
   * where names would be too small. */
  function draw(graph) {
    const room = byId("scroller").clientWidth, key = `${state.dataset}/${state.question}/${room}`;
    if (cy.scratch("key") === key || !room) return;
    cy.scratch("key", key);
    const plan = fitted(graph, room), {width, height} = plan.whole;
    const scale = Math.min(Math.max(room / width, 0.62), 1.15);
    byId("graph").style.width = `${Math.max(room, Math.floor(width * scale))}px`;
    byId("graph").style.height = `${Math.ceil(height * scale)}px`;
    cy.elements().remove();
    cy.add(elements(graph, plan));
    pick(null);
    cy.resize();
    cy.fit(cy.elements(), MARGIN);
  }

  /** Colours for this k: the values of the candidates, and the path that is written. */
  function paint(graph) {
    const values = new Map(valuesAt(run(), state.k, state.question) ?? []);
    const answers = answersAt(run(), state.k);
    const edges = answers ? writtenEdges(graph, answers, state.question) : [];
    cy.batch(() => {
      cy.edges(".absent").remove();
      cy.elements().removeClass("written here");
      graph.names.forEach((name, node) => colour(cy.getElementById(nodeId(node)), name, graph, node, values.get(node)));
      edges.forEach((edge) => trace(edge));
      const [candidate] = values.keys(), row = candidate === undefined ? 0 : graph.distances[candidate][0];
      const band = cy.getElementById("band");
      const ruler = cy.getElementById(`row${row}`).position(), axis = cy.getElementById("row0").position("x") === ruler.x ? "y" : "x";
      if (candidate !== undefined) band.addClass("here").position(axis, ruler[axis]);
    });
    byId("graph").setAttribute("aria-label", inWords(graph, values));
  }

  function colour(node, name, graph, number, value) {
    const mark = number === graph.target ? `${RIGHT} ` : number === graph.other ? `${WRONG} ` : "";
    node.data("label", mark + name + (value === undefined ? "" : `\n${percent(value)}`));
    if (value === undefined) return node.removeData("fill text");
    const fillOf = mix(css("paper"), css("thoughts"), 0.08 + 0.92 * (value / 1000));
    node.data({fill: fillOf, text: readable(fillOf)});
  }

  /** Show an edge that is written, also one that is not in the graph. */
  function trace([head, tail]) {
    cy.getElementById(nodeId(tail)).addClass("written");
    if (head === null || head === -1) return;
    const edge = cy.getElementById(edgeId([head, tail]));
    if (edge.nonempty()) edge.addClass("written");
    else if (head !== tail) cy.add({group: "edges", data: {source: nodeId(head), target: nodeId(tail)}, classes: "absent"});
  }

  function inWords(graph, values) {
    const names = graph.names, candidates = [...values].map(([node, value]) => `${names[node]} ${percent(value)}`);
    return `Graph of ${plural(names.length, "node")}. ${graph.path.map((node) => names[node]).join(", ")} is the way from the root ` +
      `to the right option; ${names[graph.other]} is the other option.` +
      (candidates.length ? ` Values ${after(run(), state.k)}: ${candidates.join(", ")}.` : "");
  }

  /** A colour between two, given as #rrggbb. */
  function mix(one, other, share) {
    const parts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const [a, b] = [parts(one), parts(other)];
    return `#${a.map((x, i) => Math.round(x + share * (b[i] - x)).toString(16).padStart(2, "0")).join("")}`;
  }

  /** The one of ink and paper that is easier to read on a colour. */
  function readable(hex) {
    const light = (one) => [1, 3, 5].map((i) => (parseInt(one.slice(i, i + 2), 16) / 255) ** 2.2)
      .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0) + 0.05;
    const ratio = (one) => Math.max(light(one), light(hex)) / Math.min(light(one), light(hex));
    return ratio(css("ink")) >= ratio(css("paper")) ? css("ink") : css("paper");
  }

  /** Say what is known of a node that was tapped. */
  function pick(node) {
    cy.nodes().removeClass("picked");
    byId("node").textContent = "";
    if (!node || !node.data("name")) return;
    node.addClass("picked");
    const graph = question().graph, number = Number(node.id().slice(1));
    const [distance, reached] = graph.distances[number], name = graph.names[number];
    const from = reached ? `${plural(distance, "edge")} from ${graph.names[graph.root]}` : "not reached from the root";
    const ends = [graph.target, graph.other].filter((end) => leadsTo(graph, number, end) && end !== number).map((end) => graph.names[end]);
    byId("node").textContent = `${name}: ${number === graph.root ? "the root" : from}` +
      (ends.length ? `; leads to ${ends.join(" and ")}` : number === graph.target || number === graph.other ? "; an option" : "; leads to neither option");
  }

  function leadsTo(graph, from, to) {
    const seen = new Set([from]);
    for (const node of seen) for (const [head, tail] of graph.edges) if (head === node) seen.add(tail);
    return seen.has(to);
  }

  function renderLegend() {
    const items = [["gold", "the way to the right option"], ["line", "written"], ["absent", "written, not in the graph"],
      ["solid", `${RIGHT} right option`], ["dashed", `${WRONG} other option`], ["scale", "value 0 to 100\u00a0%"], ["pale", "not reached from the root"]];
    fill("legend", ...items.map(([kind, words]) => el("li", {}, el("i", {class: kind}), words)));
  }

  // ------------------------------------------------------------------------------------- this many thoughts

  function renderMoment() {
    const one = run(), ks = ksOf(one), kind = kindOf(one);
    byId("k-label").textContent = kind ? upper(after(one, state.k)) : "Without thoughts";
    byId("slider").hidden = ks.length < 2;
    const slider = byId("k");
    slider.max = ks.length - 1;
    slider.value = ks.indexOf(state.k);
    slider.setAttribute("aria-valuetext", after(one, state.k));
    fill("ticks", ...ks.map((k) => el("span", {}, String(k))));
    fill("written", ...writtenParts(one, ks));
  }

  const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  function writtenParts(one, ks) {
    const answers = answersAt(one, state.k);
    if (!answers) {
      const asked = one.answers.map((of) => of.k).join(", ");
      return [el("span", {class: "how"}, `This run was asked with ${asked} ${kindOf(one)}s, and not with ${state.k}.`)];
    }
    const pills = kindOf(one) ? Array.from({length: state.k}, () => el("i", {class: `pill ${answers.kind}`})) : [];
    const cut = answers.unfinished.includes(state.question) ? el("span", {class: "how"}, "(cut off at the limit)") : null;
    return [
      el("span", {class: "how"}, `${title(one.method)}, seed ${one.seed}, writes`),
      response(answers, state.question, ...pills),
      cut, badge(answers, state.question),
    ].filter((part) => part !== null);
  }

  function renderValues() {
    const graph = question().graph, values = valuesAt(run(), state.k, state.question);
    byId("values").parentElement.hidden = !graph;
    if (!graph) return;
    fill("values", ...(values ?? []).map(([node, value]) => valueRow(graph, node, value, 100 / values.length)));
    const measured = run().values.map((of) => of.k).join(", ");
    byId("values-how").textContent = values
      ? `How likely the run is to go on with each, if it has to write a step ${after(run(), state.k)}. The line: all alike.`
      : run().values.length
        ? `No node is a candidate or was measured ${after(run(), state.k)}; there are values with k = ${measured}.`
        : "The study has not measured them of this method.";
  }

  function valueRow(graph, node, value, alike) {
    const leads = node === graph.target || leadsTo(graph, node, graph.target);
    return el("li", {class: leads ? "leads" : ""}, el("span", {class: "name"}, graph.names[node]),
      el("span", {class: "bar"}, el("i", {width: `${value / 10}%`}), el("s", {left: `${alike}%`})),
      el("span", {class: "figure"}, percent(value)),
      el("span", {class: "where"}, node === graph.target ? "the right option" : leads ? `leads to ${graph.names[graph.target]}` : node === graph.other ? "the other option" : ""));
  }

  // ------------------------------------------------------------------------------------------ right side

  function renderMethods() {
    const names = data.methods.map((method) => method.name).filter((name) => dataset().runs.some((one) => one.method === name));
    fill("methods", ...names.map(methodRow));
  }

  function methodRow(name) {
    const runs = dataset().runs.filter((one) => one.method === name), one = runOf(name, state.seed);
    const current = name === state.method;
    const seeds = runs.map((of) => {
      const answers = trained(of), right = isRight(answers, state.question);
      return el("button", {type: "button", class: right ? "right" : "wrong", "aria-pressed": String(current && of.seed === state.seed),
        "aria-label": `${title(name)}, seed ${of.seed}: ${outcomeOf(answers, state.question)}`,
        onclick: () => show({method: name, seed: of.seed})}, String(of.seed));
    });
    return el("li", {class: current ? "current" : "", "data-role": methods.get(name)?.role},
      el("div", {class: "head"},
        el("button", {type: "button", class: "name", "aria-current": current ? "true" : null, onclick: () => show({method: name})}, title(name)),
        el("span", {class: "seeds"}, ...seeds)),
      el("div", {class: "said"}, response(trained(one), state.question), badge(trained(one), state.question)));
  }

  function renderWords() {
    const one = run(), thoughts = one.thoughts[state.question], known = Object.keys(one.thoughts).length;
    byId("words").parentElement.hidden = !kindOf(one);
    fill("words", ...(thoughts ?? []).map((tokens, i) => el("li", {class: i < state.k ? "" : "later"},
      el("span", {class: "of"}, `thought ${i + 1}`), ...tokens.map(([token, value]) => el("span", {class: "token"},
        el("i", {width: `${value / 10}%`}), el("span", {}, token), el("small", {}, percent(value)))))));
    byId("words-how").textContent = thoughts
      ? "The likeliest words if a thought were written instead of fed back."
      : known ? `Decoded for the first ${plural(known, "question")} of this run alone.` : "The study has not decoded the thoughts of this method.";
  }

  const placeOf = (condition) => [condition.thoughts, condition.part, condition.later].join("|");

  /** A place in words: which thoughts, what of them, and what becomes of those after. */
  function placeInWords({thoughts, part, later}) {
    const steps = part === "steps", which = {all: steps ? "all written steps" : "all thoughts", last: "the last thought",
      "all but last": "all but the last thought", root: "no thought, but the root"}[thoughts] ?? `thought ${thoughts}`;
    const how = {keys: ", keys alone", values: ", values alone", both: ", in the cache"}[part] ?? "";
    const single = ["all", "last"].includes(thoughts);
    return which + how + (single ? "" : `; later ones ${later}`);
  }

  function renderReplaced() {
    const conditions = run().conditions.filter((one) => one.right[state.question] !== "-");
    const places = new Map(conditions.map((one) => [placeOf(one), placeInWords(one)]));
    const own = conditions.find((one) => one.content === "own");
    byId("replaced-title").textContent = own?.part === "steps" ? "Written steps replaced" : "Thoughts replaced";
    byId("place-label").hidden = places.size < 2;
    if (!places.has(kept.place)) kept.place = own ? placeOf(own) : "";
    choose("place", sortedPlaces(places), kept.place);
    fill("replaced", ...(own ? replacedRows(conditions.filter((one) => placeOf(one) === kept.place), own) : []));
    byId("replaced-how").textContent = own
      ? "How often the right option is chosen of the two. The dotted line: as with its own; the open mark: if what is replaced decides alone. At the end: whether the free answer is right."
      : run().conditions.length ? "Not measured for this question." : "The study has not replaced the thoughts of this method.";
  }

  /** All at once first, then parts. */
  function sortedPlaces(places) {
    const first = ["all|input|kept", "all|both|kept", "all|steps|kept"];
    return [...places].sort(([a], [b]) => first.includes(b) - first.includes(a));
  }

  /** The forced choice of the right option, in percent. */
  const choiceOf = (condition, number) => parseInt(condition.choice.slice(2 * number, 2 * number + 2), 16);

  const SAYS = {same: "says the same", nothing: "says nothing", opposite: "says the opposite"};

  function replacedRows(conditions, own) {
    return Object.entries(SAYS).flatMap(([says, words]) => {
      const here = conditions.filter((one) => data.contents[one.content].says === says);
      return here.length ? [el("li", {class: "says"}, words), ...here.map((one) => replacedRow(one, own, says))] : [];
    });
  }

  function replacedRow(one, own, says) {
    const at = state.question, choice = choiceOf(one, at), base = choiceOf(own, at);
    const decides = {same: base, nothing: 50, opposite: 100 - base}[says];
    const mateThere = question().mates.find(([, relation]) => relation === one.content);
    const words = data.contents[one.content].words, neither = one.neither[at];
    const name = mateThere ? el("button", {type: "button", class: "link", onclick: () => open(mateThere[0])}, words) : words;
    const right = one.right[at] === "1";
    return el("li", {"data-content": one.content},
      el("span", {class: "name"}, name),
      el("span", {class: "track"}, el("s", {left: `${base}%`}), el("u", {left: `${decides}%`}), el("i", {left: `${choice}%`})),
      el("span", {class: "figure"}, `${choice}\u00a0%`),
      el("span", {class: `free ${right ? "right" : "wrong"}`, title: "the free answer", "aria-label": `free answer ${right ? "right" : "wrong"}`}, right ? RIGHT : WRONG),
      neither ? el("small", {}, `${neither}\u00a0% on neither option`) : null);
  }

  // ---------------------------------------------------------------------------------------------- page

  function renderRun() {
    choose("dataset", data.datasets.map((one) => [one.name, one.title]), state.dataset);
    byId("dataset").parentElement.hidden = data.datasets.length < 2;
    const names = [...new Set(dataset().runs.map((one) => one.method))];
    choose("method", names.map((name) => [name, title(name)]), state.method);
    const seeds = dataset().runs.filter((one) => one.method === state.method).map((one) => one.seed);
    choose("seed", seeds.map((seed) => [String(seed), String(seed)]), state.seed);
  }

  function render() {
    document.title = `q${state.question}, ${title(state.method)} – ${data.study}`;
    for (const part of [renderRun, renderFilters, renderList, renderQuestion, renderGraph, renderMoment, renderValues,
      renderMethods, renderWords, renderReplaced]) part();
  }

  function moveK(by) {
    const ks = ksOf(run()), next = ks[ks.indexOf(state.k) + by];
    if (next !== undefined) show({k: next});
  }

  function toMate(relation) {
    const found = question().mates.find(([, one]) => one === relation);
    if (found) show({question: found[0]});
  }

  const KEYS = {
    ArrowLeft: () => moveK(-1), ArrowRight: () => moveK(1), n: () => step(1), p: () => step(-1),
    m: () => toMate("mirror"), t: () => toMate("twin"), Escape: () => listing(false),
  };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId("list").contains(event.target) && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      step(event.key === "ArrowDown" ? 1 : -1);
    } else if (!event.target.matches?.("select, input[type=range], input[type=text]") && KEYS[event.key]) {
      KEYS[event.key]();
    }
  }

  function listen() {
    byId("dataset").addEventListener("change", (event) => show({dataset: event.target.value, question: 0}));
    byId("method").addEventListener("change", (event) => show({method: event.target.value}));
    byId("seed").addEventListener("change", (event) => show({seed: Number(event.target.value)}));
    byId("k").addEventListener("input", (event) => show({k: ksOf(run())[Number(event.target.value)]}));
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    byId("open").addEventListener("click", () => listing(!document.body.classList.contains("listing")));
    for (const id of ["wrong", "disagree"]) byId(id).addEventListener("change", (event) => filter({[id]: event.target.checked}));
    byId("turned").addEventListener("change", (event) => filter({turned: event.target.value}));
    byId("place").addEventListener("change", (event) => { kept.place = event.target.value; renderReplaced(); });
    for (const id of ["run", "filters"]) byId(id).addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", onKey);
    addEventListener("popstate", () => { settle(named()); render(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  }

  function filter(changes) {
    Object.assign(kept, changes);
    renderList();
  }

  /** The graph is a canvas: it takes colours and fonts when it is told. */
  function restyle() {
    if (!cy) return;
    cy.style(look());
    cy.scratch("key", "");
    renderGraph();
  }

  byId("study").textContent = data.study;
  byId("description").textContent = data.description;
  renderLegend();
  settle(named());
  listen();
  render();
  document.fonts?.load('600 15px "Source Sans 3"').then(restyle);
})();
