/** Two classes: what becomes of held-out rows when a probability above a cut-off counts as the second class. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside, tick } from "../axes.js";
import { NEEDS_DATA, box, heading, known, note, percent, sized } from "../panels.js";
import { rule, shortened, whole } from "./strength.js";
import { COLOURS, DASHES, FAINT, GRID, curve, drawing, element, figures, segment, through, words } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("../payload.js").Decisions} Decisions */
/** @typedef {{ cutoff: number, found: number, missed: number, alarms: number, passed: number, cost: number }} Cells rows of the second class that are found and missed, of the first that are false alarms and that pass */

const [SIDE, GAP, LEFT] = [212, 82, 86]; // of a panel in pixels, between two of them, and left of the first

const HEIGHT = SIDE + 96; // of a panel with its heading and its axis

/** The four cells at every cut-off. @param {Decisions} stored @param {number} index @param {State} state @returns {Cells[]} */
export function cellsOf({ cutoffs, positive, negative }, index, { cost_missed, cost_alarm }) {
  let [missed, passed] = [0, 0];
  const total = (/** @type {number[]} */ counts) => counts.reduce((sum, count) => sum + count, 0);
  const [ones, zeros] = [total(positive[index]), total(negative[index])];
  return cutoffs.map((cutoff, k) => {
    missed += positive[index][k];
    passed += negative[index][k];
    return { cutoff, found: ones - missed, missed, alarms: zeros - passed, passed, cost: cost_missed * missed + cost_alarm * (zeros - passed) };
  });
}

/** The place of the cheapest cut-off, in the middle of those that cost the same. @param {Cells[]} cells */
export function cheapest(cells) {
  const least = Math.min(...cells.map((one) => one.cost));
  const places = cells.flatMap((one, k) => (one.cost === least ? [k] : []));
  return places[Math.floor((places.length - 1) / 2)];
}

/** @type {import("../payload.js").View} */
export const decisions = {
  id: "decisions",
  title: tr`Right and wrong at a cut-off`,
  missing: (data) => (data.evidence?.decisions ? "" : NEEDS_DATA),
  draw(data, state) {
    const stored = /** @type {Decisions} */ (data.evidence?.decisions);
    const cells = cellsOf(stored, state.index, state);
    const here = cells[state.cutoff];
    const sentence = told(data, state, stored, cells, here);
    const { width, style } = sized(state);
    const columns = state.narrow ? [LEFT] : [LEFT, LEFT + SIDE + GAP];
    const panels = [matrix(data, here), costs(cells, state), roc(data, stored, cells, state), recall(data, stored, cells, state)];
    const placed = panels.map((panel, k) => element("g", { transform: `translate(${columns[k % columns.length]} ${22 + HEIGHT * Math.floor(k / columns.length)})` }, panel));
    return { svg: drawing({ id: "decisions", width, style, height: 4 + HEIGHT * (panels.length / columns.length), title: decisions.title, description: sentence }, placed), sentence, table: table(cells, state.cutoff) };
  },
};

/** The names of the two classes. @param {Payload} data @param {number} [room] */
const namesOf = (data, room = 40) => [0, 1].map((k) => shortened(data.classes[k] ?? String(k), room));

/** Four cells, the darker the more of their class. @param {Payload} data @param {Cells} here */
function matrix(data, { found, missed, alarms, passed }) {
  const size = SIDE / 2;
  const [zero, one] = namesOf(data, 11);
  const rows = [[passed, alarms], [missed, found]];
  const cells = rows.flatMap((row, i) => row.map((count, j) => {
    const share = row[0] + row[1] ? count / (row[0] + row[1]) : 0;
    const [x, y] = [j * size, 22 + i * size];
    const middle = { "text-anchor": "middle" };
    return element("rect", { x: x + 0.5, y: y + 0.5, width: size - 1, height: size - 1, fill: COLOURS[i === j ? 0 : 1], "fill-opacity": (0.08 + 0.42 * share).toFixed(3), stroke: GRID })
      + words(x + size / 2, y + size / 2, whole(count), { ...middle, "font-size": 16 }) + words(x + size / 2, y + size / 2 + 18, percent(share), middle);
  }));
  const names = [zero, one].flatMap((name, k) => [
    words(-8, 26 + (k + 0.5) * size, name, { "text-anchor": "end" }),
    words((k + 0.5) * size, 14, tr`as ${name}`, { "text-anchor": "middle" }),
  ]);
  return [heading(-72, -6, tr`Class, and what it is called`), ...names, ...cells].join("");
}

