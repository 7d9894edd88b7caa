import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "~/app/theme";
import { decimals, timeLabels } from "./axis";
import type { ChartProps } from "./Chart";

const many = 300; // points from which on they are not drawn one by one

/** The chart itself; Chart loads it. */
export default function ChartCode(p: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(p);
  const { name: theme } = useTheme();
  useEffect(() => {
    latest.current = p;
  });
  const names = p.series.map((s) => s.label + "|" + (s.colour ?? "")).join("\n");
  const { height = 180, axis, line, sync } = p;

  useEffect(() => {
    const box = place.current!;
    const style = getComputedStyle(box);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axisLook = { stroke: colour("--colorNeutralForeground3"), grid: { stroke: colour("--colorNeutralStroke3"), width: 1 }, ticks: { stroke: colour("--colorNeutralStroke2"), width: 1 }, font: "12px sans-serif", labelFont: "12px sans-serif" };
    const u = new uPlot(
      {
        width: Math.max(120, box.clientWidth),
        height,
        ms: 1,
        scales: { x: { time: true, range: () => [latest.current.from, Math.max(latest.current.to, latest.current.from + 1)] }, y: { range: (_, low, high) => room(low, high) } },
        axes: [
          { ...axisLook, space: 110, values: (_, at) => timeLabels(at), size: 34 },
          { ...axisLook, label: axis, labelSize: 18, size: 52, values: (_, all, __, ___, distance) => all.map((v) => v.toLocaleString("en-US", { minimumFractionDigits: decimals(distance), maximumFractionDigits: decimals(distance) })) },
        ],
        cursor: { sync: sync ? { key: sync } : undefined, drag: { x: true, y: false, setScale: false } },
        legend: { show: false },
        series: [
          {},
          ...latest.current.series.map((s) => ({
            label: s.label, stroke: colour(s.colour ?? "--kind-update"), width: 1.5, spanGaps: true,
            paths: line === "step" ? uPlot.paths.stepped!({ align: 1 }) : undefined,
            points: { show: s.points.length <= many, size: 4 },
          })),
        ],
        hooks: {
          drawClear: [(u) => hatch(u, latest.current.unknown ?? [], colour("--hatch"))],
          setSelect: [
            (u) => {
              const { left, width } = u.select;
              if (width < 4) return;
              const [from, to] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
              u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
              latest.current.onRange?.(from, to);
            },
          ],
        },
      },
      dataOf(latest.current),
      box,
    );
    plot.current = u;
    const watch = new ResizeObserver(() => u.setSize({ width: Math.max(120, box.clientWidth), height }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      u.destroy();
    };
  }, [names, height, axis, line, sync, theme]);

  useEffect(() => plot.current?.setData(dataOf(p)), [p]);

  return <div ref={place} role="img" aria-label={p.label} style={{ minWidth: 0 }} />;
}

/** The columns of uPlot: all times, and for each series its value at each. */
function dataOf({ series, to, line }: ChartProps): uPlot.AlignedData {
  const tables = series.map((s) => {
    const points = [...s.points];
    const last = points.at(-1);
    if (line === "step" && last && last[0] < to) points.push([to, last[1]]); // it holds until now
    return [points.map((p) => p[0]), points.map((p) => p[1])] as uPlot.AlignedData;
  });
  const [only] = tables;
  if (!only) return [[]];
  return tables.length === 1 ? only : uPlot.join(tables);
}

/** Some room above and below; a flat line is in the middle. */
function room(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const by = high > low ? (high - low) * 0.12 : Math.max(1, Math.abs(high) * 0.1);
  return [low - by, high + by];
}

/** Hatches the times of which nothing is known. */
function hatch(u: uPlot, ranges: readonly { from: number; to: number }[], colour: string): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const r of ranges) {
    const from = Math.max(left, u.valToPos(r.from, "x", true));
    const to = Math.min(left + width, u.valToPos(r.to, "x", true));
    if (to <= from) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, top, to - from, height);
    ctx.clip();
    ctx.beginPath();
    for (let x = from - height; x < to; x += 7 * devicePixelRatio) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}
