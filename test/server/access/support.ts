import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { streamOf } from "../../../src/oci/stream.ts";
import type { Access, Action, Verdict } from "../../../src/server/access.ts";
import type { Reply, ServerRequest } from "../../../src/server/message.ts";

/** Passwords by user. */
export type Users = Readonly<Record<string, string>>;

/** A directory that is gone when the test is. */
export async function workDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "gantry-access-"));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }) };
}

/** Writes an htpasswd file with bcrypt's lowest cost, in one piece. */
export async function writeUsers(file: string, users: Users): Promise<void> {
  const lines = Object.entries(users).map(async ([user, password]) => `${user}:${await hash(password, 4)}\n`);
  await writeFile(file, (await Promise.all(lines)).join(""));
}

/** A request as a socket would make it: to `registry.test` over TLS, from 192.0.2.1. */
export function requestOf({
  body,
  ...change
}: Partial<Omit<ServerRequest, "body">> & { readonly body?: string } = {}): ServerRequest {
  return {
    method: "GET",
    target: "/v2/",
    secure: true,
    remote: "192.0.2.1",
    ...change,
    headers: { host: "registry.test", ...change.headers },
    body: () => streamOf(Buffer.from(body ?? "")),
  };
}

/** The value of an Authorization header. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** A verdict on the least that a test has to say. */
export function ask(
  access: Access,
  action: Action,
  authorization?: string,
  host = "registry.test",
): Verdict | Promise<Verdict> {
  const headers = { host, ...(authorization !== undefined && { authorization }) };
  return access.authorize(requestOf({ headers }), action);
}

/** What a verdict comes to: the user (`-` for the anonymous), or status, code and challenge. */
export async function outcome(verdict: Verdict | Promise<Verdict>): Promise<string> {
  const known = await verdict;
  if (known.allow) return known.user ?? "-";
  const { status, headers } = known.reply;
  const error = /error="(.*?)"/.exec(headers["www-authenticate"] ?? "")?.[1];
  return [status, errorCode(known.reply), error].filter((part) => part !== undefined).join(" ");
}

/** The code in an error's body. */
export function errorCode(reply: Reply): string {
  return (json(reply) as { errors: { code: string }[] }).errors[0]?.code ?? "";
}

/** A reply's body. */
export function json(reply: Reply): unknown {
  return JSON.parse(textOf(reply));
}

/** A reply's body, as text. */
export function textOf({ body }: Reply): string {
  if (!(body instanceof Uint8Array)) throw new Error("the reply has no body in one piece");
  return Buffer.from(body).toString("utf8");
}

export interface TokenReply {
  readonly token: string;
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly scope: string;
}

/** Asks the token endpoint with GET. */
export async function getToken(
  access: Access,
  query: string,
  { authorization, host = "registry.test" }: { readonly authorization?: string; readonly host?: string } = {},
): Promise<Reply> {
  const headers = { host, ...(authorization !== undefined && { authorization }) };
  return await routed(access, requestOf({ target: `/token?${query}`, headers }));
}

/** Asks the token endpoint with a form. */
export async function postToken(access: Access, form: Readonly<Record<string, string>>): Promise<Reply> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams(form).toString();
  return await routed(access, requestOf({ method: "POST", target: "/token", headers, body }));
}

/** The reply of a path that access answers. */
export async function routed(access: Access, request: ServerRequest): Promise<Reply> {
  const reply = await access.route?.(request);
  if (!reply) throw new Error(`access does not answer ${request.target}`);
  return reply;
}

/** The Authorization header with the token of a reply. */
export function bearerOf(reply: Reply): string {
  return `Bearer ${(json(reply) as TokenReply).token}`;
}
