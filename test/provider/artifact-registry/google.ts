import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { jwtVerify, type JWTPayload } from "jose";
import { onTestFinished } from "vitest";
import type { CredentialContext } from "../../../src/provider/provider.ts";
import { systemClock } from "../../../src/transport/clock.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { wire } from "../../../src/transport/wire.ts";

/** One request that was made of Google. */
interface Asked {
  /** `POST oauth2.googleapis.com/token`. */
  readonly what: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export type Route = (asked: Asked) => Answer | "hang" | Promise<Answer | "hang">;

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A key of a service account, as Google hands it out. */
export const serviceAccount = {
  type: "service_account",
  project_id: "project",
  private_key_id: "1",
  private_key: pair.privateKey.export({ type: "pkcs8", format: "pem" }),
  client_email: "robot@project.iam.gserviceaccount.com",
  token_uri: "https://oauth2.googleapis.com/token",
} as const;

/** The claims of what our key signed, checked by jose for Google's token endpoint; a wrong signature rejects. */
export async function claimsOf(body: string): Promise<JWTPayload> {
  const assertion = new URLSearchParams(body).get("assertion");
  const audience = "https://oauth2.googleapis.com/token";
  if (!assertion) throw new Error(`no assertion came: ${body}`);
  return (await jwtVerify(assertion, pair.publicKey, { audience, algorithms: ["RS256"] })).payload;
}

/**
 * A server on the loopback that stands for all of Google's: routes by `METHOD host/path`, without parameters. All that goes
 * through its transport ends there, over real connections.
 */
export async function startGoogle(routes: Readonly<Record<string, Route>>): Promise<{
  readonly transport: Transport;
  readonly asked: readonly Asked[];
}> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const what = `${request.method} ${String(request.headers["x-test-host"])}${request.url?.split("?")[0]}`;
      const one = { what, headers: request.headers, body: Buffer.concat(pieces).toString() };
      asked.push(one);
      const answer = (await routes[what]?.(one)) ?? { status: 404, body: { error: "nothing is there" } };
      if (answer === "hang") return;
      const { status = 200, headers = {}, body } = answer;
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const sockets = wire({ settingsOf: () => ({}), userAgent: "test" });
  onTestFinished(async () => {
    sockets.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    asked,
    transport: (request) =>
      sockets({
        ...request,
        url: new URL(`http://127.0.0.1:${port}${request.url.pathname}${request.url.search}`),
        headers: { ...request.headers, "x-test-host": request.url.host },
      }),
  };
}

/** What logins are looked for with; no metadata server is asked unless told. */
export function credentialContext(transport: Transport, more: Partial<CredentialContext> = {}): CredentialContext {
  return {
    home: "/nonexistent",
    clock: systemClock,
    isInsecure: () => false,
    api: () => undefined,
    transport,
    ...more,
    env: { METADATA_SERVER_DETECTION: "none", ...more.env },
  };
}
