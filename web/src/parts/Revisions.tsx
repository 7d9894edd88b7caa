import { Button } from "@fluentui/react-components";
import { useState, type ReactNode } from "react";
import type { Revision } from "~/api/resources";
import { ConfirmDialog } from "./ConfirmDialog";
import { DiffView } from "./DiffView";
import { count } from "./figures";
import { RelativeTime } from "./RelativeTime";
import styles from "./Revisions.module.css";

const page = 20;

/** What a resource was, the newest first, what each change changed, and the way back. */
export function Revisions<T>({ all, now, spec, same, note, cli, onBack }: {
  all: readonly Revision<T>[];
  now: T;
  /** What a person decides of a state. */
  spec: (state: T) => unknown;
  /** Said where a change changed nothing of that. */
  same: string;
  /** Said before going back. */
  note?: ReactNode;
  /** The command that goes back to a state. */
  cli: (state: T) => string;
  onBack: (revision: Revision<T>, state: T) => Promise<unknown>;
}) {
  const [shown, setShown] = useState(page);
  const [back, setBack] = useState<Revision<T>>();
  return (
    <section className="card" aria-label="Revisions">
      <ol className={styles.revisions}>
        {all.slice(0, shown).map((r, i) => {
          const older = all[i + 1];
          const current = i === 0 && !r.deleted;
          return (
            <li key={r.revision}>
              <span className={styles.line}>
                <span className={styles.dot + (current ? " " + styles.now : "")} aria-hidden />
              </span>
              <div className={styles.revision}>
                <div className={styles.head}>
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
                {r.state && older?.state && <DiffView before={spec(older.state)} after={spec(r.state)} same={same} />}
              </div>
            </li>
          );
        })}
      </ol>
      {all.length > shown && (
        <Button appearance="subtle" onClick={() => setShown(shown + page)}>
          {count(all.length - shown)} older
        </Button>
      )}
      {back?.state && (
        <ConfirmDialog open title={`Go back to revision ${back.revision}?`} verb="Go back" cli={() => cli(back.state!)} onClose={() => setBack(undefined)} onConfirm={() => onBack(back, back.state!)}>
          {note && <p className="quiet">{note}</p>}
          <DiffView before={spec(now)} after={spec(back.state)} labels={["Now", "Then"]} />
        </ConfirmDialog>
      )}
    </section>
  );
}
