import { reached, urlOf } from "./client";
import { Problem } from "./problem";

/** Sends a file with progress, which fetch cannot tell of: done is 0 to 1. */
export function upload<T>(path: string, file: Blob, o: { type: string; params?: object; query?: object; signal?: AbortSignal; onProgress?: (done: number) => void }): Promise<{ data: T; status: number }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", urlOf(path, o.params, o.query));
    request.setRequestHeader("Content-Type", o.type);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (e) => e.lengthComputable && o.onProgress?.(e.loaded / e.total);
    request.onload = () => {
      reached(true, request.status);
      let answer: unknown;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = { detail: request.responseText.slice(0, 200) || `the server answered ${request.status}` };
      }
      if (request.status >= 200 && request.status < 300) resolve({ data: answer as T, status: request.status });
      else reject(new Problem(request.status, answer as object));
    };
    request.onerror = () => {
      // A server that refuses a body that is too large may close before it is all sent.
      reject(new Problem(undefined, { title: "Upload broke off", detail: "The connection closed before the file was sent. The gateway may be gone, or the file larger than it takes; nothing was stored." }));
    };
    request.onabort = () => reject(new DOMException("the upload was cancelled", "AbortError"));
    o.signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
