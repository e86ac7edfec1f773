// Camera and microphone, and the MediaRecorder that makes pieces of what they give.

export type Choice = { camera: string; microphone: string };
export const NO_CAMERA = "none";
export type Problem = "denied" | "missing" | "busy" | "unsupported";

const PIECE_MS = 2000;
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } };
const VIDEO_TYPES = ['video/mp4;codecs="avc1.42E01F,mp4a.40.2"', "video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];
const SOUND_TYPES = ["audio/mp4;codecs=mp4a.40.2", "audio/webm;codecs=opus", "audio/webm", "audio/mp4"];

export function canRecord(): boolean {
  return typeof MediaRecorder !== "undefined" && navigator.mediaDevices?.getUserMedia !== undefined;
}

export function openDevices({ camera, microphone }: Choice): Promise<MediaStream> {
  const exactly = (id: string): MediaTrackConstraints => (id ? { deviceId: { exact: id } } : {});
  return navigator.mediaDevices.getUserMedia({
    video: camera === NO_CAMERA ? false : { ...PICTURE, ...exactly(camera) },
    audio: { ...exactly(microphone), echoCancellation: false, noiseSuppression: false, autoGainControl: true },
  });
}

export function problemOf(error: unknown): Problem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "unsupported";
}

export function close(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** How long was recorded, without the pauses. */
class Stopwatch {
  private total = 0;
  private since: number | null = null;

  get ms(): number {
    return this.total + (this.since === null ? 0 : performance.now() - this.since);
  }
  start(): void {
    this.since ??= performance.now();
  }
  stop(): void {
    this.total = this.ms;
    this.since = null;
  }
}

export class Capture {
  readonly type: string;
  readonly watch = new Stopwatch();
  private readonly recorder: MediaRecorder;

  /** `onPiece` gets the pieces in order; `onEnd` comes after the last, asked for or because a device went away. */
  constructor(stream: MediaStream, onPiece: (piece: Blob, durationMs: number) => void, onEnd: () => void) {
    const types = stream.getVideoTracks().length ? VIDEO_TYPES : SOUND_TYPES;
    const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
    // Key frames every two seconds: an MP4 that breaks off can be read up to the last one (Chromium knows this option).
    const options = { mimeType, videoBitsPerSecond: 2_200_000, audioBitsPerSecond: 96_000, videoKeyFrameIntervalDuration: PIECE_MS };
    this.recorder = new MediaRecorder(stream, options);
    this.type = (this.recorder.mimeType || mimeType).split(";")[0] ?? "";
    this.recorder.addEventListener("dataavailable", (event) => event.data.size && onPiece(event.data, this.watch.ms));
    this.recorder.addEventListener("stop", () => {
      this.watch.stop();
      onEnd();
    });
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.stop());
  }

  get state(): RecordingState {
    return this.recorder.state;
  }

  start(): void {
    this.recorder.start(PIECE_MS);
    this.watch.start();
  }

  pause(): void {
    if (this.state !== "recording") return;
    this.recorder.requestData();
    this.recorder.pause();
    this.watch.stop();
  }

  resume(): void {
    if (this.state !== "paused") return;
    this.recorder.resume();
    this.watch.start();
  }

  stop(): void {
    if (this.state !== "inactive") this.recorder.stop();
  }
}
