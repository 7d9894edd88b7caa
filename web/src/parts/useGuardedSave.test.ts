import { act, renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Problem } from "~/api/problem";
import { saveGuarded, useGuardedSave, type Stored } from "./useGuardedSave";

const fails = (status: number) => () => Promise.reject(new Problem(status, {}));
const theirs: Stored<string> = { value: "theirs", etag: '"9"' };

test.each([
  ["a save that goes through", () => Promise.resolve(), () => Promise.resolve(theirs), undefined],
  ["a refusal", fails(400), () => Promise.resolve(theirs), { problem: { status: 400 } }],
  ["a conflict: what is stored now", fails(412), () => Promise.resolve(theirs), { theirs }],
  ["a conflict with what was deleted", fails(412), fails(404), { problem: { status: 404, details: { title: "Someone deleted it meanwhile" } } }],
  ["a conflict with what cannot be read", fails(412), fails(503), { problem: { status: 503 } }],
  ["a name that is taken", fails(412), undefined, { problem: { conflict: true } }],
] as const)("%s", async (_, put, read, want) => {
  const got = await saveGuarded(put, read);
  if (want === undefined) expect(got).toBeUndefined();
  else expect(got).toMatchObject(want);
});

test("what is saved over after a conflict is theirs, which an undo brings back", async () => {
  const put = vi.fn((over: Stored<string>) => (over.etag === theirs.etag ? Promise.resolve() : fails(412)()));
  const { result } = renderHook(() => useGuardedSave({ put, read: () => Promise.resolve(theirs) }));
  await act(() => result.current.save({ value: "mine, before", etag: '"7"' }));
  expect(result.current.theirs).toEqual(theirs);
  await act(() => result.current.save(result.current.theirs!));
  expect(put).toHaveBeenLastCalledWith(theirs);
  expect(result.current).toMatchObject({ busy: false, theirs: undefined, problem: undefined });
});
