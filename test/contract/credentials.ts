import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Credential, CredentialSource } from "../../src/auth/credential.ts";
import { isRegistryError } from "../../src/oci/error.ts";

/** The registry and repository that the login of a source under test is for. */
export const there = { host: "registry.example:5000", path: "team/app" } as const;
/** What no message and no inspection may show. */
export const secret = "s3cret-of-registry";

/** One kind of source, in the states that a test needs. */
export interface SourceUnderTest {
  /** One that has a login with the secret for `there`, or what is asked for, and no other. */
  readonly filled: (at: typeof there) => Promise<CredentialSource> | CredentialSource;
  /** One that has none at all. */
  readonly empty: () => Promise<CredentialSource> | CredentialSource;
  /** One whose login cannot be read, with the secret in it, and what the message says; absent where none can be so. */
  readonly broken?: {
    readonly source: (at: typeof there) => Promise<CredentialSource> | CredentialSource;
    readonly message: RegExp;
  };
  /** What this source cannot promise, by the test's name, and why. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

/** Hosts that must not get what is for `registry.example:5000`. */
const lookAlikes = [
  "registry.example:5001",
  "registry.example.evil.test:5000",
  "evilregistry.example:5000",
  "evil.registry.example:5000",
  "example:5000",
  "egistry.example:5000",
  "registry.exampl:5000",
  "registry.example:50000",
  "registry-1.docker.io",
];

const ofBroken = "what is broken is INVALID, with its place and without the secret";

type Body = (under: SourceUnderTest) => Promise<void>;

/** Every promise of a CredentialSource, as tests of one kind of source. */
export function credentialContract(name: string, under: SourceUnderTest): void {
  const { skip = [] } = under;
  const unknown = skip.filter((entry) => !Object.hasOwn(promises, entry.test)).map((entry) => entry.test);
  if (unknown.length > 0) throw new Error(`no such test in the credential contract: ${unknown.join(", ")}`);
  describe(`${name} is a credential source`, () => {
    for (const [title, body] of Object.entries(promises)) {
      if (title === ofBroken && !under.broken) continue;
      const skipped = skip.find((entry) => entry.test === title);
      test(title, async (context) => {
        if (skipped) context.skip(skipped.reason);
        await body(under);
      });
    }
  });
}

const promises: Readonly<Record<string, Body>> = {
  "it gives the login to its registry, and says where it is from": async ({ filled }) => {
    const source = await filled(there);
    const credential = await source.find(there.host, there.path);
    expect(textOf(credential)).toBe(secret);
    expect(credential?.origin).toMatch(/\S/);
  },
  "the same again, and to many at once": async ({ filled }) => {
    const source = await filled(there);
    const found = await Promise.all(Array.from({ length: 20 }, () => source.find(there.host, there.path)));
    for (const credential of [...found, await source.find(there.host, there.path)])
      expect(textOf(credential)).toBe(secret);
  },
  "to no other host": async ({ filled }) => {
    const source = await filled(there);
    for (const host of lookAlikes) expect([host, await source.find(host, there.path)]).toEqual([host, undefined]);
  },
  "what is for another registry is not for this one": async ({ filled }) => {
    const source = await filled({ ...there, host: "other.example:5000" as typeof there.host });
    expect(await source.find(there.host, there.path)).toBeUndefined();
    expect(textOf(await source.find("other.example:5000", there.path))).toBe(secret);
  },
  "nothing is `undefined`": async ({ empty }) => {
    const source = await empty();
    expect(await source.find(there.host, there.path)).toBeUndefined();
    expect(await source.find(there.host, "")).toBeUndefined();
  },
  "neither the source nor what it gives shows the secret": async ({ filled }) => {
    const source = await filled(there);
    const credential = await source.find(there.host, there.path);
    const shown = [
      source.name,
      inspect(source, { depth: 9 }),
      inspect(credential),
      JSON.stringify([source, credential]),
    ];
    expect(source.name).toMatch(/\S/);
    expect(shown.join(" ")).not.toContain(secret);
    expect(shown.join(" ")).not.toContain(Buffer.from(secret).toString("base64").slice(2, -4));
  },
  "who does not want to know any more is not kept waiting": async ({ filled }) => {
    const source = await filled(there);
    const outcome = await source.find(there.host, there.path, AbortSignal.abort()).catch((error: unknown) => error);
    expect(isRegistryError(outcome, "ABORTED") || textOf(outcome as Credential) === secret).toBe(true);
  },
  [ofBroken]: async ({ broken }) => {
    const source = await broken!.source(there);
    const error: unknown = await source.find(there.host, there.path).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringMatching(broken!.message) as string });
    expect(inspect(error, { depth: 9 })).not.toContain(secret);
  },
};

/** The secret of a credential. */
function textOf(credential: Credential | undefined): string | undefined {
  if (!credential) return undefined;
  return (credential.kind === "basic" ? credential.password : credential.token).reveal();
}

/** A credential in one line, `kind user:secret`; none is `none`. */
export function lineOf(credential: Credential | undefined): string {
  if (!credential) return "none";
  const user = credential.kind === "basic" ? `${credential.username}:` : "";
  return `${credential.kind} ${user}${textOf(credential)}`;
}

/** `user:password` as files of logins have it. */
export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
