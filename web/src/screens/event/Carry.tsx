import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { ArrowRouting20Regular, Beaker20Regular, Clipboard20Regular, Cube20Regular, Send20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Explanation } from "~/api/events";
import { twinKey } from "~/api/kind";
import { pluginsQuery } from "~/api/queries";
import { useCommand } from "~/app/commands";
import { copyText } from "~/parts/copy";
import { curlOf } from "~/parts/curl";
import { useToasts } from "~/parts/Toasts";

const offered = 12; // plugins

/** Where an event can be taken. */
export function Carry({ event }: { event: Explanation }) {
  const navigate = useNavigate();
  const { notify } = useToasts();
  const { data: plugins } = useQuery(pluginsQuery);
  const copy = () => void copyText(curlOf(event.event, location.origin)).then((ok) => notify(ok ? { title: "Copied as curl", body: "It sends this event again, as a new one." } : { title: "The browser does not allow to copy", intent: "error" }));
  useCommand("Copy this event as curl", copy);
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button appearance="primary" icon={<Send20Regular />}>
          Use this event
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          {plugins && plugins.length > 0 && (
            <Menu>
              <MenuTrigger disableButtonEnhancement>
                <MenuItem icon={<Beaker20Regular />}>Try a plugin on it</MenuItem>
              </MenuTrigger>
              <MenuPopover>
                <MenuList>
                  {plugins.slice(0, offered).map((p) => (
                    <MenuItem key={p.name} onClick={() => void navigate({ to: "/plugins/$name", params: { name: p.name }, search: { tab: "bench", event: event.id } })}>
                      {p.name}
                    </MenuItem>
                  ))}
                  {plugins.length > offered && <MenuItem onClick={() => void navigate({ to: "/plugins" })}>All {plugins.length} plugins</MenuItem>}
                </MenuList>
              </MenuPopover>
            </Menu>
          )}
          <MenuItem icon={<ArrowRouting20Regular />} onClick={() => void navigate({ to: "/new-route", search: { event: event.id } })}>
            Make a route for it
          </MenuItem>
          <MenuItem icon={<Cube20Regular />} onClick={() => void navigate({ to: "/twins", search: { key: twinKey(event.event) } })}>
            See its twin
          </MenuItem>
          <MenuItem icon={<Clipboard20Regular />} onClick={copy}>
            Copy as curl
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
