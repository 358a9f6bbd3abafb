/** The columns that the model uses at a lambda with their levels, as a table; there is no drawing. */
import { tr } from "../language.js";
import { figures } from "../svg.js";
import { against, coefAt, coefOfOutput, entryOf, featureAt, keptOf, partsOf, stepOf } from "./columns.js";
import { kindOf } from "./outputs.js";
import { matches, rule, shortened, whole } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").Column} Column */
/** @typedef {{ column: number, down: boolean } | null} Order by a column of this table */
/**
 * @typedef {object} Line of the table: a column, a level of the column above, or both where there is one level
 * @property {string} name
 * @property {string} note what stands behind the name
 * @property {"column" | "level" | "heading"} kind
 * @property {boolean} coefficient whether it has the coefficient of a feature
 * @property {number | null} feature the index of its curve
 * @property {string[]} cells
 * @property {(string | number)[]} values by which the table is sorted
 */

const STABLE = 0.8;
const MOST_COLUMNS = 10; // outputs that are told one by one
const RARE = tr`Levels told by one or two rows`;

/** A coefficient with its sign. @param {number} value */
const signed = (value) => (value > 0 ? `+${figures(value)}` : figures(value));

/** What odds or rates are multiplied by; close to 1 as many digits as tell it from 1. @param {number} value */
function factor(value) {
  const excess = Math.abs(value - 1);
  return excess > 1e-8 && excess < 0.1 ? value.toFixed(1 - Math.floor(Math.log10(excess))) : figures(value);
}

/** Whether what a unit multiplies is told besides what a standard deviation does: it is usual of hazards. @param {Payload} data */
const bothFactors = (data) => data.mathematics.of_times && data.standardize;

/** Whether the table tells numbers of rows: that of every level. @param {Payload} data */
const hasLevels = (data) => data.columns.some((column) => column.levels.length > 0);

/**
 * The lines of the table: columns, each with its levels below it, and apart from these the levels that a row or two tell.
 * @param {Payload} data @param {{ index: number, filter: string }} state @param {Order} [order] @returns {Line[]}
 */
export function rows(data, { index, filter }, order = null) {
  const blocks = data.columns.filter((column) => partsOf(column).some(({ place }) => place < data.features.length)).map((column) => block(data, column, index, filter));
  const common = blocks.flatMap(({ head, lines }) => (lines.length === 0 ? [] : [head ? [head, ...sorted(lines, order)] : lines]));
  const rare = sorted(blocks.flatMap((one) => one.rare), order);
  if (order) common.sort((a, b) => compare(a[0].values[order.column], b[0].values[order.column]) * (order.down ? -1 : 1));
  else common.sort((a, b) => sizeOf(b, data) - sizeOf(a, data));
  return [...common.flat(), ...(rare.length ? [heading(data), ...rare] : [])];
}

/** @param {Line[]} lines @param {Order} order */
const sorted = (lines, order) => (order ? [...lines].sort((a, b) => compare(a.values[order.column], b.values[order.column]) * (order.down ? -1 : 1)) : lines);

/** @param {string | number} a @param {string | number} b */
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

/** The largest coefficient of a block, where the penalty is. @param {Line[]} lines @param {Payload} data */
const sizeOf = (lines, data) => Math.max(...lines.map((line) => Math.abs(Number(line.values[hasLevels(data) ? 2 : 1]) || 0)));

/**
 * A column with its levels: a line for itself where there are several, levels from the largest coefficient down.
 * @param {Payload} data @param {Column} column @param {number} index @param {string} filter
 * @returns {{ head: Line | null, lines: Line[], rare: Line[] }}
 */
