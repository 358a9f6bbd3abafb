/** The views of the report in their order. @type {import("../payload.js").View[]} */
export const VIEWS = [];
