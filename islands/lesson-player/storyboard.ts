// Small pictures of the recording, shown where the pointer or the keyboard is on the scrubber.
//
// Either JSON that names the sheet and where each picture lies on it ({url, tiles: [{t, x, y, w, h}]}, t in seconds), or the sheet
// itself, as Staffroom makes it: at most a hundred pictures, ten in a row, at even distances of two seconds or more.
import type { Media } from "./media";

type Tile = { t: number; x: number; y: number; w: number; h: number };

const MOST = 100;
const COLUMNS = 10;
const EVERY_S = 2;

export class Storyboard {
  width = 0;
  private readonly url: string | undefined;
  private readonly media: Media;
  private sheet = "";
  private tiles: Tile[] = [];
  private isAsked = false;

  constructor(url: string | undefined, media: Media) {
    this.url = url;
    this.media = media;
  }

  /** Put the picture of this moment into the element; the sheet is loaded when somebody first looks. */
  show(element: HTMLElement, mediaS: number): void {
    if (this.isAsked) this.paint(element, mediaS);
    else void this.load().then(() => this.paint(element, mediaS));
  }

  private paint(element: HTMLElement, mediaS: number): void {
    const tile = this.tiles.filter((each) => each.t <= mediaS + 0.001).at(-1) ?? this.tiles[0];
    element.hidden = !tile;
    if (!tile) return;
    element.style.setProperty("inline-size", `${tile.w}px`);
    element.style.setProperty("block-size", `${tile.h}px`);
    element.style.setProperty("background-image", `url("${this.sheet.replaceAll('"', "%22")}")`);
    element.style.setProperty("background-position", `${-tile.x}px ${-tile.y}px`);
  }

  private async load(): Promise<void> {
    if (this.isAsked || !this.url) return;
    this.isAsked = true;
    try {
      const answer = await fetch(this.url, { credentials: "same-origin" });
      if (!answer.ok) return;
      const isSheet = answer.headers.get("content-type")?.startsWith("image/");
      if (isSheet) await this.readSheet(await answer.blob());
      else this.readJson((await answer.json()) as { url: string; tiles: Tile[] });
      this.width = this.tiles[0]?.w ?? 0;
    } catch {
      // No pictures then: the time alone is shown.
    }
  }

  private readJson(found: { url: string; tiles: Tile[] }): void {
    this.sheet = new URL(found.url, new URL(this.url!, location.href)).href;
    this.tiles = found.tiles;
  }

  private async readSheet(blob: Blob): Promise<void> {
    const image = await createImageBitmap(blob);
    const interval = Math.max(EVERY_S, this.media.durationS / MOST);
    const count = Math.min(MOST, Math.max(1, Math.ceil(this.media.durationS / interval)));
    const columns = Math.min(COLUMNS, count);
    const [w, h] = [image.width / columns, image.height / Math.ceil(count / COLUMNS)];
    image.close();
    this.sheet = URL.createObjectURL(blob);
    this.tiles = Array.from({ length: count }, (_, n) => ({ t: n * interval, x: (n % COLUMNS) * w, y: Math.floor(n / COLUMNS) * h, w, h }));
  }
}
