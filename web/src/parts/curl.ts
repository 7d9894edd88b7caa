import { quoted } from "./shell";

/** A command line that sends an event to a gateway again. */
export function curlOf(event: unknown, origin: string): string {
  return `curl ${quoted(origin + "/events")} -H 'content-type: application/cloudevents+json' --data-raw ${quoted(JSON.stringify(event))}`;
}
