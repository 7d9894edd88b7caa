import { Button } from "@fluentui/react-components";
import { ArrowRepeatAll20Regular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { forget, jobQuery, previewQuery, redrive, type Preview, type Selection } from "~/api/letters";
import { asProblem } from "~/api/problem";
import { CopyAs } from "~/parts/CopyAs";
import { DiffView } from "~/parts/DiffView";
import { EmptyState } from "~/parts/EmptyState";
import { count, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { ResourceLink } from "~/parts/ResourceLink";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge, type StateName } from "~/parts/StateBadge";
import { visible } from "~/parts/visible";
import { JobCard } from "./Jobs";
import { redriveRoute } from "./route";
import { cliOf, selectionOf } from "./selection";
import styles from "./DeadLetters.module.css";

const step = 20;
const most = 200;

/** Redrive: what would be sent, then how it goes. */
export function Redrive() {
  const search = redriveRoute.useSearch();
  const hash = useRouterState({ select: (s) => s.location.hash });
  const selection = selectionOf(search, hash);
  if (search.job !== undefined) return <Going id={search.job} />;
  if (selection === undefined) {
    return (
      <EmptyState title="Nothing is picked" action={<Link to="/dead-letters">Pick dead letters</Link>}>
        A redrive is of a cause, an endpoint, or letters that you pick.
      </EmptyState>
    );
  }
  return <Before selection={selection} />;
}

type Result = Preview["items"][number]["result"];

const results: Record<Result, { state: StateName; word: string; means: string }> = {
  changed: { state: "healthy", word: "sent anew", means: "The route now makes something else of it than what failed." },
  new: { state: "healthy", word: "sent, made now", means: "It had never come through its plugins; now it does." },
  same: { state: "catching up", word: "sent as before", means: "The same is sent again: it helps when the endpoint was mended." },
  nothing: { state: "idle", word: "stays", means: "The route, as it is now, sends nothing for it." },
  fails: { state: "failing", word: "fails again", means: "A plugin still fails on it." },
  refused: { state: "paused", word: "cannot go", means: "It cannot be redriven." },
};

function Before({ selection }: { selection: Selection }) {
  const [limit, setLimit] = useState(step);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { data, error, isFetching } = useQuery({ ...previewQuery(selection, limit), placeholderData: (before) => before });
  const go = useMutation({
    mutationFn: () => redrive(selection),
    onSuccess: (job) => {
      forget(queries);
      void navigate(job ? { to: "/dead-letters/redrive", search: { job: job.id }, replace: true } : { to: "/dead-letters" });
    },
  });
  const gone = error && asProblem(error).status === 404;
  const n = data?.selected ?? 0;
  const sent = (data?.items ?? []).filter((i) => i.outputs.length > 0).length;
  return (
    <>
      <PageHead
        title={data ? `Redrive ${plural(n, "dead letter")}?` : "Redrive"}
        sentence={data && (data.items.length === 0 ? "Nothing is left of this selection." : `${data.items.length < n ? `Of the first ${count(data.items.length)}, ` : ""}${count(sent)} would be sent, by the routes as they are now. Nothing was sent yet.`)}
        actions={
          <>
            <CopyAs cli={() => cliOf("redrive", selection)} value={selection} />
            <Button onClick={() => void navigate({ to: "/dead-letters", search: selection.group ? { group: selection.group } : {} })}>Back</Button>
            <Button appearance="primary" icon={<ArrowRepeatAll20Regular />} disabled={!data || n === 0 || go.isPending} onClick={() => go.mutate()}>
              {go.isPending ? "Starting…" : `Redrive ${count(n)}`}
            </Button>
          </>
        }
      />
      {go.error && <ProblemBar problem={go.error} />}
      {error && (gone ? <EmptyState title="These letters are gone" action={<Link to="/dead-letters">See those there are</Link>}>They were redriven or purged meanwhile. A letter that failed again has a new id.</EmptyState> : <ProblemBar problem={error} />)}
      {!data && !error && <Skeleton lines={10} />}
      {data && data.items.length > 0 && (
        <>
          <div className={styles.counts}>
            {(Object.keys(results) as Result[]).filter((r) => (data.counts[r] ?? 0) > 0).map((r) => (
              <span key={r} className={styles.count} title={results[r].means}>
                <StateBadge state={results[r].state} word={`${count(data.counts[r] ?? 0)} ${results[r].word}`} />
              </span>
            ))}
          </div>
          <div className={styles.preview}>
            {data.items.map((i) => (
              <Previewed key={i.id} item={i} />
            ))}
          </div>
          {data.items.length < n && data.items.length < most && (
            <div>
              <Button disabled={isFetching} onClick={() => setLimit(Math.min(most, limit * 3))}>
                {isFetching ? "Looking…" : "Preview more"}
              </Button>
            </div>
          )}
          {data.items.length < n && data.items.length >= most && <p className="quiet">A preview is of {most} letters at most.</p>}
        </>
      )}
    </>
  );
}

function Previewed({ item: i }: { item: Preview["items"][number] }) {
  const r = results[i.result];
  return (
    <article className="card stack" style={{ gap: 10 }} aria-label={`Letter ${i.id}`}>
      <div className="row">
        <StateBadge state={r.state} word={r.word} />
        <Link to="/dead-letters/$id" params={{ id: i.id }} className="mono">
          {i.id}
        </Link>
        <span className="quiet">
          <ResourceLink kind="route" name={i.route} /> → <ResourceLink kind="endpoint" name={i.endpoint} />
        </span>
        <span className="cut" style={{ flex: 1 }} title={i.reason}>
          failed: <code>{visible(i.reason)}</code>
        </span>
      </div>
      {i.why && <p>{visible(i.why)}</p>}
      {i.outputs.map((o, n) =>
        i.result === "same" ? null : <DiffView key={n} changes={o.diff} labels={[i.before ? "What failed" : "As it came", "What would be sent"]} same="Sent as it is." />,
      )}
    </article>
  );
}

function Going({ id }: { id: string }) {
  const { data, error } = useQuery(jobQuery(id));
  const queries = useQueryClient();
  const over = data?.endedAt !== undefined;
  useEffect(() => {
    if (over) forget(queries);
  }, [over, queries]);
  if (!data) {
    if (!error) return <Skeleton lines={4} />;
    return asProblem(error).status === 404 ? (
      <EmptyState title="This redrive is not known any more" action={<Link to="/dead-letters">See the dead letters</Link>}>
        Redrives are remembered until the gateway stops. The letters' own state is on disk.
      </EmptyState>
    ) : (
      <ProblemBar problem={error} />
    );
  }
  return (
    <>
      <PageHead
        title={over ? "Redrive ended" : "Redrive under way"}
        sentence={over ? (data.failed > 0 ? `${plural(data.failed, "letter")} failed again, and ${data.failed === 1 ? "is" : "are"} back in the list with a new id.` : data.refused > 0 ? `${plural(data.refused, "letter")} stay where they are; the others were delivered.` : "All of them were delivered, and have left the list.") : "You can leave this page: it goes on by itself."}
        actions={<Link to="/dead-letters">See the dead letters</Link>}
      />
      {error && <ProblemBar problem={error} />}
      <JobCard job={data} />
    </>
  );
}
