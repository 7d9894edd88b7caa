import { Button, MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { DiffView } from "./DiffView";

/** After a 412: what is stored now, and what this page would save, with both ways on. Mine cannot be kept without onKeepMine. */
export function Conflict({ theirs, mine, onTakeTheirs, onKeepMine }: { theirs: unknown; mine: unknown; onTakeTheirs: () => void; onKeepMine: (() => void) | undefined }) {
  return (
    <div className="stack" role="alert">
      <MessageBar intent="warning" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>Someone changed it while you edited</MessageBarTitle>
          Nothing was saved. Below: what is stored now → what you would save.
        </MessageBarBody>
        <MessageBarActions>
          <Button disabled={!onKeepMine} onClick={onKeepMine}>Save mine over it</Button>
          <Button onClick={onTakeTheirs}>Take what is stored</Button>
        </MessageBarActions>
      </MessageBar>
      <DiffView before={theirs} after={mine} labels={["Stored now", "Yours"]} />
    </div>
  );
}
