/** The rows in the order of the keys: those that are gone are left out, new ones come last. */
export function keepOrder<T>(keys: readonly string[], rows: readonly T[], rowKey: (row: T) => string): T[] {
  const left = new Map(rows.map((r) => [rowKey(r), r]));
  const out: T[] = [];
  for (const key of keys) {
    const row = left.get(key);
    if (row !== undefined && left.delete(key)) out.push(row);
  }
  return [...out, ...left.values()];
}
