// Tells whether dist/app is the build of these sources: `stamp.mjs check` exits
// with 0 when it is, `stamp.mjs write` says that it is now. The stamp is of the
// content alone, so that it holds in any copy of the tree.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(web, "dist/app.sha256");
const sources = ["src", "public", "scripts", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "../gateway/admin/openapi.json"];

function* files(path) {
  if (!existsSync(join(web, path))) return;
  const entries = path.includes(".") ? undefined : readdirSync(join(web, path), { withFileTypes: true });
  if (!entries) {
    yield path;
    return;
  }
  for (const e of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const child = path + "/" + e.name;
    if (e.isDirectory()) yield* files(child);
    else if (!/\.gen\.ts$|\.test\.tsx?$/.test(e.name)) yield child;
  }
}

const hash = createHash("sha256");
for (const top of sources) for (const file of files(top)) hash.update(file + "\0").update(readFileSync(join(web, file))).update("\0");
const now = hash.digest("hex") + "\n";

switch (process.argv[2]) {
  case "check":
    process.exitCode = existsSync(join(web, "dist/app/index.html")) && existsSync(stamp) && readFileSync(stamp, "utf8") === now ? 0 : 1;
    break;
  case "write":
    writeFileSync(stamp, now);
    break;
  default:
    throw new Error("stamp: say check or write");
}
