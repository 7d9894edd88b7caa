import { Button } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { revisionsQuery, specOf, type Endpoint, type Revision, type Side, type Source, type Tagged } from "~/api/resources";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { DiffView } from "~/parts/DiffView";
import { count } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { command } from "~/parts/shell";
import styles from "./Endpoints.module.css";
import { putCommand } from "./putCommand";
import { useResourceActions } from "./useResourceActions";

const page = 20;

/** What an endpoint or a source was, what each change changed, and the way back. Secrets are not kept: those of now stay. */
export function History({ side, tagged }: { side: Side; tagged: Tagged<Endpoint | Source> }) {
  const { resource, etag } = tagged;
  const { data, error } = useQuery(revisionsQuery(side, resource.name));
  const [shown, setShown] = useState(page);
  const [back, setBack] = useState<Revision>();
  const { save } = useResourceActions(side);
  if (!data) return error ? <ProblemBar problem={error} /> : <Skeleton lines={5} />;
  const now = specOf(side, resource);
  return (
    <section className="card" aria-label="Revisions">
      <ol className={styles.revisions}>
        {data.slice(0, shown).map((r, i) => {
          const older = data[i + 1];
          const current = i === 0 && !r.deleted;
          return (
            <li key={r.revision}>
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
              {r.state && older?.state && <DiffView before={specOf(side, older.state)} after={specOf(side, r.state)} same="Nothing that is shown: a secret was replaced, or nothing." />}
            </li>
          );
        })}
      </ol>
      {data.length > shown && (
        <Button appearance="subtle" onClick={() => setShown(shown + page)}>
          {count(data.length - shown)} older
        </Button>
      )}
      <ConfirmDialog
        open={back !== undefined} title={`Go back to revision ${back?.revision}?`} verb="Go back" cli={() => (back?.state ? command(...putCommand(side, resource.name, specOf(side, back.state))) : "")} onClose={() => setBack(undefined)}
        onConfirm={() => save(resource.name, now, specOf(side, back!.state!), etag, `${resource.name} is as it was in revision ${back!.revision}`)}
      >
        <p className="quiet">Secrets of the past are not kept: where one was stored, the one of now stays.</p>
        {back?.state && <DiffView before={now} after={specOf(side, back.state)} labels={["Now", "Then"]} />}
      </ConfirmDialog>
    </section>
  );
}
