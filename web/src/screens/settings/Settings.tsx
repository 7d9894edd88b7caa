import { Button, Radio, RadioGroup, Tab, TabList } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Suspense } from "react";
import { useStatus } from "~/api/queries";
import { sessionQuery, signOut } from "~/api/session";
import { themeWords, useTheme, type ThemeChoice } from "~/app/theme";
import { bytes, plural } from "~/parts/figures";
import { lazy } from "~/parts/lazy";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { settingsRoute } from "./route";

const Configuration = lazy(() => import("./Configuration"), "Configuration");
const Export = lazy(() => import("./Export"), "Export");

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
      <Session />
    </>
  );
}

function Session() {
  const queries = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const out = useMutation({
    mutationFn: signOut,
    // What was read with the token is forgotten; what is on the screen is asked for anew, and so is the token.
    onSuccess: () => {
      queries.removeQueries({ type: "inactive" });
      return queries.resetQueries();
    },
  });
  if (!session) return null;
  return (
    <section className="card stack" aria-labelledby="session">
      <h2 id="session">{session.required ? "Signed in" : "No token"}</h2>
      {session.required ? (
        <>
          <p>A token guards this gateway, and this browser has shown it. Signing out removes its cookie.</p>
          <div>
            <Button disabled={out.isPending} onClick={() => out.mutate()}>
              Sign out
            </Button>
          </div>
        </>
      ) : (
        <p>
          No token guards this gateway: whoever reaches it may do everything. Start it with <code>--token-file FILE</code>, or with <code>HEADGATE_TOKEN</code>, to have one.
        </p>
      )}
      {out.error && <ProblemBar problem={out.error} title="You are still signed in" />}
    </section>
  );
}
