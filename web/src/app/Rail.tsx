import { Button, Tooltip } from "@fluentui/react-components";
import { PanelLeftContract20Regular, PanelLeftExpand20Regular } from "@fluentui/react-icons";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useStatus } from "~/api/queries";
import { count } from "~/parts/figures";
import { places, type Place } from "./nav";
import { store, stored } from "./stored";
import styles from "./Shell.module.css";

export function Rail() {
  const [narrow, setNarrow] = useState(() => stored("rail") === "narrow");
  const toggle = () => {
    setNarrow(!narrow);
    store("rail", narrow ? "wide" : "narrow");
  };
  const dead = useDeadLetters();
  return (
    <nav className={styles.rail + (narrow ? " " + styles.narrow : "")} aria-label="Screens">
      <Link to="/" className={styles.brand} aria-label="Headgate, overview">
        <img src="/icon.svg" alt="" />
        <span className={styles.brandName}>Headgate</span>
      </Link>
      {places.map((p) => (
        <RailPlace key={p.to} place={p} count={p.to === "/dead-letters" ? dead : 0} narrow={narrow} />
      ))}
      <span className={styles.spring} />
      <Button className={styles.collapse} appearance="subtle" icon={narrow ? <PanelLeftExpand20Regular /> : <PanelLeftContract20Regular />} onClick={toggle} aria-label={narrow ? "Show the names" : "Icons only"} />
    </nav>
  );
}

export function useDeadLetters(): number {
  const { data } = useStatus();
  return data?.endpoints.reduce((sum, e) => sum + e.deadLetters, 0) ?? 0;
}

function RailPlace({ place: p, count: n, narrow }: { place: Place; count: number; narrow: boolean }) {
  const link = (
    <Link to={p.to} className={styles.place} activeProps={{ className: styles.here, "aria-current": "page" }} activeOptions={{ exact: p.to === "/" }}>
      {({ isActive }) => (
        <>
          {isActive ? <p.iconHere /> : <p.icon />}
          <span className={styles.label}>{p.label}</span>
          {n > 0 && (
            <span className={styles.count}>
              {count(n)}
              <span className="unseen"> waiting for you</span>
            </span>
          )}
        </>
      )}
    </Link>
  );
  return narrow ? (
    <Tooltip content={p.label} relationship="label" positioning="after">
      {link}
    </Tooltip>
  ) : (
    link
  );
}
