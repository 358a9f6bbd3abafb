/** The loss and the penalty as a map of two coefficients: why the solution lies where contour and ball touch. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { FINE, closer, filled, levels, lines, lowest } from "../contours.js";
import { ball, centre, cleaned, cone, ellipse, outside, penalty, reach, value } from "../geometry.js";
import { NEEDS_DATA, ONE_OUTPUT, ON_GROUPS, box, boxOfKey, clipping, entryOfKey, inColumns, known, shortened, sized } from "../panels.js";
import { scene } from "../scene.js";
import { COLOURS, FAINT, INK, curve, drawing, element, figures, segment, through, words } from "../svg.js";

/** @typedef {import("../geometry.js").Point} Point @typedef {import("../scene.js").Scene} Scene @typedef {import("../payload.js").State} State @typedef {import("d3-scale").ScaleLinear<number, number>} Linear */

const TOP = 14;
const ARROW = 84; // pixels: the arrow shows a direction, its size is in the sentence
const [LOSS, BALL, PULL, NORMAL] = [COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3]];

/** @type {import("../payload.js").View} */
export const geometry = {
  id: "geometry",
  title: tr`Two coefficients: the loss, the ball and where they touch`,
  missing(data) {
    if (data.outputs.length) return ONE_OUTPUT;
    if (data.n_groups > 0) return ON_GROUPS;
    if (!data.evidence) return NEEDS_DATA;
    return data.features.length < 2 ? tr`This view needs two features; the model has fewer.` : "";
  },
  draw(data, state) {
    const found = scene(data, state);
    if (typeof found === "string") return empty(state, found);
    const sentence = told(found, data.l1_ratio, state.slice);
    return { svg: picture(state, found, data.l1_ratio, sentence), sentence, table: table(found) };
  },
};

/** @param {State} state @param {string} why @returns {import("../payload.js").Shown} */
function empty(state, why) {
  const { width, style } = sized(state);
  const svg = drawing({ id: "geometry", width, style, height: 120, title: geometry.title, description: why }, [
    box(1, 1, width - 2, 118),
    words(width / 2, 64, shortened(why, Math.floor(width / 7.4)), { "text-anchor": "middle", fill: FAINT, "font-size": 13 }),
  ]);
  return { svg, sentence: why, table: { head: ["", tr`value`], rows: [] } };
}

/**
 * The part of the plane that is shown. Its size doubles in steps, so that the ball is seen to grow between them; it
 * reaches to the centre of the contours where that is not far.
 * @param {Scene} shown @returns {[Point, Point]}
 */
function frame({ at, path, centre: free, weights, known: ranges }) {
  if (ranges) return squared(ranges);
  const extent = (/** @type {Point} */ u) => Math.max(...tips(weights, u).filter(Number.isFinite), Math.abs(u[0]), Math.abs(u[1]));
  const wanted = extent(at) || extent(path.find((u) => extent(u) > 0) ?? [1, 1]);
  const unit = 2 ** Math.ceil(Math.log2(wanted));
  const signs = [0, 1].map((i) => Math.sign(at[i]) || Math.sign(free?.[i] ?? 1) || 1);
  const ahead = free ? Math.max(free[0] * signs[0], free[1] * signs[1]) / unit : 0;
  const behind = free ? Math.max(0, -free[0] * signs[0], -free[1] * signs[1]) / unit : 0;
  const near = ahead <= 3.4 && behind <= 1.5;
  const far = near && ahead > 1.1 ? (ahead > 2.2 ? 3.6 : 2.3) : 1.2;
  const back = near && behind > 1 ? 1.6 : 1.1;
  /** @type {(sign: number) => Point} */
  const range = (sign) => (sign > 0 ? [-back * unit, far * unit] : [-far * unit, back * unit]);
  return [range(signs[0]), range(signs[1])];
}

/** The largest square, since both axes have one unit. @param {[Point, Point]} ranges @returns {[Point, Point]} */
function squared([x, y]) {
  const half = Math.min(x[1] - x[0], y[1] - y[0]) / 2;
  /** @type {(range: Point) => Point} */
  const cut = ([low, high]) => [(low + high) / 2 - half, (low + high) / 2 + half];
  return [cut(x), cut(y)];
}

