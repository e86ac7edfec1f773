// What is recorded lies on this device until the server has it: a closed laptop or killed browser loses seconds at most.
import { person } from "../file-uploader/page";
import { Store } from "../file-uploader/store";

/** A recording that is not finished: what is needed to finish it, also by another page on another day. */
export type Recording = {
  id: string;
  person: string;
  name: string;
  type: string;
  begunAt: number;
  durationMs: number;
  bytes: number;
  url: string;
  lesson: string;
  finishUrl: string;
  doneUrl: string;
};

/** A piece of it, by its place in the whole. `data` is here only if the device could not keep it. */
export type Piece = { n: number; start: number; end: number; data?: ArrayBuffer };
type Kept = { n: number; start: number; data: ArrayBuffer };

const recordings = new Store<Recording>("staffroom-recordings");
const pieces = new Store<Kept>("staffroom-recorded");

export async function unfinished(): Promise<Recording[]> {
  const found = (await recordings.all()).filter((each) => each.person === person() && each.bytes > 0);
  return found.sort((a, b) => b.begunAt - a.begunAt);
}

export function keep(recording: Recording): Promise<boolean> {
  return recordings.put(recording.id, recording);
}

export async function keepPiece(recording: Recording, n: number, data: ArrayBuffer): Promise<Piece> {
  const piece = { n, start: recording.bytes, end: recording.bytes + data.byteLength };
  const isKept = await pieces.put([recording.id, n], { n, start: piece.start, data });
  return isKept ? piece : { ...piece, data };
}

export async function piecesOf(recording: Recording): Promise<Piece[]> {
  const kept = await pieces.all(rangeOf(recording));
  return kept.map(({ n, start, data }) => ({ n, start, end: start + data.byteLength }));
}

export async function bytesOf(recording: Recording, piece: Piece): Promise<ArrayBuffer> {
  const data = piece.data ?? (await pieces.get([recording.id, piece.n]))?.data;
  if (!data) throw new Error("A piece of the recording is gone.");
  return data;
}

/** The server has it. */
export function letGo(recording: Recording, piece: Piece): void {
  if (!piece.data) void pieces.remove([recording.id, piece.n]);
}

export async function discard(recording: Recording): Promise<void> {
  await pieces.remove(rangeOf(recording));
  await recordings.remove(recording.id);
}

function rangeOf(recording: Recording): IDBKeyRange {
  return IDBKeyRange.bound([recording.id, 0], [recording.id, Infinity]);
}
