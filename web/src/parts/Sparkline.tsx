import { useId } from "react";
import styles from "./Sparkline.module.css";

/**
 * A small chart of a series, oldest first. null is a time of which nothing is
 * known, and hatched: it is not zero. Errors are bars from the baseline.
 */
export function Sparkline({ values, errors, label, width = 120, height = 28, colour = "var(--kind-update)", max }: { values: readonly (number | null)[]; errors?: readonly (number | null)[]; label: string; width?: number; height?: number; colour?: string; max?: number }) {
  const id = useId();
  const n = values.length;
  const top = Math.max(max ?? 0, ...values.map((v) => v ?? 0), ...(errors ?? []).map((v) => v ?? 0), 0) || 1;
  const step = n > 1 ? width / (n - 1) : width;
  const y = (v: number) => height - 1 - (v / top) * (height - 3);
  const runs: { from: number; to: number }[] = [];
  const gaps: { from: number; to: number }[] = [];
  values.forEach((v, i) => {
    const list = v === null ? gaps : runs;
    const last = list.at(-1);
    if (last && last.to === i - 1) last.to = i;
    else list.push({ from: i, to: i });
  });
  const at = (i: number) => i * step;
  return (
    <svg className={styles.chart} width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      <defs>
        <pattern id={id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="5" stroke="var(--hatch)" strokeWidth="2" />
        </pattern>
      </defs>
      {n === 0 && <rect width={width} height={height} fill={`url(#${id})`} />}
      {gaps.map((g) => {
        const x = Math.max(0, at(g.from) - (g.from > 0 ? step : 0));
        return <rect key={g.from} x={x} y={0} width={Math.max(1, Math.min(width, at(g.to) + (g.to < n - 1 ? step : 0)) - x)} height={height} fill={`url(#${id})`} />;
      })}
      {runs.map((r) => {
        const points = [];
        for (let i = r.from; i <= r.to; i++) points.push(`${at(i).toFixed(1)},${y(values[i] ?? 0).toFixed(1)}`);
        if (r.from === r.to) points.push(`${(at(r.from) + 1).toFixed(1)},${y(values[r.from] ?? 0).toFixed(1)}`);
        return (
          <g key={r.from}>
            <path d={`M${at(r.from)},${height} L${points.join(" L")} L${r.from === r.to ? at(r.from) + 1 : at(r.to)},${height} Z`} fill={colour} opacity="0.16" />
            <polyline points={points.join(" ")} fill="none" stroke={colour} strokeWidth="1.5" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
          </g>
        );
      })}
      {errors?.map((v, i) => v ? <rect key={i} x={Math.min(width - 2, Math.max(0, at(i) - 1))} y={y(v)} width={Math.max(2, step * 0.5)} height={height - y(v)} fill="var(--state-failing)" /> : null)}
    </svg>
  );
}
