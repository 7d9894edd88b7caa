import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Compartment, EditorState, RangeSetBuilder } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, keymap, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import { parseFilter, type ParsedFilter } from "~/api/filters";
import { asProblem } from "~/api/problem";
import { codeTheme } from "./codeTheme";
import type { FilterEditorProps } from "./FilterEditor";
import styles from "./FilterEditor.module.css";
import { filterTokens } from "./filterTokens";

const pause = 150; // milliseconds after the last key

/** The editor itself; FilterEditor loads it. */
export default function FilterCode(p: FilterEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const [edit] = useState(() => new Compartment());
  const [error, setError] = useState<string>();
  const latest = useRef(p);
  useEffect(() => {
    latest.current = p;
  });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asked = new AbortController();
    const check = (v: EditorView) => {
      clearTimeout(timer);
      asked.abort();
      timer = setTimeout(() => {
        asked = new AbortController();
        const { signal } = asked;
        const text = v.state.doc.toString();
        parseFilter({ text, position: v.state.selection.main.head }, signal).then(
          (parsed) => {
            if (signal.aborted) return;
            setError(parsed.valid ? undefined : parsed.error?.message);
            v.dispatch(setDiagnostics(v.state, diagnostics(parsed, text.length)));
            latest.current.onParsed?.(parsed);
          },
          (e: unknown) => {
            if (signal.aborted) return;
            setError(asProblem(e).message);
            latest.current.onParsed?.(undefined);
          },
        );
      }, pause);
    };
    const v = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          history(), drawSelection(), EditorView.lineWrapping, codeTheme, colours, edit.of([]),
          autocompletion({ override: [complete], activateOnTyping: true, icons: false }),
          keymap.of([
            { key: "Mod-Enter", run: () => (latest.current.onSubmit?.(), true) },
            ...defaultKeymap,
            ...historyKeymap,
          ]),
          EditorView.contentAttributes.of({ "aria-label": latest.current.label ?? "Filter", spellcheck: "false", autocapitalize: "off" }),
          EditorView.updateListener.of((u) => {
            if (!u.docChanged) return;
            latest.current.onChange(u.state.doc.toString());
            check(u.view);
          }),
        ],
      }),
    });
    view.current = v;
    check(v);
    if (latest.current.autoFocus) v.focus();
    return () => {
      clearTimeout(timer);
      asked.abort();
      v.destroy();
    };
  }, [edit]);

  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== p.value) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: p.value } });
  }, [p.value]);

  const { start, end } = p.mark ?? {};
  useEffect(() => {
    const length = view.current?.state.doc.length ?? 0;
    const lit = start !== undefined && end !== undefined && start < end && end <= length ? EditorView.decorations.of(Decoration.set([Decoration.mark({ class: styles.mark }).range(start, end)])) : [];
    view.current?.dispatch({ effects: edit.reconfigure([lit, EditorState.readOnly.of(!!p.readOnly), EditorView.editable.of(!p.readOnly)]) });
  }, [start, end, p.readOnly, p.value, edit]);

  return (
    <div>
      <div ref={place} />
      <div role="status" className={error ? styles.error : undefined}>
        {error}
      </div>
    </div>
  );
}

/** The error at its place, or the hints, each with the change that may have been meant. */
function diagnostics(parsed: ParsedFilter, length: number): Diagnostic[] {
  const at = (start: number, end: number, message: string, severity: "error" | "info", fix?: { start: number; end: number; insert: string; message: string }): Diagnostic => {
    const to = Math.min(Math.max(end, start), length);
    const from = Math.min(start, to);
    return {
      from: from === to ? Math.max(0, from - 1) : from, to, severity, message,
      actions: fix && [{ name: fix.message, apply: (v) => v.dispatch({ changes: { from: Math.min(fix.start, length), to: Math.min(fix.end, length), insert: fix.insert } }) }],
    };
  };
  if (!parsed.valid) return parsed.error ? [at(parsed.error.start, parsed.error.end, parsed.error.message, "error", parsed.error.suggestion)] : [];
  return parsed.hints.map((h) => at(h.start, h.end, h.message, "info", h));
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  if (!context.explicit && !context.matchBefore(/[\w$.'"]+$/)) return null;
  const asked = new AbortController();
  context.addEventListener("abort", () => asked.abort());
  try {
    const { completions: found } = await parseFilter({ text: context.state.doc.toString(), position: context.pos }, asked.signal);
    if (!found || found.items.length === 0) return null;
    return {
      from: found.from,
      to: found.to,
      filter: false,
      options: found.items.map((i) => ({ label: i.label, detail: i.detail, type: i.kind, apply: i.insert })),
    };
  } catch {
    return null; // the check after the key says why
  }
}

/** Colours of the tokens in sight. */
const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(v: EditorView) {
      this.decorations = decorate(v);
    }
    update(u: ViewUpdate) {
      if (u.docChanged) this.decorations = decorate(u.view);
    }
  },
  { decorations: (v) => v.decorations },
);

function decorate(v: EditorView): DecorationSet {
  const out = new RangeSetBuilder<Decoration>();
  for (const t of filterTokens(v.state.doc.toString())) {
    const name = t.kind && styles[t.kind];
    if (name) out.add(t.start, t.end, Decoration.mark({ class: name }));
  }
  return out.finish();
}
