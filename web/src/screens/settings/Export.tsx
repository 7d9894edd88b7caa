import { Button } from "@fluentui/react-components";
import { ArrowDownload20Regular, Copy20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "~/api/client";
import { copyText } from "~/parts/copy";
import { CopyButton } from "~/parts/CopyId";
import { bytes, plural } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { Skeleton } from "~/parts/Skeleton";
import { useToasts } from "~/parts/Toasts";
import { yaml } from "~/parts/yaml";
import styles from "./Settings.module.css";

const longest = 60_000; // characters that are shown

/** All endpoints, routes, sources and plugins as documents, as Git keeps them. */
export function Export() {
  const { notify } = useToasts();
  const { data, error } = useQuery({ queryKey: ["catalog"], queryFn: async ({ signal }) => (await api.get("/catalog", { signal })).data });
  const text = useMemo(() => data?.documents.map((d) => yaml(d)).join("---\n"), [data]);
  if (!data || text === undefined) return error ? <ProblemBar problem={error} /> : <Skeleton lines={10} />;
  const save = () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "headgate.yaml";
    link.click();
    URL.revokeObjectURL(url);
  };
  const command = "headgate export -o DIR";
  return (
    <section className="card stack" aria-labelledby="export">
      <h2 id="export">{plural(data.documents.length, "document")}</h2>
      <p>
        This is everything that is configured, as <code>headgate plan -f</code> and <code>apply -f</code> read it. A secret is <code>***</code>: it keeps what the server has; on another server write <code>{"${NAME}"}</code> there.
      </p>
      <div className={styles.code}>
        <code>{command}</code>
        <CopyButton text={command} label="Copy the command that writes a file each" />
      </div>
      <div className="row">
        <Button appearance="primary" icon={<ArrowDownload20Regular />} onClick={save}>
          Download as YAML
        </Button>
        <Button icon={<Copy20Regular />} onClick={() => void copyText(text).then((ok) => notify(ok ? { title: "Copied as YAML" } : { title: "The browser does not allow to copy", intent: "error" }))}>
          Copy
        </Button>
        <span className="quiet nums">{bytes(text.length)}</span>
      </div>
      <pre className={styles.text} tabIndex={0} aria-label="Documents as YAML">
        {text.slice(0, longest)}
        {text.length > longest && `\n… ${bytes(text.length - longest)} more are in the download`}
      </pre>
    </section>
  );
}
