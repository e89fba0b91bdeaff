import {
  closeSync,
  fsyncSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createRequire, enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { exitCodes } from "./exit-codes.ts";

/** What V8 made of a file; the stamp tells of which state of it. */
interface Code {
  readonly stamp: string;
  readonly bytes: Buffer;
}

type Require = (id: string) => unknown;

/** Beyond this many milliseconds V8 may have thrown away the code of start-up, and nobody misses a few of them. */
const shortRun = 10_000;
/** How old a cache may be, in milliseconds, until what later runs compiled beside it is added. */
const day = 86_400_000;
/** Nobody uses a cache any more that is as old: one that is used is written anew after a day. */
const longest = 30 * day;

/**
 * Requires modules of the built command line, with the code that V8 made of them when the same command ran before. Node's
 * own cache is filled as soon as a module is read, with few of the functions that a command then calls: V8 would compile a
 * thousand of them in each run anew, a third of the time until the first request. This one is filled when the command has
 * ended. Whatever is amiss with the cache, the modules are compiled as ever.
 */
export function requireCached(entry: string, command: string): unknown {
  const directory = cacheDirectory();
  const path =
    directory && join(directory, `${command}-${process.version}-${process.arch}-${statSync(entry).ino.toString(36)}`);
  const codes = path === undefined ? new Map<string, Code>() : readCache(path);
  const scripts = new Map<string, { stamp: string; script: Script }>();
  let complete = true;

  function compile(file: string): Script {
    const { size, ctimeMs } = statSync(file);
    const stamp = `${size} ${ctimeMs}`;
    const known = codes.get(file);
    const cachedData = known?.stamp === stamp ? known.bytes : undefined;
    const script = new Script(readFileSync(file, "latin1"), { filename: file, ...(cachedData && { cachedData }) });
    if (!cachedData || script.cachedDataRejected) complete = false;
    scripts.set(file, { stamp, script });
    return script;
  }

  if (path !== undefined) {
    process.once("exit", (code) => {
      // Who mistyped a command must not get a cache for that name.
      if (code === exitCodes.usage.code || process.uptime() * 1000 > shortRun) return;
      if (complete && (code !== 0 || isRecent(path))) return;
      for (const [file, { stamp, script }] of scripts) codes.set(file, { stamp, bytes: script.createCachedData() });
      writeCache(path, codes, code === 0);
    });
  }
  return requireWith(compile, () => directory !== undefined && enableCompileCache(directory))(entry);
}

/**
 * `require` of CommonJS over compiled files, each of them a function as the build writes it (tsdown.config.ts); for what
 * packages have by Node's own, after `beforeOthers`.
 */
function requireWith(compile: (file: string) => Script, beforeOthers: () => unknown): Require {
  const modules = new Map<string, { exports: unknown }>();
  /** Node lets a script of `vm` import nothing without a warning: the build has it call this instead. */
  const importOf = (id: string): Promise<unknown> => {
    beforeOthers();
    return import(id);
  };
  const requireOther = (file: string, id: string): unknown => {
    beforeOthers();
    return createRequire(file)(id);
  };
  const load = (file: string): unknown => {
    const loaded = modules.get(file);
    if (loaded) return loaded.exports;
    const module = { exports: {} as unknown };
    modules.set(file, module);
    const folder = dirname(file);
    const require: Require = (id) =>
      id.startsWith(".") ? load(join(folder, id)) : (process.getBuiltinModule(id) ?? requireOther(file, id));
    const run = compile(file).runInThisContext() as (...parts: readonly unknown[]) => void;
    run(module.exports, require, importOf, file, folder);
    return module.exports;
  };
  return load;
}

/** Where code is kept: a directory that nobody but this user can write to; code in it is run. */
function cacheDirectory(): string | undefined {
  const { NODE_COMPILE_CACHE: chosen, NODE_DISABLE_COMPILE_CACHE: disabled, LOCALAPPDATA: local } = process.env;
  const user = process.getuid?.();
  // On Windows the temporary directory may be shared, by services say, and nothing here tells who owns what is in it.
  const usual = user === undefined ? local && join(local, "gantry-code") : join(tmpdir(), `gantry-code-${user}`);
  const directory = chosen || usual;
  if (disabled || !directory) return undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(directory);
    return user !== undefined && (uid !== user || mode & 0o022) ? undefined : directory;
  } catch {
    return undefined;
  }
}

/** The codes in a cache by their files; none, where it is not there or not whole. */
function readCache(path: string): Map<string, Code> {
  const codes = new Map<string, Code>();
  try {
    const all = readFileSync(path);
    const head = all.indexOf("\n");
    let at = aligned(head + 1);
    for (const [file, stamp, length] of JSON.parse(all.toString("utf8", 0, head)) as [string, string, number][]) {
      codes.set(file, { stamp, bytes: all.subarray(at, at + length) });
      at += aligned(length);
    }
    return at === all.length ? codes : new Map();
  } catch {
    return new Map();
  }
}

/** V8 copies what does not begin at a multiple of eight. */
const aligned = (length: number): number => Math.ceil(length / 8) * 8;

function isRecent(path: string): boolean {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
  return Date.now() - mtimeMs < day;
}

/** Written whole and onto the disk before it gets its name: V8 does not check to the last byte what it is given. */
function writeCache(path: string, codes: ReadonlyMap<string, Code>, isWhole: boolean): void {
  const draft = `${path}.${process.pid}`;
  try {
    const head = JSON.stringify([...codes].map(([file, { stamp, bytes }]) => [file, stamp, bytes.length]));
    const pieces = [Buffer.from(`${head}\n`), ...[...codes.values()].map(({ bytes }) => bytes)];
    const all = Buffer.concat(pieces.flatMap((piece) => [piece, Buffer.alloc(aligned(piece.length) - piece.length)]));
    const file = openSync(draft, "wx", 0o600);
    try {
      for (let at = 0; at < all.length;) at += writeSync(file, all, at);
      // What a run has that failed early is better than nothing, and old at once.
      if (!isWhole) futimesSync(file, 0, 0);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    removeOld(dirname(path));
  } catch {
    rmSync(draft, { force: true });
  }
}

/** Removes what versions and commands left behind that nobody runs any more, and drafts of processes that were killed. */
function removeOld(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!/^[a-z]+-v[\d.]+-\w+-[\da-z]+(?:\.\d+)?$/.test(name)) continue;
    const file = join(directory, name);
    if (Date.now() - lstatSync(file).ctimeMs > longest) rmSync(file, { force: true });
  }
}
