import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { ArrowRouting20Regular, Beaker20Regular, Clipboard20Regular, Cube20Regular, Send20Regular } from "@fluentui/react-icons";
import { useNavigate, useRouter } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Explanation } from "~/api/events";
import { twinKey } from "~/api/kind";
import { useCommand } from "~/app/commands";
import { copyText } from "~/parts/copy";
import { curlOf } from "~/parts/curl";
import { useToasts } from "~/parts/Toasts";

/** Where an event can be taken. */
export function Carry({ event }: { event: Explanation }) {
  const { routesByPath } = useRouter();
  const navigate = useNavigate();
  const { notify } = useToasts();
  const go = (to: string, search: Record<string, string>) => void navigate({ to, search } as never);
  const all: { to: string; label: string; icon: ReactElement; search: Record<string, string> }[] = [
    { to: "/plugins/bench", label: "Try a plugin on it", icon: <Beaker20Regular />, search: { event: event.id } },
    { to: "/routes/new", label: "Make a route for it", icon: <ArrowRouting20Regular />, search: { event: event.id } },
    { to: "/twins", label: "See its twin", icon: <Cube20Regular />, search: { key: twinKey(event.event) } },
  ];
  const places = all.filter((p) => p.to in routesByPath);
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
          {places.map((p) => (
            <MenuItem key={p.to} icon={p.icon} onClick={() => go(p.to, p.search)}>
              {p.label}
            </MenuItem>
          ))}
          <MenuItem icon={<Clipboard20Regular />} onClick={copy}>
            Copy as curl
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
