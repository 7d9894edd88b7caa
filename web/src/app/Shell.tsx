import { useQueryClient } from "@tanstack/react-query";
import { CatchBoundary, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect, useRef, useState } from "react";
import { lazy } from "~/parts/lazy";
import { ToastHost } from "~/parts/Toasts";
import { Bar } from "./Bar";
import { useConnection } from "./connection";
import { OverError } from "./Fallbacks";
import { GoneBanner } from "./GoneBanner";
import { places } from "./nav";
import { Rail } from "./Rail";
import styles from "./Shell.module.css";
import { useKeyboard, useShortcut } from "./shortcuts";
import { TopBar } from "./TopBar";
import { useCrumbs } from "./useCrumbs";

const Palette = lazy(() => import("./Palette"), "default", { over: true });
const Keys = lazy(() => import("./Keys"), "default", { over: true });
const SignIn = lazy(() => import("./SignIn"), "default", { over: true });

/** The frame that every screen is in. */
export function Shell() {
  useKeyboard();
  const [open, setOpen] = useState<"palette" | "keys" | undefined>();
  const main = useRef<HTMLElement>(null);
  const { signedOut } = useConnection();
  const crumbs = useCrumbs();
  const title = crumbs.map((c) => c.label).reverse().join(" · ");
  useEffect(() => {
    document.title = title ? title + " · Headgate" : "Headgate";
  }, [title]);
  const path = useRouterState({ select: (s) => s.location.pathname });
  const before = useRef(path);
  useEffect(() => {
    // After a navigation the keyboard starts at the new screen, as after a load.
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  useShortcut("mod+k", "Find or do anything", () => setOpen("palette"), { group: "Everywhere" });
  useShortcut("?", "Show the keys", () => setOpen("keys"), { group: "Everywhere" });
  useShortcut("/", "Search", () => search() || setOpen("palette"), { group: "Everywhere" });
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#main" onClick={(e) => (e.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Going />
      <Rail />
      <TopBar crumbs={crumbs} onFind={() => setOpen("palette")} />
      <main className={styles.main} id="main" tabIndex={-1} ref={main} aria-label={title || "Headgate"}>
        <GoneBanner />
        <div className={styles.page}>
          <Suspense>
            <Outlet />
          </Suspense>
        </div>
      </main>
      <Bar />
      <ToastHost />
      <CatchBoundary getResetKey={() => open ?? ""} errorComponent={({ error }) => <OverError error={error} onClose={() => setOpen(undefined)} />}>
        <Suspense>
          {open === "palette" && <Palette onClose={() => setOpen(undefined)} />}
          {signedOut && <SignIn />}
          {open === "keys" && <Keys onClose={() => setOpen(undefined)} />}
        </Suspense>
      </CatchBoundary>
    </div>
  );
}

/** Puts the cursor into the screen's own search box, if it has one. */
function search(): boolean {
  const box = document.querySelector<HTMLElement>("#main [data-search] input, #main input[data-search], #main [data-search] [contenteditable]");
  box?.focus();
  return box !== null;
}

/** The keys that go to the places of the rail. */
function Going() {
  return places.map((p) => <Goes key={p.to} keys={p.keys} to={p.to} label={p.label} />);
}

function Goes({ keys, to, label }: { keys: string; to: string; label: string }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  useShortcut(keys, label, () => void navigate({ to }).then(() => queries.invalidateQueries({ stale: true })), { group: "Go to" });
  return null;
}