/** How far the ball through a point reaches along the axes. @param {import("../geometry.js").Weights} w @param {Point} u */
const tips = (w, u) => [reach(w, penalty(w, u), [1, 0]), reach(w, penalty(w, u), [0, 1])];

/** @param {State} state @param {Scene} shown @param {number} l1_ratio @param {string} description */
function picture(state, shown, l1_ratio, description) {
  const [xs, ys] = frame(shown);
  const [left, side] = state.narrow ? [70, 316] : [100, 440];
  const [right, bottom] = [left + side, TOP + side];
  const { width, style } = sized(state);
  const x = scaleLinear().domain(xs).range([left, right]);
  const y = scaleLinear().domain(ys).range([bottom, TOP]);
  const inside = element("g", { "clip-path": "url(#geometry-clip)" }, [
    segment(x(0), TOP, x(0), bottom, { stroke: FAINT }) + segment(left, y(0), right, y(0), { stroke: FAINT }),
    ballShape(shown, x, y),
    contourLines(shown, x, y),
    normals(shown, x, y),
    marks(shown, x, y),
  ].join(""));
  return drawing({ id: "geometry", width, style, height: bottom + (state.narrow ? 214 : 136), title: geometry.title, description }, [
    clipping("geometry-clip", left, TOP, side, side),
    beside(y, left, right, tr`${shortened(shown.names[1], state.narrow ? 30 : 40)} (per SD)`),
    below(x, bottom, tr`${shortened(shown.names[0], state.narrow ? 30 : 40)} (per SD)`),
    inside,
    box(left, TOP, side, side),
    key(shown, l1_ratio, state.narrow ? [20] : [20, 320], bottom + 64),
  ]);
}

/** @param {Scene} shown @param {Linear} x @param {Linear} y */
function ballShape({ weights, at }, x, y) {
  const far = 4 * Math.max(...[...x.domain(), ...y.domain()].map(Math.abs));
  const t = penalty(weights, at);
  if (!(t > 0)) return "";
  const outline = ball(weights, t, far).map((u) => /** @type {Point} */ ([x(u[0]), y(u[1])]));
  return curve(through(outline), { fill: "var(--band)", stroke: BALL, "stroke-width": 2 });
}

/** @param {Scene} shown @param {Linear} x @param {Linear} y */
function contourLines(shown, x, y) {
  const { quadratic, loss, level, at } = shown;
  const middle = quadratic && centre(quadratic);
  const [fine, own] = [{ stroke: LOSS, "stroke-opacity": 0.45 }, { stroke: LOSS, "stroke-width": 2.2 }];
  if (quadratic && middle && exactEllipse(quadratic.hessian)) {
    const least = value(quadratic, middle);
    const oval = (/** @type {number} */ at, /** @type {Record<string, string | number>} */ look) => ovalAt(quadratic.hessian, middle, at - least, x, y, look);
    const corners = x.domain().flatMap((a) => y.domain().map((b) => value(quadratic, [a, b])));
    const ring = level > least ? oval(level, own) : "";
    return levels(least, Math.max(...corners), level).map((at) => oval(at, fine)).join("") + ring;
  }
  const field = filled(/** @type {Point} */ (x.domain()), /** @type {Point} */ (y.domain()), FINE, loss);
  const [near, least] = [closer(field, loss, at), lowest(field)];
  const most = field.loss.reduce((/** @type {number} */ top, one) => (known(one) && one > top ? one : top), least);
  const path = (/** @type {import("../contours.js").Grid} */ from, /** @type {number} */ height, /** @type {Record<string, string | number>} */ look) =>
    curve(lines(from, height).map((ring) => through(ring.map(([a, b]) => [x(a), y(b)]))).join(""), look);
  if (!known(least)) return "";
  return levels(least, most, level).map((height) => path(field, height, fine)).join("") + (level > lowest(near) ? path(near, level, own) : "");
}

/** Whether a contour is an ellipse that fits into numbers, not a pair of lines. @param {import("../geometry.js").Hessian} h */
function exactEllipse(h) {
  const { rx, ry } = ellipse(h, 1);
  return Number.isFinite(ry) && ry < 1e3 * rx;
}

