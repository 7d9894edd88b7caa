import { useBlocker } from "@tanstack/react-router";
import { ConfirmDialog } from "./ConfirmDialog";

type Place = { pathname: string; search: object };

/** What a form is at: below the same path its tab, or the kind that it makes, may be another one. */
const formOf = ({ pathname, search }: Place) => {
  const { tab, kind } = search as { tab?: string; kind?: string };
  return JSON.stringify([pathname, tab, kind]);
};

/** Whether a navigation takes a form away. */
export function leaves({ current, next }: { current: Place; next: Place }): boolean {
  return formOf(current) !== formOf(next);
}

/** Asks before a change that is not saved is lost: on the way to another form or page, and when the browser leaves. */
export function LeaveQuestion({ dirty }: { dirty: boolean }) {
  const { status, proceed, reset } = useBlocker({ shouldBlockFn: leaves, enableBeforeUnload: true, disabled: !dirty, withResolver: true });
  return (
    <ConfirmDialog open={status === "blocked"} title="Leave without saving?" verb="Leave without saving" danger onConfirm={() => proceed?.()} onClose={() => reset?.()}>
      <p>What you changed here is not saved, and would be lost.</p>
    </ConfirmDialog>
  );
}
