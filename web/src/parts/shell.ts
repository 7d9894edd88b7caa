/** A word as a POSIX shell reads it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", `'\\''`) + "'";
}

/** A command line of the words; undefined ones are left out. */
export function command(...words: (string | undefined)[]): string {
  return words.filter((w) => w !== undefined).map((w) => quoted(w)).join(" ");
}
