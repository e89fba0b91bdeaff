import { userPassword } from "../../src/auth/credential.ts";
import { dockerHub } from "../../src/provider/dockerhub/provider.ts";
import type { ServiceContext } from "../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

export const ann = { ...userPassword("ann", "dckr_pat_124509ugsdjga93"), origin: "~/.docker/config.json" };
export const page = "https://docs.docker.com/reference/api/hub/latest/";
export const hub = "https://hub.docker.com/v2";
export const now = Date.UTC(2026, 0, 1);

export function jwt(name: string, seconds = 600): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part({ sub: name, exp: now / 1000 + seconds })}.signature`;
}

export const login: Exchange = {
  page: `${page}#tag/authentication-api/operation/AuthCreateAccessToken`,
  method: "POST",
  url: `${hub}/auth/token`,
  sends: { identifier: "ann", secret: "dckr_pat_124509ugsdjga93" },
  answer: { access_token: jwt("one") },
};

/** Docker Hub with what was recorded, and a clock that stands still until it is set. */
export function connected(
  exchanges: readonly Exchange[],
  { credential, host = "docker.io", ...more }: Parameters<typeof serviceContext>[1] & { readonly host?: string } = {},
): {
  readonly service: Promise<ServiceRegistry>;
  readonly asked: string[];
  readonly sent: readonly Readonly<Record<string, string>>[];
  readonly time: { now: number };
} {
  const time = { now };
  const { transport, asked, sent } = recorded(...exchanges);
  const clock: ServiceContext["clock"] = { now: () => time.now, random: () => 0, sleep: async () => undefined };
  const context = serviceContext(host, { transport, clock, ...(credential && { credential }), ...more });
  return { service: dockerHub.connect(context), asked, sent, time };
}
