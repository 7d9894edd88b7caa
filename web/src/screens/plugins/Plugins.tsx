import { Button } from "@fluentui/react-components";
import { ArrowUpload20Regular, PuzzlePiece20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Suspense, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useCommand } from "~/app/commands";
import { useShortcut } from "~/app/shortcuts";
import { pluginsQuery, routesQuery } from "~/api/queries";
import { countTraps, trapGroupsQuery, type TrapGroup } from "~/api/traps";
import { EmptyState } from "~/parts/EmptyState";
import { bytes, count, plural } from "~/parts/figures";
import { lazy } from "~/parts/lazy";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { SearchField } from "~/parts/SearchField";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge } from "~/parts/StateBadge";
import { countUses, type Plugin } from "./data";
import { DropTarget } from "./DropTarget";
import styles from "./Plugins.module.css";
import { pluginsRoute } from "./route";

const UploadPanel = lazy(() => import("./UploadPanel"), "UploadPanel", { over: true });

const page = 60; // cards at a time

/** All plugins, and the place to drop a new one. */
export function Plugins() {
  const search = pluginsRoute.useSearch();
  const navigate = useNavigate();
  const to = (change: Partial<typeof search>) => void navigate({ to: "/plugins", search: (s) => ({ ...s, ...change }), replace: true });
  const plugins = useQuery(pluginsQuery);
  const { data: routes } = useQuery(routesQuery);
  const { data: traps } = useQuery(trapGroupsQuery);
  const [dropped, setDropped] = useState<File>();
  const upload = () => to({ upload: true });
  useShortcut("u", "Upload a plugin", upload);
  useCommand("Upload a plugin", upload);

  const uses = useMemo(() => countUses(routes ?? []), [routes]);
  const q = useDeferredValue(search.q?.toLowerCase() ?? "");
  const shown = useMemo(() => (plugins.data ?? []).filter((p) => p.name.toLowerCase().includes(q)), [plugins.data, q]);
  if (plugins.isPending) return <Skeleton lines={8} />;
  if (plugins.isError && !plugins.data) return <ProblemBar problem={plugins.error} action={<Button onClick={() => void plugins.refetch()}>Try again</Button>} />;
  const all = plugins.data ?? [];
  const used = all.filter((p) => uses.has(p.name)).length;
  return (
    <DropTarget
      onFile={(f) => {
        setDropped(f);
        upload();
      }}
    >
      <PageHead
        title="Plugins"
        sentence={all.length > 0 && routes && <>{used === 0 ? `None of ${plural(all.length, "plugin")} is used by a route` : `${plural(used, "plugin")} of ${count(all.length)} ${used === 1 ? "is" : "are"} used by routes`}. Drop a WebAssembly module anywhere here to add one.</>}
        actions={
          <Button appearance="primary" icon={<ArrowUpload20Regular />} onClick={upload}>
            Upload
          </Button>
        }
      />
      {all.length === 0 ? (
        <EmptyState title="No plugins yet" icon={<PuzzlePiece20Regular />} action={<Button appearance="primary" onClick={upload}>Upload the first one</Button>}>
          <p>
            A plugin is a WebAssembly module that decides which events pass, or changes them. <code>headgate plugin new</code> starts one in Go.
          </p>
        </EmptyState>
      ) : (
        <>
          <div className={styles.bar} data-search role="search">
            <SearchField className={styles.search} aria-label="Search plugins" placeholder="Search plugins" value={search.q} onChange={(q) => to({ q })} />
            <span className={styles.count} role="status">
              {q === "" ? plural(all.length, "plugin") : `${count(shown.length)} of ${plural(all.length, "plugin")}`}
            </span>
          </div>
          {shown.length === 0 ? <EmptyState title="No plugin is called so" action={<Button onClick={() => to({ q: undefined })}>Show all</Button>} /> : <Cards key={q} plugins={shown} uses={uses} traps={traps ?? []} />}
        </>
      )}
      {search.upload && (
        <Suspense>
          <UploadPanel
            file={dropped}
            plugins={all}
            onClose={() => {
              setDropped(undefined);
              to({ upload: undefined });
            }}
          />
        </Suspense>
      )}
    </DropTarget>
  );
}

/** The cards in sight, and as many more as are scrolled to. */
function Cards({ plugins, uses, traps }: { plugins: readonly Plugin[]; uses: ReadonlyMap<string, number>; traps: readonly TrapGroup[] }) {
  const [shown, setShown] = useState(page);
  const end = useRef<HTMLDivElement>(null);
  const more = plugins.length > shown;
  useEffect(() => {
    if (!more || !end.current) return;
    const seen = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && setShown((n) => n + page), { rootMargin: "600px" });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [more, shown]);
  return (
    <>
      <ul className={styles.cards}>
        {plugins.slice(0, shown).map((p) => (
          <Card key={p.name} plugin={p} uses={uses.get(p.name) ?? 0} traps={countTraps(traps, p.name, p.active)} />
        ))}
      </ul>
      {more && <div ref={end} style={{ height: 1 }} />}
    </>
  );
}

function Card({ plugin: p, uses, traps }: { plugin: Plugin; uses: number; traps: number }) {
  const active = p.versions.find((v) => v.version === p.active);
  const latest = p.versions.at(-1);
  return (
    <li className={styles.card}>
      <div className={styles.cardHead}>
        <Link to="/plugins/$name" params={{ name: p.name }} className={styles.cardName}>
          {p.name}
        </Link>
        {traps > 0 ? <StateBadge state="failing" word={plural(traps, "trap")} /> : uses > 0 ? <StateBadge state="healthy" word="in use" /> : <StateBadge state="idle" word="not used" />}
      </div>
      <p className={styles.cardKinds}>{active?.kinds.join(" and ")}</p>
      <dl className={styles.cardFacts}>
        <div>
          <dt>Active</dt>
          <dd>
            version {p.active}
            {latest && latest.version > p.active && <span className="quiet"> · {latest.version} waits</span>}
          </dd>
        </div>
        <div>
          <dt>Used by</dt>
          <dd>{uses === 0 ? "no route" : plural(uses, "route")}</dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>{active ? bytes(active.size) : "–"}</dd>
        </div>
        <div>
          <dt>Uploaded</dt>
          <dd>{active && <RelativeTime at={active.createdAt} />}</dd>
        </div>
      </dl>
    </li>
  );
}
