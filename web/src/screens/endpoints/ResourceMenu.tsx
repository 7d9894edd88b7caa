import { Button, Field, Input, Menu, MenuDivider, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { MoreHorizontal20Regular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "~/api/problem";
import { replay, type Endpoint, type Side, type Source } from "~/api/resources";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { command } from "~/parts/shell";
import { useToasts } from "~/parts/Toasts";
import { absoluteTime } from "~/parts/RelativeTime";
import { useResourceActions } from "./useResourceActions";

/** What a field for a local time says, as an instant; undefined when it says none. */
function instant(local: string): string | undefined {
  const at = new Date(local);
  return local === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** What can be done with an endpoint or a source, besides trying it. */
export function ResourceMenu({ side, resource, onDeleted }: { side: Side; resource: Endpoint | Source; onDeleted: () => void }) {
  const navigate = useNavigate();
  const { remove, setEnabled, setPaused } = useResourceActions(side);
  const { notify } = useToasts();
  const [asks, setAsks] = useState<"delete" | "replay">();
  const [from, setFrom] = useState("");
  const source = side === "source" ? (resource as Source) : undefined;
  const endpoint = side === "endpoint" ? (resource as Endpoint) : undefined;
  const { name } = resource;
  return (
    <>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button icon={<MoreHorizontal20Regular />} aria-label={`More for ${name}`} />
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            {source ? (
              <MenuItem onClick={() => void setEnabled(source, !source.enabled)}>{source.enabled ? "Stop fetching" : "Fetch events"}</MenuItem>
            ) : (
              <>
                {endpoint && <MenuItem onClick={() => void setPaused(endpoint, !endpoint.paused)}>{endpoint.paused ? "Resume" : "Pause"}</MenuItem>}
                <MenuItem onClick={() => void navigate({ to: "/new-route", search: { endpoint: name } })}>Make a route to it</MenuItem>
                <MenuItem onClick={() => void navigate({ to: "/dead-letters", search: { endpoint: name } })}>Its dead letters</MenuItem>
                <MenuItem onClick={() => setAsks("replay")}>Deliver the past once more…</MenuItem>
              </>
            )}
            <MenuDivider />
            <MenuItem onClick={() => setAsks("delete")}>Delete…</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      <ConfirmDialog
        open={asks === "delete"} danger title={`Delete ${name}?`} verb={`Delete the ${side}`} typed={name} cli={command("headgate", "delete", side, name)} onClose={() => setAsks(undefined)}
        onConfirm={async () => {
          await remove(resource);
          onDeleted();
        }}
      >
        {side === "endpoint" ? (
          <p>What waits for it is given up, and its secrets are forgotten. It is refused while a route delivers to it.</p>
        ) : (
          <p>No more events are fetched, and its secrets are forgotten. What was accepted stays; what is at the broker stays there.</p>
        )}
      </ConfirmDialog>
      <ConfirmDialog
        open={asks === "replay"} title={`Deliver the past to ${name} once more?`} verb="Deliver once more" cli={() => command("headgate", "replay", name, "--from", instant(from) ?? "TIME")} onClose={() => setAsks(undefined)}
        onConfirm={async () => {
          const at = instant(from);
          if (at === undefined) throw new Problem(undefined, { title: "A time is missing", detail: "Say from when on." });
          const begun = await replay(name, at);
          notify({ title: `${name} goes on from ${absoluteTime(begun.acceptedAt)}`, body: begun.truncated ? "The journal does not keep all that was asked for: this is the first event that it has." : undefined });
        }}
      >
        <p>
          Every event that was accepted since then and is still kept is routed anew, under the routes in force, and delivered to <code>{name}</code> again, in order. What is owed to it stays owed. This cannot be taken back.
        </p>
        <Field label="From when on" required>
          <Input type="datetime-local" value={from} onChange={(_, d) => setFrom(d.value)} />
        </Field>
      </ConfirmDialog>
    </>
  );
}
