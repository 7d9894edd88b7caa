import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef, useState } from "react";
import { codeTheme } from "./codeTheme";
import type { JsonEditorProps } from "./JsonEditor";

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--kind-update)" },
  { tag: tags.string, color: "var(--kind-create)" },
  { tag: tags.number, color: "var(--kind-telemetry)" },
  { tag: [tags.bool, tags.null], color: "var(--kind-relationship)" },
]);

export default function JsonCode(p: JsonEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const [mode] = useState(() => new Compartment());
  const latest = useRef(p);
  useEffect(() => {
    latest.current = p;
  });
  useEffect(() => {
    const parse = jsonParseLinter();
    const v = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          history(), drawSelection(), EditorView.lineWrapping, json(), syntaxHighlighting(colours), codeTheme, mode.of([]),
          linter((view) => {
            const found = view.state.doc.toString().trim() === "" ? [] : parse(view);
            latest.current.onProblem?.(found[0]?.message);
            return found;
          }, { delay: 200 }),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.contentAttributes.of({ "aria-label": latest.current.label }),
          EditorView.updateListener.of((u) => u.docChanged && latest.current.onChange(u.state.doc.toString())),
        ],
      }),
    });
    view.current = v;
    return () => v.destroy();
  }, [mode]);
  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== p.value) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: p.value } });
  }, [p.value]);
  useEffect(() => {
    view.current?.dispatch({ effects: mode.reconfigure([EditorState.readOnly.of(!!p.readOnly), EditorView.editable.of(!p.readOnly)]) });
  }, [p.readOnly, mode]);
  return <div ref={place} />;
}
