// The video with the times of the lesson. A clip's media begin at 0 but are spoken of in the lesson's time: media + offset.

export class Media {
  readonly video: HTMLVideoElement;
  readonly offsetS: number;
  private readonly announcedS: number;

  constructor(video: HTMLVideoElement, offsetMs: number, durationMs: number) {
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

  /** One frame on or back; 25 a second is near enough to see the next picture. */
  step(frames: number): void {
    this.video.pause();
    this.move(frames / 25);
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
