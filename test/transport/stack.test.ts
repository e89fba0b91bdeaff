import { expect, test } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import { parseUserPassword } from "../../src/auth/flags.ts";
import { fixedSource } from "../../src/auth/flags.ts";
import { collect } from "../../src/oci/stream.ts";
import type { TransportEvent } from "../../src/transport/events.ts";
import { limit } from "../../src/transport/limit.ts";
import { observe } from "../../src/transport/observe.ts";
import { redirect } from "../../src/transport/redirect.ts";
import { retry } from "../../src/transport/retry.ts";
import { scheme } from "../../src/transport/scheme.ts";
import { compose, type Req } from "../../src/transport/transport.ts";
import { wire } from "../../src/transport/wire.ts";
import { answer, listen } from "./listen.ts";

test("all middlewares in order fetch a blob: challenge, token, a refusal, a redirect to storage, one event a request", async () => {
  const seen: string[] = [];
  await using storage = await listen((request, response) => {
    seen.push(`storage ${request.method} ${request.headers.authorization ?? "anonymous"}`);
    answer(response, 200, "the blob");
  });
  let busy = 1;
  await using registry = await listen((request, response) => {
    const url = new URL(request.url!, "http://registry");
    seen.push(`registry ${request.method} ${url.pathname} ${url.searchParams.getAll("scope").join(" ")}`.trim());
    if (url.pathname === "/token") return answer(response, 200, JSON.stringify({ token: "t0ken", expires_in: 300 }));
    if (request.headers.authorization !== "Bearer t0ken") {
      return answer(response, 401, "", { "www-authenticate": `Bearer realm="${registry.url.href}token",service="s"` });
    }
    if (busy-- > 0) return answer(response, 503, "", { "retry-after": "0" });
    answer(response, 307, "", { location: `${storage.url.href}data?signature=abc` });
  });
  const events: TransportEvent[] = [];
  const onEvent = (event: TransportEvent): void => void events.push(event);
  const net = wire();
  const transport = compose(
    net,
    retry({ onEvent }),
    redirect(),
    authenticate({ credentials: fixedSource("flag", parseUserPassword("ann:s3cret", "--creds")) }),
    limit({ onEvent }),
    scheme(),
    observe({ onEvent }),
  );
  const get = async (): Promise<string> => {
    const url = new URL(`https://${registry.url.host}/v2/app/blobs/sha256:ab`);
    const request: Req = { method: "GET", url, headers: {} };
    const response = await transport(request);
    return Buffer.from(await collect(response.body, 1000)).toString();
  };
  expect(await get()).toBe("the blob");
  expect(await get()).toBe("the blob");
  net.close();
  expect(seen).toEqual([
    "registry GET /v2/app/blobs/sha256:ab",
    "registry GET /token repository:app:pull",
    "registry GET /v2/app/blobs/sha256:ab",
    "registry GET /v2/app/blobs/sha256:ab",
    "storage GET anonymous",
    "registry GET /v2/app/blobs/sha256:ab",
    "storage GET anonymous",
  ]);
  expect(events.filter((event) => event.type === "request")).toHaveLength(7);
  expect(events.find((event) => event.type === "wait")).toMatchObject({ status: 503, ms: 0, attempt: 1, attempts: 6 });
  const told = JSON.stringify(events);
  for (const secret of ["s3cret", "t0ken", "signature=abc"]) expect(told).not.toContain(secret);
});
