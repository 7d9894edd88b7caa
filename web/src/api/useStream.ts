import { useEffect, useRef, useState } from "react";
import { follow, type Message, type StreamState } from "./sse";

/** Follows the stream at url (none while undefined) and says how the connection is. */
export function useStream(url: string | undefined, onMessage: (m: Message) => void): { state: StreamState; detail?: string } {
  const [connection, setConnection] = useState<{ state: StreamState; detail?: string }>({ state: "connecting" });
  const handler = useRef(onMessage);
  useEffect(() => {
    handler.current = onMessage;
  });
  useEffect(() => {
    if (url === undefined) return;
    const ended = new AbortController();
    void follow(url, {
      signal: ended.signal,
      onMessage: (m) => handler.current(m),
      onState: (state, detail) => setConnection({ state, detail }),
    });
    return () => ended.abort();
  }, [url]);
  return connection;
}
