import { Button, Menu, MenuItemRadio, MenuList, MenuPopover, MenuTrigger, Tooltip } from "@fluentui/react-components";
import { DarkTheme20Regular, Search20Regular } from "@fluentui/react-icons";
import { Link } from "@tanstack/react-router";
import { useStatus } from "~/api/queries";
import { useDeliveredRate } from "~/api/useDeliveredRate";
import { rate } from "~/parts/figures";
import { StateBadge } from "~/parts/StateBadge";
import type { Crumb } from "./root";
import styles from "./Shell.module.css";
import { keyWords } from "./shortcuts";
import { themeWords, useTheme, type ThemeChoice } from "./theme";

export function TopBar({ crumbs, onFind }: { crumbs: Crumb[]; onFind: () => void }) {
  const { data: status } = useStatus();
  const delivered = useDeliveredRate();
  return (
    <header className={styles.top}>
      <nav className={styles.crumbs} aria-label="Breadcrumb">
        <ol>
          {crumbs.map((c, i) => (
            <li key={c.to ?? c.label}>
              {i < crumbs.length - 1 && c.to ? (
                <Link to={c.to} className="cut">
                  {c.label}
                </Link>
              ) : (
                <span className="cut" aria-current="page" title={c.label}>
                  {c.label}
                </span>
              )}
            </li>
          ))}
        </ol>
      </nav>
      {status && (
        <Tooltip content={status.reason || "Everything works"} relationship="description">
          <Link to="/" className={styles.health}>
            <StateBadge state={status.state} wordClass={styles.word} />
          </Link>
        </Tooltip>
      )}
      {delivered !== undefined && (
        <Tooltip content="Deliveries to all endpoints, over the last seconds" relationship="description">
          <span className={styles.rate}>{rate(delivered)}</span>
        </Tooltip>
      )}
      <Button className={styles.find} size="small" icon={<Search20Regular />} onClick={onFind} aria-keyshortcuts="Control+K Meta+K">
        <span className={styles.findText}>Find</span>
        <span className="unseen"> or do anything</span>
        <kbd aria-hidden>{keyWords("mod+k")}</kbd>
      </Button>
      <ThemeMenu />
    </header>
  );
}

function ThemeMenu() {
  const { choice, choose } = useTheme();
  return (
    <Menu checkedValues={{ theme: [choice] }} onCheckedValueChange={(_, d) => choose((d.checkedItems[0] ?? "system") as ThemeChoice)}>
      <MenuTrigger disableButtonEnhancement>
        <Button appearance="subtle" size="small" icon={<DarkTheme20Regular />} aria-label="Theme" />
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          {(Object.keys(themeWords) as ThemeChoice[]).map((c) => (
            <MenuItemRadio key={c} name="theme" value={c}>
              {themeWords[c]}
            </MenuItemRadio>
          ))}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
