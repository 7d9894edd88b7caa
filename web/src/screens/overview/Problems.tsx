import { Button } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "~/api/queries";
import { count } from "~/parts/figures";
import { refParts } from "~/parts/pluginRef";
import { RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { StateBadge } from "~/parts/StateBadge";
import { problemsOf, type Trouble } from "./headline";
import styles from "./Overview.module.css";

const first = 6; // that are shown

/** What needs somebody, each with the way to where it is mended. */
export function Problems({ status }: { status: Schemas["Status"] }) {
  const [whole, setWhole] = useState(false);
  const all = problemsOf(status);
  if (all.length === 0) return null;
  return (
    <section className="stack" aria-label="What needs somebody">
      <div className={styles.problems}>
        {(whole ? all : all.slice(0, first)).map((p) => (
          <article key={`${p.kind} ${p.name}`} className={styles.problem + (p.state === "failing" ? "" : " " + styles.busy)}>
            <h2 className="row">
              <StateBadge state={p.state} word={p.kind === "journal" ? p.name : <ResourceLink kind={p.kind} name={p.kind === "plugin" ? refParts(p.name).name : p.name} />} />
            </h2>
            <p className={styles.cause}>{p.cause}</p>
            <p className="quiet">
              {p.since && <>It began <RelativeTime at={p.since} />. </>}
              {p.effect}
            </p>
            <p>
              {p.next} <Action trouble={p} />
            </p>
          </article>
        ))}
      </div>
      {all.length > first && (
        <div>
          <Button size="small" aria-expanded={whole} onClick={() => setWhole(!whole)}>
            {whole ? "Show fewer" : `${count(all.length - first)} more`}
          </Button>
        </div>
      )}
    </section>
  );
}

/** The page where one goes on. */
function Action({ trouble: p }: { trouble: Trouble }) {
  if (p.kind === "plugin") {
    return (
      <Link to="/plugins/$name" params={{ name: refParts(p.name).name }} search={{ tab: "traps" }}>
        See its traps
      </Link>
    );
  }
  if (p.kind !== "endpoint" || !p.deadLetters) return null;
  return (
    <Link to="/dead-letters" search={{ endpoint: p.name }}>
      See its dead letters
    </Link>
  );
}
