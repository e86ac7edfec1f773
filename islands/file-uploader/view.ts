// What one sees of an upload: how far, how fast, how long still; and what one can do.
import { html, nothing, type TemplateResult } from "lit";
import type { Earlier } from "./earlier";
import type { Sending } from "./sending";
import { say } from "./words";

export type Deeds = { pause: () => void; resume: () => void; forget: () => void; drop: () => void };
export type Shown = { sending: Sending | null; offer: Earlier | null; willSubmit: boolean; isKept: boolean };

export function view(shown: Shown, deeds: Deeds): TemplateResult {
  if (shown.sending) return progress(shown.sending, shown, deeds);
  return shown.offer ? offer(shown.offer, deeds) : html``;
}

function offer(earlier: Earlier, deeds: Deeds): TemplateResult {
  return html`<div class="uploader-panel">
    <p>${say("offer", { name: earlier.name })}</p>
    <button type="button" class="button button-quiet button-s" @click=${deeds.drop}>${say("drop")}</button>
  </div>`;
}

function progress(sending: Sending, shown: Shown, deeds: Deeds): TemplateResult {
  const { phase, sent, total } = sending.state;
  const percent = total ? Math.floor((sent / total) * 100) : 100;
  const name = say("upload", { name: sending.file.name });
  return html`<div class="uploader-panel" data-phase=${phase}>
    <div class="progress ${phase === "done" ? "progress-good" : ""}">
      <div class="progress-head"><span class="uploader-name">${sending.file.name}</span><span>${percent} %</span></div>
      <progress max=${total || 1} .value=${total ? sent : 1} aria-label=${name}></progress>
      <p class="progress-note">${sentence(sending)}</p>
    </div>
    ${shown.willSubmit ? html`<p class="small">${say("sendLater")} ${shown.isKept ? say("kept") : nothing}</p>` : nothing}
    <div class="row">${buttons(sending, deeds)}</div>
  </div>`;
}

function buttons(sending: Sending, deeds: Deeds): TemplateResult {
  const { phase } = sending.state;
  const button = (label: string, deed: () => void, kind: string): TemplateResult =>
    html`<button type="button" class="button ${kind} button-s" @click=${deed}>${label}</button>`;
  const first = phase === "paused" ? button(say("resume"), deeds.resume, "button-plain")
    : phase === "done" ? nothing
    : phase === "failed" || phase === "waiting" || phase === "signed-out" ? button(say("again"), deeds.resume, "button-plain")
    : button(say("pause"), deeds.pause, "button-plain");
  return html`${first}${button(say("forget"), deeds.forget, "button-quiet")}`;
}

function sentence({ file, state }: Sending): string {
  const values = { name: file.name, sent: size(state.sent), total: size(state.total) };
  switch (state.phase) {
    case "starting": return say("starting");
    case "paused": return say("paused", values);
    case "waiting": return say("waiting");
    case "signed-out": return say("signIn");
    case "done": return say("done", values);
    case "failed": return say("failed", { reason: state.reason || say("refused") });
    default: return speedKnown(state.perSecond, state.total - state.sent, values);
  }
}

function speedKnown(perSecond: number, left: number, values: { sent: string; total: string }): string {
  if (perSecond < 1) return say("sendingFirst", values);
  return say("sending", { ...values, speed: `${size(perSecond)}/s`, left: duration(left / perSecond) });
}

export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** step;
  return format(value, units[step]!, value < 10 && step > 1 ? 1 : 0);
}

function duration(seconds: number): string {
  if (seconds < 90) return format(Math.max(1, Math.round(seconds)), "second", 0);
  return seconds < 5400 ? format(Math.round(seconds / 60), "minute", 0) : format(seconds / 3600, "hour", 1);
}

function format(value: number, unit: string, digits: number): string {
  const language = document.documentElement.lang || "en";
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits }).format(value);
}
