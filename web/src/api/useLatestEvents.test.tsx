import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { useLatestEvents } from "./useLatestEvents";

afterEach(() => vi.unstubAllGlobals());

const event = (n: number) => ({ id: `${n}-0`, acceptedAt: "2026-01-01T00:00:00Z", event: { specversion: "1.0", id: String(n), source: "s", type: "t" } });

function Probe({ picked }: { picked?: string }) {
  const { list, picking, gone, added } = useLatestEvents(picked);
  return <p>{list === undefined ? "none yet" : list.map((e) => e.id).join(" ") + (added ? ", added" : "") + (picking ? ", picking" : "") + (gone ? ", gone" : "")}</p>;
}

/** A journal that holds the events 1 to 5, of which 4 and 5 are the latest. */
function journal() {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const n = Number(/events\/(\d+)-0/.exec(url)?.[1]);
    if (!Number.isNaN(n)) return Promise.resolve(n <= 5 ? Response.json({ ...event(n), routes: [] }) : Response.json({ status: 404, detail: "there is no such event" }, { status: 404 }));
    return Promise.resolve(Response.json({ items: [event(4), event(5)] }));
  });
  return asked;
}

test.each<[string, string | undefined, string]>([
  ["none is picked", undefined, "5-0 4-0"],
  ["one of the latest is picked", "4-0", "5-0 4-0"],
  ["an older one is picked", "2-0", "2-0 5-0 4-0, added"],
  ["one is picked that is no longer kept", "9-0", "5-0 4-0, gone"],
  ["a sample is picked", "sample-update", "5-0 4-0"],
])("%s", async (_, picked, want) => {
  const asked = journal();
  show(<Probe picked={picked} />);
  expect(await screen.findByText(want)).toBeTruthy();
  expect(asked.filter((url) => url.includes("/events/"))).toHaveLength(picked === "2-0" || picked === "9-0" ? 1 : 0);
});
