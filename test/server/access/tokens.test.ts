import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { parseScopes } from "../../../src/server/access/scope.ts";
import { tokens } from "../../../src/server/access/tokens.ts";

const key = randomBytes(32);
const start = 1_700_000_000_000;
const service = "registry.test";
const rights = parseScopes(["repository:app:pull,push", "registry:catalog:*"]);
const ann = { user: "ann", hash: "$2b$04$ann" };

function world(): { service: ReturnType<typeof tokens>; users: Map<string, string>; clock: { time: number } } {
  const users = new Map([[ann.user, ann.hash]]);
  const clock = { time: start };
  return { users, clock, service: tokens({ key: async () => key, entries: () => users, now: () => clock.time }) };
}

type Json = Record<string, unknown>;
const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string | undefined): Json => JSON.parse(Buffer.from(part ?? "", "base64url").toString()) as Json;

/** The same token, changed and signed again by whoever has `secret`. */
function forged(
  token: string,
  change: { header?: Json; claims?: Json; secret?: string | Uint8Array; hash?: string },
): string {
  const [header, claims] = token.split(".");
  const text = `${encode({ ...decode(header), ...change.header })}.${encode({ ...decode(claims), ...change.claims })}`;
  return `${text}.${createHmac(change.hash ?? "sha256", change.secret ?? key)
    .update(text)
    .digest("base64url")}`;
}

test("what is issued reads back, for a user and for the anonymous", async () => {
  const { service: own } = world();
  const { token, lifetime, issued } = await own.issue({ identity: ann, rights, service });
  expect(lifetime).toBeGreaterThanOrEqual(300);
  expect(issued.getTime()).toBe(start);
  expect(await own.read(token, service)).toEqual({
    identity: ann,
    rights,
    service,
    until: start + (lifetime + 60) * 1000,
  });
  const anonymous = await own.issue({ rights, service });
  expect(await own.read(anonymous.token, service)).toEqual({ rights, service, until: start + (lifetime + 60) * 1000 });
});

test("a token says who for whom, and nothing of the password's hash", async () => {
  const { service: own } = world();
  const { token } = await own.issue({ identity: ann, rights, service });
  const [header, claims] = token.split(".");
  expect(decode(header)).toEqual({ alg: "HS256", typ: "at+jwt" });
  expect(decode(claims)).toMatchObject({
    iss: "gantry",
    aud: service,
    sub: "ann",
    iat: start / 1000,
    nbf: start / 1000,
    exp: start / 1000 + 900,
    access: [
      { type: "repository", name: "app", actions: ["pull", "push"] },
      { type: "registry", name: "catalog", actions: ["*"] },
    ],
  });
  expect(Buffer.from(claims ?? "", "base64url").toString()).not.toContain("$2b$");
});

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = publicKey.export({ type: "spki", format: "pem" });
const seconds = start / 1000;

test.each<{ name: string; change: Parameters<typeof forged>[1] }>([
  { name: "another key", change: { secret: randomBytes(32) } },
  { name: "no key", change: { secret: "" } },
  { name: "a public key as the secret", change: { secret: publicPem.toString() } },
  {
    name: "a key in the header",
    change: { secret: "x", header: { jwk: { kty: "oct", k: Buffer.from("x").toString("base64url") } } },
  },
  { name: "a key at a URL", change: { secret: "x", header: { jku: "http://127.0.0.1/keys" } } },
  { name: "a certificate in the header", change: { secret: publicPem.toString(), header: { x5c: ["MIIB"] } } },
  { name: "a key's path", change: { secret: "", header: { kid: "../../../dev/null" } } },
  { name: "alg none, signed all the same", change: { header: { alg: "none" } } },
  { name: "HS512 with the right key", change: { header: { alg: "HS512" }, hash: "sha512" } },
  { name: "RS256", change: { header: { alg: "RS256" } } },
  { name: "no alg", change: { header: { alg: undefined } } },
  { name: "critical extensions", change: { header: { crit: ["x"], x: 1 } } },
  { name: "another type", change: { header: { typ: "JWT" } } },
  { name: "no type", change: { header: { typ: undefined } } },
  { name: "a refresh token's type", change: { header: { typ: "rt+jwt" } } },
  { name: "another service", change: { claims: { aud: "other.test" } } },
  { name: "no service", change: { claims: { aud: undefined } } },
  { name: "another issuer", change: { claims: { iss: "gantry.example" } } },
  { name: "no end", change: { claims: { exp: undefined } } },
  { name: "no beginning", change: { claims: { nbf: undefined } } },
  { name: "an end that is no number", change: { claims: { exp: "never" } } },
  { name: "an end 60 s ago", change: { claims: { exp: seconds - 60 } } },
  { name: "a beginning in 61 s", change: { claims: { nbf: seconds + 61 } } },
  { name: "another user's name", change: { claims: { sub: "bob" } } },
  { name: "a user's name alone", change: { claims: { credential: undefined } } },
])("refuses a token with $name", async ({ change }) => {
  const { service: own, users } = world();
  users.set("bob", "$2b$04$bob");
  const { token } = await own.issue({ identity: ann, rights, service });
  expect(await own.read(forged(token, {}), service), "forging itself is right").toBeDefined();
  expect(await own.read(forged(token, change), service)).toBeUndefined();
});

