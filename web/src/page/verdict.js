/** The answer in words and numbers; the sentence waits until the slider rests, so that it is read aloud once. */
import { verdict } from "../views/verdict.js";
import { one, quietly } from "./dom.js";

/** @param {Document} page @param {import("./store.js").Store} model */
export function verdictLine(page, { data, state, listen }) {
  const numbers = [...one(page, "[data-numbers]").querySelectorAll("dd")];
  const say = quietly(() => {
    one(page, "[data-quality]").textContent = verdict(data, state.index).quality;
  }, 250);
  const show = () => {
    const now = verdict(data, state.index);
    now.numbers.forEach(([, value], k) => (numbers[k].textContent = value));
    one(page, "[data-found]").textContent = now.found;
    say();
  };
  listen((changed) => changed.has("index") && show());
  if (state.index !== data.picked) show();
}
