import { Button, Field, Input, MessageBar, MessageBarActions, MessageBarBody, Switch, Tab, TabList } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Suspense, useEffect, useMemo, useState } from "react";
import { useShortcut } from "~/app/shortcuts";
import { spanIn, type ParsedFilter } from "~/api/filters";
import type { Problem } from "~/api/problem";
import { endpointsQuery, pluginsQuery, useStatus } from "~/api/queries";
import { draftOf, emptyDraft, isMissing, putRoute, routeQuery, specOf, type RouteDraft, type TaggedRoute } from "~/api/routes";
import { CopyAs } from "~/parts/CopyAs";
import { lazy } from "~/parts/lazy";
import { usePhone } from "~/parts/usePhone";
import { fateOf } from "~/parts/EventFate";
import { EmptyState } from "~/parts/EmptyState";
import { count, plural } from "~/parts/figures";
import { FilterEditor } from "~/parts/FilterEditor";
import { PageHead } from "~/parts/PageHead";
import { Picker } from "~/parts/Picker";
import { ProblemBar } from "~/parts/ProblemBar";
import { ResourceLink } from "~/parts/ResourceLink";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge } from "~/parts/StateBadge";
import { useToasts } from "~/parts/Toasts";
import { useDraft } from "~/parts/useDraft";
import type { Stored } from "~/parts/useGuardedSave";
import { Validity } from "~/parts/validity";
import { cliOf, useRouteActions } from "./actions";
import { draftKey as keyOf, keepDraft, keptDraft } from "./draftStore";
import styles from "./Edit.module.css";
import { KindBoxes } from "./KindBoxes";
import { PluginChain } from "./PluginChain";
import { routeProblems } from "./problems";
import { newRouteRoute, routeEditRoute, steps as allSteps, type PreviewSearch } from "./route";
import { usePreview } from "./usePreview";

const PreviewPanel = lazy(() => import("./Preview"), "PreviewPanel");
const Review = lazy(() => import("./Review"), "default", { over: true });

/** Makes a route. */
export function NewRoute() {
  const search = newRouteRoute.useSearch();
  const navigate = useNavigate();
  const { data: like, isPending, isError } = useQuery({ ...routeQuery(search.like ?? ""), enabled: search.like !== undefined });
  if (search.like !== undefined && isPending && !isError) return <Skeleton lines={8} />;
  const first: RouteDraft = like ? { ...draftOf(like.route), id: "" } : { ...emptyDraft, endpointName: search.endpoint ?? "", ...(search.plugin !== undefined && { transforms: [{ plugin: search.plugin, config: {} }] }) };
  const key = keyOf({ like: search.like, endpoint: search.endpoint, plugin: search.plugin });
  return <Editor key={key} draftKey={key} first={first} search={search} onSearch={(s) => void navigate({ to: "/new-route", search: (before) => ({ ...before, ...s }), replace: true })} />;
}

/** Changes a route. */
export function EditRoute() {
  const { id } = routeEditRoute.useParams();
  const search = routeEditRoute.useSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(routeQuery(id));
  if (!data && error) {
    return isMissing(error) ? <EmptyState title={`There is no route ${id}`}>It may have been deleted.</EmptyState> : <ProblemBar problem={error} action={<Button onClick={() => void refetch()}>Try again</Button>} />;
  }
  if (!data) return <Skeleton lines={8} />;
  const key = keyOf({ id });
  return <Editor key={key} draftKey={key} stored={data} first={draftOf(data.route)} search={search} onSearch={(s) => void navigate({ to: "/routes/$id/edit", params: { id }, search: (before) => ({ ...before, ...s }), replace: true })} />;
}

type Search = PreviewSearch & { step?: (typeof allSteps)[number]; review?: true };

const stepWords = { which: "1 Events", what: "2 Plugins", where: "3 Endpoint", preview: "Preview" } as const;

