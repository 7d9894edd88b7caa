import { Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { DataTable, type Column } from "./DataTable";
import { keepOrder } from "./keepOrder";

test.each([
  ["as it was", "abc", "cba", "abc"],
  ["what is gone", "abc", "ca", "ac"],
  ["what is new comes last", "abc", "xbay", "abxy"],
  ["nothing was there", "", "ba", "ba"],
])("the order is kept: %s", (_, before, rows, want) => expect(keepOrder([...before], [...rows], (r) => r).join("")).toBe(want));

interface Row {
  id: string;
  rate: number;
}

const columns: Column<Row>[] = [
  { id: "id", header: "Name", sort: (r) => r.id, cell: (r) => r.id },
  { id: "rate", header: "Rate", number: true, sort: (r) => r.rate, cell: (r) => r.rate },
];
const before = [{ id: "a", rate: 2 }, { id: "b", rate: 1 }];
const after = [{ id: "c", rate: 9 }, { id: "b", rate: 3 }, { id: "a", rate: 1 }];

function Table({ ordered, more }: { ordered?: boolean; more?: Column<Row> }) {
  const [rows, setRows] = useState(before);
  return (
    <>
      <DataTable label="Rows" rows={rows} columns={more ? [...columns, more] : columns} rowKey={(r) => r.id} ordered={ordered} />
      <button onClick={() => setRows(after)}>change</button>
    </>
  );
}

const shown = () => screen.getAllByRole("row", { hidden: true }).slice(1).map((r) => r.textContent);
const rowOf = (text: string) => screen.getAllByRole("row").find((r) => r.textContent === text)!;
const press = (name: string) => fireEvent.click(screen.getByText(name));

// jsdom lays nothing out: without a height no row is in sight.
beforeEach(() => void vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(600));

test("rows keep their places, not their values, while the mouse is over them", async () => {
  show(<Table />);
  press("Rate");
  expect(shown()).toEqual(["a2", "b1"]);
  await userEvent.hover(screen.getAllByRole("row")[1]!);
  press("change");
  expect(shown()).toEqual(["a1", "b3", "c9"]);
  press("Name"); // who sorts wants the new order at once
  press("Name");
  expect(shown()).toEqual(["c9", "b3", "a1"]);
  press("Rate");
  expect(shown()).toEqual(["c9", "b3", "a1"]);
  await userEvent.unhover(screen.getAllByRole("row")[1]!);
  expect(shown()).toEqual(["c9", "b3", "a1"]);
});

test("rows keep their places while one has the focus", () => {
  show(<Table />);
  press("Rate");
  act(() => rowOf("a2").focus());
  press("change");
  expect(shown()).toEqual(["a1", "b3", "c9"]);
  act(() => rowOf("a1").blur());
  expect(shown()).toEqual(["c9", "b3", "a1"]);
});

test("rows keep their places while the menu of one is open", () => {
  const menu: Column<Row> = {
    id: "menu", header: "", cell: (r) => (
      <Menu>
        <MenuTrigger>
          <button>more of {r.id}</button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem>Delete {r.id}</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
    ),
  };
  show(<Table more={menu} />);
  press("Rate");
  act(() => screen.getByText("more of a").focus());
  press("more of a");
  act(() => screen.getByRole("menuitem").focus()); // it lies elsewhere in the page
  expect(screen.getByRole("grid", { hidden: true }).contains(document.activeElement)).toBe(false);
  press("change");
  expect(shown().map((t) => t![0])).toEqual(["a", "b", "c"]);
});

test("who sorted and went away sees the order change", () => {
  show(<Table />);
  press("Rate");
  act(() => screen.getByText("Rate").focus());
  press("change");
  expect(shown()).toEqual(["c9", "b3", "a1"]);
});

test("rows that come back after all were gone are held by nobody", async () => {
  function Emptied() {
    const [rows, setRows] = useState(before);
    return (
      <>
        <DataTable label="Rows" rows={rows} columns={columns} rowKey={(r) => r.id} empty="none" sort={{ column: "rate", down: true }} onSort={() => undefined} />
        <button onClick={() => setRows([])}>empty</button>
        <button onClick={() => setRows(before)}>fill</button>
        <button onClick={() => setRows(after)}>change</button>
      </>
    );
  }
  show(<Emptied />);
  await userEvent.hover(screen.getAllByRole("row")[1]!);
  press("empty");
  press("fill");
  expect(shown()).toEqual(["a2", "b1"]);
  press("change");
  expect(shown()).toEqual(["c9", "b3", "a1"]);
});

test("a list that holds still by itself is shown as it is given", async () => {
  show(<Table ordered />);
  await userEvent.hover(screen.getAllByRole("row")[1]!);
  press("change");
  expect(shown()).toEqual(["c9", "b3", "a1"]);
});

test("there is a row to tab to, also when the one that was focused is scrolled away", () => {
  const many = Array.from({ length: 200 }, (_, i) => ({ id: "r" + i, rate: i }));
  show(<DataTable label="Rows" rows={many} columns={columns} rowKey={(r) => r.id} />);
  const stops = () => screen.getAllByRole("row").filter((r) => r.tabIndex === 0).map((r) => r.textContent);
  expect(stops()).toEqual(["r00"]);
  act(() => rowOf("r11").focus());
  expect(stops()).toEqual(["r11"]);
  const body = screen.getByRole("presentation");
  body.scrollTop = 4000;
  fireEvent.scroll(body);
  expect(stops()).toHaveLength(1);
  expect(stops()).not.toEqual(["r11"]);
});
