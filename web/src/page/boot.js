/** Starts the page: its script is stored deflated, at two fifths of its size. */
import { inflated } from "./unpack.js";

const script = document.createElement("script");
script.textContent = inflated(document.getElementById("script")?.textContent ?? "");
document.body.append(script);
