import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, Tab, TabList } from "@fluentui/react-components";
import { ArrowUpload20Regular, MoreHorizontal20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Suspense, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useShortcut } from "~/app/shortcuts";
import { api } from "~/api/client";
import { pluginsQuery, routesQuery } from "~/api/queries";
import { isMissing } from "~/api/routes";
import { countTraps, trapGroupsQuery } from "~/api/traps";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { CopyAs } from "~/parts/CopyAs";
import { lazy } from "~/parts/lazy";
import { usePhone } from "~/parts/usePhone";
import { EmptyState } from "~/parts/EmptyState";
import { count, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge } from "~/parts/StateBadge";
import { useToasts } from "~/parts/Toasts";
import { pluginQuery, usesOf, type Plugin, type Use } from "./data";
import { documentOf } from "./documents";
import { DropTarget } from "./DropTarget";
import { pluginRoute, type PluginSearch } from "./route";
import { Versions } from "./Versions";

const Bench = lazy(() => import("./Bench"), "Bench");
const Logs = lazy(() => import("./Logs"), "Logs");
const Settings = lazy(() => import("./Settings"), "Settings");
const Traps = lazy(() => import("./Traps"), "Traps");
const UploadPanel = lazy(() => import("./UploadPanel"), "UploadPanel", { over: true });
const UsedBy = lazy(() => import("./UsedBy"), "UsedBy");

const tabWords = { versions: "Versions", used: "Used by", bench: "Test bench", traps: "Traps", logs: "Logs", settings: "Settings" } as const;

