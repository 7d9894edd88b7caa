import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "~/app/theme";
import { decimals, timeLabels } from "./axis";
import { absoluteTime } from "./RelativeTime";
import type { TimeChartProps } from "./TimeChart";
import styles from "./TimeChart.module.css";

interface Tip {
  left: number;
  at: number;
  values: { label: string; text: string }[];
}

/** The drawing of a TimeChart. */
export default function TimeChartCanvas({ times, series, unit = "", height = 220, format = String }: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [tip, setTip] = useState<Tip>();
  const { name: theme } = useTheme();
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = [times as number[], ...series.map((s) => s.values as (number | null)[])];
  const shape = series.map((s) => s.label + s.colour + (s.as ?? "area")).join("|");
  const latest = useRef({ series, format, unit });
  latest.current = { series, format, unit };

  useEffect(() => {
    const host = place.current!;
    const css = getComputedStyle(document.documentElement);
    const inner = getComputedStyle(host);
    const colour = (name: string) => css.getPropertyValue(name).trim() || inner.getPropertyValue(name).trim();
    const ink = inner.getPropertyValue("--colorNeutralForeground3").trim();
    const grid = inner.getPropertyValue("--colorNeutralStroke2").trim();
    const hatch = colour("--hatch");
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "12px " + inner.fontFamily };
    const u = new uPlot(
      {
        width: host.clientWidth || 600,
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
        axes: [
          { ...axis, values: (_, at) => timeLabels(at.map((t) => t * 1000)), space: 100, size: 30 },
          { ...axis, size: 64, values: (_, at, __, ___, distance) => at.map((v) => latest.current.format(v, decimals(distance)) + latest.current.unit) },
        ],
        series: [
          {},
          ...latest.current.series.map((s): uPlot.Series => {
            const c = colour(s.colour);
            if (s.as === "bars") return { label: s.label, stroke: c, fill: c, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.6, 12, 2] }) };
            return { label: s.label, stroke: c, width: 2, fill: s.as === "line" ? undefined : c + "26", points: { show: false }, spanGaps: false };
          }),
        ],
        hooks: {
          drawClear: [(u) => hatchGaps(u, hatch)],
          setCursor: [
            (u) => {
              const i = u.cursor.idx;
              if (i === null || i === undefined || (u.cursor.left ?? -1) < 0) return setTip(undefined);
              setTip({
                left: u.cursor.left! + u.bbox.left / devicePixelRatio,
                at: u.data[0][i]!,
                values: latest.current.series.map((s) => ({ label: s.label, text: s.values[i] === null || s.values[i] === undefined ? "not known" : latest.current.format(s.values[i]) + latest.current.unit })),
              });
            },
          ],
        },
      },
      data.current,
      host,
    );
    chart.current = u;
    const fits = new ResizeObserver(() => u.setSize({ width: host.clientWidth, height }));
    fits.observe(host);
    return () => {
      fits.disconnect();
      u.destroy();
      chart.current = undefined;
    };
  }, [theme, shape, height]);

  useEffect(() => chart.current?.setData(data.current), [times, series]);

  return (
    <>
      <div ref={place} />
      {tip && (
        <div className={styles.tip} style={tip.left > (place.current?.clientWidth ?? 0) / 2 ? { right: (place.current?.clientWidth ?? 0) - tip.left + 12 } : { left: tip.left + 12 }}>
          <strong>{absoluteTime(new Date(tip.at * 1000))}</strong>
          {tip.values.map((v) => (
            <div key={v.label}>
              {v.label}: {v.text}
            </div>
          ))}
        </div>
      )}
    </>
  );
}

/** Hatches the times of which no series knows anything. */
function hatchGaps(u: uPlot, colour: string): void {
  const [times, ...series] = u.data;
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  for (let i = 0; i < times.length; i++) {
    if (!series.every((s) => s[i] === null || s[i] === undefined)) continue;
    const from = i;
    while (i + 1 < times.length && series.every((s) => s[i + 1] === null || s[i + 1] === undefined)) i++;
    const left = from === 0 ? bbox.left : u.valToPos(times[from - 1]!, "x", true);
    const right = i + 1 >= times.length ? bbox.left + bbox.width : u.valToPos(times[i + 1]!, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += 9 * devicePixelRatio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}
