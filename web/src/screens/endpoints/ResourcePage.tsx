import { Button, MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle, Tab, TabList } from "@fluentui/react-components";
import { PlugConnectedCheckmark20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Suspense, useEffect, useState, type ReactNode } from "react";
import { useShortcut } from "~/app/shortcuts";
import { asProblem, type Problem } from "~/api/problem";
import { useStatus, type Schemas } from "~/api/queries";
import { latestRate, rangeSteps, ratesQuery } from "~/api/rates";
import { endpointQuery, sourceQuery, specOf, tryResource, type Endpoint, type Side, type Source, type Tagged, type Tried } from "~/api/resources";
import { CopyAs } from "~/parts/CopyAs";
import { EmptyState } from "~/parts/EmptyState";
import { plural, rate } from "~/parts/figures";
import { lazy } from "~/parts/lazy";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { RangedChart, type Counted } from "~/parts/RangedChart";
import { RelativeTime } from "~/parts/RelativeTime";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge } from "~/parts/StateBadge";
import { EndpointActivity, SourceActivity } from "./Activity";
import { KindToken, targetOf } from "./kinds";
import { ResourceMenu } from "./ResourceMenu";
import { endpointRoute, sourceRoute, type PageSearch } from "./route";
import { putCommand } from "./putCommand";

const EditSettings = lazy(() => import("./EditSettings"), "EditSettings");
const History = lazy(() => import("./History"), "History");

export function EndpointPage() {
  const { name } = endpointRoute.useParams();
  const search = endpointRoute.useSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({ ...endpointQuery(name), refetchInterval: 10_000 });
  const { data: status } = useStatus();
  const range = search.range ?? "1h";
  const { data: rates } = useQuery(ratesQuery({ from: range, step: rangeSteps[range], endpoint: name, top: 0 }));
  const counted = rates?.endpoints.find((e) => e.name === name);
  const live = status?.endpoints.find((e) => e.name === name) ?? data?.resource.status;
  const to = (change: Partial<PageSearch>) => void navigate({ from: "/endpoints/$name", to: "/endpoints/$name", params: { name }, search: (s) => ({ ...s, ...change }), replace: true });
  const now = counted && rates ? latestRate(counted.delivered, rates.stepSeconds) : undefined;
  return (
    <Page
      key={name} side="endpoint" name={name} tagged={data} error={error} onRetry={() => void refetch()} search={search} onSearch={to}
      badge={live && <StateBadge state={live.state} />}
      sentence={
        live && (
          <>
            {live.state === "failing" ? (
              <>
                {live.since ? <>It began to fail <RelativeTime at={live.since} /></> : "It fails"}: {live.reason ?? "it refuses what it is sent"}
              </>
            ) : live.state === "paused" ? (
              <>Nothing is sent to it: it is paused. What routes send there is kept</>
            ) : now !== undefined && now > 0 ? (
              <>Takes {rate(now)}</>
            ) : (
              <>Nothing was delivered just now</>
            )}
            {live.retrying > 0 && <>; {plural(live.retrying, "delivery waits", "deliveries wait")} for another try{live.nextAttempt && <>, the first <RelativeTime at={live.nextAttempt} /></>}</>}
            {live.backlog > 0 && <>; {plural(live.backlog, "batch", "batches")} behind</>}.
          </>
        )
      }
      activity={data && <EndpointActivity endpoint={data.resource} status={live} chart={<RangedChart key={name} title="Deliveries a second" rates={rates} of={(r) => deliveries(r.endpoints.find((e) => e.name === name))} range={range} onRange={(r) => to({ range: r })} />} />}
    />
  );
}

const deliveries = (e: Schemas["EndpointRates"] | undefined): Counted[] => [
  { label: "Delivered", counts: e?.delivered, colour: "--kind-create" },
  { label: "Attempts that failed", counts: e?.failed, colour: "--state-failing", as: "bars" },
];

export function SourcePage() {
  const { name } = sourceRoute.useParams();
  const search = sourceRoute.useSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({ ...sourceQuery(name), refetchInterval: 10_000 });
  const { data: status } = useStatus();
  const range = search.range ?? "1h";
  const { data: rates } = useQuery(ratesQuery({ from: range, step: rangeSteps[range], top: 0 }));
  const counted = rates?.sources.find((s) => s.name === name);
  const live = status?.sources.find((s) => s.name === name) ?? data?.resource.status;
  const to = (change: Partial<PageSearch>) => void navigate({ from: "/sources/$name", to: "/sources/$name", params: { name }, search: (s) => ({ ...s, ...change }), replace: true });
  const now = counted && rates ? latestRate(counted.received, rates.stepSeconds) : undefined;
  return (
    <Page
      key={name} side="source" name={name} tagged={data} error={error} onRetry={() => void refetch()} search={search} onSearch={to}
      badge={live && <StateBadge state={live.state} />}
      sentence={
        live &&
        (live.state === "running" ? (
          <>{now !== undefined && now > 0 ? `Fetches ${rate(now)}` : "Waits for events"}{live.lastReceivedAt && <>; the latest came <RelativeTime at={live.lastReceivedAt} /></>}.</>
        ) : live.state === "disabled" ? (
          <>Fetches nothing: it is switched off.</>
        ) : (
          <>It is {live.state}{live.since && <>, which began <RelativeTime at={live.since} /></>}{live.reason && <>: {live.reason}</>}.</>
        ))
      }
      activity={data && <SourceActivity source={data.resource} status={live} chart={<RangedChart key={name} title="Events a second" rates={rates} of={(r) => [{ label: "Accepted", counts: r.sources.find((x) => x.name === name)?.received, colour: "--kind-update" }]} range={range} onRange={(r) => to({ range: r })} />} />}
    />
  );
}

