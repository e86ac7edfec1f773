// <lesson-player> around a <video controls>: watch a lesson or clip, find places, see and note moments.
// Without this script the video keeps the browser's own controls. Attributes: see the lessons' player.html.
import { Controls } from "./controls";
import { make } from "./dom";
import { keysDialog, watchKeys } from "./keyboard";
import { noteHere, watchPage } from "./marks";
import { Media } from "./media";
import { markRows, readMoments, watchMoments, type Moment } from "./moments";
import { Scrubber } from "./scrubber";
import { Sitting } from "./sitting";
import "./style.css";
import { Timeline } from "./timeline";
import { Trouble } from "./trouble";
import { Waveform } from "./waveform";
import { say } from "./words";

class LessonPlayer extends HTMLElement {
  private stop = new AbortController();
  private moments: Moment[] = [];
  private readonly live = make("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });

  connectedCallback(): void {
    const video = this.querySelector("video");
    if (!video || this.dataset["ready"] !== undefined) return;
    this.dataset["ready"] = "";
    this.stop = new AbortController();
    const media = new Media(video, Number(this.dataset["offsetMs"] ?? 0), Number(this.dataset["durationMs"] ?? 0), Number(this.dataset["frameRate"] ?? 0));
    this.build(media);
    video.controls = false;
    video.tabIndex = -1;
  }

  disconnectedCallback(): void {
    this.stop.abort();
  }

  private build(media: Media): void {
    const { signal } = this.stop;
    const announce = (text: string): void => void (this.live.textContent = text);
    const keys = keysDialog();
    const controls = new Controls(media, this, announce, () => keys.showModal());
    const scrubber = new Scrubber(media, this.dataset["storyboard"]);
    const trouble = new Trouble(media, this.dataset["mediaRenew"], announce, signal);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", say("player"));
    this.append(trouble.element, make("div", { class: "player-bar" }, scrubber.element, controls.element), this.lines(media), this.live, keys);
    this.listen(media, controls, announce);
    if (this.dataset["sitUrl"]) new Sitting(media, this.dataset["sitUrl"], signal);
  }

  /** Moments above, loudness below; the same distance is the same time as on the scrubber. */
  private lines(media: Media): HTMLElement {
    const timeline = new Timeline(media);
    const wave = new Waveform(media);
    const panel = make("div", { class: "player-lines" }, timeline.legend, timeline.element, wave.canvas);
    wave.canvas.addEventListener("click", (event) => media.seek(media.at(event.offsetX / wave.canvas.clientWidth)));
    void wave.load(this.dataset["waveform"]).then(() => showPanel());
    const showPanel = (): void => void (panel.hidden = !this.moments.length && wave.canvas.hidden);
    const mark = (): void => {
      timeline.mark(media.nowS);
      markRows(this.moments, media.nowS);
    };
    const read = (): void => {
      this.moments = readMoments();
      timeline.show(this.moments);
      showPanel();
      mark();
    };
    read();
    watchMoments(read, this.stop.signal);
    for (const name of ["timeupdate", "seeked"]) media.video.addEventListener(name, mark);
    return panel;
  }

  private listen(media: Media, controls: Controls, announce: (text: string) => void): void {
    const { signal } = this.stop;
    const { video } = media;
    video.addEventListener("click", () => media.toggle(), { signal });
    video.addEventListener("loadedmetadata", () => this.toggleAttribute("data-sound-only", video.videoWidth === 0), { signal });
    watchPage(media, this, announce, signal);
    watchKeys(this, {
      " ": () => media.toggle(), k: () => media.toggle(), j: () => media.move(-10), l: () => media.move(10),
      ArrowLeft: () => media.move(-5), ArrowRight: () => media.move(5), ArrowDown: () => media.move(-5), ArrowUp: () => media.move(5),
      PageDown: () => media.move(-60), PageUp: () => media.move(60),
      ",": () => media.step(-1), ".": () => media.step(1), "<": () => controls.changeSpeed(-1), ">": () => controls.changeSpeed(1),
      m: () => controls.toggleSound(), c: () => controls.toggleCaptions(), f: () => controls.toggleFull(), n: () => noteHere(media, announce),
      Home: () => media.seek(media.offsetS), End: () => media.seek(media.endS),
    }, (tens) => media.seek(media.at(tens / 10)), signal);
  }
}

customElements.define("lesson-player", LessonPlayer);