/** One plugin: its versions, who uses it, what it says and where it fails, and a bench to try it on. */
export function PluginPage() {
  const { name } = pluginRoute.useParams();
  const search = pluginRoute.useSearch();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { notify } = useToasts();
  const phone = usePhone();
  const to = (change: PluginSearch) => void navigate({ from: "/plugins/$name", to: "/plugins/$name", params: { name }, search: (s) => ({ ...s, ...change }), replace: true });
  const { data, error, refetch } = useQuery(pluginQuery(name));
  const { data: plugins } = useQuery(pluginsQuery);
  const { data: routes } = useQuery(routesQuery);
  const { data: groups } = useQuery(trapGroupsQuery);
  const uses = useMemo(() => usesOf(routes ?? [], name), [routes, name]);
  const [dropped, setDropped] = useState<File>();
  const [asks, setAsks] = useState(false);
  useShortcut("u", "Upload a version", () => to({ upload: true }));

  if (!data && error) {
    return isMissing(error) ? (
      <EmptyState title={`There is no plugin ${name}`} action={<Button onClick={() => void navigate({ to: "/plugins" })}>All plugins</Button>}>
        It may have been deleted.
      </EmptyState>
    ) : (
      <ProblemBar problem={error} action={<Button onClick={() => void refetch()}>Try again</Button>} />
    );
  }
  if (!data) return <Skeleton lines={8} />;
  const { plugin, etag } = data;
  const traps = countTraps(groups ?? [], name, plugin.active);
  const tab = search.tab ?? "versions";
  const active = plugin.versions.find((v) => v.version === plugin.active);
  return (
    <DropTarget
      onFile={(f) => {
        setDropped(f);
        to({ upload: true });
      }}
    >
      <PageHead
        title={name}
        badge={<Health traps={traps} uses={uses} />}
        sentence={<Sentence plugin={plugin} traps={traps} uses={uses} />}
        actions={
          <>
            <CopyAs
              label={phone ? "" : undefined}
              cli={command("headgate", "plugin", "activate", name, String(plugin.active))}
              value={active && { name, spec: documentOf(plugin, active).spec }}
              kind="Plugin"
            />
            <Button appearance="primary" icon={<ArrowUpload20Regular />} onClick={() => to({ upload: true })}>
              Upload a version
            </Button>
            <Menu>
              <MenuTrigger disableButtonEnhancement>
                <Button icon={<MoreHorizontal20Regular />} aria-label={`More for ${name}`} />
              </MenuTrigger>
              <MenuPopover>
                <MenuList>
                  <MenuItem onClick={() => void navigate({ to: "/new-route", search: { plugin: name } })} disabled={!active?.kinds.includes("transform")}>
                    Make a route with it
                  </MenuItem>
                  <MenuItem onClick={() => setAsks(true)}>Delete…</MenuItem>
                </MenuList>
              </MenuPopover>
            </Menu>
          </>
        }
      />
      <InSight of={tab}>
        <TabList selectedValue={tab} onTabSelect={(_, d) => to({ tab: d.value as PluginSearch["tab"], version: undefined, group: undefined, level: undefined, event: undefined })}>
          {(Object.keys(tabWords) as (keyof typeof tabWords)[]).map((t) => (
            <Tab key={t} value={t}>
              {tabWords[t]}
              {t === "used" && uses.length > 0 && <span className="quiet nums"> {count(uses.length)}</span>}
            </Tab>
          ))}
        </TabList>
      </InSight>
      <Suspense fallback={<Skeleton lines={5} />}>
        {tab === "versions" && <Versions plugin={plugin} etag={etag} uses={uses} activating={search.activate} onActivating={(activate) => to({ activate })} />}
        {tab === "used" && <UsedBy uses={uses} active={plugin.active} />}
        {tab === "bench" && <Bench plugin={plugin} search={search} onSearch={to} uses={uses} />}
        {tab === "traps" && <Traps plugin={plugin} group={search.group} onGroup={(group) => to({ group })} />}
        {tab === "logs" && <Logs plugin={plugin} search={search} onSearch={to} />}
        {tab === "settings" && <Settings key={name} plugin={plugin} etag={etag} />}
        {search.upload && (
          <UploadPanel
            name={name}
            file={dropped}
            plugins={plugins ?? [plugin]}
            onClose={() => {
              setDropped(undefined);
              to({ upload: undefined });
            }}
          />
        )}
      </Suspense>
      <ConfirmDialog
        open={asks}
        danger
        title={`Delete ${name} and all its versions?`}
        verb="Delete the plugin"
        typed={name}
        cli={command("headgate", "plugin", "delete", name)}
        onClose={() => setAsks(false)}
        onConfirm={async () => {
          await api.delete("/plugins/{name}", { path: { name }, ifMatch: etag });
          await queries.invalidateQueries({ queryKey: ["plugins"] });
          notify({ title: `${name} is deleted` });
          await navigate({ to: "/plugins", ignoreBlocker: true });
        }}
      >
        {uses.length > 0 ? (
          <p>
            {plural(new Set(uses.map((u) => u.route.id)).size, "route")} use{new Set(uses.map((u) => u.route.id)).size === 1 ? "s" : ""} it, so the gateway will refuse: take it out of <span className="mono">{[...new Set(uses.map((u) => u.route.id))].slice(0, 5).join(", ")}</span> first.
          </p>
        ) : (
          <p>Its modules are gone for good then. No route uses it.</p>
        )}
      </ConfirmDialog>
    </DropTarget>
  );
}

/** A row that scrolls, on phones, with what is selected in sight. */
function InSight({ of, children }: { of: string; children: ReactNode }) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    row.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [of]);
  return (
    <div ref={row} style={{ overflowX: "auto" }}>
      {children}
    </div>
  );
}

function Health({ traps, uses }: { traps: number; uses: readonly Use[] }) {
  if (traps > 0) return <StateBadge state="failing" word={plural(traps, "trap")} />;
  return uses.length > 0 ? <StateBadge state="healthy" word="in use" /> : <StateBadge state="idle" word="not used" />;
}

function Sentence({ plugin: p, traps, uses }: { plugin: Plugin; traps: number; uses: readonly Use[] }) {
  const n = new Set(uses.map((u) => u.route.id)).size;
  const s = p.versions.find((v) => v.version === p.active)?.stats;
  const newest = p.versions.at(-1)?.version ?? 0;
  return (
    <>
      Version {p.active} is active{n === 0 ? ", and no route uses it" : `, and ${plural(n, "route")} use${n === 1 ? "s" : ""} it`}
      {s && s.events > 0 && `; it saw ${plural(s.events, "event")} since the start`}
      {traps > 0 && `; ${plural(traps, "trap")} of it ${traps === 1 ? "is" : "are"} kept`}
      {newest > p.active && `. Version ${newest} waits to be activated`}.
    </>
  );
}
