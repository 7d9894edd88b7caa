import { createRootRouteWithContext } from "@tanstack/react-router";
import type { QueryClient } from "@tanstack/react-query";
import { NotFound, ScreenError } from "./Fallbacks";
import { Shell } from "./Shell";

/** A step of the breadcrumb; the last one has no link. */
export interface Crumb {
  label: string;
  to?: string;
}

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** The breadcrumb, which is the title of the page too. */
    crumbs?: (params: Record<string, string>) => Crumb[];
  }
}

export const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: ScreenError,
});
