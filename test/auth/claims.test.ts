import * as fc from "fast-check";
import { expect, test } from "vitest";
import { claimsOf, expiryOf } from "../../src/auth/claims.ts";
import { userPassword, withoutSecret } from "../../src/auth/credential.ts";
import { formatScopes } from "../../src/auth/scopes.ts";
import { Secret } from "../../src/auth/secret.ts";

const token = (payload: string): string => `e30.${Buffer.from(payload).toString("base64url")}.c2ln`;
const read = (payload: string): ReturnType<typeof claimsOf> => claimsOf(new Secret(token(payload)));

test("says what a token says of itself", () => {
  const claims = read(
    '{"sub":"ann","nbf":1,"exp":2.5,"access":[{"type":"repository","name":"a/b","actions":["pull","push"]},{"type":"registry","name":"catalog","actions":["*"]}]}',
  )!;
  expect(claims).toMatchObject({ subject: "ann", notBefore: 1000, expires: 2500 });
  expect(formatScopes(claims.access!)).toEqual(["repository:a/b:pull,push", "registry:catalog:*"]);
  expect(formatScopes(read('{"scope":"repository:a:pull"}')!.access!)).toEqual(["repository:a:pull"]);
});

test("nothing granted is another thing than nothing said", () => {
  expect(read('{"access":null}')!.access?.size).toBe(0);
  expect(read('{"access":[]}')!.access?.size).toBe(0);
  expect(read("{}")!.access).toBeUndefined();
});

test("tokens of other kinds, and broken ones, have no claims", () => {
  for (const text of ["", "opaque", "a.b", "a.b.c.d", "a.!.c"]) expect(claimsOf(new Secret(text))).toBeUndefined();
  for (const payload of ["null", "[]", "{", '"x"']) expect(read(payload)).toBeUndefined();
});

test("whatever a token holds, nothing is thrown", () => {
  fc.assert(fc.property(fc.string(), (text) => void claimsOf(new Secret(text))));
  fc.assert(fc.property(fc.json(), (json) => void read(json)));
  const entry = fc.record(
    { type: fc.jsonValue(), name: fc.jsonValue(), actions: fc.jsonValue() },
    { requiredKeys: [] },
  );
  fc.assert(fc.property(fc.array(entry), (access) => void read(JSON.stringify({ access }))));
});

test("a credential that is a token says when it expires", () => {
  expect(expiryOf(userPassword("AWS", token('{"exp":7}')))).toBe(7000);
  expect(expiryOf(userPassword("ann", "s3cret"))).toBeUndefined();
  expect(expiryOf({ kind: "bearer", token: new Secret(token('{"exp":8}')) })).toBe(8000);
});

test("a text is without the secrets that it repeats", () => {
  const credential = userPassword("ann", "s3cret");
  expect(withoutSecret(`no s3cret, ${btoa("ann:s3cret")}`, credential)).toBe("no [secret], [secret]");
  expect(withoutSecret("as it is", userPassword("ann", ""))).toBe("as it is");
  expect(withoutSecret("as it is", undefined)).toBe("as it is");
});
