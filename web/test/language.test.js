import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// the table has to be there before the module is read
Reflect.set(globalThis, "normballMessages", {
  "{0} of {1}": "{1} 중 {0}",
  ...Object.fromEntries(["은/는", "이/가", "을/를", "과/와", "으로/로"].map((forms) => [`{0} ${forms}`, `{0}{0|${forms}}`])),
});
const { tr } = await import("../src/language.js");

/** What stands in a tagged template, by its key. @param {string} key @param {...string} values */
const said = (key, ...values) => tr(/** @type {any} */ (Object.assign(key.split(/\{\d+\}/), { raw: [] })), ...values);

test("a message is looked up by the English one, its values in the places of the other language", () => {
  assert.equal(tr`${3} of ${"all"}`, "all 중 3");
  assert.equal(tr`${3} rows of ${"$& {0}"}`, "3 rows of $& {0}");
  assert.equal(tr`nothing to put in`, "nothing to put in");
});

test("the form of a particle goes with the end of the word, as in Python", () => {
  /** @type {Record<string, Record<string, string>>} */
  const cases = JSON.parse(readFileSync(new URL("../../tests/particles.json", import.meta.url), "utf8"));
  for (const [forms, words] of Object.entries(cases)) {
    for (const [word, expected] of Object.entries(words)) assert.equal(said(`{0} ${forms}`, word), expected);
  }
});
