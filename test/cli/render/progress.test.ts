import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { barLines, live, standingLine, tracker } from "../../../src/cli/render/progress.ts";
import { reporter, type Reporter, type ReporterOptions } from "../../../src/cli/render/reporter.ts";
import type { CopyEvent, Digest } from "../../../src/index.ts";

const [a, b]: Digest[] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
const found = (digest: Digest, size: number): CopyEvent => ({ type: "found", digest, size, mediaType: "x" });
const blob = (digest: Digest, size: number): CopyEvent => ({ type: "blob", digest, size, how: "written", to: "r/app" });

describe("a tracker", () => {
  let time = 0;
  const at = (ms: number): void => void (time = ms);

  test("adds up what is found, what has moved and what is done", () => {
    at(0);
    const track = tracker(() => time);
    track.add(found(a!, 1000));
    track.add(found(b!, 3000));
    at(1000);
    track.add({ type: "bytes", digest: b!, count: 500 });
    at(2000);
    track.add({ type: "bytes", digest: b!, count: 500 });
    track.add(blob(a!, 1000));
    expect(track.standing()).toEqual({
      moved: 2000,
      total: 4000,
      blobsDone: 1,
      blobs: 2,
      rate: 500,
      active: [{ digest: b, moved: 1000, size: 3000 }],
    });
    expect(standingLine(track.standing())).toBe("2.0 kB of 4.0 kB, 1 of 2 blobs, 500 B/s, 4.0 s left");
  });

  test("counts a blob that is read again no higher than its size, and forgets old speed", () => {
    at(0);
    const track = tracker(() => time);
    track.add(found(a!, 1000));
    track.add({ type: "bytes", digest: a!, count: 900 });
    track.add({ type: "bytes", digest: a!, count: 900 });
    expect(track.standing().moved).toBe(1000);
    at(10_000);
    expect(track.standing().rate).toBe(0);
  });
});

test("bars are those of the blobs that move, within the terminal's width", () => {
  const active = Array.from({ length: 9 }, (_, i) => ({
    digest: `sha256:${String(i).repeat(64)}` as Digest,
    moved: i * 10,
    size: 100,
  }));
  const lines = barLines({ moved: 1, total: 2, blobsDone: 0, blobs: 9, rate: 0, active }, { color: false, width: 80 });
  expect(lines).toHaveLength(7);
  expect(lines[1]).toBe("sha256:111111111111 ━━━───────────────────────────────          10 B of 100 B");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
});

test("live lines take the place of those before, and messages stay above them", () => {
  const [sink, text] = memorySink();
  const screen = live(() => sink);
  screen.draw(["one", "two"]);
  screen.draw(["three"]);
  screen.above("message");
  screen.clear();
  expect(text()).toBe("\u001B[?25lone\ntwo\n\u001B[?25l\r\u001B[2A\u001B[0Jthree\n\r\u001B[1A\u001B[0Jmessage\n");
});

