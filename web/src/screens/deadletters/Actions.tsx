import { Button } from "@fluentui/react-components";
import { ArrowRepeatAll20Regular, Delete20Regular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { forget, purge, type Selection } from "~/api/letters";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { count, plural } from "~/parts/figures";
import { useToasts } from "~/parts/Toasts";
import { cliOf } from "./selection";

/** Goes to the preview of a redrive. */
export function RedriveButton({ selection, label, primary, disabled }: { selection: Selection; label: string; primary?: boolean; disabled?: boolean }) {
  const navigate = useNavigate();
  const { ids, ...search } = selection;
  return (
    <Button
      appearance={primary ? "primary" : "secondary"}
      icon={<ArrowRepeatAll20Regular />}
      disabled={disabled}
      onClick={() => void navigate({ to: "/dead-letters/redrive", search: search as { group?: string }, hash: ids?.join(",") })}
    >
      {label}
    </Button>
  );
}

interface PurgeProps {
  selection: Selection;
  count: number;
  /** The latest letter there is, for a selection that is not of ids. */
  newest?: string;
  of: string;
  label: string;
  disabled?: boolean;
  onDone?: () => void;
}

/** Removes letters for good, after the words were written. */
export function PurgeButton({ selection: chosen, count: now, newest, of, label, disabled, onDone }: PurgeProps) {
  const [open, setOpen] = useState(false);
  // What was asked for stays the same while it is written, however many there are by then.
  const [{ n, selection }, setAsked] = useState({ n: now, selection: chosen });
  const queries = useQueryClient();
  const { notify } = useToasts();
  return (
    <>
      <Button icon={<Delete20Regular />} disabled={disabled} onClick={() => (setAsked({ n: now, selection: chosen.ids ? chosen : { ...chosen, through: newest } }), setOpen(true))}>
        {label}
      </Button>
      <ConfirmDialog
        open={open}
        title={`Purge ${plural(n, "dead letter")}?`}
        verb={`Purge ${count(n)}`}
        danger
        typed={`purge ${n}`}
        cli={() => cliOf("purge", selection)}
        onClose={() => setOpen(false)}
        onConfirm={async () => {
          const gone = await purge(selection);
          forget(queries);
          notify({ title: `${plural(gone, "dead letter was", "dead letters were")} purged` });
          onDone?.();
        }}
      >
        <p>
          {n === 1 ? "The dead letter" : `The ${count(n)} dead letters`} of {of} {n === 1 ? "is" : "are"} removed for good. {n === 1 ? "Its delivery" : "Their deliveries"} will never be made, and nothing brings {n === 1 ? "it" : "them"} back.
        </p>
        {!selection.ids && <p>Letters that come meanwhile stay.</p>}
      </ConfirmDialog>
    </>
  );
}
