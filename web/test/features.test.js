import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { against, keptOf } from "../src/views/columns.js";
import { features, rows, titles } from "../src/views/features.js";
import { NASTY, numberColumn, payload } from "./payloads.js";

/** @typedef {import("../src/payload.js").Payload} Payload */

/**
 * The column dose; the column hr with the levels 1 to 4, of which 1 and 3 are listed, 2 stands beside and 4 is never
 * kept; the column age, of which only the mark of gaps counts.
 * @param {number} [l1_ratio]
 */
function leveled(l1_ratio = 1) {
  const data = payload("binomial", { l1_ratio, features: 3 });
  const names = ["dose", "hr: 1", "hr: 3", "age: (missing)"];
  const coefs = [[0, 1, 1, 1, 1], [0, 0, -0.5, -0.5, -2], [0, 0, 0.25, 0.25, 0.5], [0, 0, 0, 0, 3]];
  data.features = names.map((name, k) => ({ name, key: name.replace(": ", " = "), scale: 0.5, mean: 1, coefs: coefs[k], by_output: null, own_counts: k === 1 ? [0, 0, 4, 4, 4] : null }));
  data.others = [{ name: "hr: 2", key: "hr = 2", scale: 0.5, coefs: [[3, 0.125], [4, 1]], by_output: null }];
  const counts = data.lambdas.map((_, l) => l);
  const hr = { ...numberColumn("hr", 0), is_number: false, number: null, range: null, levels: ["1", "2", "3", "4"], places: [1, 4, 2, null], n_rows: [10, 1200, 30, 20], n_features: 4, few_rows: ["", "", "", ""], counts };
  const age = { ...numberColumn("age", 0), number: null, levels: ["(missing)"], places: [3], n_rows: [7], few_rows: [""], counts };
  data.columns = [{ ...numberColumn("dose", 0), counts }, hr, age];
  data.cv = { mean: [5, 4, 3, 2, 1], se: [1, 1, 1, 1, 1], train: [5, 4, 3, 2, 1], folds: [], concordance: null, concordance_se: null, n_folds: 5, score: "deviance", greater_is_better: false, by_root: false, explained_of: null, null_score: 5, best: 4, one_se: 2 };
  [data.n_features, data.n_columns, data.n_nonzero, data.columns_kept] = [314, 73, [0, 1, 3, 4, 5], [0, 1, 2, 2, 3]];
  return data;
}

/** @param {Payload} data @param {number} index @param {import("../src/views/features.js").Order} [order] */
const shown = (data, index, order) => rows(data, { index, filter: "" }, order).map(({ kind, name, note }) => `${kind === "level" ? "- " : ""}${name}${note ? ` (${note})` : ""}`);

test("a column has its levels below it, and says against whom they are measured", () => {
  const data = leveled();
  assert.deepEqual(shown(data, 1), ["dose"]);
  assert.deepEqual(shown(data, 2), ["dose", "hr (2 of 4 levels, against the 2 other levels)", "- 3", "- 1"]);
  assert.deepEqual(shown(data, 4), ["age: (missing)", "hr (3 of 4 levels, against “4”)", "- 2", "- 3", "- 1", "dose"]);
});

test("one level alone takes one line", () => {
  const data = leveled();
  data.columns[1].places = [1, null, null, null];
  assert.deepEqual(shown(data, 2), ["dose", "hr: 1 (against the 3 other levels)"]);
});

test("levels have their rows and their own folds, columns those of all levels", () => {
  const data = leveled();
  assert.deepEqual(titles(data), ["column", "rows", "per SD", "per unit", "odds × / SD or level", "enters at lambda", "kept in folds"]);
  const [, head, three, one] = rows(data, { index: 2, filter: "" });
  assert.deepEqual(head.cells.slice(1), ["", "", "", "", "0.100", "2/5 unstable"]);
  assert.deepEqual(three.cells, ["3", "30", "+0.125", "+0.250", "1.28", "0.100", "2/5 unstable"]);
  assert.deepEqual(one.cells.slice(1), ["10", "-0.250", "-0.500", "0.607", "0.100", "4/5"]);
  assert.deepEqual(rows(data, { index: 3, filter: "" })[2].cells.slice(1, 3), ["30", "+0.125"]);
  assert.deepEqual(rows(data, { index: 3, filter: "hr: 2" }).map((line) => line.cells[1]), ["1,200"]);
});

