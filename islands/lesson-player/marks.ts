// The player and the rest of the page: times that are pressed, and forms that are filled with the time of now.
import type { Media } from "./media";
import { clock, exactClock } from "./times";
import { say } from "./words";

type Announce = (text: string) => void;

export function watchPage(media: Media, player: HTMLElement, announce: Announce, signal: AbortSignal): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const time = target.closest<HTMLElement>("[data-seek-ms], [data-seconds]");
    const mark = target.closest<HTMLElement>("[data-mark]");
    if (time) jump(time, event, media, player);
    else if (mark) fill(mark, media, announce);
  }, { signal });
  document.addEventListener("focusin", (event) => startHere(event.target as Element, media), { signal });
}

function jump(time: HTMLElement, event: Event, media: Media, player: HTMLElement): void {
  const seconds = time.dataset["seekMs"] === undefined ? Number(time.dataset["seconds"]) : Number(time.dataset["seekMs"]) / 1000;
  if (!Number.isFinite(seconds)) return;
  event.preventDefault();
  media.seek(seconds);
  player.scrollIntoView({ block: "nearest" });
}

function fill(mark: HTMLElement, media: Media, announce: Announce): void {
  const form = mark.closest("form");
  const [start, end] = [fieldOf(form, "start"), fieldOf(form, "end")];
  const now = exactClock(media.nowS);
  if (mark.dataset["mark"] === "start") {
    set(start, now);
    if (end?.value && secondsOf(end.value) <= media.nowS) set(end, "");
    announce(say("startIs", { at: now }));
  } else if (mark.dataset["mark"] === "end") {
    set(end, now);
    announce(say("endIs", { at: now }));
  } else {
    set(start, "");
    set(end, "");
    announce(say("cleared"));
  }
}

/** Whoever begins to write means this moment, unless a time is there already. */
function startHere(target: Element, media: Media): void {
  if (!(target instanceof HTMLTextAreaElement) || target.name !== "text") return;
  const start = fieldOf(target.form, "start");
  if (start && !start.value && target.form?.querySelector("[data-mark]")) set(start, exactClock(media.nowS));
}

/** Stop, put the time into the form of moments, and let one write. */
export function noteHere(media: Media, announce: Announce): void {
  const form = document.querySelector<HTMLFormElement>("#moment-form") ?? document.querySelector("[data-mark]")?.closest("form");
  const text = form?.querySelector<HTMLElement>("textarea[name=text]");
  if (!form || !text) return;
  media.video.pause();
  set(fieldOf(form, "start"), exactClock(media.nowS));
  if (!(text as HTMLTextAreaElement).value) set(fieldOf(form, "end"), "");
  text.focus();
  announce(say("noteAt", { at: clock(media.nowS) }));
}

function fieldOf(form: HTMLFormElement | null | undefined, name: string): HTMLInputElement | null {
  return form?.querySelector<HTMLInputElement>(`input[name=${name}]`) ?? null;
}

/** As if it had been typed, so that drafts and counters hear of it. */
function set(field: HTMLInputElement | null, value: string): void {
  if (!field || field.value === value) return;
  field.value = value;
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
}

export function secondsOf(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part.replace(",", ".")), 0);
}
