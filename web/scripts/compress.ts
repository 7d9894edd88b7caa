import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Puts each file's compressed forms beside it, as .br and .gz, for the server to send. */
export function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    writeBundle({ dir }) {
      if (!dir) return;
      for (const e of readdirSync(dir, { recursive: true, withFileTypes: true })) {
        if (!e.isFile() || !/\.(js|css|svg|html)$/.test(e.name)) continue;
        const file = join(e.parentPath, e.name);
        const content = readFileSync(file);
        if (content.length < 1000) continue;
        writeFileSync(file + ".gz", gzipSync(content, { level: 9 }));
        writeFileSync(file + ".br", brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }));
      }
    },
  };
}
