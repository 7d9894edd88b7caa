import { createRoute } from "@tanstack/react-router";
import { ranges, type Range } from "~/api/rates";
import { rootRoute } from "~/app/root";
import { oneOf, text } from "~/app/search";
import { lazy } from "~/parts/lazy";

export const listTabs = ["endpoints", "sources", "emulator"] as const;
export const pageTabs = ["activity", "settings", "history"] as const;

const root = { label: "Endpoints & sources", to: "/endpoints" };

const list = createRoute({
  getParentRoute: () => rootRoute,
  path: "/endpoints",
  component: lazy(() => import("./Endpoints"), "Endpoints"),
  staticData: { crumbs: () => [{ label: root.label }] },
  validateSearch: (s: Record<string, unknown>): { tab?: (typeof listTabs)[number]; q?: string; sort?: string; entity?: string } => ({
    tab: oneOf(s.tab, listTabs), q: text(s.q), sort: text(s.sort), entity: text(s.entity),
  }),
});

export interface PageSearch {
  tab?: (typeof pageTabs)[number];
  range?: Range;
}

const page = (s: Record<string, unknown>): PageSearch => ({ tab: oneOf(s.tab, pageTabs), range: oneOf(s.range, ranges) });

const endpoint = createRoute({
  getParentRoute: () => rootRoute,
  path: "/endpoints/$name",
  component: lazy(() => import("./ResourcePage"), "EndpointPage"),
  staticData: { crumbs: ({ name = "" }) => [root, { label: name }] },
  validateSearch: page,
});

const source = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sources/$name",
  component: lazy(() => import("./ResourcePage"), "SourcePage"),
  staticData: { crumbs: ({ name = "" }) => [{ ...root, to: "/endpoints?tab=sources" }, { label: name }] },
  validateSearch: page,
});

const made = (s: Record<string, unknown>): { kind?: string } => ({ kind: text(s.kind) });

// Not below /endpoints and /sources, where every name may be one of theirs.
const newEndpoint = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new-endpoint",
  component: lazy(() => import("./NewResource"), "NewEndpoint"),
  staticData: { crumbs: () => [root, { label: "New endpoint" }] },
  validateSearch: made,
});

const newSource = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new-source",
  component: lazy(() => import("./NewResource"), "NewSource"),
  staticData: { crumbs: () => [root, { label: "New source" }] },
  validateSearch: made,
});

export const endpointsRoutes = [list, endpoint, source, newEndpoint, newSource];
export { endpoint as endpointRoute, list as endpointsRoute, newEndpoint as newEndpointRoute, newSource as newSourceRoute, source as sourceRoute };
