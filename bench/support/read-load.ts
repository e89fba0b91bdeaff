// Asks for a path again and again: `node read-load.ts HOST METHOD PATH SECONDS CONCURRENCY`; writes how many answers came in how many seconds.
import { expectStatus, requestHead, spend } from "./exchange.ts";

const [host = "", method = "", path = "", ...numbers] = process.argv.slice(2);
const [duration = 0, concurrency = 1] = numbers.map(Number);
const request = requestHead(method, path, host);
let requests = 0;

function* untilTimeIsUp(): Generator<void> {
  for (const end = performance.now() + duration * 1000; performance.now() < end; requests++) yield;
}

const seconds = await spend(Number(host.split(":")[1]), concurrency, untilTimeIsUp(), async (connection) => {
  expectStatus(await connection.exchange(request), 200);
});
console.log(requests, seconds);
