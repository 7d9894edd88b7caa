import { useCallback, useRef, useState, type PointerEvent, type UIEvent } from "react";

/**
 * Whether a list must hold still: the mouse is over it, it is scrolled, it has
 * the focus, or someone said so. `release` lets it go on, at its top.
 */
export function useFreeze() {
  const [over, setOver] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [focused, setFocused] = useState(false);
  const [held, setHeld] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLElement>(undefined); // what in it was scrolled last
  const release = useCallback(() => {
    setOver(false);
    setHeld(false);
    setFocused(false);
    setScrolled(false);
    if (document.activeElement instanceof HTMLElement && box.current?.contains(document.activeElement)) document.activeElement.blur();
    if (scroller.current) scroller.current.scrollTop = 0;
  }, []);
  const on = {
    ref: box,
    onPointerEnter: (e: PointerEvent) => e.pointerType === "mouse" && setOver(true),
    onPointerLeave: () => setOver(false),
    onScrollCapture: (e: UIEvent) => {
      scroller.current = e.target as HTMLElement;
      setScrolled(scroller.current.scrollTop > 4);
    },
    onFocusCapture: () => setFocused(true),
    onBlurCapture: (e: React.FocusEvent) => setFocused(!!box.current?.contains(e.relatedTarget)),
  };
  const why = held ? "you froze it" : over ? "the mouse is over it" : scrolled ? "it is scrolled" : focused ? "a row has the focus" : undefined;
  return { frozen: why !== undefined, why, held, hold: setHeld, release, on };
}
