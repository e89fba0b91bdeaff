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
  end(error?: unknown): void;
  drop(): void;
  readonly gone: boolean;
}

async function pump(content: Content, queues: readonly Queue[]): Promise<void> {
  try {
    for await (const piece of await content()) {
      await Promise.all(queues.map((queue) => queue.give(piece)));
      if (queues.every((queue) => queue.gone)) break;
    }
    for (const queue of queues) queue.end();
  } catch (error) {
    for (const queue of queues) queue.end(error);
  }
}

function handOver(): Queue {
  let gone = false;
  let slot: { piece?: Uint8Array; error?: unknown; done: boolean } | undefined;
  let wakeReader = (): void => {};
  let wakeGiver = (): void => {};
  const drop = (): void => {
    gone = true;
    wakeGiver();
  };
  async function* read(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        if (!slot) await new Promise<void>((resolve) => (wakeReader = resolve));
        const { piece, error, done } = slot!;
        if (error !== undefined) throw error;
        if (done) return;
        yield piece!;
        slot = undefined;
        wakeGiver();
      }
    } finally {
      drop();
    }
  }
  return {
    stream: read(),
    drop,
    get gone() {
      return gone;
    },
    async give(piece) {
      if (gone) return;
      const passedOn = new Promise<void>((resolve) => (wakeGiver = resolve));
      slot = { piece, done: false };
      wakeReader();
      await passedOn;
    },
    end(error) {
      slot = { done: true, ...(error !== undefined && { error }) };
      wakeReader();
    },
  };
}
