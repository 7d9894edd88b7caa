import { QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { asProblem } from "~/api/problem";
import { overviewRoute } from "~/screens/overview/route";
import { letterRoute, lettersRoute, redriveRoute } from "~/screens/deadletters/route";
import { endpointsRoutes } from "~/screens/endpoints/route";
import { eventRoute } from "~/screens/event/route";
import { liveRoute } from "~/screens/live/route";
import { pluginsRoutes } from "~/screens/plugins/route";
import { routesRoutes } from "~/screens/routes/route";
import { settingsRoute } from "~/screens/settings/route";
import { twinRoute } from "~/screens/twin/route";
import { NotFound, ScreenError, ScreenPending } from "./Fallbacks";
import { rootRoute } from "./root";
import { parseSearch, stringifySearch } from "./search";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => asProblem(error).offline && failures < 1,
      // What was there stays while the server is gone.
      gcTime: 30 * 60_000,
    },
    mutations: { retry: false },
  },
});

// One line a screen; the rail shows those that are here.
const routeTree = rootRoute.addChildren([
  overviewRoute,
  ...routesRoutes,
  ...pluginsRoutes,
  liveRoute,
  eventRoute,
  twinRoute,
  lettersRoute,
  redriveRoute,
  letterRoute,
  ...endpointsRoutes,
  settingsRoute,
]);

export const router = createRouter({
  routeTree,
  context: { queries },
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingMs: 200,
  defaultPendingMinMs: 0,
  defaultPendingComponent: ScreenPending,
  defaultErrorComponent: ScreenError,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
