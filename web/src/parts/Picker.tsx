import { Combobox, Field, Option } from "@fluentui/react-components";
import { useMemo, useState, type ReactNode } from "react";

export interface Choice {
  value: string;
  /** Beside the name, such as a state. */
  detail?: ReactNode;
  disabled?: boolean;
}

const most = 60; // shown at a time

/** Picks one of any number of names by writing a part of it. */
export function Picker({ label, choices, value, onChange, placeholder, problem, hint, required, onClear, bare }: { label: string; choices: readonly Choice[]; value: string; onChange: (value: string) => void; placeholder?: string; problem?: string; hint?: ReactNode; required?: boolean; onClear?: () => void; bare?: boolean }) {
  const [typed, setTyped] = useState<string>();
  const found = useMemo(() => {
    const q = typed?.trim().toLowerCase() ?? "";
    if (q === "") return choices;
    const at = (c: Choice) => c.value.toLowerCase().indexOf(q);
    return [...choices.filter((c) => at(c) === 0), ...choices.filter((c) => at(c) > 0)];
  }, [choices, typed]);
  const settle = () => {
    const exact = choices.find((c) => c.value === typed?.trim() && !c.disabled);
    if (exact && exact.value !== value) onChange(exact.value);
    else if (typed === "" && value !== "") onClear?.();
    setTyped(undefined);
  };
  const box = (
    <Combobox
      aria-label={bare ? label : undefined}
      style={{ minWidth: 0, width: "100%" }}
      input={{ style: { width: "100%", minWidth: 0 } }}
      value={typed ?? value}
      selectedOptions={value ? [value] : []}
      placeholder={placeholder}
      onChange={(e) => setTyped(e.target.value)}
      onOptionSelect={(_, d) => {
        if (d.optionValue !== undefined) onChange(d.optionValue);
        setTyped(undefined);
      }}
      onBlur={settle}
    >
      {found.slice(0, most).map((c) => (
        <Option key={c.value} value={c.value} text={c.value} disabled={c.disabled}>
          <span style={{ overflowWrap: "anywhere", flex: 1, minWidth: 0 }}>{c.value}</span>
          {c.detail}
        </Option>
      ))}
      {found.length > most && (
        <Option disabled value="" text="">
          {(found.length - most).toLocaleString("en-US")} more: write a part of the name
        </Option>
      )}
      {found.length === 0 && (
        <Option disabled value="" text="">
          {choices.length === 0 ? "There is none yet" : "None is called so"}
        </Option>
      )}
    </Combobox>
  );
  if (bare) return box;
  return (
    <Field label={label} required={required} hint={hint === undefined ? undefined : { children: hint }} validationMessage={problem} validationState={problem ? "error" : "none"}>
      {box}
    </Field>
  );
}