test.each<{ name: string; claims: Json }>([
  { name: "an end 59 s ago", claims: { exp: seconds - 59 } },
  { name: "a beginning in 60 s", claims: { nbf: seconds + 60 } },
])("a clock that differs: accepts $name", async ({ claims }) => {
  const { service: own } = world();
  const { token } = await own.issue({ identity: ann, rights, service });
  expect(await own.read(forged(token, { claims }), service)).toBeDefined();
});

test("an unsigned token, a cut one and none at all", async () => {
  const { service: own } = world();
  const { token } = await own.issue({ identity: ann, rights, service });
  const [header = "", claims = "", signature = ""] = token.split(".");
  const none = encode({ alg: "none", typ: "at+jwt" });
  const cases = [
    `${none}.${claims}.`,
    `${none}.${claims}.${signature}`,
    `${header}.${claims}.`,
    `${header}.${claims}`,
    "a.b.c",
    "",
    "..",
  ];
  for (const text of cases) expect(await own.read(text, service), text).toBeUndefined();
});

test("a token for one service is none for another", async () => {
  const { service: own } = world();
  const { token } = await own.issue({ identity: ann, rights, service });
  expect(await own.read(token, "other.test")).toBeUndefined();
  const refresh = await own.issueRefresh(ann, service);
  expect(await own.readRefresh(refresh, "other.test")).toBeUndefined();
});

test("refresh tokens and access tokens are not each other", async () => {
  const { service: own } = world();
  const { token } = await own.issue({ identity: ann, rights, service });
  const refresh = await own.issueRefresh(ann, service);
  expect(await own.readRefresh(refresh, service)).toEqual(ann);
  expect(await own.read(refresh, service)).toBeUndefined();
  expect(await own.readRefresh(token, service)).toBeUndefined();
});

test("both end with the user, the password, and their time", async () => {
  const { service: own, users, clock } = world();
  const { token, lifetime } = await own.issue({ identity: ann, rights, service });
  const refresh = await own.issueRefresh(ann, service);
  const alive = async (): Promise<boolean[]> => [
    (await own.read(token, service)) !== undefined,
    (await own.readRefresh(refresh, service)) !== undefined,
  ];
  expect(await alive()).toEqual([true, true]);
  users.set("ann", "$2b$04$changed");
  expect(await alive()).toEqual([false, false]);
  users.delete("ann");
  expect(await alive()).toEqual([false, false]);
  users.set("ann", ann.hash);
  expect(await alive()).toEqual([true, true]);
  clock.time += (lifetime + 60) * 1000;
  expect(await alive()).toEqual([false, true]);
  clock.time += 91 * 24 * 3_600_000;
  expect(await alive()).toEqual([false, false]);
});

test("an anonymous token cannot be one of a refresh", async () => {
  const { service: own } = world();
  const { token } = await own.issue({ rights, service });
  expect(await own.readRefresh(forged(token, { header: { typ: "rt+jwt" } }), service)).toBeUndefined();
});
