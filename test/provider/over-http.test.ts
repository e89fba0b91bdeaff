import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../src/client.ts";

/** A server that asks for logins as Quay does, and answers for the APIs of Docker Hub and Quay. */
const asked: string[] = [];
const server = createServer((request, response) => {
  const { method, url = "", headers } = request;
  asked.push(`${method} ${url} ${headers.authorization ?? "anonymous"}`);
  response.setHeader("content-type", "application/json");
  if (url === "/v2/") {
    response.statusCode = 401;
    response.setHeader("www-authenticate", `Bearer realm="http://${headers.host}/v2/auth",service="${headers.host}"`);
  }
  const tag = { name: "v1", start_ts: 1717680780 };
  const answers = { access_token: "token", results: [tag], tags: [tag], page: 1, has_additional: false };
  response.end(JSON.stringify(answers));
});
const address = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const environment = {
  HOME: "/nonexistent",
  DOCKERHUB_USERNAME: "ann",
  DOCKERHUB_TOKEN: "secret",
  QUAY_OAUTH_TOKEN: "oauth",
};
const quayTags = "GET /api/v1/repository/a/b/tag/?onlyActiveTags=true&limit=100&page=1";

test.each<[string, string, readonly string[]]>([
  [
    "docker.io",
    "dockerhub",
    ["POST /v2/auth/token anonymous", "GET /v2/namespaces/a/repositories/b/tags?page_size=100 Bearer token"],
  ],
  ["quay.io", "quay", [`${quayTags} Bearer oauth`]],
  // Under another name it is known by its challenge, and gets nobody else's token.
  ["", "quay", [`${quayTags} anonymous`]],
])("a client speaks to the API of %s where its settings say", async (host, provider, expected) => {
  const api = `http://${address()}`;
  const client = createClient({ env: environment, hosts: { "docker.io": { api }, "quay.io": { api } } });
  asked.length = 0;
  try {
    const service = await client.service(host || address());
    expect(service.provider.name).toBe(provider);
    expect(await Array.fromAsync(service.images("a/b"))).toMatchObject([{ tags: ["v1"] }]);
    // Whether the server speaks TLS, and what it is, is asked by its version check.
    expect(asked.filter((line) => line !== "GET /v2/ anonymous")).toEqual(expected);
  } finally {
    await client.close();
  }
});
