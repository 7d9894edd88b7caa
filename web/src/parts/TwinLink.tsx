import { Link } from "@tanstack/react-router";
import { visible } from "./visible";

/** The key of a twin, as a link to all that is known of it. */
export function TwinLink({ id, className }: { id: string; className?: string }) {
  return (
    <Link to="/twins" search={{ key: id }} className={className ?? "mono"} title={id}>
      {visible(id)}
    </Link>
  );
}
