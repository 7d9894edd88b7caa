import type { Schema } from "~/parts/ConfigForm";

const whole = (title: string, description: string): Schema => ({ type: "integer", title, description });

/** The limits that an operator may set, with what each means. */
export const limitsSchema: Schema = {
  type: "object",
  properties: {
    eventFuel: whole("Fuel for an event", "instructions that one event may take, roughly"),
    byteFuel: whole("Fuel for a byte", "and beside that for each byte of the event"),
    startFuel: whole("Fuel for a start", "instructions to start an instance or to open a configuration"),
    memoryBytes: whole("Memory", "bytes that an instance may use"),
    instances: whole("Instances", "that run at the same time; more calls wait"),
    instanceUses: whole("Uses of an instance", "calls until a fresh one takes its place"),
    instanceAge: { type: "string", title: "Age of an instance", description: "after which a fresh one takes its place", examples: ["30m"] },
    idleBytes: whole("Idle memory", "bytes of the instances that wait for work"),
    batchEvents: whole("Events in a call", "that are handed over at once"),
    batchBytes: whole("Bytes in a call", "of the events that are handed over at once"),
    outputBytes: whole("Output", "bytes that a call may answer"),
    logBytes: whole("Log", "bytes of the lines that are kept of a call"),
    hostCalls: whole("Host calls", "for an event, or for a start"),
    callDepth: whole("Call depth", "calls within each other"),
    moduleBytes: whole("Module", "bytes of an upload"),
    functions: whole("Functions", "of a module"),
    locals: whole("Locals", "of a function"),
    nesting: whole("Nesting", "of blocks in a function"),
    bodyBytes: whole("Body", "bytes of a function"),
    tableEntries: whole("Table entries", "of a module"),
    complexity: whole("Complexity", "branches and locals of large functions"),
  },
};

/** When a plugin that keeps trapping is left alone. */
export const breakerSchema: Schema = {
  type: "object",
  properties: {
    onOpen: { type: "string", enum: ["deadLetter", "wait"], default: "deadLetter", title: "Its events meanwhile", description: "become dead letters, or wait until it is tried again" },
    traps: { type: "integer", default: 48, title: "Traps", description: "it is left alone when so many of the last events trapped; -1 for never" },
    window: { type: "integer", default: 64, minimum: 1, title: "Of the last events", description: "that are counted, up to 64" },
    pause: { type: "string", default: "10s", title: "Pause", description: "how long it is left alone at first" },
    maxPause: { type: "string", default: "5m", title: "Longest pause", description: "up to which the pause doubles" },
  },
};
