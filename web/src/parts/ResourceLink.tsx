import { Link, useRouter } from "@tanstack/react-router";

const paths = { route: "/routes/$id", endpoint: "/endpoints/$name", source: "/sources/$name", plugin: "/plugins/$name" } as const;

/** The name of a route, endpoint, source or plugin, as a link to its page. */
export function ResourceLink({ kind, name, strong }: { kind: keyof typeof paths; name: string; strong?: boolean }) {
  const { routesByPath } = useRouter();
  const path = paths[kind];
  const text = strong ? <strong>{name}</strong> : name;
  if (!(path in routesByPath)) return <span title={name}>{text}</span>;
  const link = { to: path, params: kind === "route" ? { id: name } : { name } } as never as { to: "/" };
  return (
    <Link {...link} title={name}>
      {text}
    </Link>
  );
}
