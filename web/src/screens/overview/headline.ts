import type { Schemas } from "~/api/queries";
import { plural } from "~/parts/figures";

export interface Trouble {
  kind: "journal" | "endpoint" | "plugin" | "source";
  /** Of a plugin with its version. */
  name: string;
  cause: string;
  since?: string;
  effect: string;
  next: string;
  deadLetters?: number;
  /** What is slow, or held by a person, does not fail. */
  state: "failing" | "catching up" | "paused";
}

/** What needs somebody: what fails, first, what falls behind, and a journal that is full. */
export function problemsOf(s: Schemas["Status"]): Trouble[] {
  const out: Trouble[] = [];
  if (s.journal.full) {
    out.push({ kind: "journal", name: "journal", state: "failing", cause: s.journal.reason || "The journal is full.", effect: "Senders get 503 until there is room.", next: "Mend what keeps endpoints from taking events, or give the journal more room (--journal-max-size)." });
  }
  for (const e of s.endpoints) {
    if (e.state === "catching up") {
      out.push({
        kind: "endpoint", name: e.name, cause: `It is ${plural(e.backlog, "batch", "batches")} behind.`, since: e.since, state: "catching up",
        effect: "Events come in faster than it takes them, or it catches up after an outage; all are kept, in order.", next: "If it does not shrink, let the endpoint take more, or its routes less.",
      });
    }
    if (e.state === "paused") {
      out.push({ kind: "endpoint", name: e.name, cause: "It is paused.", state: "paused", effect: `Nothing is sent to it. ${waits(e)}`, next: "Resume it on its page when it may have its events." });
    }
    if (e.state !== "failing") continue;
    out.push({
      kind: "endpoint", name: e.name, cause: e.reason || "It refuses what it is sent.", since: e.since, state: "failing", deadLetters: e.deadLetters,
      effect: plural(e.retrying, "delivery", "deliveries") + (e.retrying === 1 ? " waits" : " wait") + " for another try" + (e.deadLetters > 0 ? `, ${plural(e.deadLetters, "dead letter")}.` : "."),
      next: "Nothing is lost while it waits. Mend the endpoint or its settings; what waits is then sent by itself.",
    });
  }
  for (const b of s.breakers ?? []) {
    out.push({ kind: "plugin", name: b.plugin, cause: b.reason, since: b.since, state: "failing", effect: "It kept trapping and is left alone for a while; events for it become dead letters or wait, as its settings say.", next: "Look at its traps, activate a version that works, then redrive the dead letters." });
  }
  for (const src of s.sources) {
    if (src.state !== "failing" && src.state !== "stopped") continue;
    out.push({ kind: "source", name: src.name, cause: src.reason || "No events can be fetched from it.", since: src.since, state: "failing", effect: "Events stay at the source meanwhile.", next: "Check the source's settings and its rights." });
  }
  return out.sort((a, b) => Number(b.state === "failing") - Number(a.state === "failing"));
}

/** What a paused endpoint is owed, in words. */
function waits(e: Schemas["EndpointStatus"]): string {
  const n = e.waiting + e.retrying;
  if (e.backlog === 0) return n === 0 ? "Nothing waits for it so far." : `${plural(n, "delivery", "deliveries")} ${n === 1 ? "waits" : "wait"} for it.`;
  return `${plural(n, "delivery", "deliveries")} and ${plural(e.backlog, "batch", "batches")} of events behind them wait for it.`;
}

/** The one sentence that an operator comes for. */
export function headline(s: Schemas["Status"]): string {
  const trouble = problemsOf(s).filter((t) => t.state === "failing");
  const dead = s.endpoints.reduce((n, e) => n + e.deadLetters, 0);
  const letters = dead > 0 ? ` ${plural(dead, "dead letter")} ${dead === 1 ? "waits" : "wait"} for somebody.` : "";
  const [first] = trouble;
  if (first && trouble.length === 1) return `${first.name} is failing: ${first.cause.replace(/\.$/, "")}.${letters}`;
  if (first) return `${trouble.length} things are failing; ${first.name} is one of them.${letters}`;
  const paused = s.endpoints.filter((e) => e.state === "paused");
  if (paused[0] && s.routes > 0) return `${paused.length === 1 ? `${paused[0].name} is` : `${plural(paused.length, "endpoint")} are`} paused: what routes send there waits.${letters}`;
  if (s.routes === 0) return "Nothing goes anywhere yet: there is no route." + letters;
  return `${s.routes === 1 ? "The one route" : `All ${plural(s.routes, "route")}`} can deliver.${letters}`;
}
