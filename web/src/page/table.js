/** Tables from plain rows, and the table of columns and levels: sortable, its names lead to their curve. */
import { features, rows as featureRows, titles } from "../views/features.js";
import { all, one } from "./dom.js";

/** @param {Document} page @param {{ head: string[], rows: (string | number)[][] }} table */
export function rows(page, { head, rows }) {
  const table = page.createElement("table");
  const titles = table.createTHead().insertRow();
  head.forEach((title) => titles.append(title ? cell(page, "th", title, "col") : cell(page, "td", "", "")));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, k) => line.append(cell(page, k ? "td" : "th", String(value), k ? "" : "row")));
  }
  return table;
}

/** @param {Document} page @param {"td" | "th"} name @param {string} text @param {string} scope */
function cell(page, name, text, scope) {
  const made = page.createElement(name);
  if (scope) made.setAttribute("scope", scope);
  made.textContent = text;
  return made;
}

/** @param {Document} page @param {import("./store.js").Store} model */
export function featureTable(page, { data, state, set, listen }) {
  const section = page.querySelector('[data-view="features"]');
  const place = section?.querySelector("[data-live]");
  if (!section || !place) return;
  all(section, "[data-controls]").forEach((controls) => (controls.hidden = false));
  /** @type {{ column: number, down: boolean } | null} */
  let order = null;

  function draw() {
    const shown = featureRows(data, state, order);
    const table = rows(page, { head: titles(data), rows: shown.map((row) => row.cells) });
    all(table, "thead th").forEach((title, column) => sortable(title, column));
    all(table, "tbody tr").forEach((line, k) => named(line, shown[k]));
    /** @type {Element} */ (place).replaceChildren(table);
    /** @type {HTMLElement} */ (place).hidden = shown.length === 0; // titles alone say nothing
    one(/** @type {Element} */ (section), "[data-sentence]").textContent = features.draw(data, state).sentence;
  }

  /** A button in the title of a column; once more turns the order round. @param {HTMLElement} title @param {number} column */
  function sortable(title, column) {
    const button = page.createElement("button");
    button.type = "button";
    const down = order?.column === column ? order.down : null;
    button.textContent = `${title.textContent}${down === null ? "" : down ? " ▼" : " ▲"}`;
    if (down !== null) title.setAttribute("aria-sort", down ? "descending" : "ascending");
    button.addEventListener("click", () => {
      order = { column, down: down === null ? column > 0 : !down };
      draw();
      all(/** @type {Element} */ (place), "thead button")[column].focus();
    });
    title.replaceChildren(button);
  }

  /** The name of a line: a link to its curve if it has one, what stands behind it, and levels below their column. @param {HTMLElement} line @param {import("../views/features.js").Line} told */
  function named(line, { name, note, kind, feature }) {
    const [title] = line.children;
    line.className = kind;
    const text = page.createElement("bdi");
    text.textContent = name;
    const behind = page.createElement("span");
    behind.className = "faint";
    behind.textContent = note ? ` ${note}` : "";
    if (feature === null) title.replaceChildren(text, behind);
    else title.replaceChildren(linked(line, text, feature), behind);
  }

  /** A name that leads to its curve, and shows it on the way. @param {HTMLElement} line @param {HTMLElement} name @param {number} feature */
  function linked(line, name, feature) {
    const link = page.createElement("a");
    link.href = "#coefficients-heading";
    link.dataset.feature = String(feature);
    link.setAttribute("aria-label", data.features[feature].name);
    link.append(name);
    const isolate = () => set({ hovered: feature });
    const all = () => set({ hovered: null });
    line.addEventListener("pointerenter", isolate);
    line.addEventListener("pointerleave", all);
    link.addEventListener("focus", isolate);
    link.addEventListener("blur", all);
    link.addEventListener("click", () => {
      const second = state.pair[0] === feature ? state.pair[1] : state.pair[0];
      set({ pair: [feature, second] });
    });
    return link;
  }

  listen((changed) => {
    if (changed.has("index") || changed.has("filter")) draw();
    if (!changed.has("hovered")) return;
    for (const link of all(place, "[data-feature]")) link.closest("tr")?.classList.toggle("on", Number(link.dataset.feature) === state.hovered);
  });
  draw();
}
