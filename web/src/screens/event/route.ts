import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";

export const eventRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/events/$id",
  component: lazyRouteComponent(() => import("./EventPage"), "EventPage"),
  staticData: { crumbs: (p) => [{ label: "Live events", to: "/live" }, { label: p.id ?? "" }] },
});
