import { EditorView } from "@codemirror/view";

/** How every code editor here looks, in all themes; one that scrolls is reached with the keyboard. */
export const codeTheme = [EditorView.contentAttributes.of({ tabindex: "0" }), EditorView.theme({
  "&": { border: "1px solid var(--colorNeutralStroke1)", borderBottomColor: "var(--colorNeutralStrokeAccessible)", borderRadius: "4px", background: "var(--colorNeutralBackground1)", color: "var(--colorNeutralForeground1)", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--colorStrokeFocus2)", outlineOffset: "1px" },
  ".cm-content": { fontFamily: "var(--mono)", padding: "8px 4px", minHeight: "42px", caretColor: "var(--colorNeutralForeground1)" },
  ".cm-scroller": { maxHeight: "40vh", lineHeight: "20px" },
  ".cm-cursor": { borderLeftColor: "var(--colorNeutralForeground1)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--colorBrandBackground2Hover)" },
  ".cm-gutters": { background: "var(--colorNeutralBackground2)", color: "var(--colorNeutralForeground3)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "transparent" },
  ".cm-tooltip": { border: "1px solid var(--colorNeutralStroke1)", borderRadius: "6px", background: "var(--colorNeutralBackground1)", color: "var(--colorNeutralForeground1)", boxShadow: "var(--shadow16)", overflow: "hidden" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16em" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "4px 10px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--colorNeutralBackground1Selected) !important", color: "var(--colorNeutralForeground1) !important" },
  ".cm-completionDetail": { color: "var(--colorNeutralForeground3)", fontStyle: "normal", fontFamily: "var(--fontFamilyBase)" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--state-failing)" },
})];
