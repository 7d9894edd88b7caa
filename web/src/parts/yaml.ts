// Writes JSON values as YAML that every YAML reader reads as the same value.

const bare = /^[A-Za-z_/$][\w ./@$-]*$/;
const special = /^(?:true|false|null|yes|no|on|off|y|n|~|\.inf|\.nan|\d.*)$/i;

function scalar(v: unknown, indent: string): string {
  if (typeof v !== "string") return JSON.stringify(v) ?? "null";
  if (/\n/.test(v) && !/[^\S\n]\n|^\s|\r|[^\n\t\x20-\x7e\u00a0-\ud7ff]/.test(v)) {
    const keep = v.endsWith("\n\n") ? "+" : v.endsWith("\n") ? "" : "-";
    if (keep !== "+") return "|" + keep + "\n" + v.replace(/\n$/, "").split("\n").map((l) => (l === "" ? "" : indent + "  " + l)).join("\n");
  }
  return bare.test(v) && !special.test(v) && !v.endsWith(" ") ? v : JSON.stringify(v);
}

/** The YAML of a value, without undefined members. */
export function yaml(v: unknown, indent = ""): string {
  if (Array.isArray(v)) {
    if (v.length === 0) return indent + "[]\n";
    return v.map((x) => (nested(x) ? indent + "- " + yaml(x, indent + "  ").slice(indent.length + 2) : indent + "- " + scalar(x, indent) + "\n")).join("");
  }
  if (typeof v === "object" && v !== null) {
    const entries = Object.entries(v).filter(([, x]) => x !== undefined);
    if (entries.length === 0) return indent + "{}\n";
    return entries.map(([k, x]) => {
      const key = indent + scalar(k, indent) + ":";
      if (!nested(x)) return key + (empty(x) ?? " " + scalar(x, indent)) + "\n";
      return key + "\n" + yaml(x, indent + "  ");
    }).join("");
  }
  return indent + scalar(v, indent) + "\n";
}

const empty = (x: unknown) => (typeof x === "object" && x !== null ? (Array.isArray(x) ? " []" : " {}") : undefined);

function nested(x: unknown): boolean {
  return typeof x === "object" && x !== null && Object.values(x).some((y) => y !== undefined);
}
