import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, type Client, type ClientOptions } from "../src/client.ts";
import type { ServiceRegistry } from "../src/provider/service.ts";
import { bodyOf, listen, type Listening } from "../test/transport/listen.ts";
import { describeWith, peer } from "./support/peers.ts";
import { root, start, type Running } from "./support/run.ts";

const spec = [join(root, "../shared/specs"), join(root, "../../shared/specs")]
  .map((folder) => join(folder, "acr.yaml"))
  .find((path) => existsSync(path));

const digest = `sha256:${"a".repeat(64)}` as const;

/** What the specification is served with, until it answers. */
async function startPrism(path: string): Promise<{ readonly origin: string; readonly running: Running }> {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  const running = start(peer("prism")!.path, ["mock", "--errors", "--host", "127.0.0.1", "--port", `${port}`, path]);
  const origin = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600 && running.alive(); tries++) {
    if (
      await fetch(origin).then(
        () => true,
        () => false,
      )
    )
      return { origin, running };
    await delay(100);
  }
  throw new Error(`Prism did not come up: ${(await running.stop()).stderr}`);
}

/** Before Prism, what the registry does that no specification says: it challenges. */
async function challenging(origin: string, asked: string[]): Promise<Listening> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "GET", url = "/", headers } = request;
    const path = url.split("?")[0]!;
    const { authorization, "content-type": type, host } = headers;
    const body = await bodyOf(request);
    if (authorization === undefined && !path.startsWith("/oauth2/")) {
      const challenge = `Bearer realm="http://${host}/oauth2/token",service="${host}"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return;
    }
    const sent = await fetch(`${origin}${url}`, {
      method,
      headers: { ...(authorization && { authorization }), ...(type && { "content-type": type }) },
      ...(body.byteLength > 0 && { body: new Uint8Array(body) }),
    });
    const scope = new URLSearchParams(body.toString()).get("scope");
    const faults = sent.headers.get("sl-violations");
    asked.push([method, path, sent.status, ...(scope ? [scope] : []), ...(faults ? [faults] : [])].join(" "));
    response.writeHead(sent.status, { "content-type": "application/json" }).end(await sent.text());
  };
  return listen((request, response) => answer(request, response).catch(() => response.destroy()));
}

if (spec === undefined) {
  process.stderr.write("skipped: Azure Container Registry by its specification (absent: acr.yaml)\n");
  describe.skip("Azure Container Registry by its specification [absent: acr.yaml]", () => {});
} else {
  describeWith("prism", "Azure Container Registry by its specification", () => {
    const asked: string[] = [];
    let prism: Awaited<ReturnType<typeof startPrism>>;
    let registry: Listening;
    let identities: Listening;
    let home: string;
    let env: Readonly<Record<string, string>>;
    let hosts: NonNullable<ClientOptions["hosts"]>;
    let client: Client;
    let service: ServiceRegistry;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "gantry-e2e-acr-"));
      prism = await startPrism(spec);
      registry = await challenging(prism.origin, asked);
      identities = await listen((request, response) => {
        const isRight = request.headers["x-identity-header"] === "header-of-app";
        response.writeHead(isRight ? 200 : 401).end(JSON.stringify({ access_token: "aad", expires_on: "4102444800" }));
      });
      const { host } = registry.url;
      env = { HOME: home, IDENTITY_ENDPOINT: `${identities.url.href}msi/token`, IDENTITY_HEADER: "header-of-app" };
      hosts = { [host]: { provider: "acr" } };
      client = createClient({ env, hosts });
      service = await client.service(host);
    });

    afterAll(async () => {
      await client?.close();
      await prism?.running.stop();
      await registry?.[Symbol.asyncDispose]();
      await identities?.[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    });

    /** What some work asked for, beside the logins and tokens that it may have needed. */
    async function during(work: () => Promise<unknown>): Promise<readonly string[]> {
      asked.length = 0;
      await work();
      const isLogin = (line: string): boolean => /^POST \/oauth2\/\w+ 200\b/.test(line);
      return asked.filter((line) => !isLogin(line));
    }

    test("an app's identity buys a refresh token, that one an access token, and that one the answer", async () => {
      const other = createClient({ env, hosts });
      const registryOfOther = await other.service(registry.url.host);
      asked.length = 0;
      expect(await registryOfOther.describeRepository("app")).toMatchObject({ name: "app", tags: 0, images: 0 });
      await other.close();
      expect(asked).toEqual([
        "POST /oauth2/exchange 200",
        "POST /oauth2/token 200 repository:app:metadata_read",
        "GET /acr/v1/app 200",
      ]);
    });

    test.each<readonly [string, () => Promise<unknown>, readonly string[]]>([
      ["images", () => Array.fromAsync(service.images("app")), ["GET /acr/v1/app/_manifests 200"]],
      ["locks", () => service.immutability("app"), ["GET /acr/v1/app 200", "GET /acr/v1/app/_tags 200"]],
      ["a lock", () => service.setImmutability("app", { tags: "immutable" }), ["PATCH /acr/v1/app 200"]],
      [
        "the lock of a tag",
        () => service.setImmutability("app", { tags: "mutable", except: ["v1"] }),
        ["PATCH /acr/v1/app 200", "GET /acr/v1/app/_tags 200", "PATCH /acr/v1/app/_tags/v1 200"],
      ],
      ["the end of a tag", () => service.deleteTag("app", "v1"), ["DELETE /acr/v1/app/_tags/v1 202"]],
      [
        "the end of an image",
        () => Array.fromAsync(service.deleteManifests("app", [digest])),
        [`DELETE /v2/app/manifests/${digest} 202`],
      ],
      ["the end of a repository", () => service.deleteRepository("app", { force: true }), ["DELETE /acr/v1/app 202"]],
    ])("%s are asked for as the specification has it", async (_, work, requests) => {
      expect(await during(work)).toEqual(requests);
    });

    test("repositories are listed with a token for the catalog", async () => {
      expect(await during(() => Array.fromAsync(service.listRepositories()))).toEqual(["GET /v2/_catalog 200"]);
    });
  });
}
