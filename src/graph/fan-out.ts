import { RegistryError } from "../oci/error.ts";
import type { ByteStream, Content } from "../oci/stream.ts";

/** How long readers that came first wait for the rest, in ms: who comes later reads the source again. */
const patience = 2000;

/** One of the readers of a shared stream. */
export interface Reader {
  readonly content: Content;
  /** Says that this reader needs nothing (any more). */
  leave(): void;
}

/**
 * Lets `count` receivers read one content together: it is opened once, after each receiver has either asked for it or
 * left, and a piece is taken from it when all have passed on the one before. A receiver that comes late, or again after
 * a failure of its own, gets the content opened for itself.
 */
export function fanOut(content: Content, count: number): readonly Reader[] {
  if (count === 1) return [{ content, leave: () => {} }];
  let undecided = count;
  let started = false;
  const joined: Queue[] = [];
  let go = (): void => {};
  const ready = new Promise<void>((resolve) => (go = resolve));
  let timer: NodeJS.Timeout | undefined;

  const decide = (): void => {
    undecided -= 1;
    if (undecided === 0) go();
  };
  const start = (): void => {
    started = true;
    clearTimeout(timer);
    void pump(content, joined);
  };
  void ready.then(() => started || start());

  return Array.from({ length: count }, () => {
    let decided = false;
    let queue: Queue | undefined;
    const once = (): void => {
      if (!decided) decide();
      decided = true;
    };
    return {
      leave: () => {
        once();
        queue?.drop();
      },
      content: async () => {
        if (decided || started) {
          once();
          return content();
        }
        queue = handOver();
        joined.push(queue);
        timer ??= setTimeout(go, patience);
        once();
        return queue.stream;
      },
    };
  });
}

/** A place for one piece at a time: `give` resolves when the reader has asked for the next, or has gone. */
interface Queue {
  readonly stream: ByteStream;
  give(piece: Uint8Array): Promise<void>;
  /** Ends the stream after all that was given, with an error where there is one. */
  end(failure?: { readonly error: unknown }): void;
  drop(): void;
  readonly gone: boolean;
}

async function pump(content: Content, queues: readonly Queue[]): Promise<void> {
  if (queues.every((queue) => queue.gone)) return;
  try {
    for await (const piece of await content()) {
      await Promise.all(queues.map((queue) => queue.give(piece)));
      if (queues.every((queue) => queue.gone)) break;
    }
    for (const queue of queues) queue.end();
  } catch (error) {
    for (const queue of queues) queue.end({ error });
  }
}

/** What a reader finds in its place; all but a piece for good. */
type Slot =
  | { readonly kind: "piece"; readonly piece: Uint8Array; taken: boolean }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "end" };

function handOver(): Queue {
  let slot: Slot | undefined;
  let gone = false;
  let wakeReader = (): void => {};
  let wakeGiver = (): void => {};

  const put = (next: Slot): void => {
    slot = next;
    wakeReader();
  };
  const drop = (): void => {
    gone = true;
    put({ kind: "failed", error: new RegistryError("ABORTED", "read on after leaving") });
    wakeGiver();
  };
  /** By hand, not a generator: a generator that is given up before its first piece would not say so. */
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      if (slot?.kind === "piece" && slot.taken) {
        slot = undefined;
        wakeGiver();
      }
      if (!slot) await new Promise<void>((resolve) => (wakeReader = resolve));
      return take(slot!);
    },
    return() {
      drop();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return {
    stream: { [Symbol.asyncIterator]: () => iterator },
    drop,
    get gone() {
      return gone;
    },
    async give(piece) {
      if (gone) return;
      const passedOn = new Promise<void>((resolve) => (wakeGiver = resolve));
      put({ kind: "piece", piece, taken: false });
      await passedOn;
    },
    end(failure) {
      if (!gone) put(failure ? { kind: "failed", error: failure.error } : { kind: "end" });
    },
  };
}

function take(slot: Slot): IteratorResult<Uint8Array> {
  if (slot.kind === "failed") throw slot.error;
  if (slot.kind === "end") return { done: true, value: undefined };
  slot.taken = true;
  return { done: false, value: slot.piece };
}
