import { BaseEdge, EdgeLabelRenderer, getBezierPath, Handle, Position, ReactFlow, type Edge, type EdgeProps, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useMemo } from "react";
import { count, percent, rate } from "~/parts/figures";
import { ResourceLink } from "~/parts/ResourceLink";
import { StateBadge } from "~/parts/StateBadge";
import styles from "./Topology.module.css";
import { topologyOf, type Flow, type Station } from "./topology";

type StationNode = Node<{ station: Station }, "station">;
type FlowEdge = Edge<{ flow: Flow; busiest: number }, "flow">;

const columnWidth = 300;
const rowHeight = 64;
const stationWidth = 190;
const margin = 20;
const width = 3 * columnWidth + stationWidth + 2 * margin;

/** Sources, the journal, routes and endpoints, and what flows between them. The tables below it say the same. */
export default function Topology(given: Parameters<typeof topologyOf>[0]) {
  const { status, routes, rates } = given;
  const { nodes, edges, rows } = useMemo(() => {
    const t = topologyOf({ status, routes, rates });
    const busiest = Math.max(0.1, ...t.flows.map((f) => f.rate ?? 0));
    return {
      rows: t.rows,
      nodes: t.stations.map((s): StationNode => ({ id: s.id, type: "station", position: { x: s.column * columnWidth, y: s.row * rowHeight }, data: { station: s }, width: stationWidth, height: rowHeight - 12 })),
      edges: t.flows.map((f): FlowEdge => ({ id: f.id, source: f.from, target: f.to, type: "flow", data: { flow: f, busiest } })),
    };
  }, [status, routes, rates]);
  return (
    <div className={styles.box}>
      {/* Never smaller than it can be read: the box scrolls. */}
      <div className={styles.plane} style={{ width, height: Math.max(2, rows) * rowHeight + 2 * margin }}>
        <ReactFlow
          nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} defaultViewport={{ x: margin, y: margin, zoom: 1 }} minZoom={1} maxZoom={1}
          nodesDraggable={false} nodesConnectable={false} nodesFocusable={false} edgesFocusable={false} elementsSelectable={false} panOnDrag={false} zoomOnScroll={false} zoomOnPinch={false} zoomOnDoubleClick={false} preventScrolling={false}
          aria-label="Where events come from and go"
        />
      </div>
    </div>
  );
}

function StationView({ data: { station: s } }: NodeProps<StationNode>) {
  return (
    <div className={styles.station + (s.state === "failing" || s.state === "stopped" ? " " + styles.failing : "") + (s.state === "disabled" ? " " + styles.off : "")}>
      {s.column > 0 && <Handle type="target" position={Position.Left} className={styles.handle} />}
      <span className={"cut " + styles.name}>{s.link ? <ResourceLink kind={s.link.kind} name={s.link.name} /> : s.folds === undefined ? s.label : `${count(s.folds)} ${s.label}`}</span>
      <span className={styles.line}>
        <StateBadge state={s.state} />
        {s.rate !== undefined && <span className="nums">{rate(s.rate)}</span>}
      </span>
      {s.column < 3 && <Handle type="source" position={Position.Right} className={styles.handle} />}
    </div>
  );
}

function FlowView({ id, sourceX, sourceY, targetX, targetY, data }: EdgeProps<FlowEdge>) {
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition: Position.Right, targetPosition: Position.Left });
  if (!data) return null;
  const { flow, busiest } = data;
  // The area grows with the rate: the eye compares areas.
  const thick = 1.5 + 7 * Math.sqrt((flow.rate ?? 0) / busiest);
  // What is said of it stands at the end that no other flow shares.
  const fans = flow.from === "journal";
  const at = fans ? `translate(${targetX - 6}px, ${targetY}px) translate(-100%, -50%)` : `translate(${sourceX + 6}px, ${sourceY}px) translate(0, -50%)`;
  return (
    <g>
      <title>{`${id}: ${flow.rate === undefined ? "not counted yet" : rate(flow.rate)}${flow.failing > 0 ? `, ${percent(flow.failing)} fails` : ""}`}</title>
      <BaseEdge id={id} path={path} style={{ stroke: flow.rate ? "var(--kind-update)" : "var(--colorNeutralStroke1)", strokeWidth: thick, opacity: flow.rate ? 0.55 : 0.8 }} />
      {flow.failing > 0 && <BaseEdge path={path} style={{ stroke: "var(--state-failing)", strokeWidth: Math.max(1.5, thick * flow.failing), strokeDasharray: "6 4" }} />}
      <EdgeLabelRenderer>
        <div className={styles.said} style={{ transform: at, gap: thick + 2, textAlign: fans ? "right" : "left" }}>
          <span>{flow.rate !== undefined && rate(flow.rate)}</span>
          <span className={styles.fails}>{flow.failing > 0 && percent(flow.failing) + " fails"}</span>
        </div>
      </EdgeLabelRenderer>
    </g>
  );
}

const nodeTypes = { station: StationView };
const edgeTypes = { flow: FlowView };
