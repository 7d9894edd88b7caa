import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import styles from "./Keys.module.css";
import { keyWords, useShortcuts } from "./shortcuts";

/** The keys that work on this page. */
export default function Keys({ onClose }: { onClose: () => void }) {
  const all = useShortcuts();
  const groups = grouped(all);
  const order = [...groups.keys()].sort((a, b) => rank(a) - rank(b));
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>Keys</DialogTitle>
          <DialogContent className={styles.columns}>
            {order.map((g) => (
              <section key={g} className={styles.group}>
                <h3>{g}</h3>
                <dl>
                  {[...(groups.get(g) ?? [])].reverse().map((s) => (
                    <div key={s.keys + s.label}>
                      <dt>
                        {keyWords(s.keys).map((k) => (
                          <kbd key={k}>{k}</kbd>
                        ))}
                      </dt>
                      <dd>{s.label}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>Close</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

const rank = (group: string) => ["Everywhere", "Go to"].indexOf(group);

function grouped<T extends { group: string }>(all: readonly T[]): Map<string, T[]> {
  const out = new Map<string, T[]>();
  for (const s of all) out.set(s.group, [...(out.get(s.group) ?? []), s]);
  return out;
}
