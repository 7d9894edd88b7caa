import { useEffect, useState } from "react";

const narrow = "(max-width: 640px)";

/** Whether the window is as narrow as a phone's. */
export function usePhone(): boolean {
  const [is, set] = useState(() => matchMedia(narrow).matches);
  useEffect(() => {
    const list = matchMedia(narrow);
    const changed = () => set(list.matches);
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, []);
  return is;
}
