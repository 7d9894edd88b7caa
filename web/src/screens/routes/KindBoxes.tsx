import { Checkbox } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";
import { parseFilter, type ParsedFilter } from "~/api/filters";
import { asProblem } from "~/api/problem";
import { kindOf } from "~/api/kind";
import { EventKindIcon } from "~/parts/EventKindIcon";
import { FilterText } from "~/parts/FilterEditor";
import styles from "./Edit.module.css";

type Kind = "twinUpdate" | "twinLifecycle" | "relationship" | "telemetry";

const words: Record<string, string> = { twinUpdate: "Twin update", twinLifecycle: "Twin created or deleted", relationship: "Relationship", telemetry: "Telemetry" };

/**
 * A filter as check-boxes of the kinds of notifications: another view of the
 * same text. What the boxes cannot say stays, and is shown as what it is.
 */
export function KindBoxes({ text, parsed, onText }: { text: string; parsed: ParsedFilter | undefined; onText: (text: string) => void }) {
  const [problem, setProblem] = useState<string>();
  const asked = useRef<AbortController | undefined>(undefined);
  // The answer to a click is for the text that was clicked on, not for what was typed since.
  useEffect(() => () => asked.current?.abort(), [text]);
  const kinds = parsed?.kinds;
  const current = parsed?.text === text;
  // A click goes on from what the boxes show, also before the text that it makes
  // is there, and has been parsed.
  const [clicked, setClicked] = useState<{ text: string; checked: Kind[]; rest: string }>();
  if (clicked && clicked.text !== text) setClicked(undefined);
  const own = clicked?.text === text ? clicked : undefined;
  const checked = new Set<string>(own?.checked ?? kinds?.checked ?? []);
  if (!kinds) {
    return <p className={styles.boxesOff}>{parsed && !parsed.valid ? "Once the text below is a filter again, the kinds of events can be picked here." : " "}</p>;
  }
  const rest = own?.rest ?? kinds.rest ?? "";
  const toggle = (kind: Kind, on: boolean) => {
    const next = new Set(checked as Set<Kind>);
    if (on) next.add(kind);
    else next.delete(kind);
    const list = [...next];
    setClicked({ text, checked: list, rest });
    setProblem(undefined);
    asked.current?.abort();
    const mine = new AbortController();
    asked.current = mine;
    parseFilter({ kinds: { checked: list, rest } }, mine.signal).then(
      (made) => {
        if (mine.signal.aborted) return;
        setClicked({ text: made.text, checked: list, rest });
        onText(made.text);
      },
      (error: unknown) => {
        if (mine.signal.aborted) return;
        setClicked(undefined);
        setProblem(asProblem(error).message);
      },
    );
  };
  return (
    <fieldset className={styles.boxes}>
      <legend>Kinds of events</legend>
      {(kinds.boxes ?? []).map((b) => (
        <Checkbox
          key={b.kind}
          checked={checked.has(b.kind)}
          disabled={!current && !own}
          onChange={(_, d) => toggle(b.kind as Kind, d.checked === true)}
          label={
            <span className={styles.box} title={b.label}>
              <EventKindIcon kind={kindOf(b.types[0] ?? "")} bare />
              {words[b.kind] ?? b.label}
            </span>
          }
        />
      ))}
      <p className={styles.boxNote}>
        {checked.size === 0 ? (rest === "" ? "None checked: events of every kind match." : "None checked: any kind.") : null}
        {rest !== "" && (
          <span className={styles.custom}>
            <strong>custom</strong>
            <FilterText text={rest} />
            {kinds.exact === false && <span className="quiet">speaks of the type too, so the boxes do not say all of it</span>}
          </span>
        )}
      </p>
      {problem && <p className={styles.problem}>{problem}</p>}
    </fieldset>
  );
}
