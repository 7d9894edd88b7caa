import type { Schemas } from "~/api/queries";
import { total, type RouteRates } from "~/api/rates";
import type { Route } from "~/api/routes";
import type { RouteState } from "./route";

type EndpointStatus = Schemas["EndpointStatus"];

/** How a route is doing, in one word: it is no better than its endpoint. */
export function stateOf(route: Route, endpoint: EndpointStatus | undefined, rates: RouteRates | undefined): RouteState {
  if (!route.enabled) return "disabled";
  if (endpoint?.state === "failing") return "failing";
  if (endpoint?.state === "catching up") return "catching up";
  return rates && total(rates.matched) > 0 ? "healthy" : "idle";
}

/** The share of the events that a route was asked about which it took; undefined when it was asked about none. */
export function matchShare(rates: RouteRates | undefined): number | undefined {
  if (!rates) return undefined;
  const asked = total(rates.evaluated);
  return asked > 0 ? total(rates.matched) / asked : undefined;
}
