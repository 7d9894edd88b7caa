import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";
import { text } from "~/app/search";
import { lazy } from "~/parts/lazy";

export interface TwinSearch {
  key?: string;
  /** Bounds of what is looked at: times or positions. */
  from?: string;
  to?: string;
  /** The event that the panel shows. */
  event?: string;
}

export const twinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/twins",
  validateSearch: (s: Record<string, unknown>): TwinSearch => ({ key: text(s.key), from: text(s.from), to: text(s.to), event: text(s.event) }),
  component: lazy(() => import("./TwinPage"), "TwinPage"),
  staticData: { crumbs: () => [{ label: "Live events", to: "/live" }, { label: "Twin" }] },
});
