import type { ReactNode } from "react";
import styles from "./EmptyState.module.css";

/** Where nothing is: says what would be here, and how it gets here. */
export function EmptyState({ title, children, action, icon }: { title: string; children?: ReactNode; action?: ReactNode; icon?: ReactNode }) {
  return (
    <div className={styles.box}>
      {icon && <div className={styles.icon}>{icon}</div>}
      <h2>{title}</h2>
      {children && <div className={styles.words}>{children}</div>}
      {action && <div className="row">{action}</div>}
    </div>
  );
}
