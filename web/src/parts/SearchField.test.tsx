import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { SearchField } from "./SearchField";

test("what is typed stays while the URL lags behind, and the URL is right once the box is left", async () => {
  const told = vi.fn();
  show(<SearchField aria-label="Search" value="plant" onChange={told} />);
  const box = screen.getByLabelText<HTMLInputElement>("Search");
  const user = userEvent.setup();
  expect(box.value).toBe("plant");
  await user.type(box, "X-", { initialSelectionStart: 2, initialSelectionEnd: 2 });
  expect([box.value, box.selectionStart]).toEqual(["plX-ant", 4]);
  expect(told.mock.calls).toEqual([["plXant"], ["plX-ant"]]);
  await user.clear(box);
  expect(told).toHaveBeenLastCalledWith(undefined);
  await user.tab();
  expect(box.value).toBe("plant");
});
