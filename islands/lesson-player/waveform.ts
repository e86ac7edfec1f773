// How loud it is, drawn under the scrubber: decoration for the eye, so silent to a screen reader.
import { make } from "./dom";
import type { Media } from "./media";

type Peaks = { peaks: number[] };

const BAR = 2;
const GAP = 1;

export class Waveform {
  readonly canvas = make("canvas", { class: "wave", "aria-hidden": "true" });
  private readonly media: Media;
  private peaks: number[] = [];
  private drawnTo = -1;

  constructor(media: Media) {
    this.media = media;
    new ResizeObserver(() => this.draw(true)).observe(this.canvas);
    media.video.addEventListener("timeupdate", () => this.draw());
    media.video.addEventListener("seeking", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(true));
    new MutationObserver(() => this.draw(true)).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  /** Peaks between 0 and 1, or between 0 and 100. Without any the canvas stays away. */
  async load(url: string | undefined): Promise<void> {
    this.canvas.hidden = true;
    if (!url) return;
    try {
      const answer = await fetch(url, { credentials: "same-origin" });
      const { peaks } = (await answer.json()) as Peaks;
      const top = Math.max(...peaks.slice(0, 200_000)) > 1 ? 100 : 1;
      this.peaks = peaks.map((peak) => peak / top);
    } catch {
      return;
    }
    this.canvas.hidden = this.peaks.length === 0;
    this.draw(true);
  }

  private draw(isAnew = false): void {
    const { canvas, media } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!this.peaks.length || !width || !height) return;
    const played = Math.round(media.part(media.nowS) * width);
    if (!isAnew && played === this.drawnTo) return;
    this.drawnTo = played;
    const sharpness = devicePixelRatio || 1;
    canvas.width = width * sharpness;
    canvas.height = height * sharpness;
    const pen = canvas.getContext("2d")!;
    pen.scale(sharpness, sharpness);
    const style = getComputedStyle(canvas);
    for (let x = 0; x < width; x += BAR + GAP) {
      const size = Math.max(1.5, this.loudest(x / width, (x + BAR + GAP) / width) * (height - 2));
      pen.fillStyle = x < played ? style.color : style.borderBlockStartColor;
      pen.fillRect(x, (height - size) / 2, BAR, size);
    }
  }

  private loudest(from: number, to: number): number {
    const count = this.peaks.length;
    let most = 0;
    const last = Math.max(Math.floor(from * count) + 1, Math.floor(to * count));
    for (let n = Math.floor(from * count); n < Math.min(last, count); n += 1) most = Math.max(most, this.peaks[n] ?? 0);
    return most;
  }
}
