// Pushes blobs, each new: `node push-load.ts HOST SIZE COUNT CONCURRENCY`; writes how many it pushed in how many seconds.
// A quarter as many come before, untimed.
import { createHash, randomBytes } from "node:crypto";
import { type Connection, expectStatus, requestHead, spend } from "./exchange.ts";

const [host = "", ...numbers] = process.argv.slice(2);
const [size = 0, count = 0, concurrency = 1] = numbers.map(Number);
const port = Number(host.split(":")[1]);

/** A blob: what makes it unlike the others, and what it shares with them. */
interface Blob {
  readonly start: Buffer;
  readonly digest: string;
}

const shared = randomBytes(size - 16);

function makeBlob(): Blob {
  const start = randomBytes(16);
  return { start, digest: `sha256:${createHash("sha256").update(start).update(shared).digest("hex")}` };
}

async function push(connection: Connection, { start, digest }: Blob): Promise<void> {
  const opened = await connection.exchange(requestHead("POST", "/v2/bench/pushed/blobs/uploads/", host));
  expectStatus(opened, 202);
  const location = new URL(/\r\nlocation: *([^\r\n]+)/i.exec(`${opened}\r\n`)?.[1] ?? "", `http://${host}`);
  location.searchParams.set("digest", digest);
  const head = requestHead("PUT", location.pathname + location.search, host, size);
  expectStatus(await connection.exchange(head, start, shared), 201);
}

const blobs = Array.from({ length: count * 1.25 }, makeBlob);
await spend(port, concurrency, blobs.slice(count), push);
console.log(count, await spend(port, concurrency, blobs.slice(0, count), push));
