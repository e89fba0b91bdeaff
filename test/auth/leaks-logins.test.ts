import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import {
  createClient,
  Secret,
  traceAccess,
  userPassword,
  validateCredential,
  type Credential,
} from "../../src/index.ts";
import { bodyOf, listen } from "../transport/listen.ts";

const identity: Credential = { kind: "identity", token: new Secret("topsecret-identity") };
const ann = userPassword("ann", "topsecret-password");
/** Whether a request shows one of them, as it is or in base64. */
const shows = (text: string): boolean => /topsecret|YW5u/.test(text);

/** What a registry and a stranger get to see when it sends whoever logs in on to them, from its realm or from everywhere. */
async function told(
  credential: Credential,
  from: "the realm" | "everywhere",
): Promise<{ readonly home: readonly string[]; readonly stranger: readonly string[] }> {
  const seen = { home: [] as string[], stranger: [] as string[] };
  const text = async (request: IncomingMessage): Promise<string> =>
    `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${(await bodyOf(request)).toString()}`;
  await using stranger = await listen(async (request, response) => {
    seen.stranger.push(await text(request));
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ token: "x", refresh_token: "x" }));
  });
  await using registry = await listen(async (request, response) => {
    seen.home.push(await text(request));
    const proven = request.headers.authorization !== undefined;
    if (request.url!.startsWith("/token") || (proven && from === "everywhere")) {
      return response.writeHead(307, { location: new URL(request.url!, stranger.url).href }).end();
    }
    return response.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
  });
  const client = createClient({
    env: { HOME: "/nonexistent" },
    retries: 0,
    credentials: [{ name: "given", find: () => Promise.resolve(credential) }],
  });
  const { host } = registry.url;
  await validateCredential(client.admission, host, credential, { offline: true }).catch(() => {});
  for (const push of [false, true]) {
    await traceAccess(client.admission, { host, repository: "app", ref: "v1", push }).catch(() => {});
  }
  await client.close();
  return seen;
}

test.each(["the realm", "everywhere"] as const)(
  "a login that is checked or explained is led nowhere from %s",
  async (from) => {
    for (const credential of [ann, identity, { kind: "bearer", token: new Secret("topsecret-bearer") } as const]) {
      const { home, stranger } = await told(credential, from);
      expect(home.filter(shows), "else it proves nothing").not.toEqual([]);
      expect(stranger.filter(shows)).toEqual([]);
    }
  },
);
