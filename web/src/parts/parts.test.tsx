import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import { parseSearch, someOf, stringifySearch, whole } from "~/app/search";
import { show } from "~/test/render";
import { ConfigForm, words, type Schema } from "./ConfigForm";
import { differences, pathWords } from "./diff";
import { DiffView } from "./DiffView";
import { EventKindToken } from "./EventKindIcon";
import { bytes, count, duration, percent, rate } from "./figures";
import { filterTokens } from "./filterTokens";
import type { JsonEditorProps } from "./JsonEditor";
import { JsonView } from "./JsonView";
import { visible } from "./visible";
import { relative } from "./RelativeTime";
import { command } from "./shell";
import { Sparkline } from "./Sparkline";
import { useDraft } from "./useDraft";
import { Validity } from "./validity";
import { yaml } from "./yaml";

// The editor of JSON needs a browser; what is written in it does not.
vi.mock("./JsonCode", () => ({ default: (p: JsonEditorProps) => <textarea aria-label={p.label} value={p.value} onChange={(e) => p.onChange(e.target.value)} /> }));

test("figures", () => {
  expect([count(1204), count(12_345_678), rate(0), rate(0.25), rate(1204.4), bytes(1_900_000), bytes(999)]).toEqual(["1,204", "12.3M", "0/s", "0.3/s", "1,204/s", "1.9 MB", "999 B"]);
  expect([duration(350_000), duration(12_000_000), percent(0.0004), percent(0.62), percent(0)]).toEqual(["350 µs", "12 ms", "<0.1 %", "62 %", "0 %"]);
});

test.each([
  [0, "now"], [12, "12 s ago"], [179, "2 min ago"], [7200, "2 h ago"], [-4, "in 4 s"], [3 * 86400, "3 d ago"],
])("%d seconds is %s", (s, want) => expect(relative(1_000_000_000 - s * 1000, 1_000_000_000)).toBe(want));

test("differences name the places", () => {
  expect(differences({ a: 1, b: [1, 2], c: { "x/y": 1 } }, { a: 1, b: [1, 3, 4], d: null, c: {} })).toEqual([
    { path: "/b/1", before: 2, after: 3 },
    { path: "/b/2", before: undefined, after: 4 },
    { path: "/c/x~1y", before: 1, after: undefined },
    { path: "/d", before: undefined, after: null },
  ]);
  expect(differences({ __proto__x: 1, toString: 1 }, {})).toHaveLength(2);
  expect(pathWords("/data/patch/0/va lue")).toBe('data.patch[0]["va lue"]');
});

test.each([
  [{ a: "x", b: [1, "two"], c: {}, d: [] }, "a: x\nb:\n  - 1\n  - two\nc: {}\nd: []\n"],
  [{ a: "yes", b: "3", c: "a: b", d: "", e: null, f: "- x" }, 'a: "yes"\nb: "3"\nc: "a: b"\nd: ""\ne: null\nf: "- x"\n'],
  [{ list: [{ a: 1, b: 2 }, { c: { d: 1 } }] }, "list:\n  - a: 1\n    b: 2\n  - c:\n      d: 1\n"],
  [{ t: "one\ntwo" }, "t: |-\n  one\n  two\n"],
])("writes %j as YAML", (value, want) => expect(yaml(value)).toBe(want));

test("command lines are quoted", () => expect(command("headgate", "put", "route", "it's", undefined, "--filter", "a = 'b'")).toBe(`headgate put route 'it'\\''s' --filter 'a = '\\''b'\\'''`));

test("tokens of a filter are its text", () => {
  const text = "type = 'Microsoft.X' AND NOT $body.a.b > 12.5 OR subject = 'it''s'";
  const tokens = filterTokens(text);
  expect(tokens.map((t) => t.text).join("")).toBe(text);
  expect(tokens.filter((t) => t.kind === "keyword").map((t) => t.text)).toEqual(["AND", "NOT", "OR"]);
  expect(tokens.filter((t) => t.kind === "string").map((t) => t.text)).toEqual(["'Microsoft.X'", "'it''s'"]);
});

test("search parameters are plain text", () => {
  expect(stringifySearch({ q: "a b", kinds: ["x", "y"], n: 5, off: false, none: undefined })).toBe("?q=a+b&kinds=x,y&n=5");
  expect(parseSearch("?q=5&kinds=x,y")).toEqual({ q: "5", kinds: "x,y" });
  expect(someOf("x,z", ["x", "y"])).toEqual(["x"]);
  expect([whole("7"), whole("-1"), whole("x"), whole(undefined)]).toEqual([7, undefined, undefined, undefined]);
});

