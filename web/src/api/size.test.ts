import { expect, test } from "vitest";
import { dataSize } from "./size";

test.each([
  [{}, undefined],
  [{ data: null }, 4],
  [{ data: { t: "°" } }, 10],
  [{ data_base64: "" }, 0],
  [{ data_base64: "AA==" }, 1],
  [{ data_base64: "AAE=" }, 2],
  [{ data_base64: "AAEC" }, 3],
])("the data of %j has %j bytes", (event, want) => expect(dataSize(event)).toBe(want));
