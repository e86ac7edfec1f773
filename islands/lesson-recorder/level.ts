// How loud the microphone is, for the eye, and in words for everyone.

export type Hearing = "listening" | "hearing" | "silence";

const EVERY_MS = 150;
const HEARD = 0.006;
const SILENT_MS = 10_000;

export class Level {
  hearing: Hearing = "listening";
  private readonly context = new AudioContext();
  private readonly timer: number;
  private heardAt = performance.now();

  constructor(stream: MediaStream, show: (level: number) => void, changed: () => void) {
    const analyser = new AnalyserNode(this.context, { fftSize: 2048 });
    this.context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const loudness = Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length);
      // From -60 dB (nothing) to -10 dB (all of the meter).
      show(Math.min(1, Math.max(0, (20 * Math.log10(loudness + 1e-6) + 60) / 50)));
      this.note(loudness, changed);
    }, EVERY_MS);
  }

  private note(loudness: number, changed: () => void): void {
    const now = performance.now();
    if (loudness > HEARD) this.heardAt = now;
    const quiet: Hearing = now - this.heardAt > SILENT_MS ? "silence" : this.hearing;
    const hearing = loudness > HEARD ? "hearing" : quiet;
    if (hearing === this.hearing) return;
    this.hearing = hearing;
    changed();
  }

  close(): void {
    clearInterval(this.timer);
    void this.context.close();
  }
}
