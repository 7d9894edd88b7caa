import { expect, test } from "vitest";
import { emptyDraft } from "~/api/routes";
import { draftKey, keepDraft, keptDraft } from "./draftStore";

test("each route, and each beginning of a new one, has a draft of its own", () => {
  const keys = [{ id: "" }, { id: "a" }, {}, { like: "a" }, { endpoint: "a" }, { plugin: "a" }, { endpoint: "a", plugin: "b" }, { endpoint: "a&plugin=b" }].map(draftKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(draftKey({ endpoint: "a", like: undefined })).toBe(draftKey({ endpoint: "a" }));
});

test("a draft is kept until it is saved or discarded", () => {
  const key = draftKey({ endpoint: "hub" });
  const kept = { draft: { ...emptyDraft, id: "x" }, etag: undefined };
  keepDraft(key, kept);
  expect(keptDraft(key)).toEqual(kept);
  expect(keptDraft(draftKey({}))).toBeUndefined();
  keepDraft(key, undefined);
  expect(keptDraft(key)).toBeUndefined();
});
