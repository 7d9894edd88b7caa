import { Link } from "@tanstack/react-router";

const paths = { route: "/routes/$id", endpoint: "/endpoints/$name", source: "/sources/$name", plugin: "/plugins/$name" } as const;

/** The name of a route, endpoint, source or plugin, as a link to its page. */
export function ResourceLink({ kind, name, strong }: { kind: keyof typeof paths; name: string; strong?: boolean }) {
  const path = paths[kind];
  const text = strong ? <strong>{name}</strong> : name;
  const link = { to: path, params: kind === "route" ? { id: name } : { name } } as never as { to: "/" };
  return (
    <Link {...link} title={name}>
      {text}
    </Link>
  );
}
