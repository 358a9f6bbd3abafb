/** Every coefficient along the path; of many outputs the length of those of a feature. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { beside } from "../axes.js";
import { COLOURS, DASHES, FAINT, apart, curve, drawing, element, escape, figures, segment, through, words } from "../svg.js";
import { keptOf } from "./columns.js";
import { kindOf } from "./outputs.js";
import { nearestInPictures, pictured, pictures, tableOf } from "./outputs_path.js";
import { BOTTOM, HEIGHT, LEFT, TOP, cursor, framed, inFrame, kept, marks, matches, positive, rule, shortened, strengths, whole, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").State} State */

const NAMED = 12;
const WITH_RANGE = 6; // of the named curves, or the one under the pointer

/** Where the curves end; their names stand where lambda is. @param {State} state */
const rightOf = (state) => widthOf(state) - 20;

/** A coefficient in the unit that the reader chose. @param {import("../payload.js").Feature} feature @param {number} l @param {boolean} perSd */
const coefficient = (feature, l, perSd) => feature.coefs[l] * (perSd ? feature.scale : 1);

/** Where things stand in the drawing. @param {Payload} data @param {State} state */
function places(data, state) {
  const x = strengths(data, state.axis, rightOf(state));
  const seen = inFrame(data, state.index);
  const values = data.features.flatMap((feature) => seen.map((l) => coefficient(feature, l, state.per_sd)));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const air = 0.05 * (high - low) || 1;
  const y = scaleLinear().domain([low - air, high + air]).range([BOTTOM, TOP]);
  return { x, y };
}

/**
 * What is nearest to a place in the drawing: the index of lambda, and the curve if one is near.
 * @param {Payload} data @param {State} state @param {number} across @param {number} down
 * @returns {{ index: number, feature: number | null }}
 */
export function nearest(data, state, across, down) {
  if (pictured(data)) return nearestInPictures(data, state, across, down);
  const { x, y } = places(data, state);
  const index = x.at.reduce((best, at, l) => (Math.abs(at - across) < Math.abs(x.at[best] - across) ? l : best), 0);
  if (down < TOP || down > BOTTOM || across < LEFT) return { index, feature: null };
  let feature = null;
  let closest = 14;
  data.features.forEach((one, j) => {
    const away = Math.abs(y(coefficient(one, index, state.per_sd)) - down);
    if (away < closest && one.coefs[index] !== 0) [feature, closest] = [j, away];
  });
  return { index, feature };
}

/** The features with a name at their end: those that count most among the names asked for, and the one under the pointer. @param {Payload} data @param {State} state */
function namedOnes(data, state) {
  const named = data.features.map((_, j) => j).filter((j) => matches(data.features[j].name, state.filter)).slice(0, NAMED);
  if (state.hovered !== null && !named.includes(state.hovered)) named.push(state.hovered);
  return named;
}

/** All other features as one grey line, to whole pixels, since they may be thousands. @param {Payload} data @param {State} state @param {number[]} at @param {import("d3-scale").ScaleLinear<number, number>} y */
function others(data, state, at, y) {
  const parts = data.others.map(({ scale, coefs }) => {
    const unit = state.per_sd ? scale : 1;
    let [x0, y0] = [0, 0];
    return coefs
      .map(([l, value], k) => {
        const [x1, y1] = [Math.round(at[l]), Math.round(y(value * unit))];
        const step = `${k ? "l" : "M"}${x1 - x0} ${y1 - y0}`;
        [x0, y0] = [x1, y1];
        return step;
      })
      .join("");
  });
  return curve(parts.join(""), { stroke: FAINT, "stroke-width": 0.5, opacity: 0.5 });
}

