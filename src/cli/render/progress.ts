import type { CopyEvent, Digest } from "../../index.ts";
import type { Sink } from "../io.ts";
import { count, formatSize, formatSpan, paint, shortDigest, type Look } from "./text.ts";

/** Where a copy stands, as its events tell. */
export interface Standing {
  readonly moved: number;
  readonly total: number;
  readonly blobsDone: number;
  readonly blobs: number;
  /** Bytes a second, over the last few seconds. */
  readonly rate: number;
  /** What moves now, the oldest first. */
  readonly active: readonly { readonly digest: Digest; readonly moved: number; readonly size: number }[];
}

/** Adds up copy events; `now` is a clock in milliseconds. */
export interface Tracker {
  add(event: CopyEvent): void;
  standing(): Standing;
}

const rateWindow = 4000;

export function tracker(now: () => number): Tracker {
  const blobs = new Map<Digest, { size: number; moved: number; done: boolean }>();
  let samples: { at: number; bytes: number }[] = [];
  let began: number | undefined;
  return {
    add(event) {
      began ??= now();
      if (event.type === "found") blobs.set(event.digest, { size: event.size, moved: 0, done: false });
      const blob = blobs.get(event.digest);
      if (event.type === "bytes") {
        const at = now();
        // A blob that is read again after a failure does not count beyond its size.
        if (blob) blob.moved = Math.min(blob.size, blob.moved + event.count);
        const last = samples.at(-1);
        if (last && at - last.at < 100) last.bytes += event.count;
        else samples.push({ at, bytes: event.count });
      }
      if (event.type === "blob" && blob) Object.assign(blob, { moved: blob.size, done: true });
    },
    standing() {
      const at = now();
      samples = samples.filter((sample) => at - sample.at < rateWindow);
      const span = Math.max(500, Math.min(rateWindow, at - (began ?? at)));
      const all = [...blobs];
      return {
        moved: all.reduce((sum, [, blob]) => sum + blob.moved, 0),
        total: all.reduce((sum, [, blob]) => sum + blob.size, 0),
        blobsDone: all.filter(([, blob]) => blob.done).length,
        blobs: all.length,
        rate: (samples.reduce((sum, sample) => sum + sample.bytes, 0) * 1000) / span,
        active: all.flatMap(([digest, { size, moved, done }]) => (moved > 0 && !done ? [{ digest, size, moved }] : [])),
      };
    },
  };
}

/** One line on where a copy stands. */
export function standingLine({ moved, total, blobsDone, blobs, rate }: Standing): string {
  const left = rate > 0 && total > moved ? `, ${formatSpan(((total - moved) * 1000) / rate)} left` : "";
  return `${formatSize(moved)} of ${formatSize(total)}, ${blobsDone} of ${count(blobs, "blob")}, ${formatSize(rate)}/s${left}`;
}

const barsAtOnce = 6;

/** The lines that a terminal shows of it: a bar for each blob that moves, the oldest few, and the sum. */
export function barLines(standing: Standing, look: Look): readonly string[] {
  const width = look.width ?? 80;
  const bars = standing.active.slice(0, barsAtOnce).map(({ digest, moved, size }) => {
    const sizes = `${formatSize(moved)} of ${formatSize(size)}`.padStart(22);
    return `${shortDigest(digest)} ${bar(moved / size, Math.min(40, width - 46), look)} ${sizes}`;
  });
  return [...bars, standingLine(standing).slice(0, width - 1)];
}

function bar(share: number, width: number, look: Look): string {
  if (width < 5) return "";
  const full = Math.round(Math.min(1, share) * width);
  return paint(look, "cyan", "━".repeat(full)) + paint(look, "dim", "─".repeat(width - full));
}

/** Lines at the bottom of a terminal that are drawn again and again, while other lines scroll above. */
export interface Live {
  draw(lines: readonly string[]): void;
  /** Writes a line that stays. */
  above(line: string): void;
  clear(): void;
}

export function live(sink: () => Sink): Live {
  let drawn = 0;
  // The cursor may have been moved: a terminal writes ^C where it stands.
  const wipe = (): string => (drawn > 0 ? `\r\u001B[${drawn}A\u001B[0J` : "");
  const hide = "\u001B[?25l";
  const show = "\u001B[?25h";
  return {
    draw(lines) {
      sink().write(`${hide}${wipe()}${lines.map((line) => `${line}\n`).join("")}`);
      drawn = lines.length;
    },
    above(line) {
      sink().write(`${wipe()}${line}\n`);
      drawn = 0;
    },
    clear() {
      if (drawn > 0) sink().write(`${wipe()}${show}`);
      drawn = 0;
    },
  };
}
