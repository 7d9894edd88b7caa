import type { Schemas } from "~/api/queries";

type CloudEvent = Schemas["CloudEvent"];

const base = { specversion: "1.0" as const, source: "plant.api.weu.digitaltwins.azure.net", time: "2026-03-01T12:00:00.0000000Z", datacontenttype: "application/json" };

/** One event of each kind as Azure Digital Twins sends them, for trying things out before any came. */
export const sampleEvents: readonly { label: string; event: CloudEvent }[] = [
  { label: "Twin update", event: { ...base, id: "sample-update", type: "Microsoft.DigitalTwins.Twin.Update", subject: "pump-1", data: { modelId: "dtmi:example:Pump;1", patch: [{ op: "replace", path: "/Temperature", value: 81.5 }, { op: "replace", path: "/Front/Pressure", value: 3.2 }] } } },
  { label: "Twin created", event: { ...base, id: "sample-create", type: "Microsoft.DigitalTwins.Twin.Create", subject: "pump-2", data: { $dtId: "pump-2", $etag: 'W/"1"', Temperature: 20, $metadata: { $model: "dtmi:example:Pump;1" } } } },
  { label: "Twin deleted", event: { ...base, id: "sample-delete", type: "Microsoft.DigitalTwins.Twin.Delete", subject: "pump-2", data: { $dtId: "pump-2", $etag: 'W/"1"', Temperature: 20, $metadata: { $model: "dtmi:example:Pump;1" } } } },
  { label: "Relationship created", event: { ...base, id: "sample-relationship", type: "Microsoft.DigitalTwins.Relationship.Create", subject: "hall-1/relationships/feeds-7", data: { $relationshipId: "feeds-7", $etag: 'W/"1"', $sourceId: "hall-1", $relationshipName: "feeds", $targetId: "pump-1" } } },
  { label: "Telemetry", event: { ...base, id: "sample-telemetry", type: "microsoft.iot.telemetry", source: "plant.api.weu.digitaltwins.azure.net/digitaltwins/pump-1", data: { Temperature: 81.5, Vibration: 0.02 } } },
];
