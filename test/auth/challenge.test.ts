import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseChallenges } from "../../src/auth/challenge.ts";

const read = (header: string | undefined): unknown =>
  parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);

test.each<[string | undefined, unknown]>([
  [undefined, []],
  ["", []],
  ["Basic", [["basic", {}]]],
  ['Basic realm="a registry"', [["basic", { realm: "a registry" }]]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      [
        "bearer",
        { realm: "https://auth.example/token", service: "registry.example", scope: "repository:a/b:pull,push" },
      ],
    ],
  ],
  ['BEARER Realm = "x" , ERROR=invalid_token', [["bearer", { realm: "x", error: "invalid_token" }]]],
  [
    'Negotiate, Basic realm="x", Bearer realm="y", service=z',
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
      ["bearer", { realm: "y", service: "z" }],
    ],
  ],
  [
    'NTLM TlRMTVNTUAAB==, Basic realm="x"',
    [
      ["ntlm", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  ['Bearer realm="a \\"quoted\\" \\\\ one"', [["bearer", { realm: 'a "quoted" \\ one' }]]],
  ['Bearer realm="has, comma",service="s"', [["bearer", { realm: "has, comma", service: "s" }]]],
  ['Bearer realm="first",realm="second"', [["bearer", { realm: "first" }]]],
  ['Bearer realm="unfinished', [["bearer", { realm: "unfinished" }]]],
  ["Bearer realm=", [["bearer", {}]]],
  ['realm="alone"', []],
  ['=,=;Bearer realm="x"', [["bearer", { realm: "x" }]]],
  ['Bearer __proto__="x"', [["bearer", Object.fromEntries([["__proto__", "x"]])]]],
])("%s", (header, challenges) => {
  expect(read(header)).toEqual(challenges);
});

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const value = fc.string({ unit: "binary-ascii", maxLength: 20 }).filter((text) => !/[\r\n]/.test(text));
const quote = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

test("what was written as challenges is read as such", () => {
  const challenge = fc.record({
    scheme: token,
    params: fc.dictionary(
      token.map((name) => name.toLowerCase()),
      value,
      { minKeys: 1, maxKeys: 4 },
    ),
  });
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 4 }), fc.constantFrom(",", ", ", " , "), (challenges, comma) => {
      const header = challenges
        .map(
          ({ scheme, params }) =>
            `${scheme} ${Object.entries(params)
              .map(([name, text]) => `${name}=${quote(text)}`)
              .join(comma)}`,
        )
        .join(comma);
      expect(read(header)).toEqual(challenges.map(({ scheme, params }) => [scheme.toLowerCase(), { ...params }]));
    }),
  );
});

test("no header is too malformed to read, nor takes long", () => {
  const parts = fc.constantFrom("Bearer", "Basic", " ", ",", "=", '"', "\\", "realm", "x", "==", "\t", "é", "\u0000");
  fc.assert(fc.property(fc.string({ unit: parts, maxLength: 200 }), (header) => void parseChallenges(header)));
  for (const hostile of ['"', "\\", ",", " ", "a", "=", 'a="', "a ", '\\"'].map(
    (part) => `Bearer realm="${part.repeat(30_000)}`,
  )) {
    const start = performance.now();
    parseChallenges(hostile);
    parseChallenges(hostile.slice(14));
    expect(performance.now() - start).toBeLessThan(500);
  }
});
