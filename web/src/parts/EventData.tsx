import { JsonView } from "./JsonView";

/** What an event says: its JSON, or what its base64 is. */
export function EventData({ event, open }: { event: { data?: unknown; data_base64?: string }; open: number }) {
  if (event.data !== undefined) return <JsonView value={event.data} label="Data" open={open} />;
  if (event.data_base64 !== undefined) return <JsonView value={{ data_base64: event.data_base64 }} label="Data" />;
  return <p className="quiet">It has no data.</p>;
}
