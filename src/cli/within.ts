import { RegistryError } from "../index.ts";
import { formatSpan } from "./render/text.ts";

/** How long what was told to stop may take: time for a journal and a lock, and less than `docker stop` waits. */
const graceMs = 5000;

/** Runs work that is stopped after so many milliseconds; 0 or nothing is as long as it takes. */
export async function within<T>(
  ms: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!ms) return work(signal);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms);
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error;
    throw new RegistryError("TIMEOUT", `the command was not done within ${formatSpan(ms)}`, {
      cause: error,
      hint: "give it more by --command-timeout",
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for work, but not for ever once it was told to stop: a system call that hangs hears no signal. Says so, and throws ABORTED. */
export async function orLeft<T>(
  work: Promise<T>,
  signal: AbortSignal,
  { drain, say }: { readonly drain: number; readonly say: (message: string) => void },
): Promise<T> {
  const patience = drain + graceMs;
  const left = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => {
      say(`warning: a file, a pipe or a program did not let go within ${formatSpan(patience)}: ended all the same`);
      left.reject(new RegistryError("ABORTED", "stopped before it was done"));
    }, patience);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener("abort", begin);
    clearTimeout(timer);
  }
}
