/** Any chart as a file or on the clipboard: a drawing with the colours of the page in it, or its pixels. */
import { tr } from "../language.js";
import { all } from "./dom.js";
import { copy, save } from "./download.js";

const SHARPNESS = 2; // pixels of a picture for one of the screen

/** @param {Document} page */
export function pictures(page) {
  for (const place of all(page, "[data-view] .drawing[data-live]")) {
    const section = place.closest("[data-view]");
    const after = section?.querySelector("details.twin");
    if (!section || !after) continue;
    const name = section.getAttribute("data-view") ?? "chart";
    const said = page.createElement("span");
    said.setAttribute("role", "status");
    const row = page.createElement("div");
    row.className = "controls pictures";
    row.append(
      button(page, tr`Copy as SVG`, async () => (await copy(page, standalone(place)) ? tr`Copied.` : tr`The browser does not allow copying here.`)),
      button(page, tr`Save SVG`, () => {
        save(page, `${name}.svg`, standalone(place), "image/svg+xml");
        return tr`Saved, where the browser allows it.`;
      }),
      button(page, tr`Save PNG`, async () => ((await savePng(page, place, name)) ? tr`Saved, where the browser allows it.` : tr`The browser does not allow pictures here.`)),
      said,
    );
    after.append(row);
  }

  /** @param {Document} page @param {string} title @param {() => string | Promise<string>} act */
  function button(page, title, act) {
    const made = page.createElement("button");
    made.type = "button";
    made.textContent = title;
    made.addEventListener("click", async () => {
      const told = await act();
      const status = made.parentElement?.querySelector('[role="status"]');
      if (status) status.textContent = told;
    });
    return made;
  }
}

/** The drawing that is shown now, with colours in place of the page's names for them. @param {HTMLElement} place */
export function standalone(place) {
  const shown = place.querySelector("svg");
  if (!shown) return "";
  const style = getComputedStyle(place);
  const drawing = /** @type {SVGSVGElement} */ (shown.cloneNode(true));
  const { width, height } = shown.viewBox.baseVal;
  drawing.removeAttribute("style");
  Object.entries({ width, height, "font-family": "system-ui, sans-serif" }).forEach(([name, value]) => drawing.setAttribute(name, String(value)));
  const paper = place.ownerDocument.createElementNS("http://www.w3.org/2000/svg", "rect");
  Object.entries({ width, height, fill: "var(--paper)" }).forEach(([name, value]) => paper.setAttribute(name, String(value)));
  drawing.prepend(paper);
  return new XMLSerializer().serializeToString(drawing).replace(/var\((--\w+)\)/gu, (_, name) => style.getPropertyValue(name).trim());
}

/** @param {Document} page @param {HTMLElement} place @param {string} name */
async function savePng(page, place, name) {
  const text = standalone(place);
  const picture = page.createElement("img");
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  try {
    await picture.decode();
    const canvas = page.createElement("canvas");
    [canvas.width, canvas.height] = [picture.naturalWidth * SHARPNESS, picture.naturalHeight * SHARPNESS];
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const link = page.createElement("a");
    link.href = canvas.toDataURL("image/png");
    link.download = `${name}.png`;
    link.click();
    return true;
  } catch {
    return false;
  }
}
