import { useCallback, useEffect, useRef, useState, type FocusEvent, type PointerEvent } from "react";

/**
 * Whether someone is at a part of the page: the mouse is over it, or the focus
 * is in it, or in a menu or dialog that it opened. `dismiss` ends both.
 */
export function useAttention() {
  const [over, setOver] = useState(false);
  const [focused, setFocused] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Of what is taken out of the page no event tells.
    if (over && !box.current) setOver(false);
    if (focused && document.activeElement === document.body) setFocused(false);
  });
  const dismiss = useCallback(() => {
    setOver(false);
    setFocused(false);
    if (document.activeElement instanceof HTMLElement && box.current?.contains(document.activeElement)) document.activeElement.blur();
  }, []);
  const on = {
    ref: box,
    onPointerEnter: (e: PointerEvent) => e.pointerType === "mouse" && setOver(true),
    onPointerLeave: () => setOver(false),
    onFocusCapture: () => setFocused(true),
    onBlurCapture: (e: FocusEvent) => setFocused(!!box.current?.contains(e.relatedTarget)),
  };
  return { over, focused, dismiss, on };
}
