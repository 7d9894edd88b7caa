import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "~/api/client";
import { asProblem, Problem } from "~/api/problem";
import { draftOf, planOf, putRoute, specOf, type RouteDraft, type TaggedRoute } from "~/api/routes";
import { Conflict } from "~/parts/Conflict";
import { DiffView } from "~/parts/DiffView";
import { Effect } from "~/parts/Effect";
import { ProblemBar } from "~/parts/ProblemBar";
import { Skeleton } from "~/parts/Skeleton";
import styles from "./Review.module.css";

const planned = 1000; // events that an effect is shown on

/** What a save changes and what that means for the latest events, before it is done. */
export default function Review({ draft, base, etag, isNew, onClose, onSaved, onRefused, onTake }: { draft: RouteDraft; base: RouteDraft | undefined; etag: string | undefined; isNew: boolean; onClose: () => void; onSaved: (now: TaggedRoute) => Promise<void>; onRefused: (problem: unknown) => void; onTake: (theirs: TaggedRoute) => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [theirs, setTheirs] = useState<TaggedRoute>();
  const plan = useQuery({
    queryKey: ["plan", "Route", draft],
    queryFn: ({ signal }) => planOf({ kind: "Route", name: draft.id, spec: specOf(draft) as Record<string, unknown> }, planned, signal),
    gcTime: 0,
    retry: false,
  });
  const save = async (ifMatch: string | undefined) => {
    setBusy(true);
    setProblem(undefined);
    try {
      const now = await putRoute(draft, isNew && theirs === undefined ? { onlyCreate: true } : { ifMatch });
      await onSaved(now);
    } catch (error) {
      const p = asProblem(error);
      if (p.conflict) {
        try {
          const { data, etag: tag } = await api.get("/routes/{id}", { path: { id: draft.id } });
          setTheirs({ route: data, etag: tag });
        } catch (gone) {
          const g = asProblem(gone);
          setProblem(g.status === 404 ? new Problem(404, { title: "Someone deleted it meanwhile", detail: "The route is not there any more. Copy your change as CLI, or make a new route of it." }) : g);
        }
      } else {
        setProblem(p);
        onRefused(p);
      }
    } finally {
      setBusy(false);
    }
  };
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
                <Conflict theirs={specOf(draftOf(theirs.route))} mine={specOf(draft)} onKeepMine={() => void save(theirs.etag)} onTakeTheirs={() => onTake(theirs)} />
              ) : (
                <>
                  {!isNew && base && <DiffView before={specOf(base)} after={specOf(draft)} labels={["Now", "Then"]} same="Nothing changes." />}
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
              <Button appearance="primary" disabled={busy || plan.isPending} onClick={() => void save(etag)}>
                {busy ? "Saving…" : isNew ? "Make the route" : "Save"}
              </Button>
            )}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
