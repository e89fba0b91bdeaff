import { collect, streamOf } from "../../src/oci/stream.ts";
import { noBody } from "../../src/transport/body.ts";
import type { Req, Res, Transport } from "../../src/transport/transport.ts";

/** What a fake token service makes of a request: the reply's status and JSON. */
export type TokenReply = (asked: {
  scopes: readonly string[];
  authorization: string | undefined;
  form: URLSearchParams | undefined;
}) => {
  readonly status?: number;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
};

export interface FakeRegistry {
  readonly transport: Transport;
  /** Each request in short: method, path, scopes and whether it carried anything. */
  readonly log: readonly string[];
  /** Takes all tokens back. */
  revoke(): void;
}

export const registryHost = "registry.example";
const realm = "https://auth.example/token";

/** A registry that wants tokens which cover the scope it names, and its token service. */
export function fakeRegistry(scopeOf: (request: Req) => string, reply: TokenReply = () => ({})): FakeRegistry {
  const log: string[] = [];
  let tokens = new Map<string, readonly string[]>();
  let issued = 0;
  const tokenService = async (request: Req): Promise<Res> => {
    const form =
      request.body && new URLSearchParams(Buffer.from(await collect(await request.body.open(), 10_000)).toString());
    const scopes = form
      ? (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "")
      : request.url.searchParams.getAll("scope");
    const { authorization } = request.headers;
    log.push(
      `token ${request.method} ${scopes.join(" ")}${authorization === undefined ? "" : " with login"}`
        .replace(/\s+/g, " ")
        .trim(),
    );
    const { status = 200, json, headers = {} } = reply({ scopes, authorization, form });
    const token = `token-${++issued}`;
    if (status === 200) tokens.set(token, scopes);
    const bytes = Buffer.from(JSON.stringify(json ?? { token, expires_in: 300 }));
    return { status, headers, body: streamOf(bytes) };
  };
  const registry = async (request: Req): Promise<Res> => {
    const { authorization = "" } = request.headers;
    const wanted = scopeOf(request);
    const scopes = tokens.get(authorization.replace("Bearer ", ""));
    log.push(
      `${request.method} ${request.url.pathname}${authorization === "" ? "" : " with token"}${request.body ? " with body" : ""}`,
    );
    if (scopes && (wanted === "" || scopes.includes(wanted))) return { status: 200, headers: {}, body: noBody };
    const error = scopes ? ',error="insufficient_scope"' : "";
    const challenge = `Bearer realm="${realm}",service="${registryHost}"${wanted === "" ? "" : `,scope="${wanted}"`}${error}`;
    return { status: 401, headers: { "www-authenticate": challenge }, body: noBody };
  };
  return {
    log,
    transport: (request) => (request.url.host === "auth.example" ? tokenService(request) : registry(request)),
    revoke: () => void (tokens = new Map()),
  };
}
