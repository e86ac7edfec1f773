// The moments as buttons on a line, each kind with its own shape and color; a toolbar, so one stop of the tab key.
import { make } from "./dom";
import type { Media } from "./media";
import { isNow, type Moment } from "./moments";
import { clock } from "./times";
import { say } from "./words";

const KINDS = ["note", "question", "suggestion", "strength"] as const;
const LEAST_PX = 26;
const LANES = 3;

export class Timeline {
  readonly element = make("div", { class: "line", dir: "ltr", role: "toolbar" });
  readonly legend = make("ul", { class: "line-legend" });
  private readonly tip = make("div", { class: "line-tip", hidden: true, "aria-hidden": "true" });
  private readonly media: Media;
  private moments: Moment[] = [];
  private buttons: HTMLButtonElement[] = [];

  constructor(media: Media) {
    this.media = media;
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    for (const name of ["pointerover", "focusin"]) this.element.addEventListener(name, (event) => this.showTip(event));
    for (const name of ["pointerleave", "focusout"]) this.element.addEventListener(name, () => (this.tip.hidden = true));
    new ResizeObserver(() => this.place()).observe(this.element);
    media.video.addEventListener("loadedmetadata", () => this.place());
  }

  show(moments: Moment[]): void {
    const focused = this.buttons.indexOf(document.activeElement as HTMLButtonElement);
    this.moments = moments;
    this.buttons = moments.map((moment, n) => this.buttonOf(moment, n));
    this.element.hidden = moments.length === 0;
    this.element.setAttribute("aria-label", say("notes", { count: moments.length }));
    this.element.replaceChildren(...this.buttons, this.tip);
    this.tip.hidden = true;
    this.showLegend();
    this.place();
    if (focused >= 0) this.focus(Math.min(focused, this.buttons.length - 1));
  }

  /** Which are now: shown by a ring. */
  mark(lessonS: number): void {
    this.moments.forEach((moment, n) => this.buttons[n]?.toggleAttribute("data-now", isNow(moment, lessonS)));
  }

  private buttonOf(moment: Moment, n: number): HTMLButtonElement {
    const kind = shapeOf(moment.kind);
    const made = make("button", { type: "button", class: `pin pin-${kind}`, tabindex: n ? "-1" : "0", "aria-label": label(moment) },
      make("span", { class: "pin-shape" }));
    made.toggleAttribute("data-range", moment.end_ms !== null);
    made.addEventListener("click", () => this.media.seek(moment.start_ms / 1000));
    return made;
  }

  private showLegend(): void {
    const present = KINDS.filter((kind) => this.moments.some((moment) => shapeOf(moment.kind) === kind));
    this.legend.hidden = present.length === 0;
    this.legend.replaceChildren(...present.map((kind) =>
      make("li", { class: `pin-${kind}` }, make("span", { class: "pin-shape" }), say(kind))));
  }

  /** Side by side where there is room, else one below the other. */
  private place(): void {
    const width = this.element.clientWidth;
    if (!width) return;
    const ends = Array<number>(LANES).fill(-Infinity);
    let used = 1;
    this.moments.forEach((moment, n) => {
      const pin = this.buttons[n]!;
      const from = this.media.part(moment.start_ms / 1000) * width;
      const size = Math.max(LEAST_PX, moment.end_ms === null ? 0 : this.media.part(moment.end_ms / 1000) * width - from);
      const left = Math.min(moment.end_ms === null ? from - LEAST_PX / 2 : from, width - size);
      let lane = ends.findIndex((end) => end <= left);
      if (lane < 0) lane = ends.indexOf(Math.min(...ends));
      ends[lane] = left + size;
      used = Math.max(used, lane + 1);
      for (const [name, value] of [["--left", `${Math.max(0, left)}px`], ["--size", `${size}px`], ["--lane", String(lane)]] as const)
        pin.style.setProperty(name, value);
    });
    this.element.style.setProperty("--lanes", String(used));
  }

  private onKey(event: KeyboardEvent): void {
    const now = this.buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: this.buttons.length - 1 }[event.key];
    if (now < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.focus(Math.min(this.buttons.length - 1, Math.max(0, to)));
  }

  private focus(n: number): void {
    this.buttons.forEach((each, at) => (each.tabIndex = at === n ? 0 : -1));
    this.buttons[n]?.focus();
  }

  private showTip(event: Event): void {
    const pin = (event.target as Element).closest<HTMLButtonElement>(".pin");
    const moment = pin && this.moments[this.buttons.indexOf(pin)];
    this.tip.hidden = !moment;
    if (!pin || !moment) return;
    this.tip.replaceChildren(make("strong", {}, `${clock(moment.start_ms / 1000)} ${moment.author}`), ` ${brief(moment.text)}`);
    const middle = pin.offsetLeft + pin.offsetWidth / 2;
    const half = Math.min(this.tip.offsetWidth, this.element.clientWidth) / 2;
    this.tip.style.setProperty("--at", `${Math.min(Math.max(middle, half), this.element.clientWidth - half)}px`);
  }
}

function shapeOf(kind: string): (typeof KINDS)[number] {
  return KINDS.find((each) => each === kind) ?? "note";
}

function label(moment: Moment): string {
  const values = { kind: say(shapeOf(moment.kind)), author: moment.author || say("somebody"), at: clock(moment.start_ms / 1000), text: brief(moment.text) };
  if (moment.end_ms === null) return say("moment", values);
  return say("momentRange", { ...values, end: clock(moment.end_ms / 1000) });
}

function brief(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  return words.length > 120 ? `${words.slice(0, 119).trimEnd()}…` : words;
}
