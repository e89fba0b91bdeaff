import type { CopyEvent, Event } from "../../index.ts";
import { lookOf, type Io } from "../io.ts";
import { barLines, live, standingLine, tracker } from "./progress.ts";
import { count, formatSpan, paint, plain, safeJson, type Look } from "./text.ts";

/** Writes messages and progress to stderr. */
export interface Reporter {
  /** A message for people; nothing where they asked for quiet or for JSON. */
  say(line: string): void;
  /** A message for somebody at a terminal alone. */
  advise(line: string): void;
  on(event: Event): void;
  /** From now on a line for each image that has arrived, where there are no bars. */
  eachImage(): void;
  /** Takes bars away and timers down; messages still go out. */
  stop(): void;
}

export interface ReporterOptions {
  readonly kind: "auto" | "plain" | "json" | "none";
  /** A line for each request. */
  readonly verbose: boolean;
}

const frame = 100;
const heartbeat = 10_000;

/** Bars on a terminal; elsewhere a line for each image and a sign of life every ten seconds; or events as JSON lines. */
export function reporter(io: Pick<Io, "stderr" | "env">, { kind, verbose }: ReporterOptions): Reporter {
  const look = lookOf(() => io.stderr, io.env);
  const bars = (): boolean => kind === "auto" && io.env["TERM"] !== "dumb" && io.stderr.isTTY === true;
  const screen = live(() => io.stderr);
  const track = tracker(() => Number(process.hrtime.bigint()) / 1e6);
  const warned = new Set<string>();
  const said = new Map<string, number>();
  let each = false;
  let timer: NodeJS.Timeout | undefined;

  const line = (text: string): void => (bars() ? screen.above(text) : void io.stderr.write(`${text}\n`));
  const tick = (): void => {
    const standing = track.standing();
    if (bars()) screen.draw(barLines(standing, look));
    else if (kind === "json") line(safeJson({ type: "progress", ...standing, active: undefined }));
    else line(standingLine(standing));
  };
  const start = (): void => {
    if (kind === "none") return;
    timer ??= setInterval(tick, bars() ? frame : heartbeat).unref();
  };

  function onCopy(event: CopyEvent): void {
    start();
    track.add(event);
    if (kind === "json" && event.type !== "bytes") line(safeJson(event));
    else if (each && !bars() && kind !== "none" && event.type === "manifest" && event.tag !== undefined) {
      line(`${plain(event.to)}:${plain(event.tag)} ${paint(look, "dim", event.digest)}`);
    }
  }

  /** Many requests may wait for one host: it is said once a second. */
  function isNews(host: string): boolean {
    const now = Date.now();
    if (now - (said.get(host) ?? 0) < 1000) return false;
    said.set(host, now);
    return true;
  }

  function onOther(event: Exclude<Event, CopyEvent>): void {
    if (event.type === "request" && !verbose) return;
    if ((event.type === "throttle" || event.type === "quota") && !verbose) return;
    if (event.type === "wait" && !verbose && (kind === "none" || !isNews(event.host))) return;
    if (event.type === "warning") {
      const text = `${event.host}: ${event.text}`;
      if (warned.has(text)) return;
      warned.add(text);
    }
    line(kind === "json" ? safeJson(event) : describe(event, look));
  }

  return {
    say: (text) =>
      kind === "json" ? line(safeJson({ type: "message", text })) : kind === "none" ? undefined : line(text),
    advise: (text) => (bars() ? line(paint(look, "dim", text)) : undefined),
    on(event) {
      if (event.type === "found" || event.type === "bytes" || event.type === "blob" || event.type === "manifest")
        onCopy(event);
      else onOther(event);
    },
    eachImage: () => void (each = true),
    stop() {
      clearInterval(timer);
      timer = undefined;
      screen.clear();
    },
  };
}

function describe(event: Exclude<Event, CopyEvent>, look: Look): string {
  if (event.type === "warning") return `${paint(look, "yellow", "warning:")} ${event.host}: ${plain(event.text)}`;
  const { host } = event;
  if (event.type === "throttle") {
    return paint(look, "dim", `${host}: ${count(event.slots, "request")} at a time from here on (${event.direction})`);
  }
  if (event.type === "quota") {
    const of = event.limit === undefined ? "" : ` of ${event.limit}`;
    return paint(look, "dim", `${host}: ${count(event.remaining, "request")} left of its limit${of}`);
  }
  if (event.type === "mirror") {
    const { mirror, status, error, ms } = event;
    return `${host}: its mirror ${mirror} failed (${status ?? error}) and is left alone for ${formatSpan(ms)}`;
  }
  const { method, status, error, ms } = event;
  if (event.type === "request") {
    return paint(look, "dim", `${method} ${plain(event.url)} ${status ?? error ?? ""} ${formatSpan(ms)}`);
  }
  const { attempt, attempts, message } = event;
  const what = message?.startsWith(`${host} `) ? message : `${host}: ${status ?? message ?? error ?? "no answer"}`;
  return `${plain(what)}; trying again in ${formatSpan(ms)} (attempt ${attempt} of ${attempts})`;
}
