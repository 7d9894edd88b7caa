import { useRouterState } from "@tanstack/react-router";
import type { Crumb } from "./root";

/** The breadcrumb of the page that is shown. */
export function useCrumbs(): Crumb[] {
  return useRouterState({
    select: (s) => {
      const last = s.matches.at(-1);
      const crumbs = last?.staticData.crumbs?.(last.params as Record<string, string>);
      return crumbs ?? (last && s.location.pathname !== "/" ? [{ label: "Not found" }] : []);
    },
    structuralSharing: true,
  });
}