/** @param {import("../geometry.js").Hessian} h @param {Point} centre @param {number} above @param {Linear} x @param {Linear} y @param {Record<string, string | number>} look */
function ovalAt(h, centre, above, x, y, look) {
  const unit = x(1) - x(0);
  const { rx, ry, angle } = ellipse(h, above);
  const turn = `translate(${figured(x(centre[0]))} ${figured(y(centre[1]))}) rotate(${figured((-angle * 180) / Math.PI)})`;
  return element("ellipse", { cx: 0, cy: 0, rx: rx * unit, ry: ry * unit, fill: "none", transform: turn, "vector-effect": "non-scaling-stroke", ...look });
}

/** @param {number} at */
const figured = (at) => at.toFixed(3);

/** The normal cone and minus the gradient, from the solution. @param {Scene} shown @param {Linear} x @param {Linear} y */
function normals({ weights, at, gradient, lambda }, x, y) {
  /** @type {Point} */
  const from = [x(at[0]), y(at[1])];
  const rays = cone(weights, at);
  const tip = (/** @type {Point} */ v, /** @type {number} */ length) => /** @type {Point} */ ([from[0] + (length * v[0]) / Math.hypot(...v), from[1] - (length * v[1]) / Math.hypot(...v)]);
  const size = Math.hypot(...gradient);
  if (!(size > 0)) return "";
  const fan = rays.map((ray) => tip(ray, ARROW * 1.25));
  const shape =
    rays.length === 0 ? square(weights, from, ARROW / size, lambda) : curve(through([...fan.slice(0, 1), from, ...fan.slice(1)]), { fill: rays.length > 1 ? NORMAL : "none", "fill-opacity": 0.2, stroke: NORMAL, "stroke-width": 2, "stroke-dasharray": "6 4" });
  const end = tip([-gradient[0], -gradient[1]], ARROW);
  return shape + arrow(from, end);
}

/** At the origin: the gradients that keep both coefficients at zero, on the scale of the arrow. @param {import("../geometry.js").Weights} w @param {Point} from @param {number} unit @param {number} lambda */
function square(w, from, unit, lambda) {
  const [a, b] = [Math.min(1e4, lambda * w.l1[0] * unit), Math.min(1e4, lambda * w.l1[1] * unit)];
  return element("rect", { x: from[0] - a, y: from[1] - b, width: 2 * a, height: 2 * b, fill: NORMAL, "fill-opacity": 0.2, stroke: NORMAL, "stroke-width": 2, "stroke-dasharray": "6 4" });
}

/** @param {Point} from @param {Point} end */
function arrow(from, end) {
  const angle = Math.atan2(end[1] - from[1], end[0] - from[0]);
  const wing = (/** @type {number} */ turn) => /** @type {Point} */ ([end[0] - 11 * Math.cos(angle + turn), end[1] - 11 * Math.sin(angle + turn)]);
  return segment(from[0], from[1], end[0], end[1], { stroke: PULL, "stroke-width": 3 }) + curve(through([wing(0.45), end, wing(-0.45)]), { stroke: PULL, "stroke-width": 3 });
}

/** @param {number} x @param {number} y */
const cross = (x, y) => segment(x - 7, y, x + 7, y, { stroke: LOSS, "stroke-width": 3 }) + segment(x, y - 7, x, y + 7, { stroke: LOSS, "stroke-width": 3 });

/** The solution, and the solution without a penalty as a cross. @param {Scene} shown @param {Linear} x @param {Linear} y */
function marks({ at, centre: free }, x, y) {
  const dot = element("circle", { cx: x(at[0]), cy: y(at[1]), r: 6, fill: INK, stroke: "var(--paper)", "stroke-width": 2 });
  return (free ? cross(x(free[0]), y(free[1])) : "") + dot;
}

/** @param {number} l1_ratio */
const ballName = (l1_ratio) => (l1_ratio === 1 ? tr`L1 ball` : l1_ratio === 0 ? tr`L2 ball` : tr`elastic-net ball`);

