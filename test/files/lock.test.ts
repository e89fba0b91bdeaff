import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readlink, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { withLock } from "../../src/files/lock.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const options = { what: "the thing", timeout: 50 };

async function lockFile(): Promise<string> {
  return join(await temporaryDirectory(), "thing.lock");
}

/** What a process says in its lock; here of this one. */
async function holder(file: string): Promise<{ pid: number; host: string; started?: string }> {
  return withLock(file, options, async () => JSON.parse(await readlink(file)));
}

/** The number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn("true");
  await once(child, "exit");
  return child.pid!;
}

test("is held by one at a time, and gone afterwards", async () => {
  const file = await lockFile();
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, (inside += 1));
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => withLock(file, { what: "the thing" }, work)));
  expect(most).toBe(1);
  expect(await readdir(dirname(file))).toEqual([]);
});

test("is gone after a failure", async () => {
  const file = await lockFile();
  await expect(withLock(file, options, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(await readdir(dirname(file))).toEqual([]);
});

test("of a living process is CONFLICT, which names the process and the file", async () => {
  const file = await lockFile();
  const child = spawn("sleep", ["60"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const { host } = await holder(file);
  await symlink(JSON.stringify({ pid: child.pid, host }), file);
  const waiting = withLock(file, options, async () => "taken");
  await expect(waiting).rejects.toMatchObject({
    code: "CONFLICT",
    message: `the thing is being changed by process ${child.pid} on ${hostname()}`,
    hint: expect.stringContaining(file),
    retryable: true,
  });
});

test("of a dead process is broken", async () => {
  const file = await lockFile();
  const { host } = await holder(file);
  await symlink(JSON.stringify({ pid: await deadPid(), host }), file);
  expect(await withLock(file, options, async () => "taken")).toBe("taken");
});

test("of a dead process whose number another has now is broken", async (context) => {
  const file = await lockFile();
  const { host, pid, started } = await holder(file);
  context.skip(started === undefined, "this machine does not say when a process began");
  await symlink(JSON.stringify({ pid, host, started: "1" }), file);
  expect(await withLock(file, options, async () => "taken")).toBe("taken");
});

test("of a dead process is broken by one of many", async () => {
  const file = await lockFile();
  const { host } = await holder(file);
  await symlink(JSON.stringify({ pid: await deadPid(), host }), file);
  let inside = 0;
  const takes = Array.from({ length: 20 }, () =>
    withLock(file, { what: "the thing" }, async () => {
      expect((inside += 1)).toBe(1);
      await new Promise(setImmediate);
      inside -= 1;
    }),
  );
  await Promise.all(takes);
});

test.each([
  ["of another machine", JSON.stringify({ pid: 1, host: "elsewhere" }), 11 * 60, "1 on elsewhere"],
  ["that says nothing", "", 11, "another process"],
])("%s is broken only when it is old", async (_, content, ageInSeconds, who) => {
  const file = await lockFile();
  await writeFile(file, content);
  await expect(withLock(file, options, async () => "taken")).rejects.toThrow(who);
  const then = Date.now() / 1000 - ageInSeconds;
  await utimes(file, then, then);
  expect(await withLock(file, options, async () => "taken")).toBe("taken");
});

test("is not waited for after the signal", async () => {
  const file = await lockFile();
  await writeFile(file, JSON.stringify({ pid: 1, host: "elsewhere" }));
  const controller = new AbortController();
  const waiting = withLock(file, { what: "the thing", signal: controller.signal }, async () => "taken");
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
});
