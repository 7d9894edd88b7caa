import { Button, Dialog, DialogSurface, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { useKeyboard, useShortcut } from "./shortcuts";

function Page({ run, find, children }: { run: () => void; find?: () => void; children?: React.ReactNode }) {
  useKeyboard();
  useShortcut("e", "Edit", run);
  useShortcut("mod+k", "Find", find ?? run);
  return (
    <>
      <button>a button</button>
      <input aria-label="text" />
      {children}
    </>
  );
}

test("keys work on the page, not while one types", () => {
  const run = vi.fn();
  show(<Page run={run} />);
  fireEvent.keyDown(screen.getByText("a button"), { key: "e" });
  expect(run).toHaveBeenCalledTimes(1);
  fireEvent.keyDown(screen.getByLabelText("text"), { key: "e" });
  expect(run).toHaveBeenCalledTimes(1);
});

test.each(["modal", "alert"] as const)("a dialog that is %s keeps the page's keys away", (modalType) => {
  const run = vi.fn();
  show(
    <Page run={run}>
      <Dialog open modalType={modalType}>
        <DialogSurface>
          <Button>Delete</Button>
        </DialogSurface>
      </Dialog>
    </Page>,
  );
  fireEvent.keyDown(screen.getByText("Delete"), { key: "e" });
  expect(run).not.toHaveBeenCalled();
});

test("so does an open menu, but for what works everywhere", () => {
  const run = vi.fn();
  const find = vi.fn();
  show(
    <Page run={run} find={find}>
      <Menu defaultOpen>
        <MenuTrigger>
          <Button>More</Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem>Delete</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
    </Page>,
  );
  fireEvent.keyDown(screen.getByText("Delete"), { key: "e" });
  expect(run).not.toHaveBeenCalled();
  fireEvent.keyDown(screen.getByText("Delete"), { key: "k", ctrlKey: true });
  expect(find).toHaveBeenCalledTimes(1);
});
