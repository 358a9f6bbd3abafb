// Bundles what Python ships: `node build.mjs`; with --check it fails where the committed bundles are another build.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const BUNDLES = {
  // entry: where the bundle goes
  "src/charts.js": "../src/normball/charts/charts.js", // every chart as a function of data; Python runs it, too
  "src/page/main.js": "../src/normball/report/page.js",
  "src/page/boot.js": "../src/normball/report/boot.js",
  "src/learn/main.js": "../src/normball/learn/page.js",
};
const PACKAGES = ["d3-array", "d3-color", "d3-contour", "d3-format", "d3-interpolate", "d3-scale", "d3-time", "d3-time-format", "fflate", "internmap"];

/** A hash of the source and of the versions it is built with, for the test that needs no node. */
function fingerprint() {
  const files = readdirSync(join(here, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const hash = createHash("sha256");
  for (const name of [...files.map((file) => join("src", file).replaceAll("\\", "/")), "build.mjs", "package-lock.json"].sort()) {
    hash.update(name + "\0").update(readFileSync(join(here, name))).update("\0");
  }
  return hash.digest("hex");
}

function licences() {
  return PACKAGES.map((name) => {
    const { version } = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
    const text = readFileSync(join(here, "node_modules", name, "LICENSE"), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  }).join(`\n${"-".repeat(72)}\n`);
}

const check = process.argv.includes("--check");
let stale = 0;

function put(path, text) {
  const old = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (old === text) return;
  if (check) {
    console.error(`${path} is not the build of its source: run \`npm run build\``);
    stale += 1;
  } else {
    writeFileSync(path, text);
    console.log(`${path}: ${text.length} bytes`);
  }
}

/** What esbuild leaves as it is: the letters in tagged templates, of which only what is read counts here. @param {string} text */
const ascii = (text) => text.replace(/[^\0-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);

const mark = fingerprint();
for (const [entry, target] of Object.entries(BUNDLES)) {
  if (!existsSync(join(here, entry))) throw new Error(`${entry} is missing`);
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    globalName: "normball",
    target: "es2022",
    charset: "ascii",
    legalComments: "none",
    banner: { js: `/* normball; d3 modules (ISC) and fflate (MIT), see LICENSES.txt. source ${mark} */` },
  });
  // a bundle stands inside a <script> element
  put(join(here, target), ascii(result.outputFiles[0].text).replaceAll("</script", "<\\/script"));
}
put(join(here, "../src/normball/charts/LICENSES.txt"), licences());
process.exit(stale ? 1 : 0);
