"use strict";
const list = document.getElementById("list");
if (list) {
  const body = list.tBodies[0];
  const heads = [...list.tHead.rows[0].cells];
  const find = document.getElementById("find");
  const input = find.querySelector("input");
  const shown = find.querySelector("output");
  const order = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
  const rows = [...body.rows].map(row => ({ row, text: row.textContent.toLowerCase() }));

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    let n = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every(word => text.includes(word));
      n += row.hidden ? 0 : 1;
    }
    shown.value = n.toLocaleString("en");
  };
  const value = (entry, column) => {
    const cell = entry.row.cells[column];
    return cell.dataset.v ?? cell.textContent;
  };
  const sort = column => {
    const head = heads[column];
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down < 0 ? "descending" : "ascending");
    rows.sort((a, b) => down * order(value(a, column), value(b, column)));
    body.append(...rows.map(entry => entry.row));
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });
  input.addEventListener("input", filter);
  find.hidden = false;
  filter();
}
