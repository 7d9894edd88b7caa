import { useCallback, useRef, useState, type UIEvent } from "react";
import { useAttention } from "./useAttention";

/**
 * Whether a list must hold still: the mouse is over it, it is scrolled, it has
 * the focus, or someone said so. `release` lets it go on, at its top.
 */
export function useFreeze() {
  const { over, focused, dismiss, on: attention } = useAttention();
  const [scrolled, setScrolled] = useState(false);
  const [held, setHeld] = useState(false);
  const scroller = useRef<HTMLElement>(undefined); // what in it was scrolled last
  const release = useCallback(() => {
    dismiss();
    setHeld(false);
    setScrolled(false);
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [dismiss]);
  const on = {
    ...attention,
    onScrollCapture: (e: UIEvent) => {
      scroller.current = e.target as HTMLElement;
      setScrolled(scroller.current.scrollTop > 4);
    },
  };
  const why = held ? "you froze it" : over ? "the mouse is over it" : scrolled ? "it is scrolled" : focused ? "a row has the focus" : undefined;
  return { frozen: why !== undefined, why, held, hold: setHeld, release, on };
}
