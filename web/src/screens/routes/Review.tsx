import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Problem } from "~/api/problem";
import { draftOf, planOf, putRoute, routeQuery, specOf, type RouteDraft, type TaggedRoute } from "~/api/routes";
import { Conflict } from "~/parts/Conflict";
import { DiffView } from "~/parts/DiffView";
import { Effect } from "~/parts/Effect";
import { ProblemBar } from "~/parts/ProblemBar";
import { Skeleton } from "~/parts/Skeleton";
import { useGuardedSave, type Stored } from "~/parts/useGuardedSave";
import styles from "./Review.module.css";

const planned = 1000; // events that an effect is shown on

/** What a save changes and what that means for the latest events, before it is done. A new route is written over none. */
export default function Review({ draft, base, isNew, onClose, onSaved, onRefused, onTake }: { draft: RouteDraft; base: Stored<RouteDraft>; isNew: boolean; onClose: () => void; onSaved: (now: TaggedRoute, over: RouteDraft) => Promise<void>; onRefused: (problem: Problem) => void; onTake: (theirs: Stored<RouteDraft>) => void }) {
  const queries = useQueryClient();
  const { busy, problem, theirs, save } = useGuardedSave<RouteDraft>({
    put: async (over) => onSaved(await putRoute(draft, isNew ? { onlyCreate: true } : { ifMatch: over.etag }), over.value),
    read: isNew
      ? undefined
      : async () => {
          const { route, etag } = await queries.fetchQuery({ ...routeQuery(draft.id), staleTime: 0 });
          return { value: draftOf(route), etag };
        },
  });
  const go = async (over: Stored<RouteDraft>) => {
    const refused = await save(over);
    if (refused && "problem" in refused) onRefused(refused.problem);
  };
  const plan = useQuery({
    queryKey: ["plan", "Route", draft],
    queryFn: ({ signal }) => planOf({ kind: "Route", name: draft.id, spec: specOf(draft) as Record<string, unknown> }, planned, signal),
    gcTime: 0,
    retry: false,
  });
  const change = plan.data?.changes[0];
  const nothing = change?.action === "none";
  return (
    <Dialog open modalType="modal" onOpenChange={(_, d) => !d.open && !busy && onClose()}>
      <DialogSurface className={styles.surface}>
        <DialogBody>
          <DialogTitle>{isNew ? `Make ${draft.id}?` : `Save ${draft.id}?`}</DialogTitle>
          <DialogContent>
            <div className="stack">
              {theirs ? (
                <Conflict theirs={specOf(theirs.value)} mine={specOf(draft)} onKeepMine={busy ? undefined : () => void go(theirs)} onTakeTheirs={() => onTake(theirs)} />
              ) : (
                <>
                  {!isNew && <DiffView before={specOf(base.value)} after={specOf(draft)} labels={["Now", "Then"]} same="Nothing changes." />}
                  {plan.isPending ? <Skeleton lines={3} height={80} /> : plan.isError ? <ProblemBar problem={plan.error} title="What it would do cannot be shown" /> : <Effect traffic={plan.data.traffic} routes={[draft.id]} nothing={nothing} isNew={isNew} disabled={!draft.enabled} />}
                </>
              )}
              {problem && <ProblemBar problem={problem} />}
            </div>
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose} disabled={busy}>
              Back to editing
            </Button>
            {!theirs && (
              <Button appearance="primary" disabled={busy || plan.isPending} onClick={() => void go(base)}>
                {busy ? "Saving…" : isNew ? "Make the route" : "Save"}
              </Button>
            )}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
