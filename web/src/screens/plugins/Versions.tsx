import { Button } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "~/api/client";
import { asProblem } from "~/api/problem";
import { auditQuery } from "~/api/queries";
import { planOf } from "~/api/routes";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { CopyId } from "~/parts/CopyId";
import { Effect } from "~/parts/Effect";
import { bytes, count, duration, plural } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { useToasts } from "~/parts/Toasts";
import { activate, type Plugin, type Use, type Version } from "./data";
import { documentOf } from "./documents";
import styles from "./PluginPage.module.css";

const page = 15;

/** All uploads of a plugin, the latest first, and the way from one to another. */
export function Versions({ plugin, etag, uses, activating, onActivating }: { plugin: Plugin; etag: string | undefined; uses: readonly Use[]; activating: number | undefined; onActivating: (version: number | undefined) => void }) {
  const queries = useQueryClient();
  const { notify } = useToasts();
  const { data: audit } = useQuery(auditQuery(1000));
  const [shown, setShown] = useState(page);
  const [gone, setGone] = useState<Version>();
  const changed = () => Promise.all([queries.invalidateQueries({ queryKey: ["plugin", plugin.name] }), queries.invalidateQueries({ queryKey: ["plugins"] }), queries.invalidateQueries({ queryKey: ["routes:test"] })]);
  const go = async (to: number): Promise<void> => {
    const before = plugin.active;
    await activate(plugin.name, to, etag);
    await changed();
    notify({
      title: `${plugin.name} ${to} is active`,
      body: "Every route that follows it runs it from now on.",
      undo: () => void activate(plugin.name, before).then(changed).then(() => notify({ title: `${plugin.name} ${before} is active again` }), (e: unknown) => notify({ title: "It could not be rolled back", body: asProblem(e).message, intent: "error" })),
    });
  };
  const by = (v: Version) => audit?.find((a) => a.action === "upload" && a.kind === "plugin" && a.name === plugin.name && a.detail === String(v.version))?.by;
  const target = plugin.versions.find((v) => v.version === activating && v.version !== plugin.active);
  const all = plugin.versions.toReversed();
  return (
    <section className="card" aria-label="Versions">
      <ol className={styles.timeline}>
        {all.slice(0, shown).map((v) => (
          <Line key={v.version} version={v} plugin={plugin} by={by(v)} pins={uses.filter((u) => u.pin === String(v.version) || u.pin === v.digest).length} onActivate={() => onActivating(v.version)} onDelete={() => setGone(v)} />
        ))}
      </ol>
      {all.length > shown && (
        <Button appearance="subtle" onClick={() => setShown(shown + page)}>
          {count(all.length - shown)} older
        </Button>
      )}
      {target && <Activation plugin={plugin} version={target} onGo={() => go(target.version)} onClose={() => onActivating(undefined)} />}
      <ConfirmDialog
        open={gone !== undefined}
        danger
        title={`Delete version ${gone?.version}?`}
        verb="Delete the version"
        cli={command("headgate", "plugin", "delete", plugin.name, String(gone?.version))}
        onClose={() => setGone(undefined)}
        onConfirm={async () => {
          await api.delete("/plugins/{name}/versions/{version}", { path: { name: plugin.name, version: String(gone!.version) } as never, ifMatch: etag });
          await changed();
          notify({ title: `Version ${gone!.version} of ${plugin.name} is deleted` });
        }}
      >
        <p>Its module is gone for good then; the number is never given again.{gone && uses.some((u) => u.pin === String(gone.version) || u.pin === gone.digest) && " Routes are pinned to it, so the gateway will refuse: pin them to another version first."}</p>
      </ConfirmDialog>
    </section>
  );
}

function Line({ version: v, plugin, by, pins, onActivate, onDelete }: { version: Version; plugin: Plugin; by: string | undefined; pins: number; onActivate: () => void; onDelete: () => void }) {
  const active = v.version === plugin.active;
  const s = v.stats;
  return (
    <li>
      <span className={styles.rule} aria-hidden>
        <span className={styles.dot + (active ? " " + styles.now : "")} />
      </span>
      <div className={styles.version}>
        <div className={styles.versionHead}>
          <h3>Version {v.version}</h3>
          {active && <span className={styles.active}>active</span>}
          <span className="quiet">
            uploaded <RelativeTime at={v.createdAt} />
            {by && ` by ${by}`}
          </span>
          <span className={styles.spring} />
          {!active && (
            <Button size="small" onClick={onActivate}>
              {v.version < plugin.active ? "Roll back to this" : "Activate"}
            </Button>
          )}
          {(!active || plugin.versions.length === 1) && (
            <Button size="small" appearance="subtle" onClick={onDelete} aria-label={`Delete version ${v.version}`}>
              Delete
            </Button>
          )}
        </div>
        <div className={styles.facts}>
          <span>{v.kinds.join(" and ")}</span>
          <span>{bytes(v.size)}</span>
          {pins > 0 && <span>{plural(pins, "route")} pinned to it</span>}
          <CopyId id={v.digest} short={19} label="digest" />
        </div>
        {s && s.events > 0 && (
          <dl className={styles.stats}>
            <Figure label="Events" value={count(s.events)} />
            <Figure label="Half take" value={duration(s.p50Micros * 1000)} />
            <Figure label="99 of 100 at most" value={duration(s.p99Micros * 1000)} />
            <Figure label="Fuel an event" value={count(Math.round(s.fuel / s.events))} />
            <Figure label="Highest fuel" value={count(s.maxFuel)} />
            <Figure label="Calls that trapped" value={count(s.traps)} bad={s.traps > 0} />
          </dl>
        )}
      </div>
    </li>
  );
}

function Figure({ label, value, bad }: { label: string; value: string; bad?: boolean }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd style={bad ? { color: "var(--state-failing)", fontWeight: 600 } : undefined}>{value}</dd>
    </div>
  );
}

/** What activating a version would change for the latest events, before it is done. */
function Activation({ plugin, version, onGo, onClose }: { plugin: Plugin; version: Version; onGo: () => Promise<void>; onClose: () => void }) {
  const plan = useQuery({
    queryKey: ["plan", "Plugin", plugin.name, version.version, plugin.active],
    queryFn: ({ signal }) => planOf(documentOf(plugin, version), 1000, signal),
    gcTime: 0,
    retry: false,
  });
  const back = version.version < plugin.active;
  return (
    <ConfirmDialog open title={back ? `Roll ${plugin.name} back to version ${version.version}?` : `Activate version ${version.version} of ${plugin.name}?`} verb={back ? "Roll back" : "Activate"} cli={command("headgate", "plugin", "activate", plugin.name, String(version.version))} onClose={onClose} onConfirm={onGo}>
      <p>
        Now version {plugin.active} runs. No event is lost or doubled by the change, and it can be undone.
      </p>
      {plan.isPending ? <Skeleton lines={3} height={80} /> : plan.isError ? <ProblemBar problem={plan.error} title="What it would change cannot be shown" /> : <Effect traffic={plan.data.traffic} />}
    </ConfirmDialog>
  );
}