/** A square panel with both axes from 0 to 1. @param {string} title @param {string} across @param {string} up */
function unitSquare(title, across, up) {
  const x = scaleLinear().domain([0, 1]).range([0, SIDE]);
  const y = scaleLinear().domain([0, 1]).range([SIDE, 0]);
  const axes = element("g", { transform: "translate(0 22)" }, element("g", { transform: "translate(-56 0)" }, beside(y, 56, 56 + SIDE, up, { ticks: 5 })) + below(x, SIDE, across, { ticks: 5 }) + box(0, 0, SIDE, SIDE));
  return { x, y: (/** @type {number} */ value) => 22 + y(value), frame: heading(-56, -6, title) + axes };
}

/** The mark of the cut-off in use. @param {number} x @param {number} y */
const mark = (x, y) => element("circle", { cx: x, cy: y, r: 5.5, fill: COLOURS[1], stroke: "var(--card)", "stroke-width": 1.5 });

/** @param {number} part @param {number} whole */
const shareOf = (part, whole) => (whole ? part / whole : 0);

/** @param {Payload} data @param {Decisions} stored @param {Cells[]} cells @param {State} state */
function roc(data, stored, cells, state) {
  const [zero, one] = namesOf(data, 12);
  const { x, y, frame } = unitSquare(area(tr`ROC curve`, stored.auc[state.index]), tr`share of ${zero} called ${one}`, tr`share of ${one} found`);
  const point = (/** @type {Cells} */ at) => /** @type {[number, number]} */ ([x(shareOf(at.alarms, at.alarms + at.passed)), y(shareOf(at.found, at.found + at.missed))]);
  const chance = segment(x(0), y(0), x(1), y(1), { stroke: FAINT, "stroke-dasharray": DASHES[1] });
  return frame + chance + curve(through([[x(1), y(1)], ...cells.map(point), [x(0), y(0)]]), { stroke: COLOURS[0], "stroke-width": 2 }) + mark(...point(cells[state.cutoff]));
}

/** @param {Payload} data @param {Decisions} stored @param {Cells[]} cells @param {State} state */
function recall(data, stored, cells, state) {
  const one = namesOf(data, 12)[1];
  const { x, y, frame } = unitSquare(area(tr`Precision and recall`, stored.average_precision[state.index]), tr`share of ${one} found (recall)`, tr`of those called, right`);
  const called = cells.filter((at) => at.found + at.alarms > 0);
  const point = (/** @type {Cells} */ at) => /** @type {[number, number]} */ ([x(shareOf(at.found, at.found + at.missed)), y(shareOf(at.found, at.found + at.alarms))]);
  const { found, missed, alarms, passed } = cells[0];
  const base = shareOf(found + missed, found + missed + alarms + passed);
  const here = cells[state.cutoff];
  return frame + segment(x(0), y(base), x(1), y(base), { stroke: FAINT, "stroke-dasharray": DASHES[1] })
    + curve(through([[x(1), y(base)], ...called.map(point)]), { stroke: COLOURS[0], "stroke-width": 2 }) + (here.found + here.alarms > 0 ? mark(...point(here)) : "");
}

/** @param {string} name @param {number | null} value */
const area = (name, value) => (known(value) ? `${name}: ${figures(value)}` : name);