function block(data, column, index, filter) {
  const kept = partsOf(column).filter(({ place }) => coefAt(data, place, index) !== 0);
  const asked = kept.filter(({ place }) => matches(featureAt(data, place).name, filter));
  const few = asked.filter(({ level }) => column.few_rows[level]);
  const sizes = (/** @type {number} */ place) => (column.indicators ? Math.abs(coefAt(data, place, index) * featureAt(data, place).scale) : coefAt(data, place, index));
  const plain = asked.filter(({ level }) => !column.few_rows[level]).sort((a, b) => sizes(b.place) - sizes(a.place));
  const text = column.is_number || column.indicators ? "" : against(data, column, index);
  const rare = few.map((part) => line(data, column, part, index, { name: featureAt(data, part.place).name, note: column.few_rows[part.level], kind: "level" }));
  if (plain.length === 0) return { head: null, lines: [], rare };
  const [first] = plain;
  if (plain.length === 1) return { head: null, lines: [line(data, column, first, index, { name: featureAt(data, first.place).name, note: first.level < 0 ? "" : text, kind: "column" })], rare };
  const levels = plain.filter(({ level }) => level >= 0);
  const number = plain.find(({ level }) => level < 0);
  const note = column.is_number ? "" : column.indicators ? tr`${whole(column.n_features)} features` : data.l1_ratio === 0 ? tr`${whole(column.levels.length)} levels, ${text}` : tr`${whole(kept.length)} of ${whole(column.levels.length)} levels, ${text}`;
  const lines = levels.map((part) => line(data, column, part, index, { name: column.levels[part.level], note: "", kind: "level" }));
  const head = number ? line(data, column, number, index, { name: column.name, note: "", kind: "column" }) : summary(data, column, lines, index, note);
  return { head, lines, rare };
}

/**
 * A line with the numbers of a feature.
 * @param {Payload} data @param {Column} column @param {import("./columns.js").Part} part @param {number} index @param {Pick<Line, "name" | "note" | "kind">} told
 * @returns {Line}
 */
function line(data, column, { place, level }, index, told) {
  const coef = coefAt(data, place, index);
  const { scale } = featureAt(data, place);
  const columns = [/** @type {[string, string | number]} */ ([told.note ? `${told.name} (${told.note})` : told.name, told.name])];
  if (hasLevels(data)) columns.push(ofRows(column, level));
  if (data.outputs.length) columns.push(...ofOutputs(data, place, index));
  else if (data.standardize) columns.push([signed(coef * scale), coef * scale]);
  if (!data.outputs.length) columns.push([signed(coef), coef]);
  if (data.mathematics.factor) {
    const step = coef * stepOf(data, place);
    columns.push([factor(Math.exp(step)), step]);
    if (bothFactors(data)) columns.push([factor(Math.exp(coef)), coef]);
  }
  if (data.l1_ratio > 0) columns.push([figures(entryOf(data, place)), entryOf(data, place)]);
  if (column.counts && data.cv) {
    const own = data.features[place]?.own_counts?.[index];
    if (told.kind === "level" && place >= data.features.length) columns.push(["", -1]); // only the column's is known
    else columns.push(told.kind === "level" && own !== undefined && !told.note ? folds(own, undefined, data.cv.n_folds) : folds(column.counts[index], own, data.cv.n_folds));
  }
  return { ...told, coefficient: true, feature: place < data.features.length ? place : null, cells: columns.map(([cell]) => cell), values: columns.map(([, value]) => value) };
}

/** The line of a column above those of its levels, sorted as the largest of these. @param {Payload} data @param {Column} column @param {Line[]} lines @param {number} index @param {string} note @returns {Line} */
function summary(data, column, lines, index, note) {
  const size = (/** @type {Line} */ one) => Math.abs(Number(one.values[2]));
  const largest = lines.reduce((most, one) => (size(one) > size(most) ? one : most));
  const values = [column.name, ...largest.values.slice(1)];
  const cells = [`${column.name} (${note})`, ...values.slice(1).map(() => "")];
  const titled = titles(data);
  if (data.l1_ratio > 0) {
    const at = titled.indexOf(tr`enters at lambda`);
    values[at] = Math.max(...lines.map((one) => Number(one.values[at])));
    cells[at] = figures(Number(values[at]));
  }
  if (column.counts && data.cv) [cells[titled.length - 1], values[titled.length - 1]] = folds(column.counts[index], undefined, data.cv.n_folds);
  return { name: column.name, note, kind: "column", coefficient: false, feature: null, cells, values };
}

/** @param {Payload} data @returns {Line} */
const heading = (data) => ({ name: RARE, note: "", kind: "heading", coefficient: false, feature: null, cells: titles(data).map((_, k) => (k ? "" : RARE)), values: [] });

/** How many rows have a level. @param {Column} column @param {number} level @returns {[string, number]} */
function ofRows({ n_rows }, level) {
  const count = level < 0 ? undefined : n_rows?.[level];
  return count === undefined ? ["", -1] : [whole(count), count];
}

