import { Button } from "@fluentui/react-components";
import { use, useEffect, useReducer, useTransition, type ComponentType, type ReactNode } from "react";
import { Problem } from "~/api/problem";
import styles from "./lazy.module.css";
import { ProblemBar } from "./ProblemBar";

/** How to load each of the lazy components, those that other modules brought included. */
const all: (() => Promise<void>)[] = [];

// Of what a component returns nothing is asked: a screen and its route, which know each other, would turn in a circle.
type Lazy<C> = C extends (props: infer P) => any ? ((props: P) => ReactNode) & { preload: () => Promise<void> } : never;

/**
 * A component whose module is loaded when it is first shown. A module that does
 * not come is told of in its place, with a way to try again: nothing around it
 * goes. `over` is for what lies over the page, such as a dialog.
 */
export function lazy<M, K extends keyof M>(load: () => Promise<M>, name: K, o: { over?: true } = {}): Lazy<M[K]> {
  type Props = { onClose?: () => void };
  let Loaded: ComponentType<Props> | undefined;
  let loading: Promise<boolean> | undefined;
  const begin = () =>
    (loading ??= load().then(
      (module) => {
        Loaded = module[name] as ComponentType<Props>;
        return true;
      },
      () => false,
    ));
  const forget = () => {
    loading = undefined;
  };
  function Part(props: Props) {
    const [, again] = useReducer((n: number) => n + 1, 0);
    if (Loaded || use(begin())) return Loaded && <Loaded {...props} />;
    return <NotLoaded over={o.over} onClose={props.onClose} onGone={forget} onAgain={() => (forget(), again())} />;
  }
  Part.preload = async () => {
    if (!Loaded && !(await begin())) forget();
  };
  all.push(Part.preload);
  return Part as Lazy<M[K]>;
}

/** Loads whatever is not there yet, bit by bit while there is nothing else to do: then it is there when the gateway is not. */
export async function loadTheRest(): Promise<void> {
  for (const preload of all) {
    await new Promise<void>((resolve) => ("requestIdleCallback" in window ? requestIdleCallback(() => resolve()) : setTimeout(resolve, 100)));
    await preload();
  }
}

function NotLoaded({ over, onClose, onGone, onAgain }: { over?: true; onClose?: () => void; onGone: () => void; onAgain: () => void }) {
  const [busy, start] = useTransition();
  // Once it is out of sight, the next time is a new one.
  useEffect(() => onGone, [onGone]);
  return (
    <div className={over && styles.over}>
      <ProblemBar
        problem={new Problem(undefined, { title: "This part of the page could not be loaded", detail: "The gateway may be gone, or be of another version by now. If it answers and this stays, load the page anew." })}
        action={
          <>
            <Button disabled={busy} onClick={() => start(onAgain)}>
              Try again
            </Button>
            {onClose && <Button onClick={onClose}>Close</Button>}
          </>
        }
      />
    </div>
  );
}
