// The video with the times of the lesson. A clip's media begin at 0 but are spoken of in the lesson's time: media + offset.

export class Media {
  readonly video: HTMLVideoElement;
  readonly offsetS: number;
  private readonly announcedS: number;
  private readonly rate: number;

  /** `rate`: pictures a second, where it is known. */
  constructor(video: HTMLVideoElement, offsetMs: number, durationMs: number, rate = 0) {
    this.rate = rate > 0 ? rate : 25;
    this.video = video;
    this.offsetS = offsetMs / 1000;
    this.announcedS = durationMs / 1000;
  }

  get durationS(): number {
    const real = this.video.duration;
    return Number.isFinite(real) && real > 0 ? real : this.announcedS;
  }

  /** Now and the end, as times of the lesson. */
  get nowS(): number {
    return this.video.currentTime + this.offsetS;
  }
  get endS(): number {
    return this.durationS + this.offsetS;
  }

  /** Where a time of the lesson lies between the start (0) and the end (1) of these media. */
  part(lessonS: number): number {
    return this.durationS ? clamp((lessonS - this.offsetS) / this.durationS, 0, 1) : 0;
  }
  at(part: number): number {
    return this.offsetS + clamp(part, 0, 1) * this.durationS;
  }

  seek(lessonS: number): void {
    this.video.currentTime = clamp(lessonS - this.offsetS, 0, this.durationS || Infinity);
  }
  move(seconds: number): void {
    this.seek(this.nowS + seconds);
  }

  /** One picture on or back: a little after it has begun, so that rounding does not land on the one before. */
  step(pictures: number): void {
    this.video.pause();
    const now = Math.floor(this.video.currentTime * this.rate + 0.05);
    this.seek((now + pictures) / this.rate + 0.002 + this.offsetS);
  }

  toggle(): void {
    if (this.video.paused) this.play();
    else this.video.pause();
  }

  /** A refusal to play shows as an error event or as still being paused: nothing to do here. */
  play(): void {
    this.video.play().catch(() => undefined);
  }
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
