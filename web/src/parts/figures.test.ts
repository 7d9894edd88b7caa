import { expect, test } from "vitest";
import { bytes, count, duration, percent, plural, rate, tookWords } from "./figures";

test.each<[string, string]>([
  [count(1234567), "1,234,567"],
  [count(12_345_678), "12.3M"],
  [plural(1, "event"), "1 event"],
  [plural(3120, "delivery", "deliveries"), "3,120 deliveries"],
  [rate(0), "0/s"],
  [rate(0.42), "0.4/s"],
  [rate(1204.4), "1,204/s"],
  [bytes(999), "999 B"],
  [bytes(1_900_000), "1.9 MB"],
  [duration(350_000), "350 µs"],
  [duration(4.2e9), "4.2 s"],
  [percent(0.0004), "<0.1 %"],
  [percent(0.625), "63 %"],
  [tookWords("350.123µs"), "350 µs"],
  [tookWords("1m2.345678ms"), "60 s"],
  [tookWords("1m2.3s"), "62 s"],
  [tookWords("soon"), "soon"],
])("%s", (got, want) => expect(got).toBe(want));
