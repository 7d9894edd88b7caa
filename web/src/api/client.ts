import { problemOf, Unreachable } from "./problem";
import type { paths } from "./schema.gen";

type Method = "get" | "put" | "post" | "delete";
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type PathParams<O> = O extends { parameters: { path: infer X extends object } } ? X : undefined;
type QueryParams<O> = O extends { parameters: { query?: infer X } } ? X : undefined;
type JSONBody<O> = O extends { requestBody?: { content: infer C } } ? (C extends { "application/json": infer B } ? B : C[keyof C]) : undefined;
type Success<R> = R extends { 200: infer A } ? A : R extends { 201: infer A } ? A : R extends { 202: infer A } ? A : R extends { 204: infer A } ? A : never;
type JSONAnswer<O> = O extends { responses: infer R } ? (Success<R> extends { content: infer C } ? C[keyof C] : undefined) : never;

/** What goes along with a request. */
export type Options<O> = {
  /** Makes a PUT or DELETE fail with 412 when the thing has another revision. */
  ifMatch?: string;
  /** Makes a PUT fail with 412 when the thing exists. */
  onlyCreate?: boolean;
  signal?: AbortSignal;
} & (PathParams<O> extends undefined ? { path?: undefined } : { path: PathParams<O> }) &
  (QueryParams<O> extends undefined ? { query?: undefined } : { query?: QueryParams<O> }) &
  (JSONBody<O> extends undefined ? { body?: undefined } : { body?: JSONBody<O> });

/** An answer of the API: its JSON, and the tag to give as ifMatch. */
export interface Answer<T> {
  data: T;
  etag: string | undefined;
  status: number;
}

export const base = "/api/v1";

/** The URL of an operation, with what its path and query hold. */
export function urlOf(path: string, params?: object, query?: object): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return base + filled + (text && "?" + text);
}

interface Plain {
  path?: object;
  query?: object;
  body?: unknown;
  ifMatch?: string;
  onlyCreate?: boolean;
  signal?: AbortSignal;
}

/** Listeners hear of every request: true when the server answered, false when it did not. */
const listeners = new Set<(reached: boolean, status: number) => void>();

export function onReach(listener: (reached: boolean, status: number) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function reached(yes: boolean, status: number): void {
  for (const listener of listeners) listener(yes, status);
}

async function send(method: Method, path: string, o: Plain = {}): Promise<Answer<unknown>> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (o.ifMatch) headers["If-Match"] = o.ifMatch;
  if (o.onlyCreate) headers["If-None-Match"] = "*";
  let body: BodyInit | undefined;
  if (o.body instanceof Blob) {
    body = o.body;
    headers["Content-Type"] = o.body.type || "application/octet-stream";
  } else if (o.body !== undefined) {
    body = JSON.stringify(o.body);
    headers["Content-Type"] = "application/json";
  }
  let answer: Response;
  let text = "";
  try {
    answer = await fetch(urlOf(path, o.path, o.query), { method: method.toUpperCase(), headers, body, signal: o.signal, credentials: "same-origin", cache: "no-store" });
    if (answer.ok) text = await answer.text();
  } catch (error) {
    if (o.signal?.aborted) throw error;
    reached(false, 0);
    throw new Unreachable(error);
  }
  const gone = answer.status === 502 || answer.status === 504; // a proxy's words for a server that is not there
  reached(!gone, answer.status);
  if (!answer.ok) throw await problemOf(answer);
  return { data: text === "" ? undefined : JSON.parse(text), etag: answer.headers.get("ETag") ?? undefined, status: answer.status };
}

type Call<M extends Method> = <P extends PathsWith<M>>(path: P, options?: Options<Operation<P, M>>) => Promise<Answer<JSONAnswer<Operation<P, M>>>>;

/** The API, typed by its OpenAPI document. Every call throws a Problem unless it got a 2xx. */
export const api = {
  get: ((path, options) => send("get", path, options as Plain)) as Call<"get">,
  put: ((path, options) => send("put", path, options as Plain)) as Call<"put">,
  post: ((path, options) => send("post", path, options as Plain)) as Call<"post">,
  delete: ((path, options) => send("delete", path, options as Plain)) as Call<"delete">,
};
