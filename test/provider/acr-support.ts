import { OAuth2Server } from "oauth2-mock-server";
import type { CredentialContext } from "../../src/provider/provider.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, streamOf } from "../../src/oci/stream.ts";
import { systemClock } from "../../src/transport/clock.ts";
import type { Req, Res, Transport } from "../../src/transport/transport.ts";

/** A JSON Web Token that says this of itself, signed by nobody. */
export function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

/** Hosts, and what answers there; all else cannot be reached. */
export function network(hosts: Readonly<Record<string, Transport>>): {
  readonly transport: Transport;
  readonly asked: string[];
} {
  const asked: string[] = [];
  const transport: Transport = async (request) => {
    asked.push(`${request.method} ${request.url.origin}${request.url.pathname}`);
    const answer = hosts[request.url.host];
    if (answer) return answer(request);
    throw new RegistryError("NETWORK", `${request.url.host} cannot be reached`, { host: request.url.host });
  };
  return { transport, asked };
}

/** An answer in JSON. */
export function json(status: number, value: unknown): Res {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: streamOf(Buffer.from(JSON.stringify(value))),
  };
}

export async function bodyOf({ body }: Req): Promise<string> {
  return body ? new TextDecoder().decode(await collect(await body.open(), 1 << 20)) : "";
}

/** Sends to a server on this machine what is meant for another; `rewrite` makes of its answers what the other would say. */
export function redirected(
  origin: string,
  path: (url: URL) => string,
  rewrite = (text: string): string => text,
): Transport {
  return async (request) => {
    const body = await bodyOf(request);
    const response = await fetch(`${origin}${path(request.url)}`, {
      method: request.method,
      headers: request.headers,
      ...(body && { body }),
      ...(request.signal && { signal: request.signal }),
    });
    const text = rewrite(await response.text());
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: streamOf(Buffer.from(text)),
    };
  };
}

export const tenant = "409520d4-8100-4d1d-ad47-72432ddcc120";
export const client = "30f1d0a2-3f0a-4c4f-8a0e-2d3a0a0c8e11";
const authority = `https://login.microsoftonline.com/${tenant}`;

/** A server of others that issues tokens, in the place of Microsoft Entra ID. */
export async function entra(): Promise<{
  readonly transport: Transport;
  readonly server: OAuth2Server;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  const { port } = server.address();
  const issuer = server.issuer.url!;
  const path = ({ pathname }: URL): string => pathname.replace(/^\/[^/]+(?:\/oauth2)?\/v2\.0/, "");
  const transport = redirected(`http://127.0.0.1:${port}`, path, (text) =>
    text.replaceAll(issuer, `${authority}/v2.0`),
  );
  return { transport, server, [Symbol.asyncDispose]: () => server.stop() };
}

/** What logins are looked for with in a test, and the warnings that came of it. */
export function credentialContext(
  transport: Transport,
  more: Partial<CredentialContext> = {},
): CredentialContext & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    env: {},
    home: "/nonexistent",
    transport,
    clock: systemClock,
    isInsecure: () => false,
    api: () => undefined,
    onWarning: (text) => void warnings.push(text),
    warnings,
    ...more,
  };
}
