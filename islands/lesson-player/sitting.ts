// How long somebody really watched: seconds in which it played on a visible page, told to the server now and then.
import { csrfToken, post } from "../file-uploader/page";
import type { Media } from "./media";

const EVERY_S = 15;

export class Sitting {
  private readonly media: Media;
  private readonly url: string;
  private seconds = 0;
  private before = performance.now();

  constructor(media: Media, url: string, signal: AbortSignal) {
    this.media = media;
    this.url = url;
    const timer = window.setInterval(() => this.count(), 1000);
    window.addEventListener("pagehide", () => this.tell(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.tell(), { signal });
    for (const name of ["pause", "ended"]) media.video.addEventListener(name, () => this.tell(), { signal });
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  private count(): void {
    const now = performance.now();
    const passed = (now - this.before) / 1000;
    this.before = now;
    const { video } = this.media;
    const isWatching = !video.paused && !video.seeking && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !document.hidden;
    if (isWatching) this.seconds += Math.min(passed, 2); // a sleeping laptop does not watch
    if (this.seconds >= EVERY_S) this.tell();
  }

  /** `keepalive` lets it arrive although the page closes. What could not be told is told the next time. */
  private tell(): void {
    const whole = Math.floor(this.seconds);
    if (whole < 1 || !csrfToken()) return;
    this.seconds -= whole;
    post(this.url, { seconds: String(whole) }, { keepalive: true })
      .then((answer) => answer.status >= 500 && (this.seconds += whole))
      .catch(() => (this.seconds += whole));
  }
}
