import { CopyButton } from "~/parts/CopyId";

/** How to send an event, to be copied. */
export function SendEvents() {
  const text = [
    `curl ${location.origin}/events \\`,
    `  -H 'content-type: application/cloudevents+json' \\`,
    `  -d '{"specversion":"1.0","id":"1","source":"example.com","type":"Microsoft.DigitalTwins.Twin.Update","subject":"pump-1","data":{"modelId":"dtmi:example:Pump;1","patch":[{"op":"replace","path":"/temperature","value":71.5}]}}'`,
  ].join("\n");
  return (
    <div className="card" style={{ display: "flex", alignItems: "flex-start", gap: 8, maxWidth: "100%", textAlign: "left" }}>
      <pre className="mono" style={{ margin: 0, whiteSpace: "pre-wrap", overflowWrap: "anywhere", fontSize: 12.5 }}>
        {text}
      </pre>
      <CopyButton text={text} label="Copy the command" />
    </div>
  );
}
