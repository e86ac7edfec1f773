// Uploads that were begun before: their addresses (localStorage, by tus-js-client), and copies of their files while there is room.
import { defaultOptions, type PreviousUpload } from "tus-js-client";
import { person } from "./page";
import { Store } from "./store";

const WEEK_MS = 7 * 24 * 3600 * 1000;
const SENT_KEY = "file-uploader:sent";
const ROOM = 1.3;

const files = new Store<File>("staffroom-uploads");
const addresses = defaultOptions.urlStorage;

export type Earlier = { fingerprint: string; name: string; size: number; lesson: string; previous: PreviousUpload };

/** The same file of the same person for the same purpose. */
export function fingerprintOf(purpose: string, file: File): string {
  return `${prefix(purpose)}${file.size}:${file.lastModified}:${file.name}`;
}

function prefix(purpose: string): string {
  return `staffroom:${person()}:${purpose}:`;
}

/** Newest first. Those older than a week are forgotten, since the server has forgotten them as well. */
export async function earlierUploads(purpose: string): Promise<Earlier[]> {
  const found: Earlier[] = [];
  for (const previous of await addresses.findAllUploads()) {
    const fingerprint = previous.urlStorageKey.replace(/^tus::/, "").replace(/::\d+$/, "");
    if (!fingerprint.startsWith(prefix(purpose))) continue;
    const { metadata: { filename = "", lesson = "" }, size } = previous;
    const each = { fingerprint, name: filename, size: size ?? 0, lesson, previous };
    if (Date.now() - Date.parse(previous.creationTime) > WEEK_MS) await forget(each);
    else found.push(each);
  }
  return found.sort((a, b) => Date.parse(b.previous.creationTime) - Date.parse(a.previous.creationTime));
}

/** Keep a copy on this device, if it takes less than what is free. */
export async function keepCopy(fingerprint: string, file: File): Promise<boolean> {
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  if (file.size * ROOM > quota - usage) return false;
  return files.put(fingerprint, file);
}

export function copyOf(fingerprint: string): Promise<File | undefined> {
  return files.get(fingerprint);
}

export async function forget(earlier: Pick<Earlier, "fingerprint">): Promise<void> {
  await files.remove(earlier.fingerprint);
  for (const each of await addresses.findUploadsByFingerprint(earlier.fingerprint)) await addresses.removeUpload(each.urlStorageKey);
}

/** The form was sent: on a later page it shows whether it was taken; then the upload is no longer ours to continue. */
export function rememberSent(fingerprint: string): void {
  try {
    localStorage.setItem(SENT_KEY, fingerprint);
  } catch {
    // Then it stays until it is a week old.
  }
}

export async function settleSent(isRefused: boolean): Promise<void> {
  try {
    const sent = localStorage.getItem(SENT_KEY);
    localStorage.removeItem(SENT_KEY);
    if (sent && !isRefused) await forget({ fingerprint: sent });
  } catch {
    // As above.
  }
}
