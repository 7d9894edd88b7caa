import type { components } from "./schema.gen";

/** What the server says of a request that it refused (RFC 9457). */
export type ProblemDetails = components["schemas"]["Problem"];

/** Why a request was not done, in words that say what to do. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    /** The HTTP status; undefined when no answer of the server says this. */
    readonly status: number | undefined,
    readonly details: Partial<ProblemDetails>,
    options?: ErrorOptions,
  ) {
    super(details.detail ?? details.title ?? `the server answered ${status}`, options);
  }

  /** The member of the request that is wrong, such as `settings.url`. */
  get field(): string | undefined {
    return this.details.field;
  }

  /** The server could not be reached: what was asked for may succeed later. */
  get offline(): boolean {
    return this.status === 502 || this.status === 504;
  }

  /** Someone else changed the thing meanwhile: nothing was saved. */
  get conflict(): boolean {
    return this.status === 412;
  }

  get signedOut(): boolean {
    return this.status === 401;
  }
}

/** The request did not get to the server, or its answer not back. */
export class Unreachable extends Problem {
  constructor(cause?: unknown) {
    super(undefined, { title: "No connection", detail: "The gateway does not answer. Check that it runs and that this machine can reach it; nothing was changed." }, { cause });
  }

  override get offline(): boolean {
    return true;
  }
}

/** The page itself went wrong. */
export class Fault extends Problem {
  constructor(cause: unknown) {
    super(undefined, { title: "This page made a mistake", detail: `${cause instanceof Error ? cause.message : String(cause)}. Try again or load the page anew; if it comes back, report it.` }, { cause });
  }
}

/** Reads the problem out of an answer that is not a 2xx. */
export async function problemOf(answer: Response): Promise<Problem> {
  const text = await answer.text().catch(() => "");
  try {
    const details: unknown = JSON.parse(text);
    if (typeof details === "object" && details !== null) {
      return new Problem(answer.status, details as Partial<ProblemDetails>);
    }
  } catch {
    // a proxy in between answers in its own form
  }
  return new Problem(answer.status, {
    title: answer.statusText,
    detail: `${answer.status} ${answer.statusText}`.trim() + ": " + (text.slice(0, 200) || "no reason given") + ". The server's log says more.",
  });
}

/** Any thrown value as a Problem: what neither the server nor the connection is to blame for is a fault of the page. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Fault(error);
}
