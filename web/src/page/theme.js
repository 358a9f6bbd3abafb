/** Light, dark, or as the system has it; remembered where the browser allows it. */
import { tr } from "../language.js";
import { one } from "./dom.js";

/** @type {Record<string, string>} */
const NAMES = { auto: tr`theme: auto`, light: tr`theme: light`, dark: tr`theme: dark` };
const THEMES = Object.keys(NAMES);

/** @param {Document} page */
export function theme(page) {
  const button = one(page, "[data-theme-switch]");
  button.hidden = false;
  let now = stored();
  function show() {
    if (now === "auto") delete page.documentElement.dataset.theme;
    else page.documentElement.dataset.theme = now;
    button.textContent = NAMES[now];
  }
  button.addEventListener("click", () => {
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    try {
      localStorage.setItem("normball-theme", now);
    } catch {
      // a sandboxed frame stores nothing
    }
    show();
  });
  show();
}

function stored() {
  try {
    const found = localStorage.getItem("normball-theme") ?? "auto";
    return THEMES.includes(found) ? found : "auto";
  } catch {
    return "auto";
  }
}
