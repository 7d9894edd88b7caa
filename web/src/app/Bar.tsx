import { Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { MoreHorizontal20Regular } from "@fluentui/react-icons";
import { Link, useNavigate } from "@tanstack/react-router";
import { count } from "~/parts/figures";
import { places } from "./nav";
import { useDeadLetters } from "./Rail";
import styles from "./Shell.module.css";

/** The rail of phones, at the bottom of the screen. */
export function Bar() {
  const navigate = useNavigate();
  const dead = useDeadLetters();
  const more = places.filter((p) => !p.first);
  return (
    <nav className={styles.bar} aria-label="Screens">
      {places.filter((p) => p.first).map((p) => (
        <Link key={p.to} to={p.to} className={styles.tab} activeProps={{ className: styles.tabHere, "aria-current": "page" }} activeOptions={{ exact: p.to === "/" }}>
          {({ isActive }) => (
            <>
              {isActive ? <p.iconHere /> : <p.icon />}
              {p.short}
              {p.to === "/dead-letters" && dead > 0 && <span className={styles.count}>{count(dead)}</span>}
            </>
          )}
        </Link>
      ))}
      {more.length > 0 && (
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <button type="button" className={styles.tab}>
              <MoreHorizontal20Regular />
              More
            </button>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              {more.map((p) => (
                <MenuItem key={p.to} icon={<p.icon />} onClick={() => void navigate({ to: p.to })}>
                  {p.label}
                </MenuItem>
              ))}
            </MenuList>
          </MenuPopover>
        </Menu>
      )}
    </nav>
  );
}
