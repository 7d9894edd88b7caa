import { Button, Dialog, DialogSurface, Field, Input } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useId, useState, type FormEvent } from "react";
import { asProblem, type Problem } from "~/api/problem";
import { signIn } from "~/api/session";
import { ProblemBar } from "~/parts/ProblemBar";
import { signedIn } from "./connection";
import styles from "./SignIn.module.css";

/** Asks for the token that guards the API, over the page, which keeps what was typed and goes on afterwards. */
export default function SignIn() {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const queries = useQueryClient();
  const id = useId();
  // The keyboard goes on where it was.
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement) before.focus();
    },
    [before],
  );
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn(token);
      signedIn();
      await queries.invalidateQueries();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open modalType="alert">
      <DialogSurface className={styles.surface} aria-labelledby={id} backdrop={{ style: { background: "var(--colorNeutralBackground2)" } }}>
        <form className={styles.box} onSubmit={(e) => void submit(e)}>
          <img src="/icon.svg" alt="" width="40" height="40" />
          <h1 id={id}>Sign in</h1>
          <p className="quiet">This gateway is guarded by a token. It stays signed in on this browser for 12 hours. What you were at is still here afterwards.</p>
          {problem && !problem.signedOut && <ProblemBar problem={problem} />}
          <Field
            label="Token"
            required
            hint="It lies in the file that the server was started with (--token-file), or in its variable HEADGATE_TOKEN."
            validationMessage={problem?.signedOut ? "This is not the token of this gateway. Look for spaces or a line that was cut." : undefined}
          >
            <Input type="password" value={token} onChange={(_, d) => setToken(d.value)} autoComplete="current-password" autoFocus />
          </Field>
          <Button appearance="primary" type="submit" disabled={busy || token.trim() === ""}>
            {busy ? "Signing in…" : "Sign in"}
          </Button>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
