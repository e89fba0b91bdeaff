import type { ByteStream } from "../oci/stream.ts";
import type { Method, Res } from "../transport/transport.ts";

/** More than any such error has. */
const limit = 8 * 1024;

/**
 * Whether a 403 may mean that the login is too old, and no refusal of what was asked: some registries whose Basic logins
 * last for hours say it so, in the body alone, which the answer to a HEAD has not. The response comes back as it was, its
 * body still to be read.
 */
export async function peekExpired(
  method: Method,
  response: Res,
): Promise<{ readonly isExpired: boolean; readonly response: Res }> {
  if (response.status !== 403) return { isExpired: false, response };
  if (method === "HEAD") return { isExpired: true, response };
  const pieces: Uint8Array[] = [];
  const rest = response.body[Symbol.asyncIterator]();
  for (let size = 0; size < limit;) {
    const next = await rest.next();
    if (next.done) break;
    pieces.push(Uint8Array.from(next.value));
    size += next.value.byteLength;
  }
  const isExpired = /authorization token has expired/i.test(Buffer.concat(pieces).toString());
  return { isExpired, response: { ...response, body: replay(pieces, rest) } };
}

function replay(pieces: Uint8Array[], rest: AsyncIterator<Uint8Array>): ByteStream {
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const piece = pieces.shift();
    return piece ? { done: false, value: piece } : rest.next();
  };
  // Not a generator: one that was never begun would not let go of the rest.
  const giveUp = async (): Promise<IteratorResult<Uint8Array>> => {
    await rest.return?.();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: giveUp }) };
}
