import { Button, OverlayDrawer } from "@fluentui/react-components";
import { Dismiss20Regular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { useShortcut } from "~/app/shortcuts";
import { usePhone } from "./usePhone";
import styles from "./SidePanel.module.css";

interface Panel {
  title: ReactNode;
  /** The title as text. */
  label: string;
  actions?: ReactNode;
  children: ReactNode;
  onClose: () => void;
}

/** A list with, while something of it is looked at, a panel beside it; on phones over it. */
export function WithPanel({ children, panel }: { children: ReactNode; panel?: Panel }) {
  const phone = usePhone();
  const beside = panel && !phone;
  return (
    <>
      <div className={styles.split + (beside ? " " + styles.open : "")}>
        <div style={{ minWidth: 0 }}>{children}</div>
        {beside && (
          <aside className={styles.panel} aria-label={panel.label}>
            <Closes onClose={panel.onClose} />
            <Inside {...panel} />
          </aside>
        )}
      </div>
      {panel && phone && (
        <OverlayDrawer open position="bottom" className={styles.sheet} onOpenChange={(_, d) => !d.open && panel.onClose()} aria-label={panel.label}>
          <Inside {...panel} />
        </OverlayDrawer>
      )}
    </>
  );
}

function Closes({ onClose }: { onClose: () => void }) {
  useShortcut("escape", "Close the panel", onClose);
  return null;
}

function Inside({ title, actions, children, onClose }: Panel) {
  return (
    <>
      <div className={styles.head}>
        <h2 className={styles.title}>{title}</h2>
        {actions}
        <Button appearance="subtle" icon={<Dismiss20Regular />} aria-label="Close the panel" onClick={onClose} />
      </div>
      <div className={styles.body} tabIndex={0} role="region" aria-label="Details">
        {children}
      </div>
    </>
  );
}
