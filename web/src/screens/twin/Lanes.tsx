import { useId } from "react";
import { timeLabels } from "~/parts/axis";
import { plural } from "~/parts/figures";
import { absoluteTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { bins, type Fate, type Lane } from "./twin";
import styles from "./TwinPage.module.css";

const steps = 240;
const height = 26;

const looks: Record<Fate, { word: string; colour: string }> = {
  event: { word: "an event", colour: "var(--kind-update)" },
  delivered: { word: "delivered", colour: "var(--state-healthy)" },
  retrying: { word: "tried again", colour: "var(--state-busy)" },
  dead: { word: "dead letter", colour: "var(--state-failing)" },
};

/** What happened to a twin over time: its events, and below, route by route, what became of them. */
export function Lanes({ lanes, from, to, unknown, onOpen }: { lanes: readonly Lane[]; from: number; to: number; unknown: readonly { from: number; to: number }[]; onOpen: (id: string) => void }) {
  const id = useId();
  const x = (at: number) => ((at - from) / Math.max(1, to - from)) * 1000;
  return (
    <div className={styles.lanes}>
      {lanes.map((lane) => (
        <div key={lane.route} className={styles.lane}>
          <span className="cut">{lane.route === "" ? "Its events" : <ResourceLink kind="route" name={lane.route} />}</span>
          <svg className={styles.track} viewBox={`0 0 1000 ${height}`} preserveAspectRatio="none" role="img" aria-label={words(lane)}>
            <defs>
              <pattern id={id} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <line x1="0" y1="0" x2="0" y2="7" stroke="var(--hatch)" strokeWidth="3" />
              </pattern>
            </defs>
            {unknown.map((u) => (
              <rect key={u.from} x={x(u.from)} width={Math.max(0, x(u.to) - x(u.from))} height={height} fill={`url(#${id})`} />
            ))}
            {bins(lane, from, to, steps).map((b) => (
              <g key={b.from} onClick={() => onOpen(b.id)} style={{ cursor: "pointer" }}>
                <title>{`${absoluteTime(new Date(b.from))}: ${[...b.fates].map(([f, n]) => `${n} ${looks[f].word}`).join(", ")}`}</title>
                {stack([...b.fates]).map((s) => (
                  <rect key={s.fate} x={x(b.from)} y={s.y} width={1000 / steps} height={s.height} fill={looks[s.fate].colour} />
                ))}
              </g>
            ))}
          </svg>
        </div>
      ))}
      <div className={styles.lane}>
        <span />
        <span className={styles.scale}>
          {timeLabels([from, (from + to) / 2, to]).map((t, i) => (
            <span key={i}>{t}</span>
          ))}
        </span>
      </div>
      <div className={styles.legend}>
        {(Object.keys(looks) as Fate[]).map((f) => (
          <span key={f}>
            <svg width="10" height="14" aria-hidden>
              <rect y={top[f] * 14} width="10" height={14 - top[f] * 14 - bottom[f] * 14} fill={looks[f].colour} />
            </svg>
            {looks[f].word}
          </span>
        ))}
      </div>
    </div>
  );
}

// Each fate has its own place in a lane too, so that it is told without colour.
const top: Record<Fate, number> = { event: 0.15, delivered: 0.55, retrying: 0.3, dead: 0 };
const bottom: Record<Fate, number> = { event: 0.15, delivered: 0, retrying: 0.3, dead: 0 };

function stack(fates: readonly [Fate, number][]): { fate: Fate; y: number; height: number }[] {
  return fates.map(([fate]) => ({ fate, y: top[fate] * height, height: height * (1 - top[fate] - bottom[fate]) }));
}

function words(lane: Lane): string {
  const counts = new Map<Fate, number>();
  for (const m of lane.marks) counts.set(m.fate, (counts.get(m.fate) ?? 0) + 1);
  if (lane.route === "") return plural(lane.marks.length, "event");
  return `${lane.route} to ${lane.endpoints.join(", ")}: ` + [...counts].map(([f, n]) => `${n} ${looks[f].word}`).join(", ");
}
