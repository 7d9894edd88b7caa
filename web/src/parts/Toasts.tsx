import { Toast, ToastBody, Toaster, ToastFooter, ToastTitle, useToastController, Link as FluentLink } from "@fluentui/react-components";
import { useMemo } from "react";

const host = "headgate";

export interface Notice {
  title: string;
  body?: string;
  mono?: boolean;
  intent?: "success" | "error" | "info" | "warning";
  /** Offered as "Undo" while the notice is there. */
  undo?: () => void;
}

/** Where notices appear; the shell has it. */
export function ToastHost() {
  return <Toaster toasterId={host} position="bottom-end" pauseOnHover pauseOnWindowBlur limit={4} />;
}

/** Says what was done, with the way back where there is one. */
export function useToasts(): { notify: (n: Notice) => void } {
  const { dispatchToast, dismissToast } = useToastController(host);
  return useMemo(
    () => ({
      notify: (n) => {
        const toastId = "n" + Math.random().toString(36).slice(2);
        let undo = n.undo; // once, also while the notice fades away
        dispatchToast(
          <Toast>
            <ToastTitle>{n.title}</ToastTitle>
            {n.body && (
              <ToastBody>
                <span className={n.mono ? "mono" : undefined} style={{ overflowWrap: "anywhere" }}>
                  {n.body}
                </span>
              </ToastBody>
            )}
            {n.undo && (
              <ToastFooter>
                <FluentLink
                  onClick={() => {
                    dismissToast(toastId);
                    undo?.();
                    undo = undefined;
                  }}
                >
                  Undo
                </FluentLink>
              </ToastFooter>
            )}
          </Toast>,
          { toastId, intent: n.intent ?? "success", timeout: n.undo || n.intent === "error" ? 12_000 : 4_000 },
        );
      },
    }),
    [dispatchToast, dismissToast],
  );
}
