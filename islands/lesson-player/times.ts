// Times as people read them (4:10), hear them (4 minutes 10 seconds), and type them (4:10.2).

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 0.0005));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** With tenths of a second where there are any: for a form. */
export function exactClock(seconds: number): string {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 0.005));
  return clock(Math.floor(tenths / 10)) + (tenths % 10 ? `.${tenths % 10}` : "");
}

export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 0.0005));
  const parts: [number, string][] = [[Math.floor(whole / 3600), "hour"], [Math.floor(whole / 60) % 60, "minute"], [whole % 60, "second"]];
  const told = parts.filter(([n, unit]) => n || (unit === "second" && whole < 60));
  return told.map(([n, unit]) => counted(n, unit)).join(" ");
}

function counted(n: number, unit: string): string {
  const language = document.documentElement.lang || "en";
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(n);
}
