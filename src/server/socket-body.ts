import type { IncomingMessage } from "node:http";
import { RegistryError } from "../oci/error.ts";
import type { ByteStream } from "../oci/stream.ts";

/** So many bytes may wait for the reader before the socket is told to stop. */
const waitingLimit = 512 * 1024;

/**
 * The body of a request, piece by piece as the socket gave them: Node's own iterator joins them, which costs a copy.
 * Throws NETWORK where the client broke off.
 */
export async function* socketBody(incoming: IncomingMessage): ByteStream & AsyncGenerator<Uint8Array, void> {
  const pieces: Uint8Array[] = [];
  let waiting = 0;
  let wake: (() => void) | undefined;
  const onData = (piece: Uint8Array): void => {
    pieces.push(piece);
    waiting += piece.byteLength;
    if (waiting > waitingLimit) incoming.pause();
    wake?.();
  };
  const onEnd = (): void => wake?.();
  incoming.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", onEnd);
  try {
    for (;;) {
      const piece = pieces.shift();
      if (piece) {
        waiting -= piece.byteLength;
        if (waiting <= waitingLimit && incoming.isPaused()) incoming.resume();
        yield piece;
      } else if (incoming.readableEnded) {
        return;
      } else if (incoming.destroyed) {
        throw new RegistryError("NETWORK", "the client broke off");
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
    }
  } finally {
    incoming.off("data", onData).off("end", onEnd).off("close", onEnd);
  }
}