function Editor({ draftKey, stored, first, search, onSearch }: { draftKey: string; stored?: TaggedRoute; first: RouteDraft; search: Search; onSearch: (s: Search) => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { changed } = useRouteActions();
  const { notify } = useToasts();
  const phone = usePhone();
  const [kept] = useState(() => keptDraft(draftKey));
  const [restored, setRestored] = useState(kept !== undefined);
  const { base, draft, dirty, valid, report, round, change: edit, restart } = useDraft({ value: first, etag: stored?.etag }, kept);
  const [parsed, setParsed] = useState<ParsedFilter>();
  const [refused, setRefused] = useState<Problem>();
  const [asked, setAsked] = useState(false);
  const change = (part: Partial<RouteDraft>) => {
    edit((d) => ({ ...d, ...part }));
    setRefused(undefined);
  };
  useEffect(() => keepDraft(draftKey, dirty ? { draft, etag: base.etag } : undefined), [draftKey, dirty, draft, base.etag]);

  const { data: plugins } = useQuery(pluginsQuery);
  const endpoints = useQuery(endpointsQuery);
  const { data: status } = useStatus();
  // What is not a filter yet is not tried.
  const preview = usePreview(draft, { picked: search.event, valid: parsed?.text === draft.filter && parsed.valid ? draft.filter : null });
  const problems = useMemo(() => routeProblems(refused, preview.error), [refused, preview.error]);
  // Of a new route alone: one that is edited shows what is stored beside it.
  const taken = refused?.conflict === true;
  const nameProblem = taken ? "There is a route of this name. Choose another one." : (problems.id ?? (asked && draft.id.trim() === "" ? "Give the route a name." : undefined));
  const chosen = preview.data?.tried.find((t) => t.event.id === search.event);
  const condition = !preview.stale && chosen && fateOf(chosen.result) === "miss" ? chosen.result.condition : undefined;
  const mark = condition && spanIn(draft.filter, condition);
  const endpoint = endpoints.data?.find((e) => e.name === draft.endpointName);

  const review = () => {
    if (!valid) return;
    if (draft.id.trim() === "") return missing("which", "route-name");
    if (draft.endpointName === "") return missing("where", undefined);
    onSearch({ review: true });
  };
  const missing = (step: Search["step"], field: string | undefined) => {
    setAsked(true);
    if (phone) onSearch({ step });
    requestAnimationFrame(() => (field ? document.getElementById(field) : document.querySelector<HTMLElement>("[data-endpoint] input"))?.focus());
  };
  useShortcut("mod+s", "Review and save", review);
  useEffect(() => {
    if (taken && !search.review) document.getElementById("route-name")?.focus();
  }, [taken, search.review]);

  const begin = (from: Stored<RouteDraft>) => {
    restart(from);
    setRestored(false);
    setRefused(undefined);
  };
  const discard = () => begin({ value: first, etag: stored?.etag });
  const saved = async (now: TaggedRoute, before: RouteDraft | undefined) => {
    keepDraft(draftKey, undefined);
    queries.setQueryData(routeQuery(now.route.id).queryKey, now);
    await changed(now.route.id);
    notify({
      title: before ? `${now.route.id} is saved` : `${now.route.id} is made`,
      body: now.route.enabled ? "It is in force for every event from now on." : undefined,
      undo: before && (() => void putRoute(before, { ifMatch: now.etag }).then(() => changed(before.id)).then(() => notify({ title: `${before.id} is as it was` }), (e: unknown) => notify({ title: "It could not be undone", body: e instanceof Error ? e.message : String(e), intent: "error" }))),
    });
    await navigate({ to: "/routes/$id", params: { id: now.route.id } });
  };

  const step = search.step ?? "which";
  const d = preview.data;
  const which = (
    <section className={styles.column} aria-labelledby="which" key="which">
      <h2 id="which">
        <span aria-hidden>1</span>Which events?
      </h2>
      {!stored && (
        <Field label="Name" required validationMessage={nameProblem} validationState={nameProblem ? "error" : "none"}>
          <Input id="route-name" value={draft.id} onChange={(_, e) => change({ id: e.value })} autoComplete="off" maxLength={256} placeholder="such as tsi-plant-a" />
        </Field>
      )}
      <KindBoxes text={draft.filter} parsed={parsed} onText={(filter) => change({ filter })} />
      <div className={styles.group}>
        <h3 id="filter-label">Filter</h3>
        <FilterEditor value={draft.filter} onChange={(filter) => change({ filter })} onParsed={setParsed} mark={mark} label="Filter" onSubmit={review} />
        {problems.filter && parsed?.valid && <p className={styles.problem}>{problems.filter}</p>}
      </div>
      <div className={styles.group}>
        <h3>And by plugins</h3>
        <PluginChain key={round} kind="filter" refs={draft.filters} plugins={plugins ?? []} onChange={(filters) => change({ filters })} problems={problems} />
      </div>
    </section>
  );
  const what = (
    <section className={styles.column} aria-labelledby="what" key="what">
      <h2 id="what">
        <span aria-hidden>2</span>What happens to them?
      </h2>
      <p className={styles.info}>{draft.transforms.length === 0 ? "Nothing: they leave as they came." : "Each transform takes what the one before it made."}</p>
      <PluginChain key={round} kind="transform" refs={draft.transforms} plugins={plugins ?? []} onChange={(transforms) => change({ transforms })} problems={problems} />
      {endpoint?.kind === "eventGrid" && !draft.transforms.some((t) => t.plugin.startsWith("eventgrid")) && (
        <p className={styles.info}>
          The endpoint is an Event Grid topic, so <ResourceLink kind="plugin" name="eventgrid" /> maps them to its schema at the end.
        </p>
      )}
    </section>
  );
  const state = status?.endpoints.find((e) => e.name === draft.endpointName);
  const where = (
    <section className={styles.column} aria-labelledby="where" data-endpoint key="where">
      <h2 id="where">
        <span aria-hidden>3</span>Where do they go?
      </h2>
      <Picker
        label="Endpoint"
        required
        value={draft.endpointName}
        onChange={(endpointName) => change({ endpointName })}
        placeholder="Pick an endpoint"
        problem={problems.endpointName ?? (asked && draft.endpointName === "" ? "Pick where the events go." : undefined)}
        choices={(endpoints.data ?? []).map((e) => ({ value: e.name, detail: <span className="quiet">{e.kind}</span> }))}
      />
      {endpoints.data?.length === 0 && <NoEndpoint />}
      {endpoint && (
        <>
          <div className={styles.sentence}>
            {state && <StateBadge state={state.state} />}
            {state?.state === "failing" && <p className={styles.problem}>{state.reason}</p>}
            {state && state.backlog > 0 && <p className={styles.info}>It is {plural(state.backlog, "batch", "batches")} behind.</p>}
          </div>
          <p className={styles.info}>{orderWords(endpoint.delivery.orderBy ?? "subject")}</p>
          <p className={styles.info}>
            <ResourceLink kind="endpoint" name={endpoint.name} /> decides of order, retries and how long it tries.
          </p>
        </>
      )}
      <Switch checked={draft.enabled} onChange={(_, e) => change({ enabled: e.checked })} label={draft.enabled ? "Enabled: it takes events once saved" : "Disabled: it takes no events"} />
    </section>
  );
  const panel = (
    <Suspense key="preview" fallback={<Skeleton lines={6} height={300} />}>
      <PreviewPanel preview={preview} search={search} onSearch={onSearch} />
    </Suspense>
  );
  return (
    <>
      <PageHead
        title={stored ? `Edit ${stored.route.id}` : "New route"}
        sentence={
          problems.filter || (parsed && !parsed.valid) ? (
            "The filter is not complete yet."
          ) : preview.error ? (
            "It cannot be tried as it is."
          ) : d && !preview.sampled ? (
            <>
              {count(d.match)} of the latest {plural(d.tried.length, "event")} match{d.fail > 0 && <>, and a plugin fails on {count(d.fail)}</>}.
            </>
          ) : d ? (
            "No event came yet; the preview shows samples."
          ) : (
            " "
          )
        }
        actions={
          <>
            <CopyAs label={phone ? "" : undefined} cli={() => cliOf(draft)} value={{ name: draft.id, spec: specOf(draft) }} kind="Route" />
            <Button disabled={!dirty} onClick={discard}>
              Discard
            </Button>
            <Button appearance="primary" onClick={review} disabled={!valid || (stored !== undefined && !dirty)}>
              Review and save
            </Button>
          </>
        }
      />
      {restored && dirty && (
        <MessageBar intent="info">
          <MessageBarBody>Your change from before is back. It is not saved yet.</MessageBarBody>
          <MessageBarActions>
            <Button size="small" onClick={discard}>
              Discard it
            </Button>
          </MessageBarActions>
        </MessageBar>
      )}
      <Validity value={report}>
        {phone ? (
          <>
            <div className={styles.steps}>
              <TabList selectedValue={step} onTabSelect={(_, e) => onSearch({ step: e.value as Search["step"] })} size="small">
                {allSteps.map((s) => (
                  <Tab key={s} value={s}>
                    {stepWords[s]}
                  </Tab>
                ))}
              </TabList>
            </div>
            {/* The others stay, with what is typed there and is in no value yet. */}
            {[which, what, where].map((column, i) => (
              <div key={column.key} hidden={allSteps[i] !== step}>
                {column}
              </div>
            ))}
            {step === "preview" && panel}
          </>
        ) : (
          <>
            <div className={styles.columns}>
              {which}
              {what}
              {where}
            </div>
            {panel}
          </>
        )}
      </Validity>
      {search.review && draft.id.trim() !== "" && draft.endpointName !== "" && (
        <Suspense>
          <Review
            draft={draft}
            base={base}
            isNew={!stored}
            onClose={() => onSearch({ review: undefined })}
            onSaved={(now, over) => saved(now, stored && over)}
            onRefused={(problem) => {
              setRefused(problem);
              if (problem.conflict) onSearch({ review: undefined, step: undefined });
            }}
            onTake={(theirs) => {
              begin(theirs);
              onSearch({ review: undefined });
            }}
          />
        </Suspense>
      )}
    </>
  );
}

function NoEndpoint() {
  return (
    <p className={styles.info}>
      There is no endpoint yet. Make one with <code>headgate put endpoint out --kind file --set path=events.ndjson</code>, or on the page of endpoints.
    </p>
  );
}

/** What keeps its order on the way to an endpoint. */
function orderWords(orderBy: string): string {
  switch (orderBy) {
    case "subject":
      return "Events of one twin arrive in their order.";
    case "none":
      return "Events arrive in any order.";
  }
  return `Events with the same ${orderBy} arrive in their order.`;
}
