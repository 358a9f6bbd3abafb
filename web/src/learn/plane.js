/** The plane of two weights: contours of the loss, the ball, points. One unit is as long to the right as upwards. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { COLOURS, DASHES, FAINT, INK, curve, element, escape, segment, through, words } from "../svg.js";
import { tick } from "../axes.js";
import { ellipse, gradient } from "./two_weights.js";

/** @typedef {import("./two_weights.js").Pair} Pair */

/** Where the name of a point stands: on the side that looks away from another point. @param {Pair} w @param {Pair} other */
export const awayFrom = (w, other) => (w[0] >= other[0] ? { dx: 10, dy: -8, anchor: "start" } : { dx: -10, dy: -8, anchor: "end" });

/**
 * @param {{ left: number, top: number, size: number, reach: number, id: string }} frame `reach`: the axes go from -reach to reach
 * @param {[string, string]} names
 */
export function plane({ left, top, size, reach, id }, names) {
  const x = scaleLinear([-reach, reach], [left, left + size]);
  const y = scaleLinear([-reach, reach], [top + size, top]);
  const clip = `url(#${id}-plane)`;
  const axes = [
    element("clipPath", { id: `${id}-plane` }, element("rect", { x: left, y: top, width: size, height: size })),
    ...x.ticks(5).map((at) => segment(x(at), top, x(at), top + size) + words(x(at), top + size + 16, tick(at), { "text-anchor": "middle", fill: FAINT })),
    ...y.ticks(5).map((at) => segment(left, y(at), left + size, y(at)) + words(left - 6, y(at) + 4, tick(at), { "text-anchor": "end", fill: FAINT })),
    segment(x(0), top, x(0), top + size, { stroke: FAINT }),
    segment(left, y(0), left + size, y(0), { stroke: FAINT }),
    words(left + size / 2, top + size + 34, tr`weight of ${short(names[0])}`, { "text-anchor": "middle" }),
    words(0, 0, tr`weight of ${short(names[1])}`, { "text-anchor": "middle", transform: `translate(${left - 34} ${top + size / 2}) rotate(-90)` }),
  ].join("");
  return {
    x,
    y,
    axes,
    /** @param {import("./two_weights.js").Quadratic} q @param {number[]} levels above the smallest loss */
    contours: (q, levels) => element("g", { "clip-path": clip }, levels.map((level) => curve(path(ellipse(q, level)), { stroke: FAINT, "stroke-width": 1 })).join("")),
    /** @param {import("./two_weights.js").Quadratic} q @param {number} level */
    contour: (q, level) => element("g", { "clip-path": clip }, curve(path(ellipse(q, level)), { stroke: INK, "stroke-width": 2 })),
    /** @param {"l1" | "l2"} shape @param {number} t @param {boolean} [filled] */
    ball: (shape, t, filled = true) => {
      const colour = COLOURS[shape === "l1" ? 0 : 1];
      const points = shape === "l1" ? [[t, 0], [0, t], [-t, 0], [0, -t], [t, 0]] : Array.from({ length: 73 }, (_, k) => [t * Math.cos((k * Math.PI) / 36), t * Math.sin((k * Math.PI) / 36)]);
      const more = { stroke: colour, "stroke-width": 2, fill: filled ? "var(--band)" : "none", "stroke-dasharray": shape === "l1" ? "" : "7 3" };
      return element("g", { "clip-path": clip }, curve(path(/** @type {Pair[]} */ (points)), more));
    },
    /** @param {Pair} w @param {string} label @param {string} fill @param {{ dx?: number, dy?: number, anchor?: string }} [place] */
    mark: ([a, b], label, fill, { dx = 10, dy = -8, anchor = "start" } = {}) =>
      element("circle", { cx: x(a), cy: y(b), r: 5, fill, stroke: "var(--paper)", "stroke-width": 1.5 }) +
      element("text", { x: x(a) + dx, y: y(b) + dy, fill: INK, "font-size": 12, "text-anchor": anchor, stroke: "var(--paper)", "stroke-width": 4, "paint-order": "stroke" }, escape(label)),
  };

  /** @param {Pair[]} points */
  function path(points) {
    return through(points.map(([a, b]) => /** @type {Pair} */ ([x(a), y(b)])));
  }
}

/** The arrow of the pull, and at a corner the fan in which it may point. @param {ReturnType<typeof plane>} on @param {import("./two_weights.js").Quadratic} q @param {Pair} w */
export function pull(on, q, w) {
  const g = gradient(q, w);
  const size = Math.hypot(...g);
  if (size < 1e-9) return "";
  const [ux, uy] = [-g[0] / size, g[1] / size];
  const [x, y] = [on.x(w[0]), on.y(w[1])];
  const [tx, ty] = [x + 48 * ux, y + 48 * uy];
  const stroke = COLOURS[3];
  const head = [0.45, -0.45].map((turn) => segment(tx, ty, tx - 11 * (ux * Math.cos(turn) - uy * Math.sin(turn)), ty - 11 * (ux * Math.sin(turn) + uy * Math.cos(turn)), { stroke, "stroke-width": 2.5 }));
  const zero = w.indexOf(0);
  const away = Math.sign(zero === 0 ? w[1] : w[0]) * 80 * Math.SQRT1_2;
  const fan = zero < 0 ? [] : [-1, 1].map((side) => (zero === 0 ? [side * 80 * Math.SQRT1_2, -away] : [away, side * 80 * Math.SQRT1_2]));
  return fan.map(([dx, dy]) => segment(x, y, x + dx, y + dy, { stroke, "stroke-dasharray": DASHES[2], "stroke-width": 1.5 })).join("") + segment(x, y, tx, ty, { stroke, "stroke-width": 2.5 }) + head.join("");
}

/** A name that fits beside an axis. @param {string} name @param {number} [most] */
export const short = (name, most = 24) => ([...name].length > most ? `${[...name].slice(0, most - 1).join("")}…` : name);

/** Lines with their dashes and names, one below the other. @param {number} x @param {number} y @param {[string, string, string][]} entries name, colour, dash */
export const legend = (x, y, entries) =>
  entries.map(([name, stroke, dash], k) => segment(x, y + 18 * k, x + 26, y + 18 * k, { stroke, "stroke-width": 2.5, "stroke-dasharray": dash }) + words(x + 33, y + 18 * k + 4, name)).join("");

/** The line that shows where a slider stands. @param {number} x @param {number} top @param {number} bottom */
export const cursor = (x, top, bottom) => segment(x, top, x, bottom, { stroke: INK, "stroke-dasharray": "2 3" });

