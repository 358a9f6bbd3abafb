/** Where the model errs most: held-out rows in groups by the columns of the table. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below } from "../axes.js";
import { NEEDS_DATA, borrowed, known, nearest, percent, sized } from "../panels.js";
import { rule, shortened, whole } from "./strength.js";
import { COLOURS, FAINT, INK, drawing, element, figures, segment, words } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").RowGroups} RowGroups @typedef {RowGroups["told"][number][number]} Group */

const [TOP, STEP] = [40, 30];

/** @type {import("../payload.js").View} */
export const row_groups = {
  id: "row_groups",
  title: tr`Where the model errs most`,
  missing: (data) => (data.evidence?.row_groups ? "" : NEEDS_DATA),
  draw(data, state) {
    const stored = /** @type {RowGroups} */ (data.evidence?.row_groups);
    const place = nearest(stored.at, state.index);
    const sentence = told(data, state.index, stored, place) + borrowed(data.lambdas, stored.at[place], state.index);
    return { svg: picture(data, state, stored, place, sentence), sentence, table: table(data, stored, place) };
  },
};

/** An error in words: a share of wrong rows, or the size in the unit of the target. @param {Payload} data @param {number | null} value */
const shown = (data, value) => (data.mathematics.has_classes ? percent(value) : figures(value));

/** @param {Payload} data @param {import("../payload.js").State} state @param {RowGroups} stored @param {number} place @param {string} description */
function picture(data, state, stored, place, description) {
  const { width, right, style } = sized(state);
  const groups = stored.told[place];
  const left = state.narrow ? 150 : 250;
  const overall = stored.overall[place] ?? 0;
  const most = Math.max(overall, ...groups.map((group) => group.error)) || 1;
  const x = scaleLinear().domain([0, most]).range([left, right - 62]).nice();
  const bottom = TOP + STEP * Math.max(1, groups.length) + 6;
  const label = data.mathematics.has_classes ? tr`share of wrong rows` : tr`mean absolute error`;
  const rows = groups.map((group, k) => {
    const y = TOP + STEP * k;
    const strong = group.excess > stored.by_chance;
    return words(left - 8, y + 15, shortened(group.name, state.narrow ? 19 : 33), { "text-anchor": "end" })
      + element("rect", { x: left, y: y + 2, width: Math.max(1, x(group.error) - left), height: STEP - 10, fill: COLOURS[0], "fill-opacity": strong ? 0.75 : 0.3 })
      + words(x(group.error) + 6, y + 15, shown(data, group.error));
  });
  return drawing({ id: "row-groups", width, style, height: bottom + 48, title: row_groups.title, description }, [
    words(x(overall), TOP - 10, tr`all rows ${shown(data, overall)}`, { "text-anchor": "middle", fill: FAINT }),
    ...rows,
    segment(x(overall), TOP - 4, x(overall), bottom, { stroke: INK, "stroke-dasharray": "4 3" }),
    below(x, bottom, label, { ticks: state.narrow ? 3 : 5, ...(data.mathematics.has_classes ? { format: percent } : {}) }),
  ]);
}

/** @param {Payload} data @param {number} index @param {RowGroups} stored @param {number} place */
function told(data, index, stored, place) {
  const groups = stored.told[place];
  const at = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}, for held-out rows: `;
  const overall = stored.overall[place];
  if (!known(overall)) return tr`${at}no predictions are stored.`;
  const wrong = data.mathematics.has_classes;
  const whole_ = wrong ? tr`${shown(data, overall)} of all rows are wrong.` : tr`predictions are off by ${shown(data, overall)} on average.`;
  if (!groups.length) return tr`${at}${whole_} No column parts the rows into groups that are large enough.`;
  const strong = groups.filter((group) => group.excess > stored.by_chance).length;
  if (!strong) return tr`${at}${whole_} None of the ${whole(stored.n_groups)} groups by single columns stands out: their differences are no larger than chance makes them.`;
  const worst = groups[0];
  const [error, size] = [shown(data, worst.error), whole(worst.n_rows)];
  const first = wrong ? tr` More often where ${worst.name}: ${error} of ${size} rows.` : tr` By more where ${worst.name}: ${error} in ${size} rows.`;
  return tr`${at}${whole_}${first}${shifted(data, groups)} Dark bars are groups that err by more than the luck of ${whole(stored.n_groups)} groups explains.`;
}

/** The group whose predictions lie on one side the most. @param {Payload} data @param {Group[]} groups */
function shifted(data, groups) {
  if (data.outputs.length) return "";
  const sure = (/** @type {Group} */ group) => (group.bias_se > 0 ? Math.abs(group.bias) / group.bias_se : 0);
  const far = groups.reduce((most, group) => (sure(group) > sure(most) ? group : most));
  if (sure(far) < 4) return "";
  const size = data.mathematics.has_classes ? tr`${percent(Math.abs(far.bias))} of the rows` : figures(Math.abs(far.bias));
  const first = far.bias > 0 ? tr` Where ${far.name}, predictions are too low by ${size} on average` : tr` Where ${far.name}, predictions are too high by ${size} on average`;
  return tr`${first}: a form of this column that the model lacks (a square, a level, a product with another column) might help.`;
}

/** @param {Payload} data @param {RowGroups} stored @param {number} place @returns {import("../payload.js").Shown["table"]} */
function table(data, stored, place) {
  const several = data.outputs.length > 0;
  const error = data.mathematics.has_classes ? tr`wrong` : tr`mean absolute error`;
  return {
    head: [tr`group`, tr`rows`, error, tr`standard errors above all rows`, ...(several ? [] : [tr`observed − predicted`, tr`± standard error`])],
    rows: stored.told[place].map((group) => [group.name, group.n_rows, shown(data, group.error), figures(group.excess), ...(several ? [] : [figures(group.bias), figures(group.bias_se)])]),
  };
}
