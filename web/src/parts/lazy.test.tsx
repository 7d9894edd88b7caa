import { act, fireEvent, screen } from "@testing-library/react";
import { Suspense, useState, type ComponentType } from "react";
import { expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { lazy } from "./lazy";

function Page({ Part }: { Part: ComponentType }) {
  const [text, setText] = useState("");
  return (
    <Suspense>
      <input value={text} onChange={(e) => setText(e.target.value)} />
      <Part />
    </Suspense>
  );
}

test("a module that does not come is told of, and tried again; what is around it stays", async () => {
  const load = vi.fn(() => Promise.resolve({ Part: (_: object) => "it is here" })).mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"));
  const Part = lazy(load, "Part");
  await act(() => Promise.resolve(show(<Page Part={Part} />)));
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "typed" } });
  expect(load).toHaveBeenCalledTimes(1);
  await act(() => Promise.resolve(fireEvent.click(screen.getByRole("button", { name: "Try again" }))));
  expect(screen.getByText("it is here")).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>("textbox").value).toBe("typed");
});

test("a preload that fails is forgotten", async () => {
  const load = vi.fn(() => Promise.resolve({ Part: (_: object) => "it is here" })).mockRejectedValueOnce(new TypeError("gone"));
  const Part = lazy(load, "Part");
  await Part.preload();
  await act(() => Promise.resolve(show(<Page Part={Part} />)));
  expect(await screen.findByText("it is here")).toBeTruthy();
});
