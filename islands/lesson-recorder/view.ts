// What one sees of the recorder, by the phase it is in.
import circle from "lucide-static/icons/circle.svg?raw";
import pause from "lucide-static/icons/pause.svg?raw";
import square from "lucide-static/icons/square.svg?raw";
import video from "lucide-static/icons/video.svg?raw";
import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { unsafeSVG } from "lit/directives/unsafe-svg.js";
import { size } from "../file-uploader/view";
import { clock } from "../lesson-player/times";
import { NO_CAMERA, type Choice, type Problem } from "./capture";
import type { Delivery } from "./delivery";
import type { Hearing } from "./level";
import type { Recording } from "./shelf";
import { say } from "./words";

export type Phase = "idle" | "asking" | "problem" | "ready" | "recording" | "paused" | "finishing" | "finished";
export type Shown = {
  phase: Phase; problem: Problem; found: Recording[]; devices: MediaDeviceInfo[]; choice: Choice; hasPicture: boolean;
  elapsedS: number; hearing: Hearing; delivery: Delivery | null; isUnplugged: boolean;
};
export type Deeds = {
  open: (camera?: string) => void; choose: (choice: Partial<Choice>) => void; record: () => void; pause: () => void; goOn: () => void; stop: () => void;
  finish: (recording: Recording) => void; discard: (recording: Recording) => void; preview: (element: Element | undefined) => void;
};

export function view(shown: Shown, deeds: Deeds): TemplateResult {
  const { phase } = shown;
  const isLive = phase === "ready" || phase === "recording" || phase === "paused";
  return html`<div class="recorder stack" data-phase=${phase}>
    ${phase === "idle" || phase === "problem" ? shown.found.map((each) => foundOne(each, deeds)) : nothing}
    ${phase === "idle" ? first(deeds) : nothing}
    ${phase === "asking" ? html`<p class="recorder-box">${say("asking")}</p>` : nothing}
    ${phase === "problem" ? trouble(shown.problem, deeds) : nothing}
    ${isLive ? stage(shown, deeds) : nothing}
    ${phase === "ready" ? devices(shown, deeds) : nothing}
    ${phase === "finishing" || phase === "finished" ? finishing(shown) : nothing}
  </div>`;
}

function button(label: string, deed: () => void, kind: string, drawing = ""): TemplateResult {
  return html`<button type="button" class="button button-${kind}" @click=${deed}>${drawing ? html`<span class="recorder-icon" aria-hidden="true">${icon(drawing)}</span>` : nothing}${label}</button>`;
}

