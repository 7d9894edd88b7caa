import { Button, Radio, RadioGroup, Tab, TabList } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useStatus } from "~/api/queries";
import { signOut } from "~/api/session";
import { themeWords, useTheme, type ThemeChoice } from "~/app/theme";
import { bytes, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { settingsRoute } from "./route";

const Configuration = lazy(() => import("./Configuration").then((m) => ({ default: m.Configuration })));
const Export = lazy(() => import("./Export").then((m) => ({ default: m.Export })));

/** What this browser remembers, what the server was started with, and all that is configured as a file. */
export function Settings() {
  const search = settingsRoute.useSearch();
  const navigate = useNavigate();
  const to = (change: Partial<typeof search>) => void navigate({ from: "/settings", to: "/settings", search: (s) => ({ ...s, ...change }), replace: true });
  const { data: status } = useStatus();
  const tab = search.tab ?? "browser";
  return (
    <>
      <PageHead title="Settings" sentence={status && <>Headgate {status.version}, started <RelativeTime at={status.startedAt} />, with {plural(status.routes, "route")} and {plural(status.plugins, "plugin")}; its journal takes {bytes(status.journal.bytes)}.</>} />
      <TabList selectedValue={tab} onTabSelect={(_, d) => to({ tab: d.value === "browser" ? undefined : (d.value as typeof tab) })}>
        <Tab value="browser">This browser</Tab>
        <Tab value="server">Configuration</Tab>
        <Tab value="export">Export</Tab>
      </TabList>
      <Suspense fallback={<Skeleton lines={6} />}>
        {tab === "browser" && <Browser />}
        {tab === "server" && <Configuration q={search.q} changed={search.changed} onSearch={to} />}
        {tab === "export" && <Export />}
      </Suspense>
    </>
  );
}

function Browser() {
  const { choice, choose } = useTheme();
  const queries = useQueryClient();
  return (
    <>
      <section className="card stack" aria-labelledby="theme">
        <h2 id="theme">Theme</h2>
        <RadioGroup value={choice} onChange={(_, d) => choose(d.value as ThemeChoice)} aria-labelledby="theme">
          {(Object.keys(themeWords) as ThemeChoice[]).map((c) => (
            <Radio key={c} value={c} label={themeWords[c]} />
          ))}
        </RadioGroup>
      </section>
      <section className="card stack" aria-labelledby="session">
        <h2 id="session">Signed in</h2>
        <p>Signing out removes this browser's cookie. Where the gateway has no token, nothing is asked for.</p>
        <div>
          <Button onClick={() => void signOut().then(() => queries.invalidateQueries())}>Sign out</Button>
        </div>
      </section>
    </>
  );
}
