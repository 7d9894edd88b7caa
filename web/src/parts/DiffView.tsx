import styles from "./DiffView.module.css";
import { differences, pathWords, type Difference } from "./diff";
import { visible } from "./visible";

const most = 200;
const longest = 2000;

/**
 * Before → after of JSON: each place that differs, with both values. Give the
 * two values, or the differences that the API found.
 */
export function DiffView({ before, after, changes, labels = ["Before", "After"], same = "Nothing changes." }: { before?: unknown; after?: unknown; changes?: readonly Difference[]; labels?: readonly [string, string]; same?: string }) {
  const all = changes ?? differences(before, after);
  if (all.length === 0) return <p className="quiet">{same}</p>;
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${labels[0]} and ${labels[1]}`}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">{labels[0]}</th>
            <th scope="col">{labels[1]}</th>
          </tr>
        </thead>
        <tbody>
          {all.slice(0, most).map((d) => (
            <tr key={d.path}>
              <th scope="row" className="mono">
                {visible(d.path.startsWith("/") || d.path === "" ? pathWords(d.path) || "(all of it)" : d.path)}
              </th>
              <Side value={d.before} sign="−" className={styles.removed} />
              <Side value={d.after} sign="+" className={styles.added} />
            </tr>
          ))}
        </tbody>
      </table>
      {all.length > most && <p className="quiet">{all.length - most} more differences are not shown.</p>}
    </div>
  );
}

function Side({ value, sign, className }: { value: unknown; sign: string; className?: string }) {
  if (value === undefined) return <td className={styles.none}>not there</td>;
  const text = visible(typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value, undefined, 1));
  return (
    <td className={className}>
      <span aria-hidden className={styles.sign}>
        {sign}
      </span>
      <code>{text.length > longest ? text.slice(0, longest) + `… (${text.length.toLocaleString("en-US")} characters)` : text}</code>
    </td>
  );
}
