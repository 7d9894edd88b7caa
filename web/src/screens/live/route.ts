import { createRoute } from "@tanstack/react-router";
import { kinds, type EventKind } from "~/api/kind";
import { rootRoute } from "~/app/root";
import { flag, someOf, text } from "~/app/search";
import { lazy } from "~/parts/lazy";

export interface LiveSearch {
  kinds?: EventKind[];
  /** Part of a twin's name. */
  q?: string;
  filter?: string;
  deliveries?: true;
  /** The event that the panel shows. */
  event?: string;
}

export const liveRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/live",
  validateSearch: (s: Record<string, unknown>): LiveSearch => ({
    kinds: someOf(s.kinds, kinds), q: text(s.q), filter: text(s.filter), deliveries: flag(s.deliveries), event: text(s.event),
  }),
  component: lazy(() => import("./Live"), "Live"),
  staticData: { crumbs: () => [{ label: "Live events" }] },
});