interface PageProps {
  side: Side;
  name: string;
  tagged: Tagged<Endpoint | Source> | undefined;
  error: unknown;
  onRetry: () => void;
  search: PageSearch;
  onSearch: (s: Partial<PageSearch>) => void;
  badge: ReactNode;
  sentence: ReactNode;
  activity: ReactNode;
}

/** What the pages of endpoints and sources share. */
function Page({ side, name, tagged, error, onRetry, search, onSearch, badge, sentence, activity }: PageProps) {
  const navigate = useNavigate();
  const [trying, setTrying] = useState<AbortController>();
  const [tried, setTried] = useState<Tried>();
  const [problem, setProblem] = useState<Problem>();
  // What is not there any more has no change that could be lost.
  const back = () => void navigate({ to: "/endpoints", search: side === "source" ? { tab: "sources" } : {}, ignoreBlocker: true });
  const test = async (send = false) => {
    const mine = new AbortController();
    setTrying(mine);
    setProblem(undefined);
    setTried(undefined);
    try {
      setTried(await tryResource(side, name, send, mine.signal));
    } catch (e) {
      if (!mine.signal.aborted) setProblem(asProblem(e));
    } finally {
      setTrying(undefined);
    }
  };
  useEffect(() => () => trying?.abort(), [trying]);
  useShortcut("t", "Try the connection", () => void test(), { disabled: trying !== undefined });
  if (!tagged && error) {
    return asProblem(error).status === 404 ? (
      <EmptyState title={`There is no ${side} ${name}`} action={<Button onClick={back}>All {side}s</Button>}>
        It may have been deleted.
      </EmptyState>
    ) : (
      <ProblemBar problem={error} action={<Button onClick={onRetry}>Try again</Button>} />
    );
  }
  if (!tagged) return <Skeleton lines={8} />;
  const { resource } = tagged;
  const spec = specOf(side, resource);
  const tab = search.tab ?? "activity";
  return (
    <>
      <PageHead
        title={resource.name}
        badge={badge}
        sentence={sentence}
        actions={
          <>
            <CopyAs
              cli={() => command(...putCommand(side, resource.name, spec))}
              commands={{
                "Try the connection": command("headgate", side + "s", "test", resource.name),
                ...(side === "endpoint" && { [spec.paused ? "Resume" : "Pause"]: command("headgate", "endpoints", spec.paused ? "resume" : "pause", resource.name), "Send an event to try it": command("headgate", "endpoints", "test", resource.name, "--send"), "Deliver the past once more": command("headgate", "replay", resource.name, "--from", "TIME") }),
                Delete: command("headgate", "delete", side, resource.name),
              }}
              value={{ name: resource.name, spec }}
              kind={side === "endpoint" ? "Endpoint" : "Source"}
            />
            <Button icon={<PlugConnectedCheckmark20Regular />} disabledFocusable={trying !== undefined} onClick={() => void test()}>
              {trying ? "Trying…" : "Try the connection"}
            </Button>
            {trying && <Button onClick={() => trying.abort()}>Cancel</Button>}
            <ResourceMenu side={side} resource={resource} onDeleted={back} />
          </>
        }
      />
      <p className="row quiet">
        <KindToken kind={resource.kind} />
        <span className="mono cut" title={targetOf(resource.settings)}>
          {targetOf(resource.settings)}
        </span>
      </p>
      {problem && <ProblemBar problem={problem} />}
      {tried && (
        <MessageBar intent={tried.ok ? "success" : "error"} layout="multiline" role={tried.ok ? "status" : "alert"}>
          <MessageBarBody style={{ overflowWrap: "anywhere" }}>
            <MessageBarTitle>{tried.eventId ? (tried.ok ? "It took an event" : "It did not take an event") : tried.ok ? "It can be reached" : "It would fail"}</MessageBarTitle>
            {tried.said} <span className="quiet nums">({tried.tookMs} ms)</span>
          </MessageBarBody>
          {side === "endpoint" && tried.ok && !tried.eventId && (
            <MessageBarActions>
              <Button title="One event, of the type Headgate.Probe, which those who consume from it get" onClick={() => void test(true)}>
                Send an event too
              </Button>
            </MessageBarActions>
          )}
        </MessageBar>
      )}
      <TabList selectedValue={tab} onTabSelect={(_, d) => onSearch({ tab: d.value === "activity" ? undefined : (d.value as typeof tab) })}>
        <Tab value="activity">Activity</Tab>
        <Tab value="settings">Settings</Tab>
        <Tab value="history">History</Tab>
      </TabList>
      {tab === "activity" && activity}
      <Suspense fallback={<Skeleton lines={6} />}>
        {tab === "settings" && <EditSettings key={name} side={side} tagged={tagged} />}
        {tab === "history" && <History side={side} tagged={tagged} />}
      </Suspense>
    </>
  );
}
