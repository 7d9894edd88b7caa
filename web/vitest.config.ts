import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
    // Fluent is thousands of files, in a form that Node alone cannot read: one file each is made of them first.
    deps: { optimizer: { client: { enabled: true, include: ["@fluentui/react-components", "@fluentui/react-icons"] } } },
  },
});
