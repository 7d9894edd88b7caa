import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { useFreeze } from "./useFreeze";

function List() {
  const freeze = useFreeze();
  return (
    <>
      <p role="status">{freeze.why ?? "it goes on"}</p>
      <button onClick={freeze.release}>new</button>
      <div {...freeze.on}>
        <div data-testid="scrolls">
          <a href="#row">a row</a>
        </div>
      </div>
    </>
  );
}

test("a list that is scrolled or has the focus holds still until it is let go, at its top", () => {
  render(<List />);
  const scroller = screen.getByTestId("scrolls");
  const why = () => screen.getByRole("status").textContent;
  expect(why()).toBe("it goes on");
  scroller.scrollTop = 400;
  fireEvent.scroll(scroller);
  expect(why()).toBe("it is scrolled");
  fireEvent.click(screen.getByText("new"));
  expect([why(), scroller.scrollTop]).toEqual(["it goes on", 0]);
  act(() => screen.getByText("a row").focus());
  expect(why()).toBe("a row has the focus");
  fireEvent.click(screen.getByText("new"));
  expect(why()).toBe("it goes on");
});
