import { Suspense } from "react";
import type { ParsedFilter } from "~/api/filters";
import { filterTokens } from "./filterTokens";
import styles from "./FilterEditor.module.css";
import { lazy } from "./lazy";

const Editor = lazy(() => import("./FilterCode"), "default");

export interface FilterEditorProps {
  value: string;
  onChange: (text: string) => void;
  /** What the server says of the text, some 150 ms after the last key. */
  onParsed?: (parsed: ParsedFilter | undefined) => void;
  /** Text to light up, such as the condition that failed. */
  mark?: { start: number; end: number };
  label?: string;
  readOnly?: boolean;
  autoFocus?: boolean;
  /** Ctrl+Enter. */
  onSubmit?: () => void;
}

/** Edits a filter: colours, the error at its place, completion. Loads its editor when first shown. */
export function FilterEditor(p: FilterEditorProps) {
  return (
    <Suspense
      fallback={
        <div className={styles.waiting}>
          <FilterText text={p.value} mark={p.mark} />
        </div>
      }
    >
      <Editor {...p} />
    </Suspense>
  );
}

/** A filter's text in its colours, in one line unless `wrap`; `mark` is lit up. */
export function FilterText({ text, mark, wrap }: { text: string; mark?: { start: number; end: number }; wrap?: boolean }) {
  return (
    <code className={wrap ? styles.wrapped : styles.text} title={wrap ? undefined : text}>
      {filterTokens(text.length > 4000 ? text.slice(0, 4000) : text).map((t) => {
        const lit = mark && t.start < mark.end && t.end > mark.start;
        return (
          <span key={t.start} className={[t.kind && styles[t.kind], lit && styles.mark].filter(Boolean).join(" ") || undefined}>
            {t.text}
          </span>
        );
      })}
    </code>
  );
}
