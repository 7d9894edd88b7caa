import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";
import { lazy } from "~/parts/lazy";

export const overviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: lazy(() => import("./Overview"), "Overview"),
  staticData: { crumbs: () => [{ label: "Overview" }] },
});