/** @type {import("../payload.js").View} */
export const coefficients = {
  id: "coefficients",
  title: tr`How the coefficients grow`,
  missing: (data) => (data.features.length ? "" : tr`No feature is kept at any lambda, so there is no curve to draw.`),
  draw(data, state) {
    const named = namedOnes(data, state);
    if (pictured(data)) {
      const sentence = describe(data, state, named);
      return { svg: pictures(data, state, named, sentence), sentence, table: tableOf(data, state) };
    }
    const { x, y } = places(data, state);
    const right = rightOf(state);
    const unit = state.per_sd ? tr`per SD` : tr`per unit`;
    const lines = data.features.map((feature, j) => {
      const rank = named.indexOf(j);
      const quiet = state.hovered !== null ? j !== state.hovered : rank < 0 && state.filter.trim() !== "";
      const path = through(feature.coefs.map((_, l) => [x.at[l], y(coefficient(feature, l, state.per_sd))]));
      const look = rank < 0 ? { stroke: FAINT, "stroke-width": 0.7 } : { stroke: colour(rank), "stroke-width": j === state.hovered ? 3.5 : 2, "stroke-dasharray": dash(rank) };
      return { j, text: element("path", { d: path, fill: "none", ...look, opacity: quiet ? 0.2 : undefined }, element("title", {}, escape(feature.name))) };
    });
    lines.reverse().sort((a, b) => Number(a.j === state.hovered) - Number(b.j === state.hovered));
    const body = [
      beside(y, LEFT, right, data.outputs.length ? tr`length over the ${kindOf(data)[1]}, ${unit}` : tr`coefficient ${unit}`),
      x.axis,
      kept(data, x.at),
      segment(LEFT, y(0), right, y(0), { stroke: FAINT }),
      framed("coefficients-frame", right, others(data, state, x.at, y) + lines.map((line) => line.text).join("")),
      marks(data, x.at),
      cursor(x.at[state.index]),
      whiskers(data, state, named, x.at[state.index], y),
      labels(data, state, named, x.at[state.index], y),
      cut(data, state, named, y),
    ];
    const sentence = describe(data, state, named);
    const title = tr`Coefficient path`;
    return { svg: drawing({ id: "coefficients", width: widthOf(state), height: HEIGHT, title, description: sentence }, body), sentence, table: table(data, state) };
  },
};

/** @param {number} rank */
const colour = (rank) => COLOURS[rank % COLOURS.length];
/** @param {number} rank */
const dash = (rank) => DASHES[Math.floor(rank / COLOURS.length) % DASHES.length];

/** On which side of lambda the names stand: where there is more room. @param {State} state @param {number} at */
const sideOf = (state, at) => (at > LEFT + 0.6 * (rightOf(state) - LEFT) ? -1 : 1);

/** The ranges over samples, or else over folds, that are known at this lambda. @param {Payload} data @param {State} state */
function rangesAt({ ranges, fold_ranges }, state) {
  const stored = [ranges, fold_ranges].find((one) => one?.at.includes(state.index));
  return stored ? { stored, place: stored.at.indexOf(state.index) } : null;
}

/** These ranges of some named curves that are not at zero, side by side where lambda stands. @param {Payload} data @param {State} state @param {number[]} named @param {number} at @param {import("d3-scale").ScaleLinear<number, number>} y */
function whiskers(data, state, named, at, y) {
  const known = rangesAt(data, state);
  if (!known) return "";
  const { low, high } = known.stored;
  const drawn = named
    .filter((j) => data.features[j].coefs[state.index] !== 0 && (state.hovered ?? j) === j)
    .slice(0, WITH_RANGE)
    .map((j, k) => {
      const unit = state.per_sd ? 1 : data.features[j].scale;
      const across = at - sideOf(state, at) * (5 + 4 * k);
      return segment(across, y(low[known.place][j] / unit), across, y(high[known.place][j] / unit), { stroke: colour(named.indexOf(j)), "stroke-width": 1.5 });
    });
  return framed("coefficients-ranges", rightOf(state), drawn.join(""));
}

/** The names of the curves that are not at zero, where lambda stands, and the one that is asked for. @param {Payload} data @param {State} state @param {number[]} named @param {number} at @param {import("d3-scale").ScaleLinear<number, number>} y */
function labels(data, state, named, at, y) {
  const side = sideOf(state, at);
  const shown = named.filter((j) => data.features[j].coefs[state.index] !== 0 || j === state.hovered);
  const wanted = shown.map((j) => Math.min(BOTTOM, Math.max(TOP, y(coefficient(data.features[j], state.index, state.per_sd)))));
  const heights = apart(wanted, 15, TOP + 6, BOTTOM - 6);
  return shown
    .map((j, k) => {
      const quiet = state.hovered !== null && state.hovered !== j ? 0.35 : undefined;
      const mark = segment(at, wanted[k], at + side * 12, heights[k], { stroke: colour(named.indexOf(j)), "stroke-width": 1.5 });
      const name = shortened(data.features[j].name, state.narrow ? 16 : 26);
      return element("g", { opacity: quiet }, mark + words(at + side * 15, heights[k] + 4, name, { ...HALO, "text-anchor": side < 0 ? "end" : "start", "font-weight": state.hovered === j ? 700 : undefined }));
    })
    .join("");
}

