import { readFileSync, readlinkSync } from "node:fs";
import { lstat, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { isObject } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import { throwIfAborted } from "../oci/abort.ts";
import { isErrno } from "./file-error.ts";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as its system counts; tells a process from a later one with its number. */
  readonly started?: string;
}

export interface LockOptions {
  /** Names what is locked, in messages. */
  readonly what: string;
  /** How long to wait for another holder, in milliseconds: half a minute unless told. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A holder needs milliseconds: a lock that nobody can be asked about is dead after this long. */
const abandonedAfterMs = 10 * 60 * 1000;
/** Where there are no links: between creating a lock and writing who holds it. */
const namelessAfterMs = 10 * 1000;

/**
 * Runs `act` while a lock file is held against every other process. One that a dead process of this machine left is broken
 * at once, one of another machine after ten minutes. Throws CONFLICT naming the holder where waiting does not help.
 */
export async function withLock<T>(file: string, options: LockOptions, act: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + (options.timeout ?? 30_000);
  for (let attempt = 0; !(await take(file)); attempt++) {
    throwIfAborted(options.signal);
    const holder = await inspect(file);
    if (holder === "gone") continue;
    if (holder === "dead") await breakLock(file);
    else if (performance.now() > deadline) throw held(file, holder, options);
    else await wait(Math.min(200, 5 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random()));
  }
  try {
    return await act();
  } finally {
    await rm(file, { force: true });
  }
}

/** A link that leads nowhere but says who holds the lock: created in one step with what it says, which no file is. */
async function take(file: string): Promise<boolean> {
  const holder = JSON.stringify(self());
  try {
    await symlink(holder, file);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    if (!isErrno(error, "EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")) throw error;
  }
  try {
    await writeFile(file, holder, { flag: "wx" });
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readlink(file);
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw error;
    return readFile(file, "utf8");
  }
}

async function inspect(file: string): Promise<Holder | undefined | "gone" | "dead"> {
  try {
    const age = Date.now() - (await lstat(file)).mtimeMs;
    const holder = parseHolder(await read(file));
    if (!holder) return age > namelessAfterMs ? "dead" : undefined;
    const dead = holder.host === self().host ? !isAlive(holder) : age > abandonedAfterMs;
    return dead ? "dead" : holder;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return "gone";
    throw error;
  }
}

/** Under a lock on breaking: else two who saw the same dead lock would break, the second one a living lock. */
async function breakLock(file: string): Promise<void> {
  const breaking = `${file}.break`;
  if (!(await take(breaking))) {
    const found = await lstat(breaking).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > namelessAfterMs) await rm(breaking, { force: true });
    else await wait(5);
    return;
  }
  try {
    if ((await inspect(file)) === "dead") await rm(file, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { pid, host, started } = value;
    if (!Number.isSafeInteger(pid) || (pid as number) <= 0 || typeof host !== "string") return undefined;
    return { pid: pid as number, host, ...(typeof started === "string" && { started }) };
  } catch {
    return undefined;
  }
}

let known: Holder | undefined;

function self(): Holder {
  const { started } = stateOf(process.pid);
  return (known ??= { pid: process.pid, host: machine(), ...(started && { started }) });
}

/** The host and, on Linux, the process namespace: numbers of another container's processes say nothing here. */
function machine(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
  }
  const { started, ended } = stateOf(holder.pid);
  return !ended && (started === undefined || holder.started === undefined || started === holder.started);
}

/** When a process started, and whether it only waits to be reaped, where /proc tells it (proc(5), "stat"). */
function stateOf(pid: number): { readonly started?: string; readonly ended: boolean } {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { ended: fields[0] === "Z" || fields[0] === "X", ...(fields[19] && { started: fields[19] }) };
  } catch {
    return { ended: false };
  }
}

function held(file: string, holder: Holder | undefined, { what }: LockOptions): RegistryError {
  const who = holder ? `process ${holder.pid} on ${holder.host.split(" ")[0]}` : "another process";
  return new RegistryError("CONFLICT", `${what} is being changed by ${who}`, {
    retryable: true,
    hint: `try again when it is done; if that process is gone, remove ${file}`,
  });
}
