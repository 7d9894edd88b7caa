import { Suspense } from "react";
import { lazy } from "./lazy";

const Code = lazy(() => import("./JsonCode"), "default");

export interface JsonEditorProps {
  value: string;
  onChange: (text: string) => void;
  label: string;
  /** JSON that does not parse is said here, with the place. */
  onProblem?: (message: string | undefined) => void;
  readOnly?: boolean;
}

/** Edits JSON text, with errors at their place. Loads its editor when first shown. */
export function JsonEditor(p: JsonEditorProps) {
  return (
    <Suspense fallback={<pre style={{ margin: 0, minHeight: 60, fontSize: 13 }}>{p.value.slice(0, 4000)}</pre>}>
      <Code {...p} />
    </Suspense>
  );
}
