// <lesson-recorder>: record a lesson with this device. Nothing begins by itself; while it records, everybody sees it; what is
// recorded is on this device and on its way to the server within seconds, and can be finished after a crash.
// Attributes: data-endpoint, data-lesson-key, data-name (of the file), data-finish-url (POST upload), data-done-url.
import { render } from "lit";
import { person, post } from "../file-uploader/page";
import { hold } from "../file-uploader/store";
import { clock } from "../lesson-player/times";
import { canRecord, Capture, close, NO_CAMERA, openDevices, problemOf, type Choice } from "./capture";
import { Delivery } from "./delivery";
import { Level } from "./level";
import { discard, unfinished, type Recording } from "./shelf";
import "./style.css";
import { terminate } from "./tus";
import { view, type Phase, type Shown } from "./view";
import { say } from "./words";

class LessonRecorder extends HTMLElement {
  private readonly place = document.createElement("div");
  private readonly pageTitle = document.title;
  private state: Shown = {
    phase: "idle", problem: "denied", found: [], devices: [], choice: { camera: "", microphone: "" }, hasPicture: true,
    elapsedS: 0, hearing: "listening", delivery: null, isUnplugged: false,
  };
  private stream: MediaStream | null = null;
  private capture: Capture | null = null;
  private level: Level | null = null;
  private awake: WakeLockSentinel | null = null;
  private hasAskedToStop = false;
  private stopListening = new AbortController();

  connectedCallback(): void {
    if (this.dataset["ready"] !== undefined) return;
    this.dataset["ready"] = "";
    this.replaceChildren(this.place);
    this.stopListening = new AbortController();
    const { signal } = this.stopListening;
    const timer = window.setInterval(() => this.tick(), 500);
    signal.addEventListener("abort", () => clearInterval(timer));
    window.addEventListener("beforeunload", (event) => ["recording", "paused", "finishing"].includes(this.state.phase) && event.preventDefault(), { signal });
    document.addEventListener("visibilitychange", () => void this.stayAwake(), { signal });
    if (canRecord()) void this.look();
    else this.set({ phase: "problem", problem: "unsupported" });
  }

  disconnectedCallback(): void {
    this.stopListening.abort();
    this.capture?.stop();
    this.closeDevices();
  }

  /** What a closed laptop or a crash left behind, unless another tab is still recording it. */
  private async look(): Promise<void> {
    const found: Recording[] = [];
    for (const each of await unfinished()) {
      const release = await hold(`recording:${each.id}`);
      if (release) found.push(each);
      release?.();
    }
    this.set({ found });
  }

  private async open(choice: Choice = this.state.choice): Promise<void> {
    this.set({ phase: "asking", choice });
    this.closeDevices();
    try {
      this.stream = await openDevices(choice);
    } catch (error) {
      return this.set({ phase: "problem", problem: problemOf(error) });
    }
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter((each) => each.deviceId);
    const idOf = (track: MediaStreamTrack | undefined): string => track?.getSettings().deviceId ?? "";
    const [picture, sound] = [this.stream.getVideoTracks()[0], this.stream.getAudioTracks()[0]];
    this.level = new Level(this.stream, (level) => this.showLevel(level), () => this.level && this.set({ hearing: this.level.hearing }));
    this.set({
      phase: "ready", devices, hasPicture: picture !== undefined, hearing: "listening",
      choice: { camera: picture ? idOf(picture) : NO_CAMERA, microphone: idOf(sound) },
    });
  }

  private closeDevices(): void {
    this.level?.close();
    this.level = null;
    close(this.stream);
    this.stream = null;
  }

  private async record(): Promise<void> {
    const { stream } = this;
    if (!stream) return;
    void navigator.storage?.persist?.();
    const capture = new Capture(stream, (piece, durationMs) => delivery.add(piece, durationMs), () => void this.ended(delivery));
    const recording = this.newRecording(capture.type);
    const delivery: Delivery = new Delivery(recording, this.dataset["endpoint"] ?? "/uploads/", () => this.set({}));
    await hold(`recording:${recording.id}`);
    this.capture = capture;
    this.hasAskedToStop = false;
    capture.start();
    this.set({ phase: "recording", delivery, elapsedS: 0, isUnplugged: false });
    void this.stayAwake();
    void this.deliver(delivery);
  }

