import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/** Says whether a password is the one a bcrypt hash was made of; beyond its first 72 bytes, bcrypt does not look. */
export type Compare = (password: string, hash: string) => Promise<boolean>;

const program = `
const { parentPort, workerData } = require("node:worker_threads");
const { compareSync } = require(workerData);
parentPort.on("message", ({ password, hash }) => parentPort.postMessage(compareSync(password, hash)));
`;
const idleTime = 10_000;

interface Waiting {
  readonly resolve: (same: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Compares in a thread of its own, one at a time: a bcrypt in plain JavaScript takes 80 ms and more, and whoever sends
 * wrong passwords must not hold up everybody's pulls. The thread is started when needed and ended when idle.
 */
export function bcryptThread(): Compare {
  let thread: { readonly worker: Worker; readonly waiting: Waiting[] } | undefined;
  let idle: NodeJS.Timeout | undefined;

  const start = (): { readonly worker: Worker; readonly waiting: Waiting[] } => {
    const library = createRequire(import.meta.url).resolve("bcryptjs");
    const worker = new Worker(program, { eval: true, workerData: library, execArgv: [], env: {} });
    const waiting: Waiting[] = [];
    const fail = (error: unknown): void => {
      if (thread?.worker === worker) thread = undefined;
      for (const { reject } of waiting.splice(0)) reject(error);
    };
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("the thread that compares passwords ended")));
    worker.on("message", (same: boolean) => {
      waiting.shift()?.resolve(same);
      if (waiting.length > 0) return;
      worker.unref();
      idle = setTimeout(() => {
        thread = undefined;
        void worker.terminate();
      }, idleTime).unref();
    });
    return { worker, waiting };
  };

  return (password, hash) =>
    new Promise((resolve, reject) => {
      clearTimeout(idle);
      thread ??= start();
      thread.worker.ref(); // Whoever waits for the answer must not see the process end before it.
      thread.waiting.push({ resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows.
      thread.worker.postMessage({ password, hash });
    });
}
