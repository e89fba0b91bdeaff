import type { Secret } from "../auth/secret.ts";
import { RegistryError, type ErrorCode } from "../oci/error.ts";
import { collect, contentOf } from "../oci/stream.ts";
import type { Call } from "../store/store.ts";
import { nextLink } from "../store/remote/pages.ts";
import { isConfidential, type IsInsecure } from "../transport/origin.ts";
import type { Method, Transport } from "../transport/transport.ts";
import { apiError } from "./api-error.ts";

/** An API that speaks JSON over HTTP, as all services' own do. */
export interface JsonApi {
  /** Sends a request; any status that is not in `accept` (else 200 to 299) throws what `JsonApiOptions.error` makes of it. */
  send(method: Method, path: string, request?: JsonRequest): Promise<JsonAnswer>;
  /**
   * Follows `Link: rel="next"`, or where `next` is given what it makes of an answer, until it leads nowhere or to a page
   * that was had. Throws NETWORK where it leads to another host, or there is no end of pages.
   */
  pages(path: string, request?: JsonRequest & { readonly next?: Next }): AsyncIterable<JsonAnswer>;
}

/** Where the next page is, from this one: a path or URL of the same origin, or other parameters for the same path. */
export type Next = (answer: JsonAnswer) => string | Readonly<Record<string, string>> | undefined;

export interface JsonRequest extends Call {
  /** What it is for, for messages: `list the tags of registry.example/app`. */
  readonly what?: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON; a string as a form (`application/x-www-form-urlencoded`). */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What of the body is secret: it goes out where nobody can read it on the way, and is in no message. */
  readonly secrets?: readonly Secret[];
  /** Statuses that are answers and no errors. */
  readonly accept?: readonly number[];
  /** What 404 means here; NAME_UNKNOWN. */
  readonly absent?: ErrorCode;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where no JSON came. */
  readonly body: unknown;
  /** What came in its place, such as a log. */
  readonly text?: string;
}

export interface JsonApiOptions {
  readonly transport: Transport;
  /** With the path that all others are below: `https://hub.docker.com/v2`. */
  readonly base: URL;
  /** Sent with each request: who we are, and what version is spoken. */
  readonly headers?: (call?: Call) => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** What a person calls it. */
  readonly title: string;
  readonly isInsecure?: IsInsecure;
  /** What an answer says went wrong, and what it means: text for people, and the code where it is not the status's. */
  readonly error?: (answer: JsonAnswer) => ApiFault | undefined;
}

export interface ApiFault {
  readonly message?: string | undefined;
  readonly code?: ErrorCode;
  readonly hint?: string;
}

const answerLimit = 32 * 1024 * 1024;
/** More pages than any list has. */
const mostPages = 20_000;

/** Speaks to an API. Never sends logins over a network in plain text, and follows no redirect. */
export function jsonApi(options: JsonApiOptions): JsonApi {
  const { transport, base, title } = options;
  const root = base.pathname.replace(/\/+$/, "");
  const resolve = (path: string): URL => {
    // A name such as `..` in a path would make it that of something else, all that is above it.
    if (/(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)/i.test(path.split(/[?#]/, 1)[0]!)) {
      throw new RegistryError("INVALID", `${JSON.stringify(path)} is no path of ${title}`, { host: base.host });
    }
    const url = /^https?:/.test(path) ? new URL(path) : new URL(`${root}${path}`, base);
    if (url.origin === base.origin) return url;
    throw new RegistryError("NETWORK", `${title} says that the next page is at ${url.host}, another host`, {
      host: base.host,
    });
  };
  const follow = (from: URL, link: string): URL => {
    const url = URL.parse(link, from.href);
    if (url) return resolve(url.href);
    throw new RegistryError("NETWORK", `${title} says that the next page is at what is no address`, {
      host: base.host,
    });
  };

  const ask = async (method: Method, url: URL, request: JsonRequest): Promise<JsonAnswer> => {
    const { what = `speak to ${title}`, body, accept, signal, secrets = [] } = request;
    const own = (await options.headers?.({ ...(signal && { signal }) })) ?? {};
    const hidden = [...secretsIn({ ...own, ...request.headers }), ...secrets.map((secret) => secret.reveal())];
    if (hidden.length > 0 && !isConfidential(url, options.isInsecure)) {
      throw new RegistryError("UNAUTHORIZED", `${url.host} wants credentials over plain HTTP`, {
        host: url.host,
        hint: "use HTTPS, or declare the host insecure",
      });
    }
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    const response = await transport({
      method,
      url,
      headers: {
        accept: "application/json",
        ...(bytes && {
          "content-type": typeof body === "string" ? "application/x-www-form-urlencoded" : "application/json",
        }),
        ...own,
        ...request.headers,
      },
      ...(bytes && { body: { size: bytes.byteLength, open: contentOf(bytes) } }),
      ...(signal && { signal }),
      anonymous: true,
    });
    const answer = {
      status: response.status,
      headers: response.headers,
      ...read(await collect(response.body, answerLimit, `the answer to "${what}"`)),
    };
    const isFine = accept?.includes(answer.status) || (answer.status >= 200 && answer.status <= 299);
    if (isFine && isForeign(method, request, answer)) throw foreign(title, url.host, what);
    if (isFine) return answer;
    const { error } = options;
    throw apiError(answer, { title, host: url.host, what, absent: request.absent, hidden, error });
  };

  return {
    send: async (method, path, request = {}) => ask(method, withQuery(resolve(path), request.query), request),
    async *pages(path, { next, query, ...request } = {}) {
      const visited = new Set<string>();
      let url: URL | undefined = withQuery(resolve(path), query);
      while (url && !visited.has(url.href)) {
        if (visited.size >= mostPages) throw endless(title, base.host, request.what);
        visited.add(url.href);
        const answer: JsonAnswer = await ask("GET", url, request);
        yield answer;
        const after: ReturnType<Next> = next ? next(answer) : nextLink(answer.headers["link"]);
        if (after === undefined) return;
        url = typeof after === "string" ? follow(url, after) : withQuery(new URL(url), after);
      }
    },
  };
}

/** What headers keep secret; of a login by a scheme, what follows that. */
function secretsIn(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    /authorization|token/i.test(name) ? [value.replace(/^(?:Basic|Bearer) /i, "")] : [],
  );
}

/** Whether what was to be read is a page of a portal, say, and would pass for an empty list. */
function isForeign(method: Method, { headers }: JsonRequest, { status, text }: JsonAnswer): boolean {
  const isText = (headers?.["accept"] ?? "").startsWith("text/");
  return method === "GET" && status <= 299 && text !== undefined && !isText;
}

function foreign(title: string, host: string, what: string): RegistryError {
  return new RegistryError("NETWORK", `cannot ${what}: something else answered in the place of ${title}'s API`, {
    host,
    hint: "where the API is elsewhere, say so in the configuration: hosts.HOST.api",
  });
}

function endless(title: string, host: string, what = `read a list of ${title}`): RegistryError {
  return new RegistryError("NETWORK", `cannot ${what}: ${title} leads from page to page without an end`, { host });
}

function withQuery(url: URL, query: JsonRequest["query"] = {}): URL {
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function read(bytes: Uint8Array): Pick<JsonAnswer, "body" | "text"> {
  if (bytes.byteLength === 0) return { body: undefined };
  const text = new TextDecoder().decode(bytes);
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    return { body: undefined, text };
  }
}
