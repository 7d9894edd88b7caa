// Holds the build to its budget: the scripts of a first load are the entry, what
// it imports, and the chunk of the first route with what that imports, gzipped.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budget = Number(process.env.BUDGET ?? 300) * 1000;
const dist = new URL("../dist/app/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));

const entry = Object.values(manifest).find((c) => c.isEntry);
if (!entry) throw new Error("size: the build has no entry: run vite build first");
const sizes = new Map();
function sizeOf(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
  return sizes.get(file);
}

function scripts(chunk, into = new Set()) {
  if (chunk.file.endsWith(".js") && !into.has(chunk.file)) {
    into.add(chunk.file);
    for (const key of chunk.imports ?? []) scripts(manifest[key], into);
  }
  return into;
}

const total = (files) => [...files].reduce((sum, f) => sum + sizeOf(f), 0);
const kb = (n) => (n / 1000).toFixed(1).padStart(7) + " kB";
const base = scripts(entry);
// The heaviest screen counts: every one may be the first that is opened. What a
// screen loads later, such as a dialog, is no first load.
const screens = Object.values(manifest).filter((c) => base.has(c.file)).flatMap((c) => c.dynamicImports ?? []);
const theme = gzipSync(readFileSync(new URL("theme.js", dist))).length;
const first = screens.filter((key) => key.includes("src/screens/")).map((key) => ({ key, size: total(scripts(manifest[key], new Set(base))) + theme }));
console.log(`${kb(total(base) + theme)}  frame: entry and what it imports (gzipped)`);
for (const { key, size } of first.sort((a, b) => b.size - a.size)) console.log(`${kb(size)}  first load of ${key}`);
const worst = first[0];
if (!worst) throw new Error("size: the build has no screens");
if (worst.size > budget) {
  console.error(`size: a first load of ${worst.key} takes ${kb(worst.size).trim()} of script, above ${budget / 1000} kB. Load what it does not show at once with lazy().`);
  process.exit(1);
}
