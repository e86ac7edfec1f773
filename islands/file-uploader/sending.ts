// One upload on its way: tus-js-client, which goes on where it stopped, and around it the patience to wait for a network for ever.
import { Upload, type DetailedError, type PreviousUpload } from "tus-js-client";
import { csrfToken } from "./page";

export type Phase = "starting" | "sending" | "paused" | "waiting" | "signed-out" | "done" | "failed";
export type State = { phase: Phase; sent: number; total: number; perSecond: number; reason: string };

/** A proxy that buffers requests loses at most one of these at a cut. */
const CHUNK = 16 * 1024 * 1024;
const LONGEST_WAIT_MS = 30_000;
const WINDOW_MS = 8000;

export class Sending {
  readonly file: File;
  state: State;
  url = "";
  private readonly tus: Upload;
  private readonly changed: () => void;
  private tries = 0;
  private timer = 0;
  private seen: { at: number; sent: number }[] = [];

  constructor(file: File, endpoint: string, metadata: Record<string, string>, fingerprint: string, changed: () => void) {
    this.file = file;
    this.changed = changed;
    this.state = { phase: "starting", sent: 0, total: file.size, perSecond: 0, reason: "" };
    this.tus = new Upload(file, {
      endpoint, metadata, chunkSize: CHUNK, retryDelays: null, removeFingerprintOnSuccess: false,
      fingerprint: () => Promise.resolve(fingerprint),
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      onUploadUrlAvailable: () => this.rememberUrl(),
      onProgress: (sent) => this.progress(sent),
      onSuccess: () => this.set({ phase: "done", sent: file.size }),
      onError: (error) => this.onError(error),
    });
  }

  /** The key by which the form names the upload: the last part of its address. */
  get key(): string {
    return new URL(this.url, location.href).pathname.replace(/\/$/, "").split("/").pop() ?? "";
  }
  get isUnderWay(): boolean {
    return !["done", "failed"].includes(this.state.phase);
  }

  async start(previous?: PreviousUpload): Promise<void> {
    const found = previous ?? (await this.tus.findPreviousUploads()).at(-1);
    if (found) this.tus.resumeFromPreviousUpload(found);
    window.addEventListener("online", this.hurry);
    this.tus.start();
  }

  async pause(): Promise<void> {
    clearTimeout(this.timer);
    this.set({ phase: "paused" });
    await this.tus.abort();
  }

  resume(): void {
    this.tries = 0;
    this.seen = [];
    this.set({ phase: "starting" });
    this.restart();
  }

  /** Stop for good, and let the server forget what has arrived. */
  async cancel(): Promise<void> {
    clearTimeout(this.timer);
    window.removeEventListener("online", this.hurry);
    await this.tus.abort(true).catch(() => undefined);
  }

  private readonly hurry = (): void => {
    if (this.state.phase === "waiting") this.resume();
  };

  private restart(): void {
    clearTimeout(this.timer);
    this.tus.url = this.url || null; // tus forgets it when HEAD is answered with 401
    this.tus.start();
  }

  private rememberUrl(): void {
    this.url = this.tus.url ?? "";
    this.set({ phase: "sending" });
  }

  private progress(sent: number): void {
    if (this.state.phase === "paused") return;
    const now = performance.now();
    if (sent > this.state.sent) this.tries = 0;
    this.seen = [...this.seen.filter((each) => now - each.at < WINDOW_MS), { at: now, sent }];
    const first = this.seen[0]!;
    const perSecond = now - first.at > 500 ? ((sent - first.sent) / (now - first.at)) * 1000 : 0;
    this.set({ phase: "sending", sent, perSecond });
  }

  private onError(error: Error | DetailedError): void {
    if (this.state.phase === "paused") return;
    const response = "originalResponse" in error ? error.originalResponse : null;
    const status = response?.getStatus() ?? 0;
    if (!this.isPassing(status)) return this.set({ phase: "failed", reason: sentenceOf(response?.getBody() ?? "") });
    this.set({ phase: status === 401 ? "signed-out" : "waiting", perSecond: 0 });
    this.seen = [];
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(this.tries, 6));
    this.tries += 1;
    this.timer = window.setTimeout(() => this.restart(), wait * (0.75 + Math.random() / 2));
  }

  /** What may be well again later: no network, a server that restarts, another page that still sends, a session that ended. */
  private isPassing(status: number): boolean {
    const isGone = (status === 404 || status === 410) && this.url !== "";
    return status === 0 || status >= 500 || isGone || [401, 408, 409, 423, 425, 429].includes(status);
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }
}

/** Staffroom's server answers with a plain sentence; a page of some proxy is not worth showing. */
function sentenceOf(body: string): string {
  return body.length < 300 && !body.includes("<") ? body.trim() : "";
}
