import { CloudArrowDown20Regular, Database20Regular, Document20Regular, Flash20Regular, Globe20Regular, MailInbox20Regular, Stream20Regular, type FluentIcon } from "@fluentui/react-icons";

interface Kind {
  label: string;
  icon: FluentIcon;
  /** What somebody who chooses wants to know. */
  words: string;
}

/** The kinds of endpoints and sources, as people call them. */
const known: Record<string, Kind> = {
  eventHub: { label: "Event Hubs", icon: Stream20Regular, words: "Many events a second, in order per twin; for stream analytics and Data Explorer." },
  eventGrid: { label: "Event Grid", icon: Flash20Regular, words: "A topic that hands events on to functions, logic apps and webhooks." },
  serviceBus: { label: "Service Bus", icon: MailInbox20Regular, words: "A queue or topic; sessions keep the order of each twin." },
  webhook: { label: "Webhook", icon: Globe20Regular, words: "Any HTTP server: CloudEvents in binary, structured or batch mode, or raw data." },
  blob: { label: "Blob storage", icon: Database20Regular, words: "Files of lines by date and hour in a container or lake; for Synapse and Fabric." },
  file: { label: "File", icon: Document20Regular, words: "One line of JSON for each event, on the server's own disk." },
};

export function kindOf(kind: string): Kind {
  return known[kind] ?? { label: kind, icon: CloudArrowDown20Regular, words: "" };
}

/** A kind, by its sign and name. */
export function KindToken({ kind }: { kind: string }) {
  const { icon: Icon, label } = kindOf(kind);
  return (
    <span style={{ display: "inline-flex", gap: 6, alignItems: "center", minWidth: 0 }} title={kind}>
      <Icon aria-hidden style={{ flex: "none" }} />
      <span className="cut">{label}</span>
    </span>
  );
}

/** Where the settings lead, without what is secret: a host, a path, an entity. */
export function targetOf(settings: Readonly<Record<string, unknown>>): string {
  const text = (name: string) => (typeof settings[name] === "string" ? (settings[name] as string) : "");
  const inside = (name: string) => new RegExp(name + "=([^;]+)", "i").exec(text("connectionString"))?.[1] ?? "";
  const address = text("url") || text("topicEndpoint") || text("containerUri") || text("path");
  if (address) return address.replace(/\?.*$/, "");
  const host = (inside("Endpoint") || text("endpointUri") || inside("AccountName") || inside("BlobEndpoint")).replace(/\/+$/, "");
  const entity = text("entityPath") || inside("EntityPath") || [text("topic"), text("subscription")].filter(Boolean).join("/") || text("container");
  return [host.replace(/^sb:\/\//, ""), entity].filter(Boolean).join(" / ");
}
