import { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import type { Digest, Store } from "../../src/index.ts";
import {
  createRegistry,
  memoryStorage,
  type RegistryOptions,
  type Storage,
  type StorageOptions,
} from "../../src/server/index.ts";
import { remoteStore } from "../../src/store/index.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export interface CliOptions {
  readonly env?: Io["env"];
  /** What is on stdin: bytes, or a stream of the test's. */
  readonly stdin?: Uint8Array | string | Io["stdin"];
  /** Whether stdout and stderr are terminals, and how wide. */
  readonly terminal?: number;
  readonly signal?: AbortSignal;
  /** Is told each text for stderr as it comes. */
  readonly onStderr?: (text: string) => void;
}

/** Runs a command line in this process, as a user with no logins and no settings. */
export async function gantry(words: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const { env = {}, stdin = "", terminal, signal = new AbortController().signal, onStderr } = options;
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const io: Io = {
    stdin: stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]),
    stdout: sink(out, terminal),
    stderr: sink(err, terminal, onStderr),
    env: { HOME: "/nonexistent", XDG_STATE_HOME: process.env["XDG_STATE_HOME"], ...env },
  };
  const code = await run(words, io, signal);
  const bytes = Buffer.concat(out);
  return { code, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes };
}

/** Runs a command line that has to end well; answers its stdout. */
export async function must(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry(words);
  if (code !== 0) throw new Error(`exit ${code}: gantry ${words.join(" ")}\n${stderr}`);
  return stdout;
}

export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** A repository of it, without the socket between. */
  readonly store: (repository: string) => Store;
  /** Makes a blob come with other bytes, until it is pushed again. */
  readonly damage: (blob: Digest) => void;
  /** Makes a blob go missing, until it is pushed again. */
  readonly lose: (blob: Digest) => void;
}

/** A registry in memory on a port of its own, gone when the test is over. */
export async function testRegistry({
  now = Date.now,
  ...options
}: Omit<RegistryOptions, "storage"> & StorageOptions = {}): Promise<TestRegistry> {
  const faults = { damaged: new Set<Digest>(), lost: new Set<Digest>() };
  const registry = createRegistry({ storage: faultyStorage(faults, memoryStorage({ now })), ...options });
  const { host } = await registry.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => registry.close());
  return {
    host,
    store: (repository) => remoteStore({ transport: registry.transport, registry: host, repository }),
    damage: (blob) => void faults.damaged.add(blob),
    lose: (blob) => void faults.lost.add(blob),
  };
}

function faultyStorage({ damaged, lost }: { damaged: Set<Digest>; lost: Set<Digest> }, inner: Storage): Storage {
  const heal = (digest: Digest): void => {
    damaged.delete(digest);
    lost.delete(digest);
  };
  return {
    async open() {
      const { blobs, ...rest } = await inner.open();
      return {
        ...rest,
        blobs: {
          ...blobs,
          size: (digest) => (lost.has(digest) ? undefined : blobs.size(digest)),
          read(digest, size, readOptions) {
            if (lost.has(digest)) return undefined;
            return damaged.has(digest) ? new Uint8Array(size) : blobs.read(digest, size, readOptions);
          },
          async write(digest, pieces) {
            await blobs.write(digest, pieces);
            heal(digest);
          },
          async openUpload(name, size) {
            const upload = await blobs.openUpload(name, size);
            return {
              ...upload,
              async commit(digest) {
                await upload.commit(digest);
                heal(digest);
              },
            };
          },
        },
      };
    },
  };
}

function sink(pieces: Buffer[], terminal: number | undefined, onText?: (text: string) => void): Io["stdout"] {
  const stream = new Writable({
    write(piece: Buffer, _, done) {
      pieces.push(Buffer.from(piece));
      onText?.(piece.toString());
      done();
    },
  });
  return terminal === undefined ? stream : Object.assign(stream, { isTTY: true, columns: terminal });
}
