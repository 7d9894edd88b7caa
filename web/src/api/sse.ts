import { problemOf } from "./problem";

/** A server-sent event. */
export interface Message {
  event: string;
  id: string;
  data: string;
}

/** A time without a connection, in milliseconds since 1970: from the last sign of life until it was open again. */
export interface Gap {
  from: number;
  to: number;
}

export type StreamState = "connecting" | "open" | "waiting" | "refused";

export interface StreamOptions {
  onMessage: (m: Message) => void;
  /** Told when the connection changes; `detail` says why it waits or was refused. */
  onState?: (state: StreamState, detail?: string) => void;
  /** Told when it is open again: what the stream said in between is lost. */
  onGap?: (gap: Gap) => void;
  signal: AbortSignal;
  /** The first wait before a new try, in milliseconds; it doubles up to 15 s. */
  retry?: number;
}

/** Splits a stream of text into messages, as the HTML standard says. */
export class MessageParser {
  private rest = "";
  private data: string[] = [];
  private event = "";
  lastId = "";
  retry: number | undefined;

  push(text: string): Message[] {
    const out: Message[] = [];
    this.rest += text;
    // A CR at the very end may be the first half of a CRLF.
    const whole = this.rest.endsWith("\r") ? this.rest.slice(0, -1) : this.rest;
    const lines = whole.split(/\r\n|\n|\r/);
    const partial = lines.pop() ?? "";
    this.rest = partial + this.rest.slice(whole.length);
    for (const line of lines) {
      const m = this.line(line);
      if (m) out.push(m);
    }
    return out;
  }

  private line(line: string): Message | undefined {
    if (line === "") {
      const { event, data } = this;
      this.event = "";
      this.data = [];
      return data.length > 0 ? { event: event || "message", id: this.lastId, data: data.join("\n") } : undefined;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // a comment: the stream lives
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    switch (field) {
      case "event":
        this.event = value;
        break;
      case "data":
        this.data.push(value);
        break;
      case "id":
        if (!value.includes("\0")) this.lastId = value;
        break;
      case "retry":
        if (/^\d+$/.test(value)) this.retry = Number(value);
    }
    return undefined;
  }
}

/**
 * Follows a stream of server-sent events until the signal ends it. It connects
 * again whenever the connection ends, and tells of the gap, since no stream of
 * the gateway goes back; a refusal that no new try can mend (4xx) ends it too.
 */
export async function follow(url: string, o: StreamOptions): Promise<void> {
  let heard: number | undefined; // when the server last gave a sign of life
  let failures = 0;
  let retry = o.retry ?? 1000;
  while (!o.signal.aborted) {
    o.onState?.("connecting");
    let why = "the connection ended";
    try {
      const answer = await fetch(url, { headers: { Accept: "text/event-stream" }, signal: o.signal, credentials: "same-origin", cache: "no-store" });
      if (!answer.ok || !answer.body) {
        const problem = await problemOf(answer);
        // A session that ended may be begun again.
        if (answer.status >= 400 && answer.status < 500 && answer.status !== 401 && answer.status !== 429) {
          o.onState?.("refused", problem.message);
          return;
        }
        why = problem.message;
      } else {
        o.onState?.("open");
        if (heard !== undefined) o.onGap?.({ from: heard, to: Date.now() });
        heard = Date.now();
        const parser = new MessageParser();
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          failures = 0;
          heard = Date.now();
          for (const m of parser.push(value)) o.onMessage(m);
          if (parser.retry !== undefined) retry = parser.retry;
        }
      }
    } catch (error) {
      if (o.signal.aborted) return;
      why = error instanceof Error ? error.message : String(error);
    }
    if (o.signal.aborted) return;
    o.onState?.("waiting", why);
    await pause(Math.min(retry * 2 ** Math.min(failures++, 4), 15_000), o.signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
