// Brings the pieces of one recording to the server, in order, each once, however often the network goes away.
import { bytesOf, keep, keepPiece, letGo, piecesOf, type Piece, type Recording } from "./shelf";
import { append, create, offsetOf, Refused } from "./tus";

export type Standing = "sending" | "waiting" | "signed-out" | "lost" | "whole";

const LONGEST_WAIT_MS = 15_000;

export class Delivery {
  readonly recording: Recording;
  standing: Standing = "sending";
  arrived = 0;
  isKept = true;
  private readonly endpoint: string;
  private readonly changed: () => void;
  private queue: Piece[] = [];
  private count = 0;
  private isClosed = false;
  private knowsOffset = false;
  private wake: () => void = () => undefined;
  private chain: Promise<unknown> = Promise.resolve();

  constructor(recording: Recording, endpoint: string, changed: () => void) {
    this.recording = recording;
    this.endpoint = endpoint;
    this.changed = changed;
    window.addEventListener("online", () => this.wake());
  }

  get left(): number {
    return this.recording.bytes - this.arrived;
  }

  /** First on this device, then on its way. Pieces come in the order of the calls. */
  add(blob: Blob, durationMs: number): void {
    this.chain = this.chain.then(async () => {
      const data = await blob.arrayBuffer();
      const piece = await keepPiece(this.recording, this.count++, data);
      this.isKept &&= piece.data === undefined;
      Object.assign(this.recording, { bytes: piece.end, durationMs });
      await keep(this.recording);
      this.queue.push(piece);
      this.wake();
    });
  }

  /** Take up what a closed page left behind. */
  async takeUp(): Promise<void> {
    this.queue = await piecesOf(this.recording);
    const last = this.queue.at(-1);
    this.recording.bytes = last ? last.end : this.recording.bytes;
    this.count = last ? last.n + 1 : 0;
    this.knowsOffset = false;
  }

  /** No more pieces come. */
  async close(): Promise<void> {
    await this.chain;
    this.isClosed = true;
    this.wake();
  }

  /** Works until everything has arrived; true, unless the server has lost the beginning. */
  async run(): Promise<boolean> {
    let tries = 0;
    while (this.standing !== "whole" && this.standing !== "lost") {
      try {
        await this.step();
        tries = 0;
      } catch (error) {
        this.fail(error);
        await this.sleep(Math.min(LONGEST_WAIT_MS, 400 * 2 ** Math.min(tries++, 6)));
      }
    }
    return this.standing === "whole";
  }

  private async step(): Promise<void> {
    if (!this.queue.length && !this.isClosed) return this.sleep();
    await this.begin();
    const piece = this.queue[0];
    if (piece && piece.end <= this.arrived) return this.dropFirst();
    if (piece && piece.start > this.arrived) return this.set("lost");
    const rest = piece ? (await bytesOf(this.recording, piece)).slice(this.arrived - piece.start) : new ArrayBuffer(0);
    const isLast = this.isClosed && this.queue.length <= 1;
    this.arrived = await append(this.recording.url, this.arrived, rest, isLast ? this.recording.bytes : undefined);
    if (piece) this.dropFirst();
    this.set(isLast && this.arrived === this.recording.bytes ? "whole" : "sending");
  }

  private async begin(): Promise<void> {
    const { recording } = this;
    if (!recording.url) {
      const metadata = { filename: recording.name, filetype: recording.type, purpose: "lesson", lesson: recording.lesson };
      recording.url = await create(this.endpoint, metadata);
      await keep(recording);
      this.arrived = 0;
    } else if (!this.knowsOffset) this.arrived = await offsetOf(recording.url);
    this.knowsOffset = true;
  }

  private dropFirst(): void {
    const piece = this.queue.shift();
    if (piece) letGo(this.recording, piece);
  }

  private fail(error: unknown): void {
    this.knowsOffset = false;
    const status = error instanceof Refused ? error.status : 0;
    if (status === 404 || status === 410) this.startAnew();
    else this.set(status === 401 ? "signed-out" : "waiting");
  }

  /** The server does not know the upload any more: with all pieces still here that does no harm. */
  private startAnew(): void {
    const isAllHere = this.recording.bytes === 0 || this.queue[0]?.start === 0;
    if (!isAllHere) return this.set("lost");
    this.recording.url = "";
    this.set("waiting");
  }

  private set(standing: Standing): void {
    this.standing = standing;
    this.changed();
  }

  /** Until something new is there, or for a time. */
  private sleep(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? 0 : window.setTimeout(resolve, ms);
      this.wake = () => {
        if (ms !== undefined && !navigator.onLine) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
