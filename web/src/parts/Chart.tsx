import { Suspense } from "react";
import { lazy } from "./lazy";

const Code = lazy(() => import("./ChartCode"), "default");

export interface ChartSeries {
  label: string;
  /** [milliseconds since 1970, value], the oldest first. */
  points: readonly (readonly [number, number])[];
  /** A custom property of CSS, such as --kind-update. */
  colour?: string;
}

export interface ChartProps {
  series: readonly ChartSeries[];
  /** The range of time, in milliseconds since 1970. */
  from: number;
  to: number;
  /** What the values are, with their unit: on the axis. */
  axis: string;
  /** Times of which nothing is known; they are hatched. */
  unknown?: readonly { from: number; to: number }[];
  /** "step": a value holds until the next one. */
  line?: "step" | "straight";
  height?: number;
  /** What the chart shows, for those who cannot see it. */
  label: string;
  /** Charts with the same name show the same time under the mouse. */
  sync?: string;
  /** Someone marked a range of time. */
  onRange?: (from: number, to: number) => void;
}

/** A chart of numbers over time. Loads its code when first shown. */
export function Chart(p: ChartProps) {
  return (
    <Suspense fallback={<div style={{ height: p.height ?? 180 }} aria-busy="true" />}>
      <Code {...p} />
    </Suspense>
  );
}
