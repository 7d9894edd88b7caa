import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";
import { text } from "~/app/search";
import { lazy } from "~/parts/lazy";

export interface LettersSearch {
  endpoint?: string;
  /** The group whose letters are listed. */
  group?: string;
}

export const lettersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dead-letters",
  validateSearch: (s: Record<string, unknown>): LettersSearch => ({ endpoint: text(s.endpoint), group: text(s.group) }),
  component: lazy(() => import("./DeadLetters"), "DeadLetters"),
  staticData: { crumbs: () => [{ label: "Dead letters" }] },
});

export interface RedriveSearch {
  endpoint?: string;
  group?: string;
  all?: true;
  /** A redrive under way, or done. */
  job?: string;
}

/** Letters that were picked one by one are in the hash: a list of any length, which no server gets. */
export const redriveRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dead-letters/redrive",
  validateSearch: (s: Record<string, unknown>): RedriveSearch => ({ endpoint: text(s.endpoint), group: text(s.group), all: s.all === true || s.all === "true" ? true : undefined, job: text(s.job) }),
  component: lazy(() => import("./Redrive"), "Redrive"),
  staticData: { crumbs: () => [{ label: "Dead letters", to: "/dead-letters" }, { label: "Redrive" }] },
});

export const letterRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dead-letters/$id",
  component: lazy(() => import("./Letter"), "Letter"),
  staticData: { crumbs: (p) => [{ label: "Dead letters", to: "/dead-letters" }, { label: p.id ?? "" }] },
});