function icon(drawing: string): TemplateResult {
  const inner = drawing.slice(drawing.indexOf(">", drawing.indexOf("<svg")) + 1, drawing.lastIndexOf("</svg>"));
  return html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${unsafeSVG(inner)}</svg>`;
}

function first(deeds: Deeds): TemplateResult {
  return html`<div class="recorder-box">
    <p>${say("intro")}</p>
    <div class="row">${button(say("turnOn"), () => deeds.open(), "main", video)}${button(say("soundOnly"), () => deeds.open(NO_CAMERA), "quiet")}</div>
  </div>`;
}

function trouble(problem: Problem, deeds: Deeds): TemplateResult {
  return html`<div class="recorder-box" role="alert">
    <p>${say(problem)}</p>
    ${problem === "unsupported" ? nothing : html`<div class="row">${button(say("tryAgain"), () => deeds.open(), "main")}${button(say("soundOnly"), () => deeds.open(NO_CAMERA), "quiet")}</div>`}
  </div>`;
}

function foundOne(recording: Recording, deeds: Deeds): TemplateResult {
  const language = document.documentElement.lang || "en";
  const when = new Intl.DateTimeFormat(language, { weekday: "long", hour: "numeric", minute: "2-digit" }).format(recording.begunAt);
  return html`<div class="recorder-found">
    <p>${say("found", { time: clock(recording.durationMs / 1000), when })}</p>
    <div class="row">${button(say("finish"), () => deeds.finish(recording), "main")}${button(say("discard"), () => deeds.discard(recording), "quiet")}</div>
  </div>`;
}

function stage(shown: Shown, deeds: Deeds): TemplateResult {
  const { phase, hasPicture, elapsedS } = shown;
  const state = phase === "recording" ? say("recording") : phase === "paused" ? say("paused") : say("ready");
  return html`<div class="recorder-stage">
      <div class="recorder-state"><span class="recorder-dot" aria-hidden="true"></span><strong>${state}</strong>${phase === "ready" ? nothing : html`<span class="recorder-time" role="timer">${clock(elapsedS)}</span>`}</div>
      <video class="recorder-preview" ?hidden=${!hasPicture} muted autoplay playsinline aria-label=${say("preview")} ${ref(deeds.preview)}></video>
      ${hasPicture ? nothing : html`<p class="recorder-sound">${say("soundPicture")}</p>`}
    </div>
    <div class="recorder-level">
      <div class="recorder-meter" aria-hidden="true"><div></div></div>
      <p class=${shown.hearing === "silence" ? "recorder-warn" : "quiet"} role="status">${say(shown.hearing)}</p>
    </div>
    <div class="row recorder-buttons">
      ${phase === "ready" ? button(say("record"), deeds.record, "main recorder-record", circle) : nothing}
      ${phase === "recording" ? button(say("pause"), deeds.pause, "plain", pause) : nothing}
      ${phase === "paused" ? button(say("goOn"), deeds.goOn, "plain", circle) : nothing}
      ${phase === "ready" ? nothing : button(say("stop"), deeds.stop, "main", square)}
    </div>
    ${phase === "ready" ? nothing : html`<p class="small quiet">${safety(shown)}</p>`}`;
}

/** How safe what was recorded is. */
function safety({ delivery, elapsedS }: Shown): string {
  if (!delivery) return "";
  if (!delivery.isKept) return say("notKept");
  if (delivery.standing === "waiting") return say("waiting");
  if (delivery.standing === "signed-out") return say("signedOut");
  const { bytes } = delivery.recording;
  return say("safe", { time: clock(bytes ? Math.min(elapsedS, (delivery.recording.durationMs / 1000) * (delivery.arrived / bytes)) : 0) });
}

function devices(shown: Shown, deeds: Deeds): TemplateResult {
  const cameras = shown.devices.filter((each) => each.kind === "videoinput");
  const microphones = shown.devices.filter((each) => each.kind === "audioinput");
  return html`<div class="recorder-devices">
    ${select(say("camera"), cameras, shown.choice.camera, (camera) => deeds.choose({ camera }), html`<option value=${NO_CAMERA} ?selected=${shown.choice.camera === NO_CAMERA}>${say("noCamera")}</option>`)}
    ${select(say("microphone"), microphones, shown.choice.microphone, (microphone) => deeds.choose({ microphone }), nothing)}
  </div>`;
}

function select(label: string, found: MediaDeviceInfo[], chosen: string, deed: (id: string) => void, more: unknown): TemplateResult {
  return html`<label class="recorder-device"><span>${label}</span>
    <select @change=${(event: Event) => deed((event.target as HTMLSelectElement).value)}>
      ${found.map((each, n) => html`<option value=${each.deviceId} ?selected=${each.deviceId === chosen}>${each.label || say("unnamed", { n: n + 1 })}</option>`)}${more}
    </select></label>`;
}

function finishing({ delivery, phase, isUnplugged }: Shown): TemplateResult {
  const total = delivery?.recording.bytes ?? 1;
  const { standing } = delivery ?? {};
  const text = phase === "finished" ? say("finished")
    : standing === "lost" ? say("lost") : standing === "waiting" ? say("waiting") : standing === "signed-out" ? say("signedOut")
    : say("finishing", { left: size(delivery?.left ?? 0) });
  return html`<div class="recorder-box">
    ${isUnplugged ? html`<p class="recorder-warn">${say("unplugged")}</p>` : nothing}
    <progress max=${total || 1} .value=${delivery?.arrived ?? 0} aria-label=${say("finish")}></progress>
    <p role="status">${text}</p>
  </div>`;
}
