import { Button } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "~/api/problem";
import { draftOf, putRoute, routeRevisionsQuery, specOf, type TaggedRoute } from "~/api/routes";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { DiffView } from "~/parts/DiffView";
import { count } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { useToasts } from "~/parts/Toasts";
import { cliOf, useRouteActions } from "./actions";
import styles from "./RoutePage.module.css";
import type { Schemas } from "~/api/queries";

const page = 20;

/** What a route was, what each change changed, and the way back. */
export function History({ tagged }: { tagged: TaggedRoute }) {
  const { route, etag } = tagged;
  const { data, error, isPending } = useQuery({ ...routeRevisionsQuery(route.id), staleTime: 0 });
  const [shown, setShown] = useState(page);
  const [back, setBack] = useState<Schemas["RouteRevision"]>();
  const { changed } = useRouteActions();
  const { notify } = useToasts();
  if (error && !data) return <ProblemBar problem={error} />;
  if (isPending || !data) return <Skeleton lines={5} />;
  const revert = async (r: Schemas["RouteRevision"]) => {
    const before = draftOf(route);
    const now = await putRoute(draftOf(r.state!), { ifMatch: etag });
    await changed(route.id);
    notify({
      title: `${route.id} is as it was in revision ${r.revision}`,
      undo: () => void putRoute(before, { ifMatch: now.etag }).then(() => changed(route.id)).then(undefined, (e: unknown) => notify({ title: "It could not be undone", body: asProblem(e).message, intent: "error" })),
    });
  };
  return (
    <section className="card" aria-label="Revisions">
      <ol className={styles.revisions}>
        {data.slice(0, shown).map((r, i) => {
          const older = data[i + 1];
          const current = i === 0 && !r.deleted;
          return (
            <li key={r.revision}>
              <span className={styles.line}>
                <span className={styles.dot + (current ? " " + styles.now : "")} aria-hidden />
              </span>
              <div className={styles.revision}>
                <div className={styles.revHead}>
                  <strong>{r.deleted ? "Deleted" : older === undefined || older.deleted ? "Made" : "Changed"}</strong>
                  <RelativeTime at={r.at} />
                  {r.by && <span className="quiet">by {r.by}</span>}
                  <span className="quiet nums">revision {count(r.revision)}</span>
                  {current && <span>in force</span>}
                  {!current && r.state && (
                    <Button size="small" onClick={() => setBack(r)}>
                      Go back to this
                    </Button>
                  )}
                </div>
                {r.state && older?.state && <DiffView before={specOf(draftOf(older.state))} after={specOf(draftOf(r.state))} same="Nothing that an event would notice." />}
              </div>
            </li>
          );
        })}
      </ol>
      {data.length > shown && (
        <Button appearance="subtle" onClick={() => setShown(shown + page)}>
          {count(data.length - shown)} older
        </Button>
      )}
      <ConfirmDialog open={back !== undefined} title={`Go back to revision ${back?.revision}?`} verb="Go back" cli={() => (back?.state ? cliOf(draftOf(back.state)) : "")} onClose={() => setBack(undefined)} onConfirm={() => revert(back!)}>
        {back?.state && <DiffView before={specOf(draftOf(route))} after={specOf(draftOf(back.state))} labels={["Now", "Then"]} />}
      </ConfirmDialog>
    </section>
  );
}
