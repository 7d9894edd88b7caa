import { Select } from "@fluentui/react-components";
import { Checkmark24Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { groupsQuery, type Group } from "~/api/letters";
import { endpointsQuery } from "~/api/queries";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { count, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { Sparkline } from "~/parts/Sparkline";
import { visible } from "~/parts/visible";
import { Letters } from "./Letters";
import { PurgeButton, RedriveButton } from "./Actions";
import { Jobs } from "./Jobs";
import { lettersRoute } from "./route";
import styles from "./DeadLetters.module.css";

/** What was given up, by its cause. */
export function DeadLetters() {
  const search = lettersRoute.useSearch();
  const navigate = useNavigate({ from: "/dead-letters" });
  const [over, setOver] = useState(false);
  const { data, error } = useQuery({ ...groupsQuery(search.endpoint), ...(over && { refetchInterval: false as const }) });
  const group = data?.items.find((g) => g.id === search.group);
  const endpoints = useQuery(endpointsQuery).data;
  const columns = useMemo(() => columnsOf(data?.series), [data?.series]);

  if (search.group !== undefined) return <Letters id={search.group} group={group} newest={data?.newest} known={data !== undefined} />;
  const letters = data?.letters ?? 0;
  return (
    <>
      <PageHead
        title="Dead letters"
        sentence={data && <Sentence groups={data.items} letters={letters} endpoint={search.endpoint} />}
        actions={
          letters > 0 ? (
            <>
              <RedriveButton selection={search.endpoint ? { endpoint: search.endpoint } : { all: true }} label={`Redrive all ${count(letters)}`} />
              <PurgeButton selection={search.endpoint ? { endpoint: search.endpoint } : { all: true }} count={letters} newest={data?.newest} of={search.endpoint ? `endpoint ${search.endpoint}` : "all endpoints"} label="Purge all…" />
            </>
          ) : undefined
        }
      />
      <Jobs />
      {error && <ProblemBar problem={error} />}
      {data && !data.complete && <p className="quiet" role="status">The gateway started a moment ago and still reads its dead letters: there may be more than are counted here.</p>}
      {(letters > 0 || search.endpoint !== undefined) && (
        <div className={styles.bar}>
          <Select aria-label="Endpoint" value={search.endpoint ?? ""} onChange={(_, d) => void navigate({ search: { endpoint: d.value || undefined }, replace: true })}>
            <option value="">All endpoints</option>
            {(endpoints ?? []).map((e) => (
              <option key={e.name} value={e.name}>
                {e.name}
              </option>
            ))}
            {search.endpoint !== undefined && !(endpoints ?? []).some((e) => e.name === search.endpoint) && <option value={search.endpoint}>{search.endpoint}</option>}
          </Select>
        </div>
      )}
      {!data && !error && <Skeleton lines={8} />}
      {data && data.items.length === 0 && <None endpoint={search.endpoint} />}
      {data && data.items.length > 0 && (
        <div onPointerEnter={(e) => e.pointerType === "mouse" && setOver(true)} onPointerLeave={() => setOver(false)}>
          <DataTable label="Causes of dead letters" rows={data.items} columns={columns} rowKey={(g) => g.id} rowHeight={56} onOpen={(g) => void navigate({ search: { group: g.id } })} />
        </div>
      )}
    </>
  );
}

function Sentence({ groups, letters, endpoint }: { groups: readonly Group[]; letters: number; endpoint?: string }) {
  if (letters === 0) return <>{endpoint ? `Nothing for ${endpoint} was given up.` : "Nothing was given up."}</>;
  const largest = groups[0];
  return (
    <>
      {plural(letters, "delivery was", "deliveries were")} given up, for {plural(groups.length, "cause")}
      {groups.length > 1 && largest && letters > 0 && <>; {Math.round((100 * largest.count) / letters)} % of them for one, at {largest.endpoint}</>}. They are kept until you redrive or purge them.
    </>
  );
}

function None({ endpoint }: { endpoint?: string }) {
  return (
    <EmptyState title={endpoint ? `No dead letters for ${endpoint}` : "No dead letters"} icon={<Checkmark24Regular />} action={endpoint ? <Link to="/dead-letters">See those of all endpoints</Link> : undefined}>
      <p>A delivery comes here, with its event and its reason, when trying again would not help:</p>
      <ul className={styles.teach}>
        <li>its endpoint refused the event itself, such as with 400 or 413,</li>
        <li>a plugin of its route failed on it,</li>
        <li>or it was tried for longer, or more often, than its endpoint allows.</li>
      </ul>
      <p>From here you look at what failed, mend the route or the plugin, see what would be sent now, and send it.</p>
    </EmptyState>
  );
}

function columnsOf(series: { from: string; stepSeconds: number } | undefined): Column<Group>[] {
  return [
    {
      id: "cause", header: "Cause", width: "minmax(200px, 3fr)", phone: "whole", sort: (g) => g.cause,
      cell: (g) => (
        <Link to="/dead-letters" search={{ group: g.id }} className={styles.cause} title={g.example}>
          {visible(g.cause)}
        </Link>
      ),
    },
    { id: "endpoint", header: "Endpoint", width: "minmax(110px, 1fr)", sort: (g) => g.endpoint, cell: (g) => <span title={g.routes.map((r) => `${r.id}: ${r.count}`).join("\n")}>{g.endpoint}</span> },
    { id: "count", header: "Letters", width: "84px", number: true, sort: (g) => g.count, cell: (g) => count(g.count) },
    { id: "last", header: "Last", width: "96px", sort: (g) => g.last, cell: (g) => <RelativeTime at={g.last} /> },
    { id: "first", header: "First", width: "96px", phone: "hide", sort: (g) => g.first, cell: (g) => <RelativeTime at={g.first} /> },
    {
      id: "series", header: "Over time", width: "140px", phone: "hide",
      cell: (g) => <Sparkline values={g.series} colour="var(--state-failing)" label={`Given up since ${series ? new Date(series.from).toLocaleString("en-GB") : "the first"}: ${g.series.join(", ")}`} />,
    },
  ];
}