test("JSON is inert, folded, and shows what does not print", () => {
  const { container } = show(<JsonView value={{ html: "<img src=x onerror=alert(1)>", long: "y".repeat(5000), bell: "a\u0007\u202eb", data_base64: "AAEC" }} />);
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getByText(/<img src=x/)).toBeTruthy();
  expect(screen.getByText("all 5,000 characters")).toBeTruthy();
  expect(screen.getByText(/a\\u0007\\u202eb/)).toBeTruthy();
  expect(screen.getByText(/binary, 3 bytes/)).toBeTruthy();
  expect(visible("😀")).toBe("😀");
});

test("a diff says what was and what is", () => {
  show(<DiffView before={{ a: 1 }} after={{ a: 2, b: "n" }} />);
  expect(screen.getAllByRole("row").map((r) => r.textContent)).toEqual(["WhereBeforeAfter", "a−1+2", 'bnot there+"n"']);
});

test("a diff and a foreign type show what does not print", () => {
  show(<DiffView before={{}} after={{ "a\u200b": "x\u202ey" }} />);
  expect(screen.getAllByRole("row")[1]!.textContent).toBe('["a\\u200b"]not there+"x\\u202ey"');
  show(<EventKindToken type={"my\u202etype"} />);
  expect(screen.getByText("my\\u202etype")).toBeTruthy();
});

test("what is not known is hatched, not zero", () => {
  const { container } = show(<Sparkline values={[1, null, null, 2]} label="rate" />);
  expect(container.querySelectorAll("rect")).toHaveLength(1);
  expect(container.querySelectorAll("polyline")).toHaveLength(2);
});

const schema: Schema = {
  type: "object",
  required: ["url"],
  properties: {
    url: { type: "string", description: "where to send" },
    mode: { enum: ["binary", "structured"], default: "binary" },
    retries: { type: "integer" },
    verbose: { type: "boolean", default: false },
    key: { type: "string", writeOnly: true },
    tables: { type: "object", properties: { twins: { type: "string" } } },
  },
};

function Form({ start, report }: { start: Record<string, unknown>; report: (v: unknown) => void }) {
  const [value, setValue] = useState(start);
  return (
    <ConfigForm
      schema={schema}
      value={value}
      problems={{ url: "must be a URL" }}
      onChange={(v) => {
        setValue(v);
        report(v);
      }}
    />
  );
}

test("a form of a schema: values, defaults, secrets that stay, problems at their field", async () => {
  let value: unknown;
  show(<Form start={{ url: "x", key: "***", extra: 1 }} report={(v) => (value = v)} />);
  const user = userEvent.setup();
  expect(screen.getByText("must be a URL")).toBeTruthy();
  await user.type(screen.getByLabelText(/Retries/), "3");
  expect(value).toEqual({ url: "x", key: "***", extra: 1, retries: 3 });
  await user.selectOptions(screen.getByLabelText(/Mode/), "structured");
  await user.click(screen.getByLabelText("Verbose"));
  const secret = screen.getByLabelText<HTMLInputElement>(/Key/);
  expect(secret.value).toBe("");
  fireEvent.change(secret, { target: { value: "new" } });
  expect(value).toMatchObject({ key: "new" });
  fireEvent.change(secret, { target: { value: "" } });
  fireEvent.change(screen.getByLabelText("Twins"), { target: { value: "T" } });
  expect(value).toEqual({ url: "x", key: "***", extra: 1, retries: 3, mode: "structured", verbose: true, tables: { twins: "T" } });
  expect(words("connectionString")).toBe("Connection string");
});

function Draft() {
  const { dirty, valid, report, round, draft, base, change, restart } = useDraft<Record<string, unknown>>({ value: { rules: [1] }, etag: undefined });
  return (
    <>
      <Validity value={report}>
        <ConfigForm key={round} schema={{ type: "object", properties: { rules: { type: "array", items: { type: "integer" } } } }} value={draft} onChange={(v) => change(() => v)} />
      </Validity>
      <output>{JSON.stringify({ dirty, valid, draft })}</output>
      <button onClick={() => restart(base)}>Discard</button>
    </>
  );
}

test("a text that is no JSON yet is a change that cannot be saved, and Discard takes it back", async () => {
  show(<Draft />);
  const said = () => JSON.parse(screen.getByRole("status").textContent) as unknown;
  const write = async (text: string) => {
    fireEvent.change(await screen.findByRole("textbox", { name: "Rules" }), { target: { value: text } });
  };
  expect(said()).toEqual({ dirty: false, valid: true, draft: { rules: [1] } });
  await write("[1, 2");
  expect(said()).toEqual({ dirty: true, valid: false, draft: { rules: [1] } });
  await write("[1, 2]");
  expect(said()).toEqual({ dirty: true, valid: true, draft: { rules: [1, 2] } });
  await write("[1,");
  fireEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect(said()).toEqual({ dirty: false, valid: true, draft: { rules: [1] } });
  expect((await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Rules" })).value).toBe("[\n  1\n]");
});
