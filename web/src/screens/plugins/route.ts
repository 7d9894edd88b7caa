import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";
import { flag, oneOf, text, whole } from "~/app/search";
import { lazy } from "~/parts/lazy";

export const pluginTabs = ["versions", "used", "bench", "traps", "logs", "settings"] as const;
export const levels = ["debug", "info", "warn", "error"] as const;

const list = createRoute({
  getParentRoute: () => rootRoute,
  path: "/plugins",
  component: lazy(() => import("./Plugins"), "Plugins"),
  staticData: { crumbs: () => [{ label: "Plugins" }] },
  validateSearch: (s: Record<string, unknown>): { q?: string; upload?: true } => ({ q: text(s.q), upload: flag(s.upload) }),
});

export interface PluginSearch {
  tab?: (typeof pluginTabs)[number];
  upload?: true;
  /** The version that is about to be activated. */
  activate?: number;
  /** Of the logs and of the bench. */
  version?: number;
  level?: (typeof levels)[number];
  /** The cause of traps that is looked at. */
  group?: string;
  /** The event on the bench, by its position in the journal. */
  event?: string;
}

const page = createRoute({
  getParentRoute: () => rootRoute,
  path: "/plugins/$name",
  component: lazy(() => import("./PluginPage"), "PluginPage"),
  staticData: { crumbs: ({ name = "" }) => [{ label: "Plugins", to: "/plugins" }, { label: name }] },
  validateSearch: (s: Record<string, unknown>): PluginSearch => ({
    tab: oneOf(s.tab, pluginTabs), upload: flag(s.upload), activate: whole(s.activate, 1), version: whole(s.version, 1), level: oneOf(s.level, levels), group: text(s.group), event: text(s.event),
  }),
});

export const pluginsRoutes = [list, page];
export { page as pluginRoute, list as pluginsRoute };