describe("a reporter", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const start = (options: Partial<ReporterOptions> = {}, terminal = false, env = {}): [Reporter, () => string] => {
    const [sink, text] = memorySink(terminal);
    return [reporter({ stderr: sink, env }, { kind: "auto", verbose: false, ...options }), text];
  };
  const manifest: CopyEvent = { type: "manifest", digest: a!, mediaType: "x", tag: "1.0", to: "r/app" };

  test("gives a sign of life every ten seconds where there is no terminal", () => {
    const [report, text] = start();
    report.on(found(a!, 1000));
    vi.advanceTimersByTime(9_000);
    expect(text()).toBe("");
    vi.advanceTimersByTime(11_000);
    expect(text()).toBe("0 B of 1.0 kB, 0 of 1 blob, 0 B/s\n".repeat(2));
    report.stop();
    vi.advanceTimersByTime(60_000);
    expect(text().split("\n")).toHaveLength(3);
  });

  test("draws bars on a terminal, and takes them away", () => {
    const [report, text] = start({}, true);
    report.on(found(a!, 1000));
    vi.advanceTimersByTime(100);
    expect(text()).toContain("0 B of 1.0 kB");
    report.stop();
    expect(text().endsWith("\u001B[0J\u001B[?25h")).toBe(true);
  });

  test.each([
    ["TERM=dumb", "auto", { TERM: "dumb" }],
    ["--progress plain", "plain", {}],
  ] as const)("draws no bars with %s", (_, kind, env) => {
    const [report, text] = start({ kind }, true, env);
    report.on(found(a!, 1000));
    vi.advanceTimersByTime(10_000);
    expect(text()).toBe("0 B of 1.0 kB, 0 of 1 blob, 0 B/s\n");
    report.stop();
  });

  test("tells of images one by one only where there are many", () => {
    const [report, text] = start();
    report.on(manifest);
    expect(text()).toBe("");
    report.eachImage();
    report.on(manifest);
    expect(text()).toBe(`r/app:1.0 ${a}\n`);
    report.stop();
  });

  test("writes events as JSON, without those for single pieces", () => {
    const [report, text] = start({ kind: "json" });
    report.on(found(a!, 1000));
    report.on({ type: "bytes", digest: a!, count: 10 });
    report.say("hello");
    vi.advanceTimersByTime(10_000);
    report.stop();
    const lines = text()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.map(({ type }) => type)).toEqual(["found", "message", "progress"]);
    expect(lines[2]).toEqual({ type: "progress", moved: 10, total: 1000, blobsDone: 0, blobs: 1, rate: 0 });
  });

  test("says nothing of it all with none, but passes on what a registry wants read", () => {
    const [report, text] = start({ kind: "none" });
    report.eachImage();
    for (const event of [found(a!, 1000), manifest]) report.on(event);
    report.say("hello");
    vi.advanceTimersByTime(60_000);
    expect(text()).toBe("");
    report.on({ type: "warning", host: "r", text: "soon gone\u001B[2J" });
    report.on({ type: "warning", host: "r", text: "soon gone\u001B[2J" });
    expect(text()).toBe(`warning: r: soon gone${String.raw`\u001b`}[2J\n`);
    report.stop();
  });

  test("tells of requests only with --verbose, and of waiting once a second a host", () => {
    const request = {
      type: "request",
      method: "GET",
      url: "https://r/v2/",
      host: "r",
      status: 200,
      answerMs: 1,
      ms: 12,
      sent: 0,
      received: 0,
    } as const;
    const wait = {
      type: "wait",
      method: "GET",
      url: "https://r/v2/",
      host: "r",
      ms: 1500,
      attempt: 1,
      attempts: 6,
      status: 503,
    } as const;
    const [report, text] = start();
    for (const event of [request, wait, wait]) report.on(event);
    expect(text()).toBe("r: 503; trying again in 1.5 s (attempt 1 of 6)\n");
    const { status: _, ...unanswered } = wait;
    for (const [message, told] of [
      ["r broke the connection off", "r broke the connection off"],
      ["no more tokens", "r: no more tokens"],
      [undefined, "r: no answer"],
    ] as const) {
      const [other, said] = start();
      other.on({ ...unanswered, ...(message && { error: "NETWORK", message }) });
      expect(said()).toBe(`${told}; trying again in 1.5 s (attempt 1 of 6)\n`);
    }
    const [verbose, all] = start({ verbose: true });
    for (const event of [request, wait, wait]) verbose.on(event);
    expect(all().split("\n")).toEqual(["GET https://r/v2/ 200 12 ms", expect.any(String), expect.any(String), ""]);
  });

  test("counts in English how much a host bears", () => {
    const [report, text] = start({ verbose: true });
    for (const slots of [2, 1]) report.on({ type: "throttle", host: "r", direction: "pull", slots, closedMs: 0 });
    for (const remaining of [2, 1]) report.on({ type: "quota", host: "r", limit: 100, remaining });
    expect(text()).toBe(
      [
        "r: 2 requests at a time from here on (pull)",
        "r: 1 request at a time from here on (pull)",
        "r: 2 requests left of its limit of 100",
        "r: 1 request left of its limit of 100",
        "",
      ].join("\n"),
    );
  });
});

function memorySink(terminal = false): [Writable & { isTTY?: boolean; columns?: number }, () => string] {
  let text = "";
  const sink = new Writable({
    write(piece: Buffer, _, done) {
      text += piece.toString();
      done();
    },
  });
  return [terminal ? Object.assign(sink, { isTTY: true, columns: 100 }) : sink, () => text];
}
