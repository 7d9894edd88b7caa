import { Button, ProgressBar } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { forget, jobsQuery, stop, type Job } from "~/api/letters";
import { CopyAs } from "~/parts/CopyAs";
import { count, plural, rate } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { command } from "~/parts/shell";
import { StateBadge } from "~/parts/StateBadge";
import { visible } from "~/parts/visible";
import styles from "./DeadLetters.module.css";

/** Redrives that are under way, and that ended in the last minutes. */
export function Jobs() {
  const { data } = useQuery(jobsQuery);
  const queries = useQueryClient();
  const under = data?.filter((j) => j.endedAt === undefined).length ?? 0;
  const before = useRef(0);
  useEffect(() => {
    if (under < before.current) forget(queries);
    before.current = under;
  }, [under, queries]);
  const shown = (data ?? []).filter((j) => j.endedAt === undefined || Date.now() - Date.parse(j.endedAt) < 120_000).slice(0, 3);
  return shown.map((j) => <JobCard key={j.id} job={j} linked />);
}

const words: Record<Job["state"], string> = { running: "Under way", stopping: "Stopping: those under way are waited for", stopped: "Stopped", done: "Done" };

/** How a redrive goes, with its progress, rate and a way to stop it. */
export function JobCard({ job: j, linked }: { job: Job; linked?: boolean }) {
  const queries = useQueryClient();
  const halt = useMutation({ mutationFn: () => stop(j.id), onSettled: () => queries.invalidateQueries({ queryKey: ["redrives"] }) });
  const settled = j.delivered + j.failed + j.refused;
  const what = j.selection.group !== undefined ? "of one cause" : j.selection.endpoint !== undefined ? `for ${j.selection.endpoint}` : j.selection.all ? "of all endpoints" : "that were picked";
  return (
    <section className={"card " + styles.job} aria-label={`Redrive ${j.id}`}>
      <div className="row">
        <span role="status">
          <StateBadge state={j.state === "done" ? (j.failed > 0 ? "failing" : "healthy") : j.state === "stopped" ? "paused" : "catching up"} word={words[j.state]} />
        </span>
        <span>
          Redrive of {plural(j.total, "letter")} {what}
        </span>
        <span className="quiet">
          <RelativeTime at={j.endedAt ?? j.startedAt} />
        </span>
        {linked && (
          <Link to="/dead-letters/redrive" search={{ job: j.id }}>
            Details
          </Link>
        )}
      </div>
      {j.endedAt === undefined ? (
        <span className="row">
          <Button size="small" disabled={j.state === "stopping" || halt.isPending} onClick={() => halt.mutate()}>
            Stop
          </Button>
          <CopyAs cli={command("headgate", "dead-letters", "redrives", j.id, "--stop")} value={j} size="small" label="" />
        </span>
      ) : (
        <span />
      )}
      <ProgressBar className={styles.wide} value={j.total === 0 ? 1 : settled / j.total} color={j.failed > 0 ? "warning" : "brand"} thickness="large" aria-label={`${settled} of ${j.total} letters`} />
      <p className={styles.wide + " nums"}>
        {count(j.delivered)} delivered, {count(j.failed)} failed again, {count(j.refused)} stay, {count(j.pending)} under way; {count(Math.max(0, j.total - settled - j.pending))} to go. {rate(j.rate)}.
      </p>
      {j.error && <p className={styles.wide}>{visible(j.error)}</p>}
      {!linked && j.refusals.length > 0 && (
        <div className={styles.wide}>
          <h3>Why letters stay</h3>
          <ul className={styles.refusals}>
            {j.refusals.map((r) => (
              <li key={r.reason}>
                {count(r.count)}: {visible(r.reason)}, such as{" "}
                <Link to="/dead-letters/$id" params={{ id: r.example }}>
                  {r.example}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      )}
      {halt.error && (
        <div className={styles.wide}>
          <ProblemBar problem={halt.error} />
        </div>
      )}
    </section>
  );
}