/** @param {Scene} shown @param {number} l1_ratio @param {number[]} columns @param {number} top */
function key(shown, l1_ratio, columns, top) {
  const normal = shown.at[0] === 0 && shown.at[1] === 0 ? tr`gradients that keep both at 0` : tr`normals of the ball there`;
  return inColumns([
    (x, y) => entryOfKey(x, y, tr`contours of the loss${shown.caution ? tr` (approximate)` : ""}`, { stroke: LOSS }),
    (x, y) => entryOfKey(x, y, tr`minus the gradient (its direction)`, { stroke: PULL, "stroke-width": 3 }),
    (x, y) => boxOfKey(x, y, tr`${ballName(l1_ratio)} through the solution`, { fill: "var(--band)", stroke: BALL, "stroke-width": 2 }),
    (x, y) => boxOfKey(x, y, normal, { fill: NORMAL, "fill-opacity": 0.2, stroke: NORMAL, "stroke-dasharray": "6 4", "stroke-width": 2 }),
    (x, y) => element("circle", { cx: x + 12, cy: y - 4, r: 6, fill: INK }) + words(x + 30, y, tr`the solution: where they touch`, { "font-size": 13 }),
    (x, y) => (shown.centre ? cross(x + 12, y - 4) + words(x + 30, y, tr`without a penalty (if in the frame)`, { "font-size": 13 }) : ""),
  ], columns, top);
}

/** @param {Scene} shown @param {number} l1_ratio @param {"model" | "alone"} slice */
function told(shown, l1_ratio, slice) {
  const { names, at, centre: free, lambda, caution } = shown;
  const who = slice === "model" ? tr`In this model, all other coefficients held, ` : tr`With these two features alone, `;
  const first = tr`${who}lambda = ${figures(lambda)} gives ${names[0]} = ${figures(at[0])} and ${names[1]} = ${figures(at[1])} per SD.`;
  const without = free ? tr` Without a penalty they would be ${figures(free[0])} and ${figures(free[1])}${slice === "model" ? tr`, a centre that moves with lambda, since the others move too` : tr`, a centre that stays`}.` : "";
  const open = names.filter((_, i) => shown.weights.l1[i] === 0 && shown.weights.l2[i] === 0).map((name) => tr` ${name} is not penalised: the ball has no end in its direction.`);
  return `${first} ${why(shown, l1_ratio)}${open.join("")}${without}${caution ? ` ${caution}` : ""}`;
}

/** @param {Scene} shown @param {number} l1_ratio */
function why({ names, at, gradient, weights, lambda }, l1_ratio) {
  const [a, b] = cleaned(gradient);
  const pull = tr`minus the gradient, (${figures(-a)}, ${figures(-b)}),`;
  if (Math.hypot(...gradient) < 1e-9) return tr`The gradient of the loss is zero here: the penalty holds nothing back.`;
  const zeros = [0, 1].filter((i) => at[i] === 0 && weights.l1[i] > 0);
  const bound = (/** @type {number} */ i) => figures(lambda * weights.l1[i]);
  if (zeros.length === 2) return tr`The ball has shrunk to the origin: ${pull} stays within ${bound(0)} and ${bound(1)}, lambda times the weights of the penalty, so neither coefficient pays.`;
  if (zeros.length === 1) {
    const i = zeros[0];
    return tr`The solution sits on a corner of the ${ballName(l1_ratio)}: ${pull} points into the fan of normals. The pull on ${names[i]}, ${figures(Math.abs(gradient[i]))}, is weaker than lambda's ${bound(i)}, so it stays at 0.`;
  }
  const off = outside(cone(weights, at), [-gradient[0], -gradient[1]]);
  const law = l1_ratio === 1 && weights.l1[0] === weights.l1[1] ? tr` On a face of the ball both pulls are as strong as lambda.` : tr` It is lambda times the slope of the penalty there.`;
  const apart = off > 0.02 ? tr`, up to ${figures((off * 180) / Math.PI, 2)} degrees` : "";
  return tr`Here the ball has one normal, and ${pull} points along it${apart}.${law}`;
}

/** @param {Scene} shown @returns {import("../payload.js").Shown["table"]} */
function table({ names, at, gradient, centre: free, weights, lambda, level }) {
  const [a, b] = cleaned(gradient);
  const row = (/** @type {string} */ name, /** @type {Point | null} */ u) => [name, figures(u?.[0]), figures(u?.[1])];
  const rays = cone(weights, at).map((ray, k) => row(tr`normal of the ball ${k + 1}, times lambda`, [lambda * ray[0], lambda * ray[1]]));
  return {
    head: ["", names[0], names[1]],
    rows: [
      row(tr`solution (per SD)`, at),
      row(tr`without a penalty`, free),
      row(tr`minus the gradient of the loss`, [-a, -b]),
      ...rays,
      [tr`penalty of the two (size of the ball)`, figures(penalty(weights, at)), ""],
      [tr`loss at the solution`, figures(level, 6), ""],
    ],
  };
}
