import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compress } from "./scripts/compress.ts";

// The dev server passes everything that is not the UI's on to a gateway.
const gateway = process.env.HEADGATE_SERVER ?? "http://127.0.0.1:8080";
const proxied = Object.fromEntries(
  ["/api", "^/events$", "/webhooks", "/healthz", "/readyz", "/metrics"].map((path) => [path, { target: gateway, changeOrigin: true }]),
);

export default defineConfig({
  plugins: [react(), compress()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist/app",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    cssCodeSplit: false, // one sheet, there from the start: a module that is tried again would come without its own
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1024,
    assetsInlineLimit: 0, // the content security policy lets no data: URL in
  },
  worker: { format: "es" },
  server: { host: "127.0.0.1", proxy: proxied },
});
