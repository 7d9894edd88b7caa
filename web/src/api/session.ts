import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";

/** Whether the gateway has a token, and whether this browser is let in. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => (await api.get("/session", { signal })).data,
  staleTime: 60_000,
});

/** Shows the token, for which the server sets a cookie that no script can read. */
export async function signIn(token: string): Promise<void> {
  await api.post("/session", { body: { token } });
}

export async function signOut(): Promise<void> {
  await api.delete("/session");
}
