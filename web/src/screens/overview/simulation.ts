import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api } from "~/api/client";
import { asProblem } from "~/api/problem";
import { useToasts } from "~/parts/Toasts";

/** How simulated twins fare; while they live, asked for every two seconds. */
export const simulationQuery = queryOptions({
  queryKey: ["simulation"],
  queryFn: async ({ signal }) => (await api.get("/simulation", { signal })).data,
  refetchInterval: (q) => (q.state.data?.running ? 2_000 : false),
});

/** Lets simulated twins live, or end. */
export function useSimulation() {
  const queries = useQueryClient();
  const { notify } = useToasts();
  const change = async (title: string, run: () => Promise<unknown>) => {
    try {
      await run();
      notify({ title });
    } catch (e) {
      notify({ title: "It did not work", body: asProblem(e).message, intent: "error" });
    }
    await queries.invalidateQueries({ queryKey: simulationQuery.queryKey });
    await queries.invalidateQueries({ queryKey: ["status"] });
  };
  return {
    simulate: () => change("Simulated twins send events", () => api.put("/simulation", { body: { rate: 10, for: "10m" } })),
    end: () => change("The simulated twins have ended", () => api.delete("/simulation")),
  };
}
