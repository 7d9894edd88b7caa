/** How many bytes base64 stands for. */
export function binarySize(base64: string): number {
  return Math.floor((base64.replace(/=+$/, "").length * 3) / 4);
}

/** The bytes of an event's data, as JSON where it is no binary; undefined when it has none. */
export function dataSize(event: { data?: unknown; data_base64?: string }): number | undefined {
  if (event.data_base64 !== undefined) return binarySize(event.data_base64);
  return event.data === undefined ? undefined : new TextEncoder().encode(JSON.stringify(event.data)).length;
}
