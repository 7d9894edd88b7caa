import { Tab, TabList } from "@fluentui/react-components";
import { useMemo } from "react";
import { perSecond, ranges, rangeWords, type Range, type Rates } from "~/api/rates";
import { rate } from "./figures";
import { Skeleton } from "./Skeleton";
import { TimeChart, type ChartSeries } from "./TimeChart";
import styles from "./RangedChart.module.css";

/** What was counted in each step; undefined where nothing of it is known. */
export interface Counted extends Omit<ChartSeries, "values"> {
  counts: readonly (number | null)[] | undefined;
}

/** What was counted, as rates over a range of time that can be chosen. `of` picks it; the chart is keyed by what it is about. */
export function RangedChart({ title, rates, of, range, onRange }: { title: string; rates: Rates | undefined; of: (rates: Rates) => Counted[]; range: Range; onRange: (range: Range) => void }) {
  const chart = useMemo(() => {
    if (!rates) return undefined;
    // A step in which the gateway ran and that lacks a series is one without an event of it.
    const none = rates.gateway.in.map((v) => (v === null ? null : 0));
    return {
      times: none.map((_, i) => Date.parse(rates.from) / 1000 + i * rates.stepSeconds),
      series: of(rates).map(({ counts, ...series }) => ({ ...series, values: perSecond(counts ?? none, rates.stepSeconds) })),
    };
  }, [rates]); // `of` says the same for as long as the chart is there
  return (
    <section className="card stack" aria-labelledby="rates">
      <div className={styles.head}>
        <h2 id="rates">{title}</h2>
        <TabList size="small" selectedValue={range} onTabSelect={(_, d) => onRange(d.value as Range)} aria-label="Time shown">
          {ranges.map((r) => (
            <Tab key={r} value={r}>
              {rangeWords[r]}
            </Tab>
          ))}
        </TabList>
      </div>
      {chart ? <TimeChart label={`${title} over time`} times={chart.times} series={chart.series} format={rate} /> : <Skeleton lines={3} height={220} />}
    </section>
  );
}
