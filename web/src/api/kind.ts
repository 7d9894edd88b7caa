/** What sort of event a CloudEvent is, by its type. */
export type EventKind = "update" | "create" | "delete" | "relationship" | "telemetry" | "other";

const adt = "Microsoft.DigitalTwins.";

export function kindOf(type: string): EventKind {
  const name = type.startsWith(adt) ? type.slice(adt.length) : type;
  switch (name) {
    case "Twin.Update":
      return "update";
    case "Twin.Create":
      return "create";
    case "Twin.Delete":
      return "delete";
    case "Relationship.Create":
    case "Relationship.Update":
    case "Relationship.Delete":
      return "relationship";
  }
  return name === "Telemetry" || type === "microsoft.iot.telemetry" ? "telemetry" : "other";
}

/** The words for each kind. */
export const kindWords: Record<EventKind, string> = {
  update: "Twin update",
  create: "Twin created",
  delete: "Twin deleted",
  relationship: "Relationship",
  telemetry: "Telemetry",
  other: "CloudEvent",
};

/** The types of each kind that Azure Digital Twins sends. */
export const kindTypes: Record<Exclude<EventKind, "other">, readonly string[]> = {
  update: [adt + "Twin.Update"],
  create: [adt + "Twin.Create"],
  delete: [adt + "Twin.Delete"],
  relationship: [adt + "Relationship.Create", adt + "Relationship.Update", adt + "Relationship.Delete"],
  telemetry: [adt + "Telemetry", "microsoft.iot.telemetry"],
};

/** The kinds in the order in which they are offered. */
export const kinds: readonly EventKind[] = ["update", "create", "delete", "relationship", "telemetry", "other"];

interface Keyed {
  type: unknown;
  source: unknown;
  subject?: unknown;
}

/** The key of the twin that an event is about, as the gateway sees it. */
export function twinKey(e: Keyed): string {
  const subject = String(e.subject ?? "");
  const source = String(e.source);
  if (e.type === "microsoft.iot.telemetry") {
    const tail = after(source, "/digitaltwins/");
    if (tail) return tail;
  }
  if (subject === "") return source;
  const at = subject.indexOf("/relationships/");
  return at > 0 ? subject.slice(0, at) : subject;
}

function after(s: string, mark: string): string | undefined {
  const at = s.indexOf(mark);
  return at < 0 ? undefined : s.slice(at + mark.length);
}
