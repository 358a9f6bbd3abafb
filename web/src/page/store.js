/** The one state of the page: whoever changes it calls `set`, whoever shows it listens. */

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").State} State */
/** @typedef {(changed: Set<string>) => void} Listener called once before the next frame with the names of what changed */
/** @typedef {{ data: Payload, state: State, set: (change: Partial<State>) => void, listen: (listener: Listener) => void }} Store */

/** @typedef {Store & { drawn: boolean, signal: AbortSignal }} Model the state of one penalty's page: whether the file has its drawings, and what ends it */

/** @param {Payload} data @param {State} state @returns {Store} */
export function store(data, state) {
  /** @type {Listener[]} */
  const listeners = [];
  /** @type {Set<string>} */
  let changed = new Set();

  function tell() {
    const names = changed;
    changed = new Set();
    listeners.forEach((listener) => listener(names));
  }

  return {
    data,
    state,
    set(change) {
      const entries = Object.entries(change).filter(([name, value]) => Reflect.get(state, name) !== value);
      if (entries.length === 0) return;
      Object.assign(state, Object.fromEntries(entries));
      if (changed.size === 0) requestAnimationFrame(tell);
      entries.forEach(([name]) => changed.add(name));
    },
    listen: (listener) => void listeners.push(listener),
  };
}

/** The index of the lambda nearest to a number, on the scale of the slider. @param {number[]} lambdas @param {number} wanted */
export function nearestLambda(lambdas, wanted) {
  const away = (/** @type {number} */ lam) => Math.abs(Math.log(Math.max(lam, 1e-300)) - Math.log(Math.max(wanted, 1e-300)));
  return lambdas.reduce((best, lam, l) => (away(lam) < away(lambdas[best]) ? l : best), 0);
}
