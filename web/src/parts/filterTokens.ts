export type TokenKind = "keyword" | "string" | "number" | "name" | "path" | "operator";

export interface Token {
  text: string;
  kind?: TokenKind;
  start: number;
  end: number;
}

const pattern = /('(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.)*"?)|(\$[\w$.[\]]*|\$?(?:body|metadata)\b(?:\.[\w$.[\]]+)?)|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][\w]*)|(<=|>=|!=|<>|[=<>+\-*/%()!,])|(\s+)|([^])/g;
const keywords = new Set(["and", "or", "not", "in", "true", "false", "null", "undefined", "like", "between", "is", "exists"]);

/**
 * The tokens of a filter, for colours alone: what a filter means, and whether
 * it is one, the server says. Together they are the text.
 */
export function filterTokens(text: string): Token[] {
  const out: Token[] = [];
  for (const m of text.matchAll(pattern)) {
    const [whole, string, path, number, word, operator] = m;
    const kind: TokenKind | undefined = string ? "string" : path ? "path" : number ? "number" : word ? (keywords.has(word.toLowerCase()) ? "keyword" : "name") : operator ? "operator" : undefined;
    out.push({ text: whole, kind, start: m.index, end: m.index + whole.length });
  }
  return out;
}
