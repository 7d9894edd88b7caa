import { Button } from "@fluentui/react-components";
import { Checkmark24Regular } from "@fluentui/react-icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { lettersQuery, type Group, type Letter, type Selection } from "~/api/letters";
import { kindOf, twinKey } from "~/api/kind";
import { CopyAs } from "~/parts/CopyAs";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { EventKindIcon } from "~/parts/EventKindIcon";
import { count, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { Skeleton } from "~/parts/Skeleton";
import { TwinLink } from "~/parts/TwinLink";
import { visible } from "~/parts/visible";
import { PurgeButton, RedriveButton } from "./Actions";
import { Jobs } from "./Jobs";
import { cliOf } from "./selection";
import styles from "./DeadLetters.module.css";

/** The letters of one cause. */
export function Letters({ id, group, newest, known }: { id: string; group: Group | undefined; newest: string | undefined; known: boolean }) {
  const navigate = useNavigate();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(lettersQuery({ group: id }));
  const letters = useMemo(() => data?.pages.flatMap((p) => p.items), [data]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const ids = (letters ?? []).map((l) => l.id).filter((l) => selected.has(l));
  const total = group?.count ?? letters?.length ?? 0;
  const one: Selection = ids.length > 0 ? { ids } : { group: id };
  const many = ids.length > 0 ? ids.length : total;
  const gone = known && group === undefined && letters?.length === 0;
  const back = (
    <Link to="/dead-letters" search={{}}>
      All causes
    </Link>
  );
  return (
    <>
      <PageHead
        title="One cause"
        sentence={
          group && (
            <>
              {plural(group.count, "delivery", "deliveries")} to <ResourceLink kind="endpoint" name={group.endpoint} /> {group.count === 1 ? "was" : "were"} given up, the latest <RelativeTime at={group.last} />, of{" "}
              {group.routes.slice(0, 3).map((r, i) => (
                <span key={r.id}>
                  {i > 0 && ", "}
                  <ResourceLink kind="route" name={r.id} />
                </span>
              ))}
              {group.routes.length > 3 && ` and ${plural(group.routes.length - 3, "more route")}`}.
            </>
          )
        }
        actions={back}
      />
      <Jobs />
      {group && (
        <section className="card stack" style={{ gap: 8 }} aria-label="The reason">
          <pre className={styles.reason} tabIndex={0}>
            {visible(group.example)}
          </pre>
          {group.cause !== group.example && <p className="quiet">This is the reason of the latest letter. The others say the same, with other numbers and ids.</p>}
        </section>
      )}
      {error && <ProblemBar problem={error} />}
      {!letters && !error && <Skeleton lines={8} />}
      {gone && (
        <EmptyState title="No letter of this cause is left" icon={<Checkmark24Regular />} action={back}>
          They were redriven or purged.
        </EmptyState>
      )}
      {letters && letters.length > 0 && (
        <>
          <div className={styles.bar}>
            <span role="status">{ids.length > 0 ? `${count(ids.length)} of ${count(total)} picked` : plural(total, "letter")}</span>
            {ids.length > 0 && (
              <Button size="small" onClick={() => setSelected(new Set())}>
                Pick none
              </Button>
            )}
            <span className={styles.spring} />
            <CopyAs cli={() => cliOf("redrive", one)} value={one} size="small" />
            <RedriveButton primary selection={one} label={ids.length > 0 ? `Redrive ${count(many)} picked` : `Redrive all ${count(many)}`} />
            <PurgeButton selection={one} count={many} newest={newest} of={ids.length > 0 ? "this selection" : "this cause"} label={ids.length > 0 ? `Purge ${count(many)} picked…` : "Purge all…"} onDone={() => setSelected(new Set())} />
          </div>
          <DataTable
            label="Dead letters of this cause, the oldest first"
            rows={letters}
            columns={columns}
            rowKey={rowKey}
            selected={selected}
            onSelect={setSelected}
            onOpen={(l) => void navigate({ to: "/dead-letters/$id", params: { id: l.id } })}
            onEnd={onEnd}
            rowHeight={40}
            maxHeight="max(300px, calc(100dvh - 380px))"
          />
          <p className="quiet">Click a box while Shift is held to pick all between. J and K move, X picks, Enter opens.</p>
        </>
      )}
    </>
  );
}

const rowKey = (l: Letter) => l.id;

const columns: Column<Letter>[] = [
  { id: "dead", header: "Given up", width: "92px", cell: (l) => <RelativeTime at={l.deadAt} /> },
  { id: "twin", header: "Twin", width: "minmax(130px, 1fr)", cell: (l) => <Twin letter={l} /> },
  { id: "route", header: "Route", width: "minmax(110px, 1fr)", phone: "hide", cell: (l) => l.route },
  {
    id: "reason", header: "Reason", width: "minmax(180px, 3fr)", phone: "whole",
    cell: (l) => (
      <Link to="/dead-letters/$id" params={{ id: l.id }} className={styles.cause} title={l.reason}>
        {visible(l.reason)}
      </Link>
    ),
  },
  { id: "attempts", header: "Attempts", width: "76px", number: true, phone: "hide", cell: (l) => count(l.attempts) },
];

function Twin({ letter }: { letter: Letter }) {
  const e = letter.origin ?? letter.event;
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 8, maxWidth: "100%" }}>
      <EventKindIcon kind={kindOf(e.type)} />
      <TwinLink id={twinKey(e)} className="mono cut" />
    </span>
  );
}
