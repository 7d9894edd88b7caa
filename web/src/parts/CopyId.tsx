import { Button, Tooltip } from "@fluentui/react-components";
import { Checkmark16Regular, Copy16Regular } from "@fluentui/react-icons";
import { useEffect, useState } from "react";
import { copyText } from "./copy";
import styles from "./CopyId.module.css";

/** An id in fixed width that a click copies. `short` shows its first characters only. */
export function CopyId({ id, short, label = "id" }: { id: string; short?: number; label?: string }) {
  return (
    <span className={styles.id}>
      <span className="mono cut" title={id}>
        {short && id.length > short ? id.slice(0, short) + "…" : id}
      </span>
      <CopyButton text={id} label={`Copy the ${label}`} />
    </span>
  );
}

/** A button that copies and says that it did. */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [done, setDone] = useState<"copied" | "refused">();
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(undefined), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Tooltip content={done === "copied" ? "Copied" : done === "refused" ? "The browser does not allow it" : label} relationship="label">
      <Button
        size="small"
        appearance="transparent"
        className={styles.button}
        icon={done === "copied" ? <Checkmark16Regular /> : <Copy16Regular />}
        onClick={(e) => {
          e.stopPropagation();
          void copyText(typeof text === "string" ? text : text()).then((ok) => setDone(ok ? "copied" : "refused"));
        }}
      />
    </Tooltip>
  );
}
