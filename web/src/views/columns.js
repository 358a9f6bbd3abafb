/** The columns of the table: which one gives a feature, and what is known of its levels. */

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").Column} Column */

/** For each place the column that gives the feature there, and which of its levels; -1 for the number itself. @type {WeakMap<Column[], Map<number, { column: Column, level: number }>>} */
const OWNERS = new WeakMap();

/** The column that gives the feature at a place, and which of its levels that is; -1 for the number itself. @param {Payload} data @param {number} place */
export function ownerOf({ columns }, place) {
  let owners = OWNERS.get(columns);
  if (!owners) {
    owners = new Map();
    for (const column of columns) {
      if (column.number !== null) owners.set(column.number, { column, level: -1 });
      for (const [level, at] of column.places.entries()) if (at !== null) owners.set(at, { column, level });
    }
    OWNERS.set(columns, owners);
  }
  return owners.get(place);
}
