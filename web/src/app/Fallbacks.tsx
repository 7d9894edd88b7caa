import { Button } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { asProblem } from "~/api/problem";
import { EmptyState } from "~/parts/EmptyState";
import styles from "~/parts/lazy.module.css";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { Skeleton } from "~/parts/Skeleton";

export function NotFound() {
  return (
    <EmptyState title="There is no such page" action={<Link to="/">Go to the overview</Link>}>
      The link may be of another version, or what it shows was deleted.
    </EmptyState>
  );
}

/** What a screen that failed shows in its place; the frame stays. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const queries = useQueryClient();
  const again = () => {
    void queries.invalidateQueries();
    reset();
    void router.invalidate();
  };
  return (
    <>
      <PageHead title="This page could not be shown" />
      <ProblemBar problem={asProblem(error)} action={<Button onClick={again}>Try again</Button>} />
    </>
  );
}

/** What lay over the page and failed; the page under it stays. */
export function OverError({ error, onClose }: { error: unknown; onClose: () => void }) {
  return (
    <div className={styles.over}>
      <ProblemBar problem={asProblem(error)} action={<Button onClick={onClose}>Close</Button>} />
    </div>
  );
}

export function ScreenPending() {
  return <Skeleton lines={8} />;
}
