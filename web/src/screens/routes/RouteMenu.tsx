import { Button, Menu, MenuDivider, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { MoreHorizontal20Regular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { draftOf, specOf, type Route } from "~/api/routes";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { copyText } from "~/parts/copy";
import { command } from "~/parts/shell";
import { useToasts } from "~/parts/Toasts";
import { yaml } from "~/parts/yaml";
import { cliOf, useRouteActions } from "./actions";

/** What can be done with a route, in a list or on its page. */
export function RouteMenu({ route, onDeleted, full }: { route: Route; onDeleted?: () => void; full?: boolean }) {
  const navigate = useNavigate();
  const { setEnabled, remove } = useRouteActions();
  const { notify } = useToasts();
  const [asks, setAsks] = useState(false);
  const copy = (what: string, text: string) => void copyText(text).then((ok) => notify(ok ? { title: `Copied as ${what}` } : { title: "The browser does not allow to copy", intent: "error" }));
  return (
    <>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button appearance={full ? "secondary" : "subtle"} size={full ? "medium" : "small"} icon={<MoreHorizontal20Regular />} aria-label={`More for ${route.id}`} />
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            {!full && <MenuItem onClick={() => void navigate({ to: "/routes/$id/edit", params: { id: route.id } })}>Edit</MenuItem>}
            <MenuItem onClick={() => void setEnabled(route, !route.enabled)}>{route.enabled ? "Disable" : "Enable"}</MenuItem>
            <MenuItem onClick={() => void navigate({ to: "/new-route", search: { like: route.id } })}>Make another like it</MenuItem>
            <MenuDivider />
            <MenuItem onClick={() => copy("CLI", cliOf(draftOf(route)))}>Copy as CLI</MenuItem>
            <MenuItem onClick={() => copy("YAML", yaml({ kind: "Route", name: route.id, spec: specOf(draftOf(route)) }))}>Copy as YAML</MenuItem>
            <MenuDivider />
            <MenuItem onClick={() => setAsks(true)}>Delete…</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      <ConfirmDialog
        open={asks}
        danger
        title={`Delete ${route.id}?`}
        verb="Delete the route"
        cli={command("headgate", "delete", "route", route.id)}
        onClose={() => setAsks(false)}
        onConfirm={async () => {
          await remove(route);
          onDeleted?.();
        }}
      >
        <p>
          It takes no more events. What it took already is still delivered to <code>{route.endpointName}</code>. Its history stays, and the notice that follows can undo this.
        </p>
      </ConfirmDialog>
    </>
  );
}
