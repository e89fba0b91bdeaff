import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { start } from "../../e2e/support/run.ts";
import type { Command } from "./timing.ts";

/** The seconds from a command's start to the first request that it sends. `at` makes the command for a registry that has nothing. */
export async function firstRequest(at: (host: string) => Command): Promise<number> {
  const arrived = Promise.withResolvers<number>();
  const server = createServer((_, response) => {
    arrived.resolve(performance.now());
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { path, args, env = {} } = at(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const before = performance.now();
  const { ended } = start(path, args, { env });
  const outcome = await Promise.race([arrived.promise, ended]);
  await ended;
  server.closeAllConnections();
  server.close();
  if (typeof outcome === "number") return (outcome - before) / 1000;
  throw new Error(`no request came: ${outcome.command}\n${outcome.stderr}`);
}
