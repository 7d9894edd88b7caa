import { Checkbox } from "@fluentui/react-components";
import { ArrowSortDown16Regular, ArrowSortUp16Regular } from "@fluentui/react-icons";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useShortcut } from "~/app/shortcuts";
import styles from "./DataTable.module.css";
import { keepOrder } from "./keepOrder";
import { useAttention } from "./useAttention";
import { usePhone } from "./usePhone";

const byText = new Intl.Collator("en", { numeric: true }); // made once: 10,000 rows are 130,000 comparisons

export interface Column<T> {
  id: string;
  header: ReactNode;
  /** The header as text, for readers of the screen, when header is none. */
  label?: string;
  /** A track of a CSS grid, such as "120px" or "minmax(160px, 2fr)". */
  width?: string;
  cell: (row: T) => ReactNode;
  /** Right-aligned, with figures of one width. */
  number?: boolean;
  /** Makes the column sortable. */
  sort?: (row: T) => string | number;
  /** "hide" leaves the column out on phones; "whole" gives it a line of its own there. */
  phone?: "hide" | "whole";
}

export interface Sort {
  column: string;
  down: boolean;
}

export interface DataTableProps<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** Enter or a click on a row. */
  onOpen?: (row: T) => void;
  /** The row that a panel shows, marked. */
  openKey?: string;
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
  /** Where sorting is in the URL; without it the table keeps it itself. */
  sort?: Sort;
  onSort?: (sort: Sort | undefined) => void;
  rowHeight?: number;
  /** The most it takes of the page; default the window less its frame. */
  maxHeight?: string;
  empty?: ReactNode;
  /** Called when the last rows come into sight. */
  onEnd?: () => void;
  /** No j/k of the page: for a second table on it. */
  quiet?: boolean;
  /** Rows are always in the order given: for a list that holds still by itself. */
  ordered?: boolean;
}

/**
 * A table of any number of rows, of which only those in sight are in the page.
 * Rows keep their places while someone is at it, whatever their values become.
 * j/k and the arrows move, Enter opens, x selects; with Shift all rows between.
 */
