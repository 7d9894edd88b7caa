import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input } from "@fluentui/react-components";
import { useState, type ReactNode } from "react";
import { asProblem, type Problem } from "~/api/problem";
import { CopyAs } from "./CopyAs";
import { ProblemBar } from "./ProblemBar";

/**
 * Asks before something that cannot be undone. The button says what happens;
 * `typed` must be written first where a slip would be dear; `cli` is the command
 * that does the same, if there is one.
 */
export function ConfirmDialog({ open, title, children, verb, danger, typed, cli, onConfirm, onClose }: { open: boolean; title: string; children?: ReactNode; verb: string; danger?: boolean; typed?: string; cli?: string | (() => string); onConfirm: () => Promise<unknown> | void; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [text, setText] = useState("");
  const close = () => {
    setProblem(undefined);
    setText("");
    onClose();
  };
  const go = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onConfirm();
      close();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open={open} modalType="alert" onOpenChange={(_, d) => !d.open && !busy && close()}>
      <DialogSurface>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void go();
          }}
        >
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent>
              <div className="stack">
                {children}
                {typed !== undefined && (
                  <Field label={<>Write <code>{typed}</code> to go on</>}>
                    <Input value={text} onChange={(_, d) => setText(d.value)} autoComplete="off" />
                  </Field>
                )}
                {problem && <ProblemBar problem={problem} />}
              </div>
            </DialogContent>
            <DialogActions position="end">
              <Button type="button" onClick={close} disabled={busy}>
                Cancel
              </Button>
              <Button type="submit" appearance="primary" disabled={busy || (typed !== undefined && text !== typed)} style={danger ? { background: "var(--colorPaletteRedBackground3)", color: "#fff" } : undefined}>
                {busy ? "Working…" : verb}
              </Button>
            </DialogActions>
            {/* The keyboard starts at the first of all: Cancel, not a menu. */}
            {cli !== undefined && (
              <DialogActions position="start">
                <CopyAs cli={cli} label="Copy" />
              </DialogActions>
            )}
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
