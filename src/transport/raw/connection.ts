import type { Socket } from "node:net";
import type { OnRead } from "../dial.ts";
import { brokenResponse } from "../network-error.ts";
import type { Req } from "../transport.ts";
import type { BufferPool } from "./buffers.ts";
import type { Framing } from "./framing.ts";
import { framingOf, parseHead, type Head } from "./head.ts";
import { inflow, type Inflow } from "./inflow.ts";

/** What came back for a request. */
export interface Answer {
  readonly head: Head;
  /** Whether it came before the request was sent in full: such a connection may break at any moment. */
  readonly isEarly: boolean;
  /** Absent where the response has no body. */
  readonly body?: Inflow;
  /** Reads on, where reading stopped because enough had come. */
  resume(): void;
  /** Ends the connection where the body is not complete yet; the body fails with the error. */
  abandon(error: Error): void;
}

/** One connection, for one request at a time. */
export interface Connection {
  readonly socket: Socket;
  /** Sends a request's head and reads the answer's; rejects with what broke the connection. */
  exchange(request: Req, head: string): Promise<Answer>;
  /** Says that the request's body has been sent. */
  sent(): void;
  destroy(error: Error): void;
  /** Whether it served before and nothing has come yet for the request under way: the other end may have given it up. */
  readonly mayBeStale: boolean;
}

interface Exchange extends PromiseWithResolvers<Answer> {
  readonly request: Req;
  /** Whether some of the request's body is still to be sent. */
  isSending: boolean;
  head?: Head;
  body?: Inflow;
  framing?: Framing;
}

interface ConnectionSettings {
  readonly pool: BufferPool;
  readonly isTls: boolean;
  /** Called when an answer is complete; `isReusable` says whether the connection can serve again. */
  onComplete(connection: Connection, isReusable: boolean): void;
  onClose(connection: Connection): void;
}

const headLimit = 32 * 1024;
/** TLS hands over one record at a time, which need not start a new buffer each. */
const tlsRecord = 16 * 1024;

/** Connects by `open`, and reads what comes: heads into small buffers of its own, bodies into the pool's. */
export function connection(open: (onread: OnRead) => Socket, settings: ConnectionSettings): Connection {
  const { pool, isTls } = settings;
  const enough = pool.size / 2;
  let head: Buffer = Buffer.alloc(0);
  let headEnd = 0;
  let region = head;
  let current: Exchange | undefined;
  let failure: Error | undefined;
  let isUsed = false;
  let cameAny = false;
  let isFlushing = false;

  const complete = (exchange: Exchange, isReusable: boolean): void => {
    current = undefined;
    isUsed = true;
    headEnd = 0;
    // TLS delivers records after reading was stopped: the last of a body may come on a socket that does not read.
    socket.resume();
    settings.onComplete(self, isReusable && exchange.head!.keepsAlive && !exchange.isSending);
    exchange.body?.end();
  };
  const readHead = (exchange: Exchange, length: number): void => {
    headEnd += length;
    for (;;) {
      const found = parseHead(head.subarray(0, headEnd));
      if (!found && headEnd === head.length) throw new Error("its header is too large");
      if (!found) return;
      if (found.status >= 200) return startBody(exchange, found, head.subarray(found.length, headEnd));
      if (found.status === 101) throw new Error("it switches to another protocol");
      head.copyWithin(0, found.length, headEnd);
      headEnd -= found.length;
    }
  };
  const startBody = (exchange: Exchange, found: Head, rest: Buffer): void => {
    const framing = framingOf(exchange.request.method, found);
    // A copy, as the next head goes where it lies.
    const first = framing && Buffer.from(rest.subarray(0, framing.decode(rest, rest.length)));
    const body = first && inflow(pool, isTls ? tlsRecord : enough, first);
    Object.assign(exchange, { head: found, framing, body });
    exchange.resolve({
      head: found,
      isEarly: exchange.isSending,
      ...(body && { body }),
      resume: () => void (current === exchange && socket.resume()),
      abandon: (error) => void (current === exchange && self.destroy(error)),
    });
    if (!framing) complete(exchange, rest.length === 0);
    else if (framing.isDone()) complete(exchange, !framing.hasExcess());
  };
  const readBody = (exchange: Exchange, body: Inflow, framing: Framing, length: number): boolean => {
    body.wrote(framing.decode(region, length));
    if (framing.isDone()) {
      complete(exchange, !framing.hasExcess());
      return true;
    }
    if (!isTls || body.waitingBytes() >= enough) body.flush();
    else if (body.isAwaited()) flushSoon();
    return body.isAwaited() || body.waitingBytes() < enough;
  };
  /** After all has been read that can be without waiting. */
  const flushSoon = (): void => {
    if (isFlushing) return;
    isFlushing = true;
    setImmediate(() => {
      isFlushing = false;
      current?.body?.flush();
    });
  };
  const read = (length: number): boolean => {
    if (!current) throw new Error("it was not asked for");
    cameAny = true;
    const { body, framing } = current;
    if (body && framing) return readBody(current, body, framing, length);
    readHead(current, length);
    return true;
  };
  const onread: OnRead = {
    buffer() {
      if (current?.body) return (region = current.body.region());
      if (head.length === 0) head = Buffer.allocUnsafeSlow(headLimit);
      return (region = head.subarray(headEnd));
    },
    callback(length) {
      try {
        return read(length);
      } catch (error) {
        const what = `sent a malformed response: ${(error as Error).message}`;
        self.destroy(current ? brokenResponse(what, current.request) : (error as Error));
        return false;
      }
    },
  };
  const lose = (error: Error): void => {
    failure ??= error;
    current?.reject(failure);
    current?.body?.fail(failure);
    current = undefined;
  };

  const socket = open(onread);
  const self: Connection = {
    socket,
    exchange(request, text) {
      if (failure) return Promise.reject(failure);
      const isSending = request.body !== undefined && request.body.size !== 0;
      current = { request, isSending, ...Promise.withResolvers<Answer>() };
      cameAny = false;
      socket.write(text, "latin1");
      return current.promise;
    },
    sent() {
      if (current) current.isSending = false;
    },
    destroy(error) {
      lose(error);
      socket.destroy();
    },
    get mayBeStale() {
      return isUsed && !cameAny;
    },
  };
  socket.on("error", lose);
  socket.once("end", () => {
    if (current?.framing?.endsWithConnection) complete(current, false);
  });
  socket.once("close", () => {
    lose(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    settings.onClose(self);
  });
  return self;
}
