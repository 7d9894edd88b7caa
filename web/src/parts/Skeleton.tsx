import { useEffect, useState } from "react";
import styles from "./Skeleton.module.css";

/** Lines where text will be; nothing for the first 200 ms, since most answers are faster. */
export function Skeleton({ lines = 4, height }: { lines?: number; height?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={styles.box} style={{ minHeight: height }} aria-busy="true">
      {late && (
        <>
          <span className="unseen" role="status">
            Loading
          </span>
          {Array.from({ length: lines }, (_, i) => (
            <div key={i} className={styles.line} style={{ width: `${[92, 74, 83, 61][i % 4]}%` }} />
          ))}
        </>
      )}
    </div>
  );
}
