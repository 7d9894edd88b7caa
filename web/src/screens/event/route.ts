import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";
import { lazy } from "~/parts/lazy";

export const eventRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/events/$id",
  component: lazy(() => import("./EventPage"), "EventPage"),
  staticData: { crumbs: (p) => [{ label: "Live events", to: "/live" }, { label: p.id ?? "" }] },
});
