import { MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { asProblem } from "~/api/problem";

/** Why something was not done, in the server's words, and what to do. */
export function ProblemBar({ problem, title, action }: { problem: unknown; title?: string; action?: ReactNode }) {
  const p = asProblem(problem);
  const head = title ?? (p.offline ? "The gateway does not answer" : p.conflict ? "Someone changed it meanwhile" : p.signedOut ? "Sign in first" : p.details.title || "It did not work");
  return (
    <MessageBar intent={p.offline || p.conflict ? "warning" : "error"} layout="multiline" role="alert">
      <MessageBarBody style={{ overflowWrap: "anywhere" }}>
        <MessageBarTitle>{head}</MessageBarTitle>
        {p.field && !p.message.startsWith(p.field + ":") && <code>{p.field}: </code>}
        {p.message}
      </MessageBarBody>
      {action && <MessageBarActions>{action}</MessageBarActions>}
    </MessageBar>
  );
}
