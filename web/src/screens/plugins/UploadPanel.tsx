import { Button, Field, Input, OverlayDrawer, DrawerBody, DrawerHeader, DrawerHeaderTitle, ProgressBar } from "@fluentui/react-components";
import { ArrowUpload20Regular, Dismiss20Regular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { asProblem, Problem } from "~/api/problem";
import type { Schemas } from "~/api/queries";
import { upload } from "~/api/upload";
import { CopyAs } from "~/parts/CopyAs";
import { bytes, percent } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { useToasts } from "~/parts/Toasts";
import { AdmissionReport } from "./AdmissionReport";
import { activate, type Plugin } from "./data";
import { nameOf, nameProblem, refusal } from "./modules";
import styles from "./Plugins.module.css";

type Admitted = Schemas["Admitted"];

/** Where the file is: being looked at, being stored. */
interface Work {
  what: "check" | "store";
  done: number;
}

/**
 * Uploads a version: the file is tried first, which stores nothing, and what
 * was found is shown; then it is kept, and activated if so wanted.
 */
export function UploadPanel({ name: fixed, file: first, plugins, onClose }: { name?: string; file?: File; plugins: readonly Plugin[]; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { notify } = useToasts();
  const [file, setFile] = useState<File>();
  const [name, setName] = useState(fixed ?? "");
  const [refused, setRefused] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [work, setWork] = useState<Work>();
  const [found, setFound] = useState<{ admitted: Admitted; name: string }>();
  const asked = useRef<AbortController | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => () => asked.current?.abort(), []);

  const send = async (f: File, as: string, dryRun: boolean): Promise<Admitted | undefined> => {
    asked.current?.abort();
    const mine = new AbortController();
    asked.current = mine;
    setProblem(undefined);
    setWork({ what: dryRun ? "check" : "store", done: 0 });
    try {
      const { data } = await upload<Admitted>("/plugins/{name}/versions", f, {
        type: "application/wasm", params: { name: as }, query: { dryRun: dryRun || undefined }, signal: mine.signal,
        onProgress: (done) => asked.current === mine && setWork((w) => w && { ...w, done }),
      });
      return data;
    } catch (error) {
      if (!mine.signal.aborted) setProblem(asProblem(error));
      return undefined;
    } finally {
      if (asked.current === mine) setWork(undefined);
    }
  };
  const check = async (f: File, as: string) => {
    setFound(undefined);
    const admitted = await send(f, as, true);
    if (admitted) setFound({ admitted, name: as });
  };
  const take = async (f: File) => {
    asked.current?.abort();
    setWork(undefined);
    setProblem(undefined);
    setFound(undefined);
    const why = await refusal(f);
    setRefused(why);
    setFile(why === undefined ? f : undefined);
    if (why !== undefined) return;
    const as = fixed ?? (nameProblem(name) === undefined ? name : nameOf(f.name));
    setName(as);
    if (nameProblem(as) === undefined) await check(f, as);
  };
  useEffect(() => {
    if (first) void take(first);
  }, [first]); // a dropped file is taken once, when it comes

  const known = plugins.find((p) => p.name === name);
  const already = found && found.admitted.version > 0 ? found.admitted.version : undefined;
  const firstOne = known === undefined;
  const store = async (andActivate: boolean) => {
    if (!file) return;
    const stored = await send(file, name, false);
    if (!stored) return;
    const changed = () => Promise.all([queries.invalidateQueries({ queryKey: ["plugins"] }), queries.invalidateQueries({ queryKey: ["plugin", name] }), queries.invalidateQueries({ queryKey: ["routes:test"] })]);
    try {
      if (andActivate && known && known.active !== stored.version) await activate(name, stored.version);
      const before = known?.active;
      notify({
        title: andActivate || firstOne ? `${name} ${stored.version} is active` : `${name} ${stored.version} is stored`,
        body: andActivate || firstOne ? "Every route that follows it runs it from now on." : "It is not active yet: activate it when you are ready.",
        undo: andActivate && before !== undefined ? () => void activate(name, before).then(changed).then(() => notify({ title: `${name} ${before} is active again` }), (e: unknown) => notify({ title: "It could not be rolled back", body: asProblem(e).message, intent: "error" })) : undefined,
      });
    } catch (error) {
      notify({ title: `${name} ${stored.version} is stored, but not active`, body: asProblem(error).message, intent: "warning" });
    }
    await changed();
    await navigate({ to: "/plugins/$name", params: { name }, search: {} });
  };

  const wrong = nameProblem(name);
  return (
    <OverlayDrawer open position="end" className={styles.panel} onOpenChange={(_, d) => !d.open && onClose()} aria-label="Upload a plugin">
      <DrawerHeader>
        <DrawerHeaderTitle action={<Button appearance="subtle" icon={<Dismiss20Regular />} aria-label="Close" onClick={onClose} />}>{fixed ? `New version of ${fixed}` : "Upload a plugin"}</DrawerHeaderTitle>
      </DrawerHeader>
      <DrawerBody>
        <div className="stack" style={{ paddingBottom: 24 }}>
          <input
            ref={input}
            type="file"
            accept=".wasm,application/wasm"
            className="unseen"
            tabIndex={-1}
            aria-hidden
            onChange={(e) => {
              const f = e.target.files?.[0];
              e.target.value = "";
              if (f) void take(f);
            }}
          />
          {file ? (
            <div className={styles.file}>
              <span>
                <strong>{file.name}</strong> <span className="quiet nums">{bytes(file.size)}</span>
              </span>
              <Button size="small" onClick={() => input.current?.click()} disabled={work?.what === "store"}>
                Another file
              </Button>
            </div>
          ) : (
            <div className={styles.zone}>
              <ArrowUpload20Regular aria-hidden />
              <p>Drop a WebAssembly module here, or pick one. It is tried first; nothing is stored before you say so.</p>
              <Button appearance="primary" onClick={() => input.current?.click()}>
                Pick a file
              </Button>
            </div>
          )}
          {refused !== undefined && <ProblemBar problem={new Problem(undefined, { detail: refused })} title="This file cannot be a plugin" />}
          {!fixed && file && (
            <Field label="Name" required validationMessage={wrong} validationState={wrong ? "error" : "none"} hint={known ? `There is a plugin ${name}: this becomes its next version.` : undefined}>
              <Input value={name} disabled={work !== undefined} onChange={(_, d) => setName(d.value)} onBlur={() => file && !wrong && found?.name !== name && !work && void check(file, name)} autoComplete="off" />
            </Field>
          )}
          {work && (
            <div className={styles.progress} role="status">
              <ProgressBar value={work.done < 1 ? work.done : undefined} aria-label={work.what === "check" ? "Trying the module" : "Storing the module"} />
              <div className="row">
                <span style={{ flex: 1 }}>{work.done < 1 ? `Sending, ${percent(work.done)}` : work.what === "check" ? "Sent. It is taken apart and tried on the latest events…" : "Sent. It is being stored…"}</span>
                <Button size="small" onClick={() => asked.current?.abort()}>
                  Cancel
                </Button>
              </div>
            </div>
          )}
          {problem && <ProblemBar problem={problem} title={problem.status === 400 ? "It is not let in" : undefined} action={file && !wrong ? <Button onClick={() => void check(file, name)}>Try again</Button> : undefined} />}
          {!work && file && !found && !problem && !wrong && <Button onClick={() => void check(file, name)}>Try the module</Button>}
          {found && found.name === name && (
            <>
              <AdmissionReport admitted={found.admitted} plugin={known} />
              {already !== undefined && <p>These very bytes are version {already} of {name} already{known?.active === already ? ", which is active" : ""}.</p>}
              <div className={styles.actions}>
                {firstOne ? (
                  <Button appearance="primary" disabled={work !== undefined} onClick={() => void store(false)}>
                    Upload; it becomes active
                  </Button>
                ) : (
                  <>
                    <Button appearance="primary" disabled={work !== undefined || known.active === already} onClick={() => void store(true)}>
                      {already ? `Activate version ${already}` : "Upload and activate"}
                    </Button>
                    {already === undefined && (
                      <Button disabled={work !== undefined} onClick={() => void store(false)}>
                        Upload only
                      </Button>
                    )}
                  </>
                )}
                <CopyAs cli={command("headgate", "plugin", "push", name, "--file", file?.name ?? "FILE")} />
              </div>
            </>
          )}
        </div>
      </DrawerBody>
    </OverlayDrawer>
  );
}
