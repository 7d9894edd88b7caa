import { Button } from "@fluentui/react-components";
import { PlugDisconnected20Regular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { RelativeTime } from "~/parts/RelativeTime";
import { useConnection } from "./connection";
import styles from "./Shell.module.css";

/** Says that the gateway does not answer; what was there stays. */
export function GoneBanner() {
  const { goneSince } = useConnection();
  const queries = useQueryClient();
  return (
    <>
      {/* Said once: the time in the banner changes each second. */}
      <p role="status" className="unseen">
        {goneSince && "The gateway does not answer. What you see is from before; this page connects again by itself."}
      </p>
      {goneSince && (
        <div className={styles.banner}>
          <PlugDisconnected20Regular />
          <span>
            The gateway does not answer since <RelativeTime at={goneSince} />. What you see is from before; this page connects again by itself.
          </span>
          <Button size="small" onClick={() => void queries.refetchQueries({ type: "active" })}>
            Try now
          </Button>
        </div>
      )}
    </>
  );
}
