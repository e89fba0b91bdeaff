import { expect, test } from "vitest";
import { apiRules, refusalRules } from "../../src/doctor/rules/answers.ts";
import { serviceRules } from "../../src/doctor/rules/services.ts";
import type { Rule } from "../../src/doctor/rules/rule.ts";
import type { CheckName } from "../../src/doctor/diagnosis.ts";
import { healthy, page, patient, wrongIn, type Said } from "./support.ts";

// Each rule on answers, against a server that answers exactly so.

interface Case {
  /** Part of the rule's cause. */
  readonly cause: string;
  readonly check: CheckName;
  /** The path that misbehaves. */
  readonly at: string;
  readonly says: Said;
  readonly challenge?: string;
  readonly login?: string;
  readonly write?: boolean;
}

const error = (status: number, code: string, message: string): Said => ({
  status,
  body: JSON.stringify({ errors: [{ code, message }] }),
});
const html = (status: number): Said => ({ status, body: page, headers: { "content-type": "text/html" } });

const api = (cause: string, says: Said): Case => ({ cause, check: "api", at: "/v2/", says });
const pull = (cause: string, says: Said): Case => ({ cause, check: "pull", at: "/v2/app/manifests/1", says });
const push = (cause: string, says: Said): Case => ({
  cause,
  check: "push",
  at: "/v2/app/blobs/uploads/",
  says,
  write: true,
});
const token = (cause: string, says: Said, login?: string, challenge?: string): Case => ({
  cause,
  check: "login",
  at: "/token",
  says,
  ...(login && { login }),
  ...(challenge && { challenge }),
});

const cases: readonly Case[] = [
  api("wants a client certificate, and none", {
    status: 400,
    body: "<center>No required SSL certificate was sent</center>",
  }),
  api("sign in first, in a browser", html(511)),
  api("sign-in page of this network", html(200)),
  api("the proxy wants a login", { status: 407 }),
  api("a firewall before the registry refuses", html(403)),
  api("no registry answers at this host and port", { status: 404 }),
  api("the registry is down or starting", html(502)),
  api("the registry itself failed: its own log", { status: 500 }),
  api("took the WWW-Authenticate header away", { status: 401 }),
  api("what answers there is not a registry", { status: 200, body: "Welcome" }),
  pull("passes logins on that were meant", { status: 400, body: "<Message>Only one auth mechanism allowed</Message>" }),
  pull("the repository does not exist, is spelt", error(404, "NAME_UNKNOWN", "repository name not known to registry")),
  pull("the tag or digest was never pushed", error(404, "MANIFEST_UNKNOWN", "manifest unknown")),
  push("limits what one request may carry", html(413)),
  pull("a rate limit; who is logged in", error(429, "TOOMANYREQUESTS", "slow down")),
  pull("does not reach it", html(502)),
  pull("the registry itself failed", { status: 500 }),
  push("is read-only", error(405, "UNSUPPORTED", "read only")),
  pull(
    "the pulls of this address",
    error(429, "TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit."),
  ),
  pull("the limit against abuse", { status: 429, body: "Too Many Requests (HAP429)." }),
  pull("the quota of the project", error(429, "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED: quota exceeded")),
  pull("limits requests by address or login", html(429)),
  pull(
    "good for 12 hours",
    error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again."),
  ),
  pull("of another registry or has expired", error(400, "DENIED", "Your Authorization Token is invalid.")),
  pull(
    "may not fetch tokens",
    error(400, "DENIED", "AccessDeniedException: not authorized: ecr:GetAuthorizationToken"),
  ),
  pull(
    "was not created in this account and region",
    error(404, "NAME_UNKNOWN", "The repository with name 'app' does not exist in the registry with id '123456789012'"),
  ),
  pull(
    "set up for each host by itself",
    error(403, "DENIED", "Unauthenticated request. Unauthenticated requests do not have permission"),
  ),
  pull(
    "lacks that role, or the repository",
    error(
      403,
      "DENIED",
      'Permission "artifactregistry.repositories.downloadArtifacts" denied on resource (or it may not exist)',
    ),
  ),
  pull(
    "they last three hours",
    error(401, "UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization"),
  ),
  pull("does not let this address in", error(403, "DENIED", "client with IP '192.0.2.7' is not allowed access")),
  push("lacks write:packages", error(403, "DENIED", "permission_denied: write_package")),
  pull("lacks read:packages, or", error(403, "DENIED", "permission_denied: read_package")),
  token("with two-factor login", error(403, "DENIED", "HTTP Basic: Access denied"), "ann:s3cret"),
  push(
    "the project's quota is used up",
    error(403, "DENIED", "adding 1 MiB will exceed the configured upper limit of 1 GiB"),
  ),
  token("the robot has expired", error(401, "UNAUTHORIZED", "unauthorized"), "robot$ci:s3cret"),
  token(
    "who comes in through OIDC needs",
    error(401, "UNAUTHORIZED", "unauthorized"),
    "ann:s3cret",
    'Bearer realm="https://registry.example/service/token",service="harbor-registry"',
  ),
  token(
    "is fine-grained",
    error(403, "DENIED", "denied"),
    "ann:s3cret",
    'Bearer realm="https://containers.example/token",service="containers.example"',
  ),
];

test.each(cases.map((one) => [one.cause, one] as const))(
  "%s",
  async (cause, { check, at, says, login, write, challenge }) => {
    const script = healthy((_, path, { headers }) => {
      if (path.startsWith(at) || (at === "/token" && path.includes("/token")))
        return path === at || at === "/token" ? says : undefined;
      if (challenge && path === "/v2/" && headers.authorization === undefined)
        return { status: 401, headers: { "www-authenticate": challenge } };
      return undefined;
    });
    const { diagnose } = await patient(script, login === undefined ? {} : { login });
    const told = await diagnose(undefined, { writeCheck: write ?? false });
    const [first, ...others] = wrongIn(told);
    expect(first).toMatchObject({ check, verdict: "fault", cause: expect.stringContaining(cause) as string });
    expect(others).toEqual([]);
    expect(first!.host).toBeDefined();
    expect(JSON.stringify(told)).not.toMatch(/s3cret|undefined|[{}]registry|\{url\}/);
  },
);

test("there is no rule without such a case", () => {
  const rules: readonly Rule[] = [...apiRules, ...refusalRules, ...serviceRules];
  const unproven = rules.filter((rule) => !cases.some(({ cause }) => rule.cause.includes(cause)));
  expect(unproven).toEqual([]);
});
