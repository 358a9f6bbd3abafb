/**
 * The few SVG marks that the charts are made of, as text: the same code runs in the browser and, without any document,
 * inside Python. Colours are CSS variables of the page, so that one drawing serves light, dark and print.
 */
export const INK = "var(--ink)";
export const FAINT = "var(--faint)";
export const GRID = "var(--grid)";
/** After Okabe and Ito, without a second blue and the yellow that vanishes on white: at least 20 apart (CIEDE2000), 10 without green cones. */
export const COLOURS = [1, 2, 3, 4, 5, 6].map((k) => `var(--c${k})`);
export const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

/** @param {unknown} text @returns {string} safe as content and inside a double-quoted attribute */
export function escape(text) {
  return String(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** @param {number} x @returns {string} a coordinate with as many digits as a screen can show */
export const px = (x) => String(Math.round(x * 100) / 100);

/**
 * An element from its name, attributes (undefined and "" are left out) and content, which is markup already.
 * @param {string} name
 * @param {Record<string, string | number | undefined>} attributes
 * @param {string} [content]
 */
export function element(name, attributes, content = "") {
  const words = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? px(value) : escape(value)}"`);
  return content ? `<${name}${words.join("")}>${content}</${name}>` : `<${name}${words.join("")}/>`;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {Record<string, string | number | undefined>} [more] */
export const segment = (x1, y1, x2, y2, more = {}) => element("line", { x1, y1, x2, y2, stroke: GRID, ...more });

/** @param {string} d @param {Record<string, string | number | undefined>} [more] */
export const curve = (d, more = {}) => element("path", { d, fill: "none", stroke: INK, ...more });

/** Words at a place, if there are any; the text is escaped. @param {number} x @param {number} y @param {unknown} text @param {Record<string, string | number | undefined>} [more] */
export const words = (x, y, text, more = {}) => text === "" ? "" : element("text", { x, y, fill: INK, ...more }, escape(text));

/** The `d` of a line through the points with finite coordinates. @param {Array<[number, number]>} points */
export function through(points) {
  let pen = "M";
  return thinned(points)
    .map((point) => {
      const step = finite(point) ? `${pen}${tenth(point[0])},${tenth(point[1])}` : "";
      pen = step ? "L" : "M";
      return step;
    })
    .join("");
}

/** @param {number} x */
const tenth = (x) => Math.round(x * 10) / 10;

/** @param {[number, number]} point */
const finite = ([x, y]) => Number.isFinite(x) && Number.isFinite(y);

/** Without the points that lie within a tenth of a pixel of the line between others (Douglas & Peucker 1973). @param {Array<[number, number]>} points */
function thinned(points) {
  const kept = points.map((point) => !finite(point)); // a gap stays a gap
  const ends = kept.flatMap((gap, k) => (!gap && (k === 0 || kept[k - 1] || k === points.length - 1 || kept[k + 1]) ? [k] : []));
  /** @type {[number, number][]} */
  const open = ends.slice(1).map((end, k) => [ends[k], end]);
  for (const k of ends) kept[k] = true;
  for (let run = open.pop(); run; run = open.pop()) {
    const [first, last] = run;
    const [from, to] = [points[first], points[last]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    let [worst, at] = [0.1, -1];
    for (let k = first + 1; k < last; k++) {
      const [dx, dy] = [points[k][0] - from[0], points[k][1] - from[1]];
      const away = length ? Math.abs(dx * (to[1] - from[1]) - dy * (to[0] - from[0])) / length : Math.hypot(dx, dy);
      if (away > worst) [worst, at] = [away, k];
    }
    if (at < 0) continue;
    kept[at] = true;
    open.push([first, at], [at, last]);
  }
  return points.filter((_, k) => kept[k]);
}

/**
 * A whole drawing with its name and description for those who do not see it.
 * @param {{ id: string, width: number, height: number, title: string, description: string, style?: string }} frame
 * @param {string[]} body
 */
export function drawing({ id, width, height, title, description, style }, body) {
  const names = element("title", { id: `${id}-title` }, escape(title)) + element("desc", { id: `${id}-desc` }, escape(description));
  return element(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": `${id}-title ${id}-desc`, "font-size": 12, style, xmlns: "http://www.w3.org/2000/svg" },
    names + body.join(""),
  );
}

/** A number with three significant digits as people write it: 0.0123, 1,250, 1.2e-7. @param {number | null | undefined} value @param {number} [digits] */
export function figures(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size < -4 || Math.abs(value) >= 1e7) return value.toExponential(digits - 1).replace("e+", "e");
  const fixed = value.toFixed(Math.max(0, digits - 1 - size));
  const [whole, part] = fixed.split(".");
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (part ? `.${part}` : "");
}

/** Label positions at least `step` apart, near the wanted ones, between low and high. @param {number[]} wanted @param {number} step @param {number} low @param {number} high */
export function apart(wanted, step, low, high) {
  const order = wanted.map((_, k) => k).sort((a, b) => wanted[a] - wanted[b]);
  const placed = wanted.slice();
  let floor = low;
  for (const k of order) {
    placed[k] = Math.max(wanted[k], floor);
    floor = placed[k] + step;
  }
  let ceiling = high;
  for (const k of order.reverse()) {
    placed[k] = Math.min(placed[k], ceiling);
    ceiling = placed[k] - step;
  }
  return placed;
}
