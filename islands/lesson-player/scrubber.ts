// The line on which one finds a place: a slider for keyboard and screen reader, a track for finger and mouse.
import { make } from "./dom";
import { clamp, type Media } from "./media";
import { Storyboard } from "./storyboard";
import { clock, spoken } from "./times";
import { say } from "./words";

export class Scrubber {
  readonly element: HTMLElement;
  private readonly media: Media;
  private readonly ranges = make("div", { class: "scrub-ranges" });
  private readonly preview: HTMLElement;
  private readonly picture = make("div", { class: "scrub-picture", hidden: true });
  private readonly time = make("span", { class: "scrub-time" });
  private readonly storyboard: Storyboard;
  private isDragging = false;

  constructor(media: Media, storyboardUrl: string | undefined) {
    this.media = media;
    this.storyboard = new Storyboard(storyboardUrl, media);
    this.preview = make("div", { class: "scrub-preview", hidden: true, "aria-hidden": "true" }, this.picture, this.time);
    const track = make("div", { class: "scrub-track" }, this.ranges, make("div", { class: "scrub-played" }));
    this.element = make("div", { class: "scrub", dir: "ltr", role: "slider", tabindex: "0", "aria-label": say("position") },
      track, make("div", { class: "scrub-knob" }), this.preview);
    this.listen();
    this.show();
  }

  private listen(): void {
    const { element, media: { video } } = this;
    element.addEventListener("pointerdown", (event) => this.grab(event));
    element.addEventListener("pointermove", (event) => this.hover(event));
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => this.release());
    element.addEventListener("pointerleave", () => this.hide());
    element.addEventListener("focus", () => element.matches(":focus-visible") && this.showPreview(this.media.nowS));
    element.addEventListener("blur", () => this.hide());
    for (const name of ["timeupdate", "seeking", "durationchange", "loadedmetadata"]) video.addEventListener(name, () => this.show());
    for (const name of ["progress", "loadedmetadata", "seeked"]) video.addEventListener(name, () => this.showBuffered());
  }

  private grab(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.isDragging = true;
    this.element.setPointerCapture(event.pointerId);
    this.media.seek(this.under(event));
    this.showPreview(this.under(event));
  }

  private hover(event: PointerEvent): void {
    this.showPreview(this.under(event));
    if (this.isDragging) this.media.seek(this.under(event));
  }

  private release(): void {
    this.isDragging = false;
  }

  private hide(): void {
    if (!this.isDragging) this.preview.hidden = true;
  }

  private under(event: PointerEvent): number {
    const box = this.element.getBoundingClientRect();
    return this.media.at((event.clientX - box.left) / box.width);
  }

  private showPreview(lessonS: number): void {
    const width = this.element.clientWidth;
    const half = this.storyboard.width / 2 || 28;
    const centre = clamp(this.media.part(lessonS) * width, half, Math.max(half, width - half));
    this.preview.hidden = false;
    this.preview.style.setProperty("--at", `${centre}px`);
    this.time.textContent = clock(lessonS);
    this.storyboard.show(this.picture, lessonS - this.media.offsetS);
  }

  private show(): void {
    const { media, element } = this;
    element.style.setProperty("--played-part", String(media.part(media.nowS)));
    element.setAttribute("aria-valuemin", String(Math.floor(media.offsetS)));
    element.setAttribute("aria-valuemax", String(Math.ceil(media.endS)));
    element.setAttribute("aria-valuenow", String(Math.floor(media.nowS)));
    element.setAttribute("aria-valuetext", say("at", { at: spoken(media.nowS), end: spoken(media.endS) }));
    if (document.activeElement === element && !this.preview.hidden && !element.matches(":hover")) this.showPreview(media.nowS);
  }

  /** What has come already: a lighter part of the track. */
  private showBuffered(): void {
    const { buffered } = this.media.video;
    const total = this.media.durationS || 1;
    this.ranges.replaceChildren(...Array.from({ length: buffered.length }, (_, n) => {
      const range = make("div", { class: "scrub-range" });
      range.style.setProperty("--from", String(buffered.start(n) / total));
      range.style.setProperty("--part", String((buffered.end(n) - buffered.start(n)) / total));
      return range;
    }));
  }
}

