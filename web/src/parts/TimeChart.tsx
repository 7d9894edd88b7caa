import { Suspense } from "react";
import { count } from "./figures";
import { lazy } from "./lazy";
import styles from "./TimeChart.module.css";

const Canvas = lazy(() => import("./TimeChartCanvas"), "default");

export interface ChartSeries {
  label: string;
  /** One value a step, the oldest first; null where nothing is known. */
  values: readonly (number | null)[];
  /** A CSS custom property, such as "--kind-update". */
  colour: string;
  /** Errors are bars from the baseline; what is measured is an area or a line. */
  as?: "area" | "line" | "bars";
}

export interface TimeChartProps {
  label: string;
  /** When each value was, in seconds since 1970. */
  times: readonly number[];
  series: readonly ChartSeries[];
  /** Behind the numbers of the axis, such as "/s". */
  unit?: string;
  height?: number;
  /** Writes a value for people, with so many decimals where given. */
  format?: (v: number, decimals?: number) => string;
}

/**
 * Series over time: what is not known is hatched, not zero. Its drawing is
 * loaded when first shown; those who cannot see it get a table.
 */
export function TimeChart(p: TimeChartProps) {
  const { height = 220, format = count } = p;
  const known = p.series.some((s) => s.values.some((v) => v !== null));
  return (
    <figure className={styles.figure}>
      <ul className={styles.legend}>
        {p.series.map((s) => (
          <li key={s.label}>
            <span className={s.as === "bars" ? styles.bar : styles.line} style={{ background: `var(${s.colour})` }} aria-hidden />
            {s.label}
          </li>
        ))}
      </ul>
      <div style={{ height }} aria-hidden className={styles.canvas}>
        {known ? (
          <Suspense>
            <Canvas {...p} height={height} format={format} />
          </Suspense>
        ) : (
          <div className={styles.none}>Nothing was counted in this time</div>
        )}
      </div>
      <figcaption className="unseen">{p.label}</figcaption>
      <table className="unseen">
        <caption>{p.label}</caption>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">Latest</th>
            <th scope="col">Highest</th>
          </tr>
        </thead>
        <tbody>
          {p.series.map((s) => (
            <Summary key={s.label} series={s} write={(v) => format(v) + (p.unit ?? "")} />
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function Summary({ series: s, write }: { series: ChartSeries; write: (v: number) => string }) {
  const known = s.values.filter((v) => v !== null);
  const last = known.at(-1);
  return (
    <tr>
      <th scope="row">{s.label}</th>
      <td>{last === undefined ? "not known" : write(last)}</td>
      <td>{known.length === 0 ? "not known" : write(known.reduce((a, b) => Math.max(a, b), 0))}</td>
    </tr>
  );
}
