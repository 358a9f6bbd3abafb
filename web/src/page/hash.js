/** The choice of the reader in the address, so that a link leads to it; a frame without rights simply has no such link. */
import { quietly } from "./dom.js";
import { nearestLambda } from "./store.js";

/** @typedef {import("../payload.js").Payload} Payload */

/** What the address says. @param {Payload} data @returns {Partial<import("../payload.js").State>} */
export function remembered(data) {
  try {
    const words = new URLSearchParams(location.hash.slice(1));
    const own = !data.comparison || words.get("m") === null || words.get("m") === String(data.l1_ratio);
    const lam = own ? Number(words.get("l") ?? NaN) : NaN;
    const pair = (words.get("p") ?? "").split(",").map((name) => data.features.findIndex((feature) => feature.key === decodeURIComponent(name)));
    return {
      ...(Number.isFinite(lam) ? { index: nearestLambda(data.lambdas, lam) } : {}),
      ...(pair.length === 2 && pair.every((j) => j >= 0) ? { pair: /** @type {[number, number]} */ (pair) } : {}),
    };
  } catch {
    return {};
  }
}

/** Writes the address once the page rests, and follows it where a link changes it. @param {import("./store.js").Model} model */
export function address({ data, state, set, listen, drawn, signal }) {
  const write = quietly(() => {
    if (signal.aborted) return; // another penalty is shown
    /** @type {Record<string, string>} */
    const mix = data.comparison ? { m: String(data.l1_ratio) } : {};
    const pair = state.pair.map((j) => encodeURIComponent(data.features[j]?.key ?? "")).join(",");
    try {
      history.replaceState(null, "", `#${new URLSearchParams({ ...mix, l: data.lambdas[state.index].toPrecision(6), p: pair })}`);
    } catch {
      // a sandboxed frame has no address of its own
    }
  }, 300);
  listen((changed) => (changed.has("index") || changed.has("pair")) && write());
  if (data.comparison && namedMix() !== (drawn ? null : String(data.l1_ratio))) write(); // the reader chose another penalty
  window.addEventListener("hashchange", () => set(remembered(data)), { signal });
}

/** The penalty that the address names, if any. */
function namedMix() {
  try {
    return new URLSearchParams(location.hash.slice(1)).get("m");
  } catch {
    return null;
  }
}
