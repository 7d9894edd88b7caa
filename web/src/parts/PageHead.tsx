import type { ReactNode } from "react";
import styles from "./PageHead.module.css";

/** The head of a page: its name, the one sentence that its user came for, what can be done. */
export function PageHead({ title, badge, sentence, actions, mono }: { title: ReactNode; badge?: ReactNode; sentence?: ReactNode; actions?: ReactNode; mono?: boolean }) {
  return (
    <header className={styles.head}>
      <div className={styles.words}>
        <div className={styles.title}>
          <h1 className={mono ? styles.mono : undefined}>{title}</h1>
          {badge}
        </div>
        {sentence !== undefined && <p className={styles.sentence}>{sentence}</p>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