/** What all errors cost at each cut-off. @param {Cells[]} cells @param {State} state */
function costs(cells, state) {
  const most = Math.max(...cells.map((one) => one.cost));
  if (!(most > 0)) return heading(-56, -6, tr`Cost of all errors`) + note(SIDE / 2, 120, tr`no cost at any cut-off`);
  const x = scaleLinear().domain([0, 1]).range([0, SIDE]);
  const y = scaleLinear().domain([0, most]).range([SIDE, 0]).nice(5);
  const at = (/** @type {Cells} */ one) => /** @type {[number, number]} */ ([x(one.cutoff), 22 + y(one.cost)]);
  const best = cells[cheapest(cells)];
  const axes = element("g", { transform: "translate(0 22)" }, element("g", { transform: "translate(-56 0)" }, beside(y, 56, 56 + SIDE, tr`cost`, { ticks: 5 })) + below(x, SIDE, tr`cut-off`, { ticks: 5 }) + box(0, 0, SIDE, SIDE));
  const least = segment(at(best)[0], 22, at(best)[0], 22 + SIDE, { stroke: FAINT, "stroke-dasharray": DASHES[1] });
  return heading(-56, -6, tr`Cost of all errors`) + axes + least + curve(through(cells.map(at)), { stroke: COLOURS[0], "stroke-width": 2 }) + mark(...at(cells[state.cutoff]));
}

/** @param {Payload} data @param {State} state @param {Decisions} stored @param {Cells[]} cells @param {Cells} here */
function told(data, state, stored, cells, here) {
  const { found, missed, alarms, passed } = here;
  const [rows, ones, zeros] = [found + missed + alarms + passed, found + missed, alarms + passed];
  const [zero, one] = namesOf(data);
  const at = tr`At ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}`;
  if (rows === 0) return tr`${at} no row has a prediction by a model that was not fitted to it.`;
  const common = Math.max(ones, zeros) / rows;
  const first = tr`${at}, a row is called “${one}” above a probability of ${tick(here.cutoff)}: of ${whole(rows)} held-out rows ${whole(found + passed)} (${percent((found + passed) / rows)}) are right; always saying “${ones > zeros ? one : zero}” would be right for ${percent(common)}.`;
  const wrong = tr` ${whole(missed)} of ${whole(ones)} “${one}” are missed, ${whole(alarms)} of ${whole(zeros)} “${zero}” are called “${one}”.`;
  const { cost_missed, cost_alarm } = state;
  const best = cells[cheapest(cells)];
  const word = cost_alarm / (cost_alarm + cost_missed || 1);
  const price = cost_missed + cost_alarm > 0 ? tr` With a cost of ${tick(cost_missed)} for each miss and ${tick(cost_alarm)} for each false alarm, all errors cost ${tick(here.cost)}; on these rows the cheapest cut-off is ${tick(best.cutoff)} (${tick(best.cost)}), and for probabilities that can be taken at their word it is ${figures(word)}.` : "";
  const known_area = stored.auc[state.index];
  const ranks = known(known_area) ? tr` In ${percent(known_area)} of all pairs of a “${one}” and a “${zero}” the first has the higher probability.` : "";
  return first + wrong + price + ranks;
}

/** Every twentieth, and the one in use. @param {Cells[]} cells @param {number} chosen @returns {import("../payload.js").Shown["table"]} */
function table(cells, chosen) {
  const shown = cells.filter((one, k) => k === chosen || Math.abs(one.cutoff * 20 - Math.round(one.cutoff * 20)) < 1e-9);
  const share = (/** @type {number} */ part, /** @type {number} */ all) => (all ? percent(part / all) : "–");
  return {
    head: [tr`cut-off`, tr`found`, tr`missed`, tr`false alarms`, tr`passed`, tr`right`, tr`precision`, tr`recall`, tr`cost`],
    rows: shown.map(({ cutoff, found, missed, alarms, passed, cost }) => [tick(cutoff), found, missed, alarms, passed, share(found + passed, found + missed + alarms + passed), share(found, found + alarms), share(found, found + missed), tick(cost)]),
  };
}