  private newRecording(type: string): Recording {
    const { name = "lesson", lessonKey = "", finishUrl = "", doneUrl = this.dataset["nextUrl"] ?? "" } = this.dataset;
    const id = `${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
    const ending = type.split("/")[1] === "mp4" ? (type.startsWith("audio") ? "m4a" : "mp4") : "webm";
    return { id, person: person(), name: `${name}.${ending}`, type, begunAt: Date.now(), durationMs: 0, bytes: 0, url: "", lesson: lessonKey, finishUrl, doneUrl };
  }

  /** The last piece was made: by the button, or because a device was unplugged. */
  private async ended(delivery: Delivery): Promise<void> {
    this.closeDevices();
    this.capture = null;
    void this.awake?.release();
    this.awake = null;
    this.set({ phase: "finishing", isUnplugged: !this.hasAskedToStop });
    await delivery.close();
  }

  /** Until all of it has arrived; then the lesson hears of it. */
  private async deliver(delivery: Delivery): Promise<void> {
    if (!(await delivery.run())) return this.set({});
    const { recording } = delivery;
    const key = new URL(recording.url).pathname.replace(/\/$/, "").split("/").pop() ?? "";
    const next = (recording.finishUrl ? await this.tellFinished(recording.finishUrl, key) : "") || recording.doneUrl;
    await discard(recording);
    this.set({ phase: "finished" });
    this.dispatchEvent(new CustomEvent("recorder:done", { bubbles: true, detail: { key } }));
    if (next) location.assign(next);
  }

  /** The server's answer may name where to go: as JSON {url}. A network that is away is waited for. */
  private async tellFinished(url: string, upload: string): Promise<string> {
    for (;;) {
      try {
        const answer = await post(url, { upload }, { redirect: "manual" });
        if (answer.status < 500) return answer.headers.get("content-type")?.includes("json") ? String(((await answer.json()) as { url?: string }).url ?? "") : "";
      } catch {
        // Again below.
      }
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }

  private async finish(recording: Recording): Promise<void> {
    const release = await hold(`recording:${recording.id}`);
    if (!release) return this.look();
    const delivery = new Delivery(recording, this.dataset["endpoint"] ?? "/uploads/", () => this.set({}));
    this.set({ phase: "finishing", delivery, found: [], isUnplugged: false });
    await delivery.takeUp();
    await delivery.close();
    await this.deliver(delivery);
  }

  private async drop(recording: Recording): Promise<void> {
    if (!confirm(say("discardSure", { time: clock(recording.durationMs / 1000) }))) return;
    await discard(recording);
    if (recording.url) await terminate(recording.url);
    await this.look();
  }

  private async stayAwake(): Promise<void> {
    if (document.hidden || this.capture?.state !== "recording" || (this.awake && !this.awake.released)) return;
    this.awake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  }

  private tick(): void {
    if (this.capture) this.set({ elapsedS: this.capture.watch.ms / 1000 });
  }

  private showLevel(level: number): void {
    this.place.querySelector<HTMLElement>(".recorder-meter")?.style.setProperty("--level", String(level));
  }

  private setPhase(phase: Phase, deed: () => void): void {
    deed();
    this.set({ phase, elapsedS: (this.capture?.watch.ms ?? 0) / 1000 });
  }

  private set(change: Partial<Shown>): void {
    this.state = { ...this.state, ...change };
    const { phase, elapsedS, choice } = this.state;
    const title = { recording: "titleRecording", paused: "titlePaused" }[phase as string] as "titleRecording" | undefined;
    document.title = title ? `${say(title, { time: clock(elapsedS) })} · ${this.pageTitle}` : this.pageTitle;
    render(view(this.state, {
      open: (camera = "") => void this.open({ ...choice, camera }),
      choose: (changed) => void this.open({ ...choice, ...changed }),
      record: () => void this.record(),
      pause: () => this.setPhase("paused", () => this.capture?.pause()),
      goOn: () => this.setPhase("recording", () => this.capture?.resume()),
      stop: () => {
        this.hasAskedToStop = true;
        this.capture?.stop();
      },
      finish: (recording) => void this.finish(recording),
      discard: (recording) => void this.drop(recording),
      preview: (element) => {
        if (element instanceof HTMLVideoElement && element.srcObject !== this.stream) {
          element.muted = true;
          element.srcObject = this.stream;
        }
      },
    }), this.place);
  }
}

customElements.define("lesson-recorder", LessonRecorder);
