import { CheckmarkCircle16Filled, ErrorCircle16Filled, Warning16Filled } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { Schemas } from "~/api/queries";
import { bytes, count, duration, plural } from "~/parts/figures";
import { JsonView } from "~/parts/JsonView";
import { visible } from "~/parts/visible";
import type { Plugin } from "./data";
import styles from "./Plugins.module.css";

type Admitted = Schemas["Admitted"];
type Trial = Schemas["Trial"];

/** What was found when a module was taken apart and tried, as a list of checks. */
export function AdmissionReport({ admitted: a, plugin }: { admitted: Admitted; plugin: Plugin | undefined }) {
  const r = a.report;
  const wasi = r.imports.filter((i) => !i.startsWith("headgate")).length;
  const active = plugin?.versions.find((v) => v.version === plugin.active);
  return (
    <section aria-labelledby="report" className="stack">
      <h2 id="report">What was found</h2>
      {r.description && <p>{visible(r.description)}</p>}
      <ul className={styles.checks}>
        <Check ok>
          It is a plugin: {r.kinds.join(" and ")}
          <More>
            {plural(r.functions, "function")}, {bytes(a.size)}
            {active && a.size !== active.size && `, ${bytes(Math.abs(a.size - active.size))} ${a.size > active.size ? "more" : "less"} than version ${active.version}`}; digest <span className="mono">{a.digest.slice(0, 19)}…</span>
          </More>
        </Check>
        <Check ok>
          It asks for nothing that the sandbox does not give
          <More>
            {plural(r.imports.length, "import")}, {count(wasi)} of them of WASI, which reach no file, network or process
          </More>
        </Check>
        <Check ok>
          An instance starts with {bytes(r.minMemory)} of memory
          <More>
            {r.maxMemory ? `and may grow to ${bytes(r.maxMemory)}; ` : ""}
            {r.compileNs !== undefined && `compiled in ${duration(r.compileNs)}`}
            {r.startNs !== undefined && `, started in ${duration(r.startNs)}`}
          </More>
        </Check>
        {r.capabilities && r.capabilities.length > 0 && (
          <Check warn>
            It wants {r.capabilities.join(" and ")}
            <More>It works without; grant it in the plugin's settings when it should have the real thing.</More>
          </Check>
        )}
        {(r.trials ?? []).map((t, i) => (
          <TrialCheck key={i} trial={t} />
        ))}
        {(r.warnings ?? []).map((w, i) => (
          <Check key={i} warn>
            {visible(w.text)}
            <More>{visible(w.hint)}</More>
          </Check>
        ))}
      </ul>
    </section>
  );
}

function TrialCheck({ trial: t }: { trial: Trial }) {
  const where = t.route ? (
    <>
      as route <span className="mono">{t.route}</span> uses it
    </>
  ) : (
    `as a ${t.kind}`
  );
  if (t.refused !== undefined) {
    return (
      <Check fail>
        It does not take the configuration {where}
        <More>{visible(t.refused)}</More>
      </Check>
    );
  }
  if (t.events === 0) {
    return (
      <Check warn>
        Not tried {where}: no event was there for it<More>Send some events, and try again.</More>
      </Check>
    );
  }
  const others = Math.max(0, t.events - t.passed - t.failed);
  const made = t.kind === "filter" ? `${count(t.passed)} pass, ${count(others)} do not` : `${count(t.passed)} ${t.passed === 1 ? "becomes" : "become"} ${plural(t.outputs, "event")}${others > 0 ? `, of ${count(others)} it makes nothing` : ""}`;
  return (
    <Check ok={t.failed === 0 && t.deterministic} warn={t.failed > 0 || !t.deterministic}>
      {t.failed > 0 ? `Fails on ${count(t.failed)} of ${plural(t.events, "event")} ` : `Tried on ${plural(t.events, "event")} `}
      {where}: {made}
      <More>
        half of the events take {duration(t.latencyNs.p50)}, 99 of 100 at most {duration(t.latencyNs.p99)}; fuel {count(t.fuel.p50)} and {count(t.fuel.p99)}
        {t.untried ? `; ${count(t.untried)} were left when the time was up` : ""}
      </More>
      {!t.deterministic && <More>A second run made something else of some events{t.different && t.different.length > 0 ? `, such as ${t.different.slice(0, 3).join(", ")}` : ""}: what it sends after a retry may differ.</More>}
      {t.failures?.map((f, i) => (
        <More key={i}>
          <span className="mono">{f.event}</span>: {visible(f.error)}
        </More>
      ))}
      {t.samples && t.samples.length > 0 && (
        <details>
          <summary>{plural(t.samples.length, "sample")} of what it makes</summary>
          {t.samples.map((s, i) => (
            <div key={i} style={{ marginTop: 8 }}>
              <JsonView value={t.kind === "filter" ? s.event : { in: s.event, out: s.outputs }} label={`Sample ${i + 1}`} open={2} />
            </div>
          ))}
        </details>
      )}
    </Check>
  );
}

function Check({ ok, warn, fail, children }: { ok?: boolean; warn?: boolean; fail?: boolean; children: ReactNode }) {
  const [Icon, colour, word] = fail ? ([ErrorCircle16Filled, "failing", "Problem"] as const) : warn && !ok ? ([Warning16Filled, "busy", "Look at this"] as const) : ([CheckmarkCircle16Filled, "healthy", "Fine"] as const);
  return (
    <li>
      <Icon style={{ color: `var(--state-${colour})` }} aria-label={word} />
      <div>
        <p>{children}</p>
      </div>
    </li>
  );
}

function More({ children }: { children: ReactNode }) {
  return (
    <span className={styles.more} style={{ display: "block" }}>
      {children}
    </span>
  );
}
