"use strict";
/* Headers of the first table become buttons, which sort its rows: upwards, downwards, and as they were. A column is
   sorted by number if every cell begins with one, as "12.3 [10.1, 14.5]" does; empty cells and dashes stay last. */
(() => {
  const table = document.querySelector("table");
  const body = table.tBodies[0];
  const written = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  const states = ["none", "ascending", "descending"];
  const number = /^[-+−]?(\d+(\.\d*)?|\.\d+)/;
  const words = new Intl.Collator("en", { numeric: true });

  const read = (text) => parseFloat(text.replace("−", "-"));

  function sorted(column, state) {
    if (state === "none") return written;
    const text = new Map(written.map((row) => [row, row.cells[column].textContent.trim()]));
    const missing = (row) => ["", "–"].includes(text.get(row));
    const numeric = written.every((row) => missing(row) || number.test(text.get(row)));
    const apart = numeric
      ? (one, other) => read(one) - read(other)
      : words.compare;
    const sign = state === "ascending" ? 1 : -1;
    return [...written].sort((one, other) =>
      missing(one) - missing(other) || sign * apart(text.get(one), text.get(other)));
  }

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => {
      const next = states[(states.indexOf(header.getAttribute("aria-sort") ?? "none") + 1) % states.length];
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", next);
      body.append(...sorted(column, next));
    });
    header.replaceChildren(button);
  });
})();
