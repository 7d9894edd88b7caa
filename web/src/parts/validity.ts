import { createContext, use, useCallback, useEffect, useId, useState } from "react";

type Report = (field: string, wrong: boolean) => void;

const Context = createContext<Report>(() => undefined);

/** Around the fields of a form: they report to what useValidity gives. */
export const Validity = Context.Provider;

/** Whether all fields below can be saved as they are written. */
export function useValidity(): { valid: boolean; report: Report } {
  const [wrong, setWrong] = useState<ReadonlySet<string>>(new Set());
  const report = useCallback<Report>((field, is) => setWrong((before) => (before.has(field) === is ? before : new Set(is ? [...before, field] : [...before].filter((f) => f !== field)))), []);
  return { valid: wrong.size === 0, report };
}

/** Reports that what is written in a field is no value yet: the form holds another, older one. */
export function useWrong(wrong: boolean): void {
  const report = use(Context);
  const field = useId();
  useEffect(() => {
    report(field, wrong);
    return () => report(field, false);
  }, [report, field, wrong]);
}