export function DataTable<T>(p: DataTableProps<T>) {
  const { rows, columns, rowKey, onOpen, onSelect, selected, rowHeight = 44, onEnd } = p;
  const body = useRef<HTMLDivElement>(null);
  const phone = usePhone();
  const [ownSort, setOwnSort] = useState<Sort>();
  const sort = p.onSort ? p.sort : ownSort;
  const setSort = p.onSort ?? setOwnSort;
  const [active, setActive] = useState<string>();

  const wanted = useMemo(() => {
    const by = sort && columns.find((c) => c.id === sort.column)?.sort;
    if (!by) return rows;
    const keyed = rows.map((row) => ({ row, value: by(row) }));
    keyed.sort((a, b) => (typeof a.value === "number" && typeof b.value === "number" ? a.value - b.value : byText.compare(String(a.value), String(b.value))));
    if (sort.down) keyed.reverse();
    return keyed.map((k) => k.row);
  }, [rows, columns, sort]);
  const { over, focused, on: attention } = useAttention();
  const still = (over || focused) && !p.ordered;
  const sortedBy = sort && (sort.down ? "-" : "") + sort.column;
  const shownLast = useRef<{ sortedBy: string | undefined; keys: string[] }>(undefined);
  const sorted = useMemo(() => {
    const last = shownLast.current;
    return still && last && last.sortedBy === sortedBy ? keepOrder(last.keys, wanted, rowKey) : wanted;
  }, [wanted, still, sortedBy]);
  useEffect(() => {
    shownLast.current = { sortedBy, keys: sorted.map(rowKey) };
  }, [sorted, sortedBy]);

  const shown = phone ? columns.filter((c) => c.phone !== "hide") : columns;
  const wholes = phone ? shown.filter((c) => c.phone === "whole").length : 0;
  const inLine = shown.filter((c) => !(phone && c.phone === "whole"));
  const fixed = (onSelect ? "32px " : "") + inLine.map((c) => c.width ?? "minmax(0, 1fr)").join(" ");
  // What has a line of its own is as wide as all tracks: one of them must take the room that is left.
  const tracks = wholes > 0 && !fixed.includes("fr") ? fixed + " minmax(0, 1fr)" : fixed;
  const height = rowHeight + wholes * 24;
  const headed = !(phone && wholes > 0 && inLine.length === 1 && !onSelect);
  const headHeight = headed ? 37 : 0;

  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => body.current,
    estimateSize: () => height,
    overscan: 8,
    // The head scrolls along, and sticks: what is scrolled to comes to lie below it.
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
    getItemKey: (i) => rowKey(sorted[i]!),
  });
  useLayoutEffect(() => virtual.measure(), [virtual, height]);
  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd && sorted.length > 0 && lastSeen >= sorted.length - 10) onEnd();
  }, [onEnd, lastSeen, sorted.length]);

  const at = active === undefined ? -1 : sorted.findIndex((r) => rowKey(r) === active);
  const move = useCallback(
    (to: number) => {
      const row = sorted[Math.max(0, Math.min(sorted.length - 1, to))];
      if (!row) return;
      setActive(rowKey(row));
      virtual.scrollToIndex(sorted.indexOf(row));
      const key = rowKey(row);
      requestAnimationFrame(() => body.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true }));
    },
    [sorted, rowKey, virtual],
  );
  useShortcut("j", "Next row", () => move(at + 1), { disabled: p.quiet });
  useShortcut("k", "Row before", () => move(at < 0 ? 0 : at - 1), { disabled: p.quiet });

  const anchor = useRef<string>(undefined);
  const toggle = (key: string, range: boolean) => {
    const next = new Set(selected);
    const from = range && anchor.current !== undefined ? sorted.findIndex((r) => rowKey(r) === anchor.current) : -1;
    const to = sorted.findIndex((r) => rowKey(r) === key);
    if (from >= 0 && to >= 0) {
      // All between become what the last one became.
      const on = selected?.has(anchor.current!) ?? false;
      for (const r of sorted.slice(Math.min(from, to), Math.max(from, to) + 1)) {
        if (on) next.add(rowKey(r));
        else next.delete(rowKey(r));
      }
    } else if (!next.delete(key)) next.add(key);
    anchor.current = key;
    onSelect?.(next);
  };
  const pressed = (e: KeyboardEvent) => {
    if (e.target instanceof HTMLElement && !e.target.hasAttribute("data-key")) return;
    const pageful = Math.max(1, Math.floor((body.current?.clientHeight ?? 400) / height) - 1);
    switch (e.key) {
      case "ArrowDown": move(at + 1); break;
      case "ArrowUp": move(at - 1); break;
      case "Home": move(0); break;
      case "End": move(sorted.length - 1); break;
      case "PageDown": move(at + pageful); break;
      case "PageUp": move(at - pageful); break;
      case "x":
      case "X":
        if (!onSelect || active === undefined) return;
        toggle(active, e.shiftKey);
        break;
      case "Enter": {
        const row = sorted[at];
        if (!row || !onOpen) return;
        onOpen(row);
        break;
      }
      default: return;
    }
    e.preventDefault();
  };
  const allChosen = selected !== undefined && rows.length > 0 && selected.size >= rows.length;
  const tabStop = items.find((i) => i.index === at) ?? items[0]; // the active row may be scrolled out of the page

  const head = headed && (
    <div role="rowgroup" className={styles.headGroup}>
      <div className={styles.head} role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
        {onSelect && (
          <span role="columnheader" className={styles.pick}>
            <Checkbox aria-label="All rows" checked={allChosen ? true : selected && selected.size > 0 ? "mixed" : false} onChange={() => onSelect(allChosen ? new Set() : new Set(rows.map(rowKey)))} />
          </span>
        )}
        {inLine.map((c) => {
          const on = sort?.column === c.id;
          return (
            <span key={c.id} role="columnheader" className={c.number ? styles.number : styles.cell} aria-sort={on ? (sort.down ? "descending" : "ascending") : undefined} aria-label={c.label}>
              {c.sort ? (
                <button type="button" className={styles.sort} onClick={() => setSort(on && sort.down !== !!c.number ? undefined : { column: c.id, down: on ? !sort.down : !!c.number })}>
                  {c.header}
                  {on && (sort.down ? <ArrowSortDown16Regular aria-hidden /> : <ArrowSortUp16Regular aria-hidden />)}
                </button>
              ) : (
                c.header
              )}
            </span>
          );
        })}
      </div>
    </div>
  );

  return (
    <div className={styles.table} role="grid" aria-label={p.label} aria-rowcount={sorted.length + 1} aria-colcount={shown.length + (onSelect ? 1 : 0)} onKeyDown={pressed}>
      {sorted.length === 0 && p.empty ? (
        <div role="rowgroup">
          <div role="row">
            <div role="gridcell" className={styles.empty}>{p.empty}</div>
          </div>
        </div>
      ) : (
        <div className={styles.body} ref={body} role="presentation" style={{ maxHeight: p.maxHeight ?? "calc(100dvh - 240px)" }}>
          {head}
          <div role="rowgroup" {...attention} style={{ height: virtual.getTotalSize(), position: "relative" }}>
            {items.map((item) => {
              const row = sorted[item.index]!;
              const key = rowKey(row);
              return (
                <div
                  key={key}
                  data-key={key}
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-selected={onSelect ? selected?.has(key) : key === p.openKey || undefined}
                  tabIndex={item === tabStop ? 0 : -1}
                  className={styles.row + (onOpen ? " " + styles.opens : "") + (key === p.openKey ? " " + styles.open : "")}
                  style={{ transform: `translateY(${item.start - headHeight}px)`, height, gridTemplateColumns: tracks, gridTemplateRows: wholes > 0 ? `1fr repeat(${wholes}, 24px)` : undefined }}
                  onFocus={(e) => e.target === e.currentTarget && setActive(key)}
                  onClick={(e) => {
                    // What is clicked in a menu or dialog of the row comes here too, though it lies elsewhere.
                    const target = e.target as HTMLElement;
                    if (!onOpen || !e.currentTarget.contains(target) || target.closest("a, button, input, label")) return;
                    if (getSelection()?.toString()) return; // someone marks text to copy it
                    setActive(key);
                    onOpen(row);
                  }}
                >
                  {onSelect && (
                    <span role="gridcell" className={styles.pick}>
                      <Checkbox aria-label={"Select " + key} checked={selected?.has(key) ?? false} onChange={(e) => toggle(key, (e.nativeEvent as MouseEvent).shiftKey === true)} />
                    </span>
                  )}
                  {[...inLine, ...shown.filter((c) => !inLine.includes(c))].map((c) => (
                    <span key={c.id} role="gridcell" className={(c.number ? styles.number : styles.cell) + (phone && c.phone === "whole" ? " " + styles.whole : "")}>
                      {c.cell(row)}
                    </span>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      )}
    </div>
  );
}
