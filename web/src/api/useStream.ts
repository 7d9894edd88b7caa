import { useEffect, useRef } from "react";
import { follow, type Message } from "./sse";

/** Follows the stream at url while the page is seen; none while url is undefined. */
export function useStream(url: string | undefined, onMessage: (m: Message) => void): void {
  const handler = useRef(onMessage);
  useEffect(() => {
    handler.current = onMessage;
  });
  useEffect(() => {
    if (url === undefined) return;
    let ended: AbortController | undefined;
    // A browser opens six connections to a server, over all its tabs.
    const look = () => {
      if (document.hidden) ended = void ended?.abort() as undefined;
      else if (!ended) {
        ended = new AbortController();
        void follow(url, { signal: ended.signal, onMessage: (m) => handler.current(m) });
      }
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      ended?.abort();
    };
  }, [url]);
}
