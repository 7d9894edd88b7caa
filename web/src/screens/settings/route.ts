import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";
import { flag, oneOf, text } from "~/app/search";
import { lazy } from "~/parts/lazy";

export const settingsTabs = ["browser", "server", "export"] as const;

export const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  component: lazy(() => import("./Settings"), "Settings"),
  staticData: { crumbs: () => [{ label: "Settings" }] },
  validateSearch: (s: Record<string, unknown>): { tab?: (typeof settingsTabs)[number]; q?: string; changed?: true } => ({ tab: oneOf(s.tab, settingsTabs), q: text(s.q), changed: flag(s.changed) }),
});
