import { useState } from "react";
import { urlOf } from "./client";
import { useStatus, type Schemas } from "./queries";
import { useStream } from "./useStream";

const over = 5; // ticks, of a second each

/** Deliveries a second over the last seconds, as the gateway tells them; undefined until it did. */
export function useDeliveredRate(): number | undefined {
  const [ticks, setTicks] = useState<readonly Schemas["RatesTick"][]>([]);
  const { data, isError } = useStatus();
  // Where the status is refused or does not come, the stream would not either.
  useStream(data && !isError ? urlOf("/rates/stream", {}, { top: 0 }) : undefined, (m) => setTicks((before) => [...before.slice(1 - over), JSON.parse(m.data) as Schemas["RatesTick"]]));
  const seconds = ticks.reduce((sum, t) => sum + t.seconds, 0);
  return seconds > 0 ? ticks.reduce((sum, t) => sum + t.gateway.delivered, 0) / seconds : undefined;
}
