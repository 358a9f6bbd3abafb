/** Starts the page: its script is stored deflated, at two fifths of its size; the messages of another language come first. */
import { inflated, unpack } from "./unpack.js";

const messages = document.getElementById("messages")?.textContent;
if (messages) Reflect.set(globalThis, "normballMessages", unpack(messages));
const script = document.createElement("script");
script.textContent = inflated(document.getElementById("script")?.textContent ?? "");
document.body.append(script);
