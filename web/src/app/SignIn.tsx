import { Button, Field, Input } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { asProblem, type Problem } from "~/api/problem";
import { signIn } from "~/api/session";
import { ProblemBar } from "~/parts/ProblemBar";
import { signedIn } from "./connection";
import styles from "./SignIn.module.css";

/** Asks for the token that guards the API; what was asked for is shown afterwards. */
export default function SignIn() {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const queries = useQueryClient();
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
    <form className={styles.box + " card"} onSubmit={(e) => void submit(e)}>
      <img src="/icon.svg" alt="" width="40" height="40" />
      <h1>Sign in</h1>
      <p className="quiet">This gateway is guarded by a token. It stays signed in on this browser for 12 hours.</p>
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
  );
}
