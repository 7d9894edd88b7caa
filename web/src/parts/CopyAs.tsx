import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { Code20Regular } from "@fluentui/react-icons";
import { copyText } from "./copy";
import { useToasts } from "./Toasts";
import { yaml } from "./yaml";

/**
 * What the page does, for a script: a `headgate` command line (build it with
 * command() of ./shell), those of the page's other actions by their names, the YAML
 * of a value, and the JSON.
 */
export function CopyAs({ cli, value, kind, commands = {}, label = "Copy as…", size }: { cli?: string | (() => string); value?: unknown; kind?: string; commands?: Readonly<Record<string, string>>; label?: string; size?: "small" | "medium" }) {
  const { notify } = useToasts();
  const copy = (what: string, text: string) => void copyText(text).then((ok) => notify(ok ? { title: `Copied as ${what}`, body: text.split("\n").length === 1 && text.length < 160 ? text : undefined, mono: true } : { title: "The browser does not allow to copy", intent: "error" }));
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button icon={<Code20Regular />} size={size} appearance="subtle" aria-label={label === "" ? "Copy as CLI, YAML or JSON" : undefined}>
          {label || undefined}
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          {cli !== undefined && <MenuItem onClick={() => copy("CLI", typeof cli === "string" ? cli : cli())}>Copy as CLI</MenuItem>}
          {Object.entries(commands).map(([what, line]) => (
            <MenuItem key={what} onClick={() => copy("CLI", line)}>
              {what} as CLI
            </MenuItem>
          ))}
          {value !== undefined && <MenuItem onClick={() => copy("YAML", yaml(kind ? { kind, ...(value as object) } : value))}>Copy as YAML</MenuItem>}
          {value !== undefined && <MenuItem onClick={() => copy("JSON", JSON.stringify(value, undefined, 2))}>Copy as JSON</MenuItem>}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
