import { bytes } from "~/parts/figures";

/** What the API takes of one module; a larger one is not even sent. */
export const largestModule = 64 * 1024 * 1024;

/** Why a file is no module that can be sent, undefined when it may be one. */
export async function refusal(file: File): Promise<string | undefined> {
  if (file.size > largestModule) return `${file.name} has ${bytes(file.size)}. A module may have ${bytes(largestModule)} (64 MiB) at most; nothing was sent. Build it without debug information, such as with -ldflags="-s -w".`;
  if (file.size === 0) return `${file.name} is empty.`;
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  } catch {
    return `${file.name} cannot be read. Drop one file, not a folder.`;
  }
  if (head[0] !== 0 || head[1] !== 0x61 || head[2] !== 0x73 || head[3] !== 0x6d) return `${file.name} is no WebAssembly module: it does not begin as one. Go makes one with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared.`;
  if (head[4] !== 1) return `${file.name} is a WebAssembly component or of another version; a core module of version 1 is wanted.`;
  return undefined;
}

/** A name for a plugin from that of its file. */
export function nameOf(file: string): string {
  return file.replace(/\.wasm$/i, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 128);
}

/** Why a plugin cannot be called so, undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "Give the plugin a name.";
  if (name.length > 128) return "At most 128 characters.";
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return 'Use letters, digits, ".", "_" and "-", and begin with a letter or a digit.';
  return undefined;
}
