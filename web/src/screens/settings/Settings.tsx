import { Button, Radio, RadioGroup } from "@fluentui/react-components";
import { useConnection } from "~/app/connection";
import { themeWords, useTheme, type ThemeChoice } from "~/app/theme";
import { signOut } from "~/api/session";
import { useStatus } from "~/api/queries";
import { bytes, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { RelativeTime } from "~/parts/RelativeTime";
import { useQueryClient } from "@tanstack/react-query";

export function Settings() {
  const { choice, choose } = useTheme();
  const { data: status } = useStatus();
  const queries = useQueryClient();
  useConnection();
  return (
    <>
      <PageHead title="Settings" sentence={status && <>Headgate {status.version}, started <RelativeTime at={status.startedAt} />, with {plural(status.routes, "route")} and {plural(status.plugins, "plugin")}; its journal takes {bytes(status.journal.bytes)}.</>} />
      <section className="card stack" aria-labelledby="theme">
        <h2 id="theme">Theme</h2>
        <RadioGroup value={choice} onChange={(_, d) => choose(d.value as ThemeChoice)} aria-labelledby="theme">
          {(Object.keys(themeWords) as ThemeChoice[]).map((c) => (
            <Radio key={c} value={c} label={themeWords[c]} />
          ))}
        </RadioGroup>
      </section>
      <section className="card stack" aria-labelledby="session">
        <h2 id="session">This browser</h2>
        <p>Signing out removes this browser's cookie. Where the gateway has no token, nothing is asked for.</p>
        <div>
          <Button onClick={() => void signOut().then(() => queries.invalidateQueries())}>Sign out</Button>
        </div>
      </section>
    </>
  );
}