test("what odds are multiplied by is told for a step that one can take", () => {
  const data = leveled();
  const column = titles(data).indexOf("odds × / SD or level");
  const [dose, , three] = rows(data, { index: 2, filter: "" });
  const { coefs, scale } = data.features.find(({ name }) => name === "dose") ?? data.features[0];
  assert.notEqual(scale, 1);
  assert.equal(Number(dose.cells[column]).toPrecision(3), Math.exp(coefs[2] * scale).toPrecision(3));
  assert.equal(three.cells[column], "1.28"); // exp(0.25): the level itself
  data.columns = data.columns.filter((one) => one.is_number && one.levels.length === 0);
  assert.ok(titles(data).includes("odds × / SD"));
  data.standardize = false;
  assert.ok(titles(data).includes("odds × / unit"));
});

test("a number with gaps stands above their mark", () => {
  const data = leveled();
  Object.assign(data.columns[2], { number: 0 });
  data.columns = data.columns.slice(1);
  assert.deepEqual(shown(data, 4).slice(0, 2), ["age", "- (missing)"]);
});

test("levels of one or two rows stand apart", () => {
  const data = leveled();
  data.columns[1].few_rows = ["", "", "1 row", ""];
  assert.deepEqual(shown(data, 2), ["dose", "hr: 1 (against the 2 other levels)", "Levels told by one or two rows", "- hr: 3 (1 row)"]);
  assert.deepEqual(shown(data, 4).slice(-2), ["Levels told by one or two rows", "- hr: 3 (1 row)"]);
  assert.match(features.draw(data, { ...opening(data), index: 2 }).table.rows[3][0].toString(), /^\u2003hr: 3 \(1 row\)$/u);
});

test("columns are sorted as wholes, by the title that is clicked", () => {
  const data = leveled();
  const byName = shown(data, 2, { column: 0, down: false });
  assert.deepEqual(byName, ["dose", "hr (2 of 4 levels, against the 2 other levels)", "- 1", "- 3"]);
  assert.deepEqual(shown(data, 2, { column: 0, down: true })[0], "hr (2 of 4 levels, against the 2 other levels)");
  assert.deepEqual(shown(data, 2, { column: 3, down: false }), ["hr (2 of 4 levels, against the 2 other levels)", "- 1", "- 3", "dose"]);
});

test("counts are those of columns, and of features where these are others", () => {
  const data = leveled();
  assert.equal(keptOf(data, 3), "2 of 73 columns (4 of 314 features)");
  assert.match(features.draw(data, { ...opening(data), index: 3 }).sentence, /2 of 73 columns \(4 of 314 features\) are kept, the largest per SD first\. Intercept/);
  assert.match(features.draw(data, { ...opening(data), index: 3, filter: "hr" }).sentence, /3 of the features in this table have a name with “hr”/);
  data.n_nonzero[3] = 5;
  assert.match(features.draw(data, { ...opening(data), index: 3 }).sentence, /first; a smaller feature is not in this table\./);
  assert.equal(keptOf(payload("gaussian"), 2), "2 of 3 features");
  assert.equal(keptOf(leveled(0), 3), "73 columns (314 features)");
});

test("ridge measures a level against the average of its column, or its baseline", () => {
  const data = leveled(0);
  assert.equal(against(data, data.columns[1], 4), "against the average of the column");
  assert.match(shown(data, 4).join(), /hr \(4 levels, against the average of the column\)/);
  assert.equal(against(data, { ...data.columns[1], n_features: 3 }, 4), "against “4”"); // the baseline
  assert.equal(against({ ...data, l1_ratio: 0.5 }, { ...data.columns[1], levels: ["1", "2"], places: [1, 2] }, 4), "against one another");
  assert.equal(against({ ...data, l1_ratio: 0.5, others_complete: false }, { ...data.columns[1], settable: false }, 4), "against the other levels");
});

test("every name is drawn as it is", () => {
  const data = leveled();
  data.columns[1].levels = NASTY.slice(0, 4);
  const { table } = features.draw(data, { ...opening(data), index: 4 });
  for (const row of table.rows) assert.equal(row.length, table.head.length);
  assert.match(JSON.stringify(table), /onerror=alert/);
});
