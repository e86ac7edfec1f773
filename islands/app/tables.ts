// A table too wide for a phone stands as one block per row, each value with its column's name; see table.css. Tables of numbers, and
// all of them without this script, scroll sideways instead.

const seen = new WeakSet<Element>();

export function watchTables(): void {
  const observer = new ResizeObserver((entries) => entries.forEach((entry) => fit(entry.target as HTMLElement)));
  const look = (): void => document.querySelectorAll(".table-region").forEach((region) => {
    if (seen.has(region)) return;
    seen.add(region);
    observer.observe(region);
  });
  look();
  document.addEventListener("htmx:after:swap", look);
}

function fit(region: HTMLElement): void {
  const table = region.querySelector("table");
  if (!table || region.dataset["width"] === String(region.clientWidth)) return;
  region.dataset["width"] = String(region.clientWidth);
  region.classList.remove("is-stacked");
  const isTooWide = region.scrollWidth > region.clientWidth + 1;
  const isStacked = isTooWide && matchMedia("(max-width: 40rem)").matches && !isOfNumbers(table);
  if (isStacked) name(table);
  region.classList.toggle("is-stacked", isStacked);
  region.tabIndex = isStacked ? -1 : 0; // in blocks there is nothing to scroll, so nothing to stop at
}

/** Figures are compared down a column, which blocks would tear apart. */
function isOfNumbers(table: HTMLTableElement): boolean {
  const cells = [...(table.tBodies[0]?.rows[0]?.cells ?? [])].filter((cell) => cell.tagName === "TD");
  return cells.filter((cell) => cell.classList.contains("num")).length * 2 > cells.length;
}

/** The column's name beside each value, and the roles that a table loses when it is laid out otherwise. */
function name(table: HTMLTableElement): void {
  if (table.getAttribute("role") === "table") return;
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part?.setAttribute("role", "rowgroup");
  const columns = [...(table.tHead?.rows[0]?.cells ?? [])];
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) {
      const isHead = cell.tagName === "TH";
      cell.setAttribute("role", !isHead ? "cell" : row.parentElement === table.tHead ? "columnheader" : "rowheader");
      if (!isHead) label(cell, columns[cell.cellIndex]);
    }
  }
}

function label(cell: HTMLTableCellElement, column: HTMLTableCellElement | undefined): void {
  if (cell.colSpan > 1) return;
  const text = cell.textContent.trim();
  cell.toggleAttribute("data-empty", !cell.querySelector("button, a, input, svg") && (text === "" || text === "–"));
  const value = document.createElement("div");
  value.append(...cell.childNodes);
  cell.append(value);
  if (column && !column.querySelector(".visually-hidden")) cell.dataset["label"] = column.textContent.trim();
}
