import { expect } from "vitest";
import type { Credential } from "../../src/auth/credential.ts";
import { versionCheck } from "../../src/provider/detect.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, streamOf } from "../../src/oci/stream.ts";
import type { Provider, ServiceContext } from "../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { remoteRegistry } from "../../src/store/remote/remote-store.ts";
import { systemClock } from "../../src/transport/clock.ts";
import type { Method, Transport } from "../../src/transport/transport.ts";

/** One request and its answer, as a page of the service's documentation shows them. */
export interface Exchange {
  /** The page it was transcribed from. */
  readonly page: string;
  readonly method?: Method;
  readonly url: string;
  /** The body that is sent: JSON, or a text as it is. */
  readonly sends?: unknown;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer?: unknown;
}

/** A transport that answers what was recorded, in any order and as often as it is asked; all else fails the test. */
export function recorded(...exchanges: readonly Exchange[]): {
  readonly transport: Transport;
  /** What was asked, in order: `GET https://…`. */
  readonly asked: string[];
  /** The headers of what was asked, in order. */
  readonly sent: Readonly<Record<string, string>>[];
} {
  const asked: string[] = [];
  const sent: Readonly<Record<string, string>>[] = [];
  const transport: Transport = async ({ method, url, headers, body }) => {
    const bytes = body ? await collect(await body.open(), 1 << 20) : undefined;
    const text = bytes && new TextDecoder().decode(bytes);
    asked.push(`${method} ${url.href}`);
    sent.push(headers);
    const found = exchanges.find(
      (one) => (one.method ?? "GET") === method && new URL(one.url).href === url.href && isSame(one.sends, text),
    );
    expect(found, `nothing is recorded for ${method} ${url.href} ${text ?? ""}`).toBeDefined();
    const { status = 200, headers: answered = {}, answer } = found!;
    const json = typeof answer === "string" ? answer : JSON.stringify(answer);
    return {
      status,
      headers: { "content-type": "application/json", ...answered },
      body: json === undefined ? streamOf() : streamOf(Buffer.from(json)),
    };
  };
  return { transport, asked, sent };
}

function isSame(wanted: unknown, text: string | undefined): boolean {
  if (wanted === undefined || typeof wanted === "string") return wanted === text;
  try {
    expect(JSON.parse(text ?? "")).toEqual(wanted);
    return true;
  } catch {
    return false;
  }
}

/** A transport that reaches nobody. */
export const unreachable: Transport = async ({ url }) => {
  throw new RegistryError("NETWORK", `${url.host} cannot be reached`, { host: url.host });
};

/** What a service is connected with in a test; `transport` stands for the network, with and without logins. */
export function serviceContext(
  host: string,
  {
    transport = unreachable,
    credential,
    ...more
  }: Partial<Omit<ServiceContext, "credential">> & { readonly credential?: Credential } = {},
): ServiceContext {
  return {
    host,
    env: {},
    home: "/nonexistent",
    transport,
    authenticated: transport,
    clock: systemClock,
    isInsecure: () => false,
    api: () => undefined,
    registry: remoteRegistry({ transport, registry: host }),
    credential: async () => credential,
    realm: async () => (await versionCheck(host, transport)).realm,
    quota: () => undefined,
    ...more,
  };
}

/** A service that cannot be reached. */
export function silent(provider: Provider, host: string, credential?: Credential): () => Promise<ServiceRegistry> {
  return () => provider.connect(serviceContext(host, credential && { credential }));
}
