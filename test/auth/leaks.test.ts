import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamOf } from "../../src/oci/stream.ts";
import type { Req, Res } from "../../src/transport/transport.ts";
import { ask, respond } from "../transport/support.ts";
import { attack, basic, carrying, foreign, home, issued, proofs } from "./attack.ts";

const start = (): Req => ask(`https://${home}/v2/app/manifests/v1`);
const challenge = (realm: string): Res =>
  respond(401, { "www-authenticate": `Bearer realm="${realm}",service="s",scope="repository:app:pull"` });

describe("a registry's realm gets the login", () => {
  const outcome = async (
    realm: string,
    kind: "basic" | "identity",
    isInsecure?: (host: string) => boolean,
  ): Promise<readonly string[]> => {
    const answer = ({ url, headers }: Req): Res => {
      if (url.host !== home) return respond(200, {}, JSON.stringify({ token: issued }));
      return headers["authorization"] ? respond(200) : challenge(realm);
    };
    const { sent, shown } = await attack(answer, start(), kind, isInsecure);
    for (const proof of proofs) expect(shown).not.toContain(proof);
    return [...new Set(carrying(sent))];
  };

  describe.each(["basic", "identity"] as const)("(%s)", (kind) => {
    test("over HTTPS, on any public host", async () => {
      expect(await outcome("https://auth.example/token", kind)).toEqual(["https://auth.example", `https://${home}`]);
    });

    test.each([
      "http://auth.example/token",
      `http://${home}/token`,
      "https://169.254.169.254/token",
      "https://127.0.0.1/token",
      "http://localhost:9000/token",
      "https://[::1]/token",
      "https://10.0.0.5/token",
      "https://0x7f000001/token",
      "https://[::ffff:169.254.169.254]/token",
      "file:///etc/passwd",
      "ftp://auth.example/",
    ])("but not at %s", async (realm) => {
      expect(await outcome(realm, kind)).toEqual([]);
    });

    test("nor over plain HTTP on another host, even of a registry declared insecure", async () => {
      const isInsecure = (host: string): boolean => host === home;
      expect(await outcome("http://auth.example/token", kind, isInsecure)).toEqual([]);
      expect(await outcome("https://auth.example/token", kind, isInsecure)).toEqual([
        "https://auth.example",
        `https://${home}`,
      ]);
    });
  });
});

test("a password for Basic never leaves in plain text", async () => {
  const basicOnly = (): Res => respond(401, { "www-authenticate": 'Basic realm="x"' });
  const plain = ask(`http://${home}/v2/app/manifests/v1`);
  const { sent } = await attack(basicOnly, plain, "basic");
  expect(sent).toHaveLength(1);
  expect(carrying(sent)).toEqual([]);
  expect(carrying((await attack(basicOnly, plain, "basic", (host) => host === home)).sent)).not.toEqual([]);
});

test.each([
  "https://other.example/x",
  "https://evil.example/x",
  `https://${home}:8443/x`,
  `https://${home}.evil.example/x`,
  `https://${home}@evil.example/x`,
  `https://ann:x@evil.example/x`,
  `https://cdn.${home}/x`,
  `https://${home}./x`,
  "https://xn--rgistry-bya.example/x",
  "https://203.0.113.7/x",
  "//evil.example/x",
])("a redirect to %s takes nothing along, and what it asks for there is not given", async (location) => {
  const answer = ({ url, headers }: Req): Res => {
    if (url.origin === "https://auth.example") return respond(200, {}, JSON.stringify({ token: issued }));
    if (url.origin !== `https://${home}`)
      return respond(401, { "www-authenticate": `Basic realm="x", Bearer realm="https://evil.example/token"` });
    return headers["authorization"] ? respond(307, { location }) : challenge("https://auth.example/token");
  };
  const { sent } = await attack(answer, start(), "basic");
  expect(new Set(carrying(sent))).toEqual(new Set(["https://auth.example", `https://${home}`]));
  expect(sent.at(-1)!.origin).toBe(new URL(location, `https://${home}`).origin);
});

test.each([
  `http://${home}/x`,
  "http://evil.example/x",
  "https://127.0.0.1/x",
  "https://169.254.169.254/x",
  "https://[::1]/x",
])("a redirect to %s is not followed", async (location) => {
  const answer = ({ url, headers }: Req): Res => {
    if (url.host === "auth.example") return respond(200, {}, JSON.stringify({ token: issued }));
    return headers["authorization"] ? respond(307, { location }) : challenge("https://auth.example/token");
  };
  const { sent } = await attack(answer, start(), "basic");
  expect(new Set(sent.map(({ origin }) => origin))).toEqual(new Set(["https://auth.example", `https://${home}`]));
});

test("whatever hosts answer, what proves who we are goes to the registry and to the realm it names, over TLS, and shows nowhere", async () => {
  const place = fc.constantFrom(
    `https://${home}/a`,
    `http://${home}/a`,
    "https://auth.example/token",
    "http://auth.example/token",
    "https://evil.example/x",
    "http://evil.example/x",
    "https://other.example/x",
    "https://127.0.0.1/x",
    "http://169.254.169.254/x",
    "/relative",
  );
  const reply = fc.oneof(
    place.map((location) => respond(307, { location })),
    place.map((location) => respond(302, { location })),
    place.map(challenge),
    fc.constant(respond(401, { "www-authenticate": 'Basic realm="x"' })),
    fc.constant(respond(503)),
    fc.constant(respond(200, { warning: `299 - "hello"` }, JSON.stringify({ token: issued }))),
  );
  const replies = fc.array(reply, { minLength: 1, maxLength: 12 });
  const method = fc.constantFrom("GET" as const, "PUT" as const);
  await fc.assert(
    fc.asyncProperty(
      replies,
      method,
      fc.constantFrom("basic" as const, "identity" as const),
      async (script, how, kind) => {
        const realms = new Set([`https://${home}`]);
        let turn = 0;
        const answer = ({ url }: Req): Res => {
          const given = script[turn++ % script.length]!;
          const realm = /realm="(https:[^"]+)"/.exec(given.headers["www-authenticate"] ?? "")?.[1];
          if (url.host === home && realm) realms.add(new URL(realm).origin);
          return { ...given, body: streamOf(Buffer.from(JSON.stringify({ token: issued }))) };
        };
        const body = how === "PUT" ? { body: { open: async () => streamOf(Buffer.from("x")) } } : {};
        const { sent, shown } = await attack(answer, { ...start(), method: how, ...body }, kind);
        for (const origin of carrying(sent)) {
          expect([...realms]).toContain(origin);
          expect(["https://127.0.0.1", "https://169.254.169.254"]).not.toContain(origin);
        }
        expect(sent.some(({ text }) => text.includes(foreign) || text.includes(basic("bob", foreign)))).toBe(false);
        for (const { origin, text } of sent) if (text.includes(issued)) expect(origin).toBe(`https://${home}`);
        for (const proof of proofs.filter((one) => one !== issued)) expect(shown).not.toContain(proof);
      },
    ),
    { numRuns: 500 },
  );
});
