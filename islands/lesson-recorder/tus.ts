// The few requests of tus (https://tus.io) that an upload of yet unknown length needs.
import { csrfToken } from "../file-uploader/page";

export class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`answered with ${status}`);
    this.status = status;
  }
}

const TIMEOUT_MS = 60_000;

export async function create(endpoint: string, metadata: Record<string, string>): Promise<string> {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key} ${base64(value)}`);
  const answer = await ask("POST", endpoint, { "Upload-Defer-Length": "1", "Upload-Metadata": pairs.join(",") });
  return new URL(answer.headers.get("Location") ?? "", answer.url).href;
}

export async function offsetOf(url: string): Promise<number> {
  return Number((await ask("HEAD", url)).headers.get("Upload-Offset"));
}

/** Append, and with the last bytes say how long the whole is. Returns the new offset. */
export async function append(url: string, offset: number, body: ArrayBuffer, length?: number): Promise<number> {
  const headers: Record<string, string> = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
  if (length !== undefined) headers["Upload-Length"] = String(length);
  return Number((await ask("PATCH", url, headers, body)).headers.get("Upload-Offset"));
}

export async function terminate(url: string): Promise<void> {
  await ask("DELETE", url).catch(() => undefined);
}

async function ask(method: string, url: string, headers: Record<string, string> = {}, body: ArrayBuffer | null = null): Promise<Response> {
  const answer = await fetch(url, {
    method, body, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { "Tus-Resumable": "1.0.0", "X-CSRFToken": csrfToken(), ...headers },
  });
  if (!answer.ok) throw new Refused(answer.status);
  return answer;
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
