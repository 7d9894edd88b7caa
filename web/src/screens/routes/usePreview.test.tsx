import { act, renderHook, waitFor } from "@testing-library/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { emptyDraft, type RouteDraft } from "~/api/routes";
import { usePreview } from "./usePreview";

afterEach(() => vi.unstubAllGlobals());

test("the last result stays, as stale, while the draft cannot be tried or is refused", async () => {
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    if (url.includes("/events")) return Promise.resolve(new Response(JSON.stringify({ items: [{ id: "1-0", acceptedAt: "2026-01-01T00:00:00Z", event: { id: "e", source: "/s", type: "t", specversion: "1.0" } }] })));
    const refused = (init.body as string).includes('"bad"');
    return Promise.resolve(new Response(JSON.stringify(refused ? { detail: "no such plugin" } : { results: [{ matched: true }] }), { status: refused ? 400 : 200 }));
  });
  const queries = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>;
  const { result, rerender } = renderHook(({ draft, valid }: { draft: RouteDraft; valid: string | null }) => usePreview(draft, { pause: 0, valid }), { wrapper, initialProps: { draft: emptyDraft, valid: "true" as string | null } });
  await waitFor(() => expect(result.current).toMatchObject({ stale: false, data: { match: 1 } }));
  rerender({ draft: { ...emptyDraft, filter: "true AND" }, valid: null });
  await waitFor(() => expect(result.current).toMatchObject({ waits: false, stale: true, data: { match: 1 } }));
  rerender({ draft: { ...emptyDraft, transforms: [{ plugin: "bad", config: {} }] }, valid: "true" });
  await waitFor(() => expect(result.current).toMatchObject({ stale: true, error: { message: "no such plugin" }, data: { match: 1 } }));
  await act(() => Promise.resolve(rerender({ draft: emptyDraft, valid: "true" })));
  await waitFor(() => expect(result.current).toMatchObject({ stale: false, error: null }));
});
