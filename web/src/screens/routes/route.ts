import { createRoute } from "@tanstack/react-router";
import { ranges, type Range } from "~/api/rates";
import { rootRoute } from "~/app/root";
import { flag, oneOf, text } from "~/app/search";
import { lazy } from "~/parts/lazy";

export const routeStates = ["healthy", "idle", "catching up", "failing", "disabled"] as const;
export const tabs = ["overview", "events", "history"] as const;
export const shows = ["match", "miss", "fail"] as const;
export const steps = ["which", "what", "where", "preview"] as const;

export type RouteState = (typeof routeStates)[number];

/** What the preview of a route shows, in the URL. */
export interface PreviewSearch {
  /** The event that is looked at, by its position in the journal. */
  event?: string;
  show?: (typeof shows)[number];
}

const preview = (s: Record<string, unknown>): PreviewSearch => ({ event: text(s.event), show: oneOf(s.show, shows) });

const list = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routes",
  component: lazy(() => import("./Routes"), "Routes"),
  staticData: { crumbs: () => [{ label: "Routes" }] },
  validateSearch: (s: Record<string, unknown>): { q?: string; endpoint?: string; state?: RouteState; plugin?: string; sort?: string } => ({
    q: text(s.q), endpoint: text(s.endpoint), state: oneOf(s.state, routeStates), plugin: text(s.plugin), sort: text(s.sort),
  }),
});

const page = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routes/$id",
  component: lazy(() => import("./RoutePage"), "RoutePage"),
  staticData: { crumbs: ({ id = "" }) => [{ label: "Routes", to: "/routes" }, { label: id }] },
  validateSearch: (s: Record<string, unknown>): PreviewSearch & { tab?: (typeof tabs)[number]; range?: Range } => ({
    tab: oneOf(s.tab, tabs), range: oneOf(s.range, ranges), ...preview(s),
  }),
});

type EditSearch = PreviewSearch & { step?: (typeof steps)[number]; review?: true };
const edit = (s: Record<string, unknown>): EditSearch => ({ step: oneOf(s.step, steps), review: flag(s.review), ...preview(s) });

const editPage = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routes/$id/edit",
  component: lazy(() => import("./EditRoute"), "EditRoute"),
  staticData: { crumbs: ({ id = "" }) => [{ label: "Routes", to: "/routes" }, { label: id, to: "/routes/" + encodeURIComponent(id) }, { label: "Edit" }] },
  validateSearch: edit,
});

// Not below /routes, where every name may be a route's.
const newPage = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new-route",
  component: lazy(() => import("./EditRoute"), "NewRoute"),
  staticData: { crumbs: () => [{ label: "Routes", to: "/routes" }, { label: "New route" }] },
  validateSearch: (s: Record<string, unknown>): EditSearch & { endpoint?: string; plugin?: string; like?: string } => ({
    ...edit(s), endpoint: text(s.endpoint), plugin: text(s.plugin), like: text(s.like),
  }),
});

export const routesRoutes = [list, page, editPage, newPage];
export { edit as editSearch, editPage as routeEditRoute, list as routesRoute, newPage as newRouteRoute, page as routeRoute };