/**
 * The length over the outputs and the coefficient of each; of very many the largest and whose it is. Per SD where the
 * penalty is.
 * @param {Payload} data @param {number} place @param {number} index @returns {[string, string | number][]}
 */
function ofOutputs(data, place, index) {
  const unit = data.standardize ? featureAt(data, place).scale : 1;
  const values = data.outputs.map((_, k) => coefOfOutput(data, place, k, index) * unit);
  const length = coefAt(data, place, index) * unit;
  /** @type {[string, number][]} */
  const each = values.map((value) => [value ? signed(value) : "0", value]);
  if (values.length <= MOST_COLUMNS) return [[figures(length), length], ...each];
  const largest = values.reduce((most, value, k) => (Math.abs(value) > Math.abs(values[most]) ? k : most), 0);
  return [[figures(length), length], [`${each[largest][0]} (${shortened(data.outputs[largest].name, 20)})`, values[largest]]];
}

/** @param {Payload} data */
function titlesOfOutputs(data) {
  const length = data.standardize ? tr`length per SD` : tr`length`;
  return data.outputs.length > MOST_COLUMNS ? [length, tr`largest`] : [length, ...data.outputs.map((one) => shortened(one.name, 20))];
}

/** In how many folds its column was kept, a word where these are few, and in how many the feature itself if fewer. @param {number} count @param {number | undefined} own @param {number} all @returns {[string, number]} */
function folds(count, own, all) {
  const itself = own !== undefined && own < count ? tr` (itself ${own}/${all})` : "";
  return [`${count}/${all}${count < STABLE * all ? tr` unstable` : ""}${itself}`, count];
}

/** @param {Payload} data */
export function titles(data) {
  const { factor } = data.mathematics;
  return [
    hasLevels(data) ? tr`column` : tr`feature`,
    ...(hasLevels(data) ? [tr`rows`] : []),
    ...(data.outputs.length ? titlesOfOutputs(data) : [...(data.standardize ? [tr`per SD`] : []), tr`per unit`]),
    ...(factor ? [`${factor} × / ${!data.standardize ? tr`unit` : hasLevels(data) ? tr`SD or level` : tr`SD`}`] : []),
    ...(bothFactors(data) ? [`${factor} × / ${tr`unit`}`] : []),
    ...(data.l1_ratio > 0 ? [tr`enters at lambda`] : []),
    ...(data.cv && data.columns.some((column) => column.counts) ? [tr`kept in folds`] : []),
  ];
}

/** @type {import("../payload.js").View} */
export const features = {
  id: "features",
  title: tr`Selected features`,
  missing: () => "",
  draw(data, state) {
    const shown = rows(data, state);
    const cells = shown.map(({ kind, cells }) => (kind === "level" ? [`\u2003${cells[0]}`, ...cells.slice(1)] : cells));
    return { svg: "", sentence: describe(data, state, shown), table: { head: titles(data), rows: cells } };
  },
};

/** @param {Payload} data @param {import("../payload.js").State} state @param {Line[]} lines */
function describe(data, state, lines) {
  const at = tr`At ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}`;
  const filter = state.filter.trim();
  const shown = lines.filter((one) => one.coefficient).length;
  const used = data.l1_ratio === 0 ? data.n_features : data.n_nonzero[state.index];
  if (filter !== "") return shown === 1 ? tr`${at}, 1 of the features in this table has a name with “${filter}”.` : tr`${at}, ${whole(shown)} of the features in this table have a name with “${filter}”.`;
  if (used === 0) return tr`${at} no feature is kept: the model predicts the same for every row.`;
  const count = data.l1_ratio === 0 ? tr`all ${keptOf(data, state.index)} are used` : tr`${keptOf(data, state.index)} are kept`;
  const missing = used - shown;
  const more = missing <= 0 ? "" : missing === 1 ? tr`; a smaller feature is not in this table` : tr`; the ${whole(missing)} smaller features are not in this table`;
  return tr`${at}, ${count}, the largest ${data.outputs.length ? tr`over all ${kindOf(data)[1]} (length${data.standardize ? tr` per SD` : ""})` : data.standardize ? tr`per SD` : tr`by their weight`} first${more}.${data.outputs.length || data.mathematics.of_times ? "" : tr` Intercept: ${figures(data.intercepts[state.index], 4)}.`}`;
}
