import type { EmulatedEntity } from "~/api/resources";

/** A message that lies in an entity of the emulator. */
export interface Message {
  key: string;
  at?: string;
  /** Such as "session line-1" or "partition 2, key oven-1". */
  where: string;
  state?: string;
  properties: Record<string, unknown>;
  body: unknown;
}

/** What an entity of the emulator holds, whatever its service. */
export interface Entity {
  id: string;
  service: EmulatedEntity["service"];
  name: string;
  /** Such as "queue with sessions". */
  what: string;
  /** What is counted, in the order in which people ask. */
  figures: [label: string, value: number][];
  messages: Message[];
  dead: Message[];
}

type Json = Record<string, unknown>;
const object = (v: unknown): Json => (typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Json) : {});
const list = (v: unknown): Json[] => (Array.isArray(v) ? v.map(object) : []);
const number = (v: unknown): number => (typeof v === "number" ? v : 0);
const text = (v: unknown): string => (typeof v === "string" ? v : "");

const serviceWords: Record<EmulatedEntity["service"], string> = { serviceBus: "Service Bus", eventHubs: "Event Hubs", eventGrid: "Event Grid" };

export function serviceOf(service: EmulatedEntity["service"]): string {
  return serviceWords[service];
}

/** Reads what `GET /emulator` says of an entity. */
export function entityOf(raw: EmulatedEntity): Entity {
  const e = raw as Json;
  const base = { id: `${raw.service}/${raw.name}`, service: raw.service, name: raw.name };
  switch (raw.service) {
    case "serviceBus":
      return {
        ...base,
        what: [text(e.kind) || "entity", e.requiresSession === true ? "with sessions" : "", text(e.status) && e.status !== "active" ? `(${text(e.status)})` : ""].filter(Boolean).join(" "),
        figures: [["messages", number(e.messages)], ["locked", number(e.locked)], ["scheduled", number(e.scheduled)], ["deferred", number(e.deferred)], ["dead letters", number(e.deadLetters)]],
        messages: list(e.contents).map(busMessage),
        dead: list(e.deadLetterContents).map(busMessage),
      };
    case "eventHubs": {
      const partitions = list(e.partitions);
      return {
        ...base,
        what: `event hub of ${partitions.length} partitions`,
        figures: [["events", partitions.reduce((n, p) => n + number(p.count), 0)], ["receivers", partitions.reduce((n, p) => n + number(p.receivers), 0)]],
        messages: partitions.flatMap((p) => list(p.events).map((m) => hubMessage(text(p.id), m))).sort((a, b) => (b.at ?? "").localeCompare(a.at ?? "")),
        dead: [],
      };
    }
    case "eventGrid": {
      const subscriptions = list(e.subscriptions);
      return {
        ...base,
        what: `topic of ${text(e.schema)}`,
        figures: [["accepted", number(e.accepted)], ["pending", sum(subscriptions, "pending")], ["delivered", sum(subscriptions, "delivered")], ["dead letters", sum(subscriptions, "dead")]],
        messages: list(e.events).map((m, i) => ({ key: `${i} ${text(m.id)}`, at: text(m.eventTime) || text(m.time), where: text(m.subject), properties: without(m, "data"), body: m.data })).reverse(),
        dead: subscriptions.flatMap((s) => list(s.deadLetters).map((m, i) => ({ key: `${text(s.name)} ${i}`, where: `subscription ${text(s.name)}`, properties: without(m, "data"), body: m.data }))),
      };
    }
  }
}

const sum = (all: Json[], name: string) => all.reduce((n, x) => n + number(x[name]), 0);

function without(m: Json, ...names: string[]): Json {
  return Object.fromEntries(Object.entries(m).filter(([k]) => !names.includes(k)));
}

function busMessage(m: Json): Message {
  const session = text(m.sessionId);
  return {
    key: String(m.sequenceNumber), at: text(m.enqueuedTime), where: [session && `session ${session}`, !session && text(m.subject)].filter(Boolean).join(", "),
    state: m.state === "active" ? undefined : text(m.state), properties: without(m, "body"), body: m.body,
  };
}

function hubMessage(partition: string, m: Json): Message {
  const key = text(m.partitionKey);
  return { key: `${partition}/${String(m.sequenceNumber)}`, at: text(m.enqueuedTime), where: `partition ${partition}${key && `, key ${key}`}`, properties: without(m, "body"), body: m.body };
}
