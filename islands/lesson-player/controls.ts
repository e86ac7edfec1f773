// The bar under the picture: what one presses.
import { button, make, relabel, remember } from "./dom";
import type { Media } from "./media";
import { clock } from "./times";
import { say } from "./words";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const SPEED_KEY = "lesson-player:speed";

export class Controls {
  readonly element: HTMLElement;
  private readonly media: Media;
  private readonly player: HTMLElement;
  private readonly announce: (text: string) => void;
  private readonly play: HTMLButtonElement;
  private readonly mute: HTMLButtonElement;
  private readonly captions: HTMLButtonElement;
  private readonly full: HTMLButtonElement;
  private readonly speed = make("select", { class: "player-speed", "aria-label": say("speed"), title: say("speed") });
  private readonly volume = make("input", { type: "range", class: "player-volume", min: "0", max: "1", step: "0.05", "aria-label": say("volume") });
  private readonly time = make("span", { class: "player-time" });

  constructor(media: Media, player: HTMLElement, announce: (text: string) => void, openKeys: () => void) {
    this.media = media;
    this.player = player;
    this.announce = announce;
    this.play = button("play", say("play"), () => media.toggle(), "player-play");
    this.mute = button("sound", say("mute"), () => this.toggleSound());
    this.captions = button("captions", say("captions"), () => this.toggleCaptions());
    this.full = button("maximize", say("full"), () => this.toggleFull());
    const back = button("back", say("back"), () => media.move(-10), "player-ten");
    const forward = button("forward", say("forward"), () => media.move(10), "player-ten");
    const frames = [button("frameBack", say("frameBack"), () => media.step(-1), "player-wide"), button("frameForward", say("frameForward"), () => media.step(1), "player-wide")];
    const keys = button("keyboard", say("keys"), openKeys, "player-keyboard");
    this.element = make("div", { class: "player-controls" }, this.play, back, forward, ...frames, this.time,
      make("span", { class: "player-gap" }), this.speed, this.mute, this.volume, this.captions, keys, this.full);
    this.setUp();
  }

  private setUp(): void {
    const { video } = this.media;
    this.speed.append(...SPEEDS.map((speed) => make("option", { value: String(speed) }, `${speed}×`)));
    this.speed.addEventListener("change", () => this.setSpeed(Number(this.speed.value)));
    this.volume.addEventListener("input", () => this.setVolume(Number(this.volume.value)));
    this.captions.hidden = !this.tracks().length;
    this.full.hidden = !document.fullscreenEnabled && !("webkitEnterFullscreen" in video);
    for (const name of ["play", "pause", "ended", "volumechange", "ratechange", "timeupdate", "durationchange", "seeking"]) video.addEventListener(name, () => this.show());
    document.addEventListener("fullscreenchange", () => this.show());
    const kept = Number(remember(SPEED_KEY));
    if (SPEEDS.includes(kept)) video.playbackRate = video.defaultPlaybackRate = kept;
    this.show();
  }

  private show(): void {
    const { video } = this.media;
    const isPlaying = !video.paused && !video.ended;
    this.change(this.play, isPlaying ? say("pause") : say("play"), isPlaying ? "pause" : "play");
    const isSilent = video.muted || video.volume === 0;
    this.change(this.mute, isSilent ? say("unmute") : say("mute"), isSilent ? "muted" : "sound");
    const isFull = document.fullscreenElement === this.player;
    this.change(this.full, isFull ? say("leaveFull") : say("full"), isFull ? "minimize" : "maximize");
    this.volume.value = String(video.muted ? 0 : video.volume);
    this.speed.value = String(video.playbackRate);
    this.captions.setAttribute("aria-pressed", String(this.hasCaptions()));
    this.time.textContent = `${clock(this.media.nowS)} / ${clock(this.media.endS)}`;
  }

  /** Only what is different, so that nothing is spoken or drawn without need. */
  private change(target: HTMLButtonElement, label: string, name: Parameters<typeof relabel>[2]): void {
    if (target.getAttribute("aria-label") !== label) relabel(target, label, name);
  }

  setSpeed(speed: number): void {
    const { video } = this.media;
    video.playbackRate = video.defaultPlaybackRate = speed;
    remember(SPEED_KEY, String(speed));
  }

  changeSpeed(by: 1 | -1): void {
    const now = SPEEDS.findIndex((speed) => speed >= this.media.video.playbackRate);
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, now + by))]!;
    this.setSpeed(speed);
    this.announce(say("speedIs", { speed }));
  }

  private setVolume(volume: number): void {
    this.media.video.volume = volume;
    this.media.video.muted = volume === 0;
  }

  toggleSound(): void {
    const { video } = this.media;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 1;
    this.announce(say(video.muted ? "muted" : "soundOn"));
  }

  /** What is said, for reading along; other tracks, such as that of the notes, are not for the eye. */
  private tracks(): TextTrack[] {
    return [...this.media.video.textTracks].filter((track) => track.kind === "captions" || track.kind === "subtitles");
  }

  private hasCaptions(): boolean {
    return this.tracks().some((track) => track.mode === "showing");
  }

  toggleCaptions(): void {
    const tracks = this.tracks();
    if (!tracks.length) return;
    const isOn = this.hasCaptions();
    tracks.forEach((track, n) => (track.mode = !isOn && n === 0 ? "showing" : "disabled"));
    this.announce(say(isOn ? "captionsOff" : "captionsOn"));
    this.show();
  }

  /** The whole player, with its bar and timeline; on an iPhone only the video can. */
  toggleFull(): void {
    const video = this.media.video as HTMLVideoElement & { webkitEnterFullscreen?: () => void };
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (document.fullscreenEnabled) this.player.requestFullscreen().catch(() => undefined);
    else video.webkitEnterFullscreen?.();
  }
}