/** Keeps words apart from the curves below them. */
const HALO = { stroke: "var(--paper)", "stroke-width": 3.5, "stroke-linejoin": "round", "paint-order": "stroke" };

/** Says so where a curve leaves the frame. @param {Payload} data @param {State} state @param {number[]} named @param {import("d3-scale").ScaleLinear<number, number>} y */
function cut(data, state, named, y) {
  const [low, high] = y.domain();
  const leaves = named.some((j) => data.features[j].coefs.some((_, l) => coefficient(data.features[j], l, state.per_sd) > high || coefficient(data.features[j], l, state.per_sd) < low));
  return leaves ? words(rightOf(state) - 4, BOTTOM - 8, tr`some curves leave the frame`, { ...HALO, fill: FAINT, "font-size": 11, "text-anchor": "end" }) : "";
}

/** @param {Payload} data @param {State} state @param {number[]} named */
function describe(data, state, named) {
  const lam = tr`At ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}`;
  const unit = state.per_sd ? tr`per SD` : tr`per unit`;
  if (state.hovered !== null) {
    const feature = data.features[state.hovered];
    const entry = feature.coefs.findIndex((value) => value !== 0);
    const enters = data.l1_ratio === 0 || entry < 0 ? "" : tr`; it enters at lambda ${figures(positive(data.lambdas)[entry])}`;
    return tr`${feature.name}: ${figures(coefficient(feature, state.index, state.per_sd))} ${unit} at ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}${enters}.`;
  }
  if (state.filter.trim() !== "" && named.length === 0) return tr`None of the features drawn here has a name with “${state.filter.trim()}”.`;
  const largest = largestFirst(data, state).slice(0, 3).map(({ feature, value }) => `${feature.name} (${figures(value)})`);
  const count = data.l1_ratio === 0 ? tr`all ${keptOf(data, state.index)} are used` : tr`${keptOf(data, state.index)} are kept`;
  const most = data.outputs.length ? tr`the largest over all ${kindOf(data)[1]} (length ${unit})` : tr`the largest coefficients ${unit}`;
  return tr`${lam}, ${count}${largest.length ? `; ${most}: ${largest.join(", ")}` : ""}.${undrawn(data)}` + ofWhiskers(data, state);
}

/** What the whiskers say. @param {Payload} data @param {State} state */
function ofWhiskers(data, state) {
  const known = rangesAt(data, state);
  if (!known || data.outputs.length) return "";
  const { middle, n_fits } = known.stored;
  return middle < 1 ? tr` Whiskers: the middle ${Math.round(100 * middle)} % of ${whole(n_fits)} samples of the rows.` : tr` Whiskers: from the least to the most of the ${whole(n_fits)} folds.`;
}

/** What the drawing leaves out. @param {Payload} data */
function undrawn(data) {
  const drawn = data.features.length + data.others.length;
  return data.others_complete || drawn >= data.n_features ? "" : tr` Drawn are the ${whole(drawn)} that count most.`;
}

/** @param {Payload} data @param {State} state */
function largestFirst(data, state) {
  return data.features
    .map((feature) => ({ feature, value: coefficient(feature, state.index, state.per_sd) }))
    .filter(({ feature }) => feature.coefs[state.index] !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/** @param {Payload} data @param {State} state */
function table(data, state) {
  const { best, one_se } = data.cv ?? { best: data.picked, one_se: data.picked };
  const columns = [state.index, one_se, best];
  const head = [tr`feature`, ...columns.map((l, k) => `${[tr`at this lambda`, tr`1-SE`, tr`best`][k]} (${figures(data.lambdas[l])})`)];
  return { head, rows: data.features.map((feature) => [feature.name, ...columns.map((l) => figures(coefficient(feature, l, state.per_sd)))]) };
}
