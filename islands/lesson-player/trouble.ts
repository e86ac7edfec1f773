// When the media do not come: waiting is shown; a link that ended is renewed; what was taken back is said in words.
import { button, make } from "./dom";
import type { Media } from "./media";
import { say } from "./words";

const PATIENCE_MS = 700;
const RENEW_AGAIN_MS = 20_000;

export class Trouble {
  readonly element = make("div", { class: "player-veil", hidden: true });
  private readonly media: Media;
  private readonly renewUrl: string | undefined;
  private readonly announce: (text: string) => void;
  private timer = 0;
  private renewedAt = -Infinity;
  private isLookedInto = false;

  constructor(media: Media, renewUrl: string | undefined, announce: (text: string) => void, signal: AbortSignal) {
    this.media = media;
    this.renewUrl = renewUrl;
    this.announce = announce;
    const { video } = media;
    for (const name of ["waiting", "stalled"]) video.addEventListener(name, () => this.wait(), { signal });
    for (const name of ["playing", "canplay", "seeked", "pause", "loadeddata"]) video.addEventListener(name, () => this.calm(), { signal });
    video.addEventListener("error", () => void this.look(), { signal, capture: true });
    if (video.error || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) void this.look();
  }

  private wait(): void {
    const { video } = this.media;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (!video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.tell(say("waiting"), "waiting");
    }, PATIENCE_MS);
  }

  private calm(): void {
    clearTimeout(this.timer);
    if (this.element.dataset["state"] === "waiting") this.element.hidden = true;
  }

  /** The media element does not tell why it failed: ask for one byte and see. */
  private async look(): Promise<void> {
    if (this.isLookedInto) return;
    this.isLookedInto = true;
    clearTimeout(this.timer);
    const { video } = this.media;
    const wasPlaying = !video.paused;
    const status = await this.ask(video.currentSrc || video.src);
    if ([401, 403, 404, 410].includes(status)) await this.renew(wasPlaying);
    else if (status === 0 || status >= 500) this.comeBack();
    else this.tell(say("broken"), "broken");
    this.isLookedInto = false;
  }

  private async ask(url: string): Promise<number> {
    try {
      const answer = await fetch(url, { headers: { Range: "bytes=0-0" }, credentials: "same-origin", cache: "no-store" });
      void answer.body?.cancel();
      return answer.status;
    } catch {
      return 0;
    }
  }

  /** A fresh link, once; a page that was open for long may ask again later. */
  private async renew(wasPlaying: boolean): Promise<void> {
    const isTooSoon = performance.now() - this.renewedAt < RENEW_AGAIN_MS;
    this.renewedAt = performance.now();
    const src = isTooSoon ? null : await this.freshLink();
    if (src === undefined) this.comeBack();
    else if (src) this.load(src, wasPlaying);
    else this.refuse();
  }

  /** Null: there is none any more; undefined: nobody answered. */
  private async freshLink(): Promise<string | null | undefined> {
    if (!this.renewUrl) return null;
    try {
      const answer = await fetch(this.renewUrl, { credentials: "same-origin", headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) return answer.status >= 500 ? undefined : null;
      return ((await answer.json()) as { src?: string }).src ?? null;
    } catch {
      return undefined;
    }
  }

  private load(src: string, shouldPlay: boolean): void {
    const { video } = this.media;
    const at = video.currentTime;
    video.src = src;
    video.currentTime = at;
    this.element.hidden = true;
    if (shouldPlay) this.media.play();
  }

  private refuse(): void {
    const isClip = location.pathname.startsWith("/clips/") || this.media.offsetS > 0;
    this.tell(say(isClip ? "refusedClip" : "refusedLesson"), "refused");
    this.media.video.removeAttribute("poster");
  }

  private comeBack(): void {
    const again = (): void => {
      window.removeEventListener("online", again);
      this.load(this.media.video.currentSrc || this.media.video.src, true);
    };
    window.addEventListener("online", again);
    const press = button("forward", say("again"), again);
    press.append(say("again"));
    this.tell(say("offline"), "offline", press);
  }

  private tell(text: string, state: string, ...more: Node[]): void {
    this.element.dataset["state"] = state;
    this.element.replaceChildren(make("p", {}, text), ...more);
    this.element.hidden = false;
    this.announce(text);
  }
}
