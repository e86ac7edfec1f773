// <file-uploader> around an <input type=file> in a form: sends the file at once, through cuts, reloads and crashes; the form then
// carries only the upload's key. Without this script the form sends the file itself.
// Attributes: data-endpoint, data-purpose, data-name (of the hidden field: upload), data-lesson-key, data-done-url.
import { render } from "lit";
import { copyOf, earlierUploads, fingerprintOf, forget, keepCopy, rememberSent, settleSent, type Earlier } from "./earlier";
import { Sending } from "./sending";
import { hold } from "./store";
import "./style.css";
import { view } from "./view";
import { say } from "./words";

class FileUploader extends HTMLElement {
  private input!: HTMLInputElement;
  private readonly place = document.createElement("div");
  private readonly live = document.createElement("p");
  private sending: Sending | null = null;
  private fingerprint = "";
  private offer: Earlier | null = null;
  private isKept = false;
  private submitter: HTMLElement | null | undefined; // undefined: nobody asked to send the form
  private release: (() => void) | null = null;
  private stop = new AbortController();

  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    if (!input || this.dataset["ready"] !== undefined) return;
    this.dataset["ready"] = "";
    this.input = input;
    this.live.className = "visually-hidden";
    this.live.setAttribute("role", "status");
    this.append(this.place, this.live);
    this.stop = new AbortController();
    const { signal } = this.stop;
    input.addEventListener("change", () => input.files?.[0] && void this.choose(input.files[0]), { signal });
    this.form?.addEventListener("submit", (event) => this.onSubmit(event), { signal, capture: true });
    window.addEventListener("beforeunload", (event) => this.sending?.isUnderWay && event.preventDefault(), { signal });
    void this.look();
  }

  disconnectedCallback(): void {
    this.stop.abort();
    if (this.sending?.isUnderWay) void this.sending.pause();
    this.release?.();
  }

  private get form(): HTMLFormElement | null {
    return this.closest("form");
  }
  private get purpose(): string {
    return this.dataset["purpose"] ?? "";
  }

  /** The field by which the form tells which upload is meant. */
  private get field(): HTMLInputElement {
    const name = this.dataset["name"] ?? "upload";
    const root: HTMLElement = this.form ?? this;
    const found = root.querySelector<HTMLInputElement>(`input[name="${name}"]`);
    if (found) return found;
    const made = Object.assign(document.createElement("input"), { type: "hidden", name });
    this.append(made);
    return made;
  }

  /** Is there an upload to go on with? With a copy on this device it goes on by itself, else one is asked for the file. */
  private async look(): Promise<void> {
    const isBound = this.field.value !== "" || this.form?.querySelector("[aria-invalid=true]") != null;
    await settleSent(isBound);
    const lesson = this.dataset["lessonKey"] ?? "";
    const earlier = (await earlierUploads(this.purpose)).find((each) => each.lesson === lesson);
    if (!earlier || this.sending) return;
    const file = await copyOf(earlier.fingerprint);
    const release = await hold(`upload:${earlier.fingerprint}`);
    if (!release || this.sending) return release?.(); // another tab sends it
    if (file) return this.begin(file, earlier.fingerprint, release, earlier);
    release();
    this.offer = earlier;
    this.show();
  }

  private async choose(file: File): Promise<void> {
    const fingerprint = fingerprintOf(this.purpose, file);
    await this.clear(fingerprint);
    this.begin(file, fingerprint, await hold(`upload:${fingerprint}`));
    this.isKept = await keepCopy(fingerprint, file);
    this.show();
  }

  private begin(file: File, fingerprint: string, release: (() => void) | null, earlier?: Earlier): void {
    const metadata = { filename: file.name, filetype: file.type || "application/octet-stream", purpose: this.purpose };
    const lesson = this.dataset["lessonKey"];
    this.fingerprint = fingerprint;
    this.release = release;
    this.offer = null;
    this.isKept = earlier !== undefined;
    this.input.removeAttribute("name"); // the form posts no bytes
    this.input.required = false;
    this.sending = new Sending(file, this.dataset["endpoint"] ?? "/uploads/", lesson ? { ...metadata, lesson } : metadata, fingerprint, () => this.onChange());
    void this.sending.start(earlier?.previous);
    this.show();
  }

  private onChange(): void {
    const sending = this.sending;
    if (!sending) return;
    if (sending.url) this.field.value = sending.key;
    this.show();
    if (sending.state.phase === "done") this.onDone(sending);
    if (sending.state.phase === "failed") this.submitter = undefined;
  }

  private onDone(sending: Sending): void {
    this.dispatchEvent(new CustomEvent("uploader:done", { bubbles: true, detail: { key: sending.key } }));
    const next = this.dataset["doneUrl"];
    if (next) void forget({ fingerprint: this.fingerprint }).then(() => location.assign(next));
    else if (this.submitter !== undefined) this.form?.requestSubmit(this.submitter);
  }

  /** Before the end: keep sending, and send the form by itself when the file is there. Runs before htmx hears of it. */
  private onSubmit(event: SubmitEvent): void {
    const sending = this.sending;
    if (sending?.isUnderWay) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!this.form?.reportValidity()) return;
      this.submitter = event.submitter;
      if (sending.state.phase === "paused") sending.resume();
      this.show();
    } else if (sending?.state.phase === "done") rememberSent(this.fingerprint);
  }

  /** Leave what was under way for another file. */
  private async clear(except: string): Promise<void> {
    const [sending, fingerprint, offer] = [this.sending, this.fingerprint, this.offer];
    this.sending = this.offer = null;
    this.submitter = undefined;
    this.field.value = "";
    this.release?.();
    this.release = null;
    if (sending && fingerprint === except) await sending.pause();
    else if (sending) await sending.cancel();
    for (const each of [fingerprint, offer?.fingerprint]) if (each && each !== except) await forget({ fingerprint: each });
  }

  private show(): void {
    const { sending, offer, isKept } = this;
    const deeds = {
      pause: () => void sending?.pause(),
      resume: () => sending?.resume(),
      drop: () => void this.clear("").then(() => this.show()),
      forget: () => void this.clear("").then(() => this.reset()),
    };
    render(view({ sending, offer, isKept, willSubmit: this.submitter !== undefined && sending?.isUnderWay === true }, deeds), this.place);
    this.announce();
  }

  private reset(): void {
    this.input.value = "";
    this.show();
    this.input.click();
  }

  /** Only what changes the situation is spoken, not every percent. */
  private announce(): void {
    const phase = this.sending?.state.phase;
    const text = phase === "done" || phase === "failed" || phase === "waiting" || phase === "signed-out"
      ? this.place.querySelector(".progress-note")?.textContent ?? "" : this.submitter !== undefined ? say("sendLater") : "";
    if (this.live.textContent !== text) this.live.textContent = text;
  }
}

customElements.define("file-uploader", FileUploader);
