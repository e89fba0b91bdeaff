import type { Action, Verb, Verdict } from "./access.ts";
import { deleteBlob, getBlob } from "./blobs.ts";
import type { Context, Endpoint } from "./context.ts";
import { announced, discover, listInventory } from "./extension.ts";
import { replyOf } from "./fault.ts";
import { listReferrers, listRepositories, listTags } from "./lists.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import { faultReply, jsonReply, type Reply, type ServerRequest } from "./message.ts";
import { parseRoute, queryOf, type Resource, type Route } from "./route.ts";
import { appendUpload, cancelUpload, finishUpload, getUpload, startUpload } from "./upload-endpoints.ts";

interface Operation {
  readonly verbs: readonly Verb[];
  readonly run: Endpoint;
}

const pull: readonly Verb[] = ["pull"];
const push: readonly Verb[] = ["push"];
const remove: readonly Verb[] = ["delete"];

/** Every operation of the distribution API and its extensions, by path and method, with what it needs to be allowed. */
const operations: Readonly<Record<Resource, Readonly<Record<string, Operation>>>> = {
  ping: { GET: { verbs: [], run: () => jsonReply(200, {}) }, HEAD: { verbs: [], run: () => jsonReply(200, {}) } },
  catalog: { GET: { verbs: ["catalog"], run: listRepositories } },
  tags: { GET: { verbs: pull, run: listTags } },
  referrers: { GET: { verbs: pull, run: listReferrers } },
  blob: {
    GET: { verbs: pull, run: getBlob },
    HEAD: { verbs: pull, run: getBlob },
    DELETE: { verbs: remove, run: deleteBlob },
  },
  manifest: {
    GET: { verbs: pull, run: getManifest },
    HEAD: { verbs: pull, run: getManifest },
    PUT: { verbs: push, run: putManifest },
    DELETE: { verbs: remove, run: deleteManifest },
  },
  "upload-start": { POST: { verbs: push, run: startUpload } },
  upload: {
    GET: { verbs: push, run: getUpload },
    PATCH: { verbs: push, run: appendUpload },
    PUT: { verbs: push, run: finishUpload },
    DELETE: { verbs: push, run: cancelUpload },
  },
  extensions: { GET: { verbs: [], run: discover } },
  inventory: { GET: { verbs: pull, run: listInventory } },
};

/** Where clients look for what a registry is. */
const announcing: readonly string[] = ["ping", "tags"] satisfies Resource[];
const extensions: readonly string[] = ["extensions", "inventory"] satisfies Resource[];

/** Answers requests: every error becomes an answer, and nothing is thrown. */
export function handler(context: Context): (request: ServerRequest) => Promise<Reply> {
  return async (request) => {
    const start = context.emit ? performance.now() : 0;
    let reply: Reply;
    let user: string | undefined;
    try {
      ({ reply, user } = await answer(request, context));
    } catch (error) {
      reply = replyOf(error);
      if (reply.status >= 500)
        context.emit?.({ type: "failed", method: request.method, target: request.target, error });
    }
    if (context.emit) report(request, reply, performance.now() - start, user, context);
    return reply;
  };
}

interface Answer {
  readonly reply: Reply;
  readonly user?: string | undefined;
}

async function answer(request: ServerRequest, context: Context): Promise<Answer> {
  const route = parseRoute(request.target);
  if (!route || (!context.extension && extensions.includes(route.kind)))
    return { reply: await unrouted(request, context) };
  const { kind } = route;
  if (kind === "bad-name") return { reply: badName(route.name) };
  const operation = Object.hasOwn(operations[kind], request.method) ? operations[kind][request.method] : undefined;
  if (!operation) return { reply: wrongMethod(request.method, Object.keys(operations[kind])) };
  if (context.readOnly && request.method !== "GET" && request.method !== "HEAD") return { reply: refusesWrites() };
  const asked = context.access.authorize(request, actionOf(route, operation.verbs, request));
  const verdict: Verdict = asked instanceof Promise ? await asked : asked;
  const told = context.extension && announcing.includes(kind) ? announced : (reply: Reply): Reply => reply;
  if (!verdict.allow) return { reply: told(verdict.reply) };
  const { user, sees } = verdict;
  const exchange = { request, route, ...(user !== undefined && { user }), ...(sees && { sees }) };
  return { reply: told(await operation.run(exchange, context)), user };
}

function actionOf({ kind, name }: Route, verbs: readonly Verb[], request: ServerRequest): Action {
  if (name === "") return { verbs };
  const mountFrom = kind === "upload-start" ? queryOf(request.target).get("from") : null;
  return { repository: name, verbs, ...(mountFrom !== null && { mountFrom }) };
}

function report(
  { method, target, remote }: ServerRequest,
  { status }: Reply,
  milliseconds: number,
  user: string | undefined,
  { emit }: Context,
): void {
  emit?.({
    type: "request",
    method,
    target,
    status,
    milliseconds,
    ...(user !== undefined && { user }),
    ...(remote !== undefined && { remote }),
  });
}

async function unrouted(request: ServerRequest, { access }: Context): Promise<Reply> {
  const reply = await access.route?.(request);
  return reply ?? faultReply(404, "UNSUPPORTED", "this is no path of the distribution API");
}

function badName(name: string): Reply {
  return faultReply(400, "NAME_INVALID", `${JSON.stringify(name.slice(0, 300))} can be no repository name`);
}

function wrongMethod(method: string, allowed: readonly string[]): Reply {
  return faultReply(405, "UNSUPPORTED", `${method.slice(0, 20)} does nothing here`, {
    headers: { allow: allowed.join(", ") },
  });
}

function refusesWrites(): Reply {
  return faultReply(405, "UNSUPPORTED", "this registry is read-only", { headers: { allow: "GET, HEAD" } });
}
