import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findAuth, findHelper, parseDockerConfig } from "../../src/auth/docker-config.ts";
import { findPullSecret } from "../../src/auth/pull-secret.ts";
import { parseRegistryJson } from "../../src/auth/registry-json.ts";
import { isRegistryError } from "../../src/oci/error.ts";

const host = "r.example";
const secret = "s3cret";

/** JSON of the shape of a file of logins, in which anything may stand where anything else should, secrets among it. */
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(secret, `ann:${secret}`, Buffer.from(`ann:${secret}`).toString("base64"), {}, [], null, "", 1),
);
const entry = fc.oneof(
  value,
  fc.record(
    { auth: value, username: value, password: value, identitytoken: value, registrytoken: value, token: value },
    { requiredKeys: [] },
  ),
);
const key = fc.oneof(
  fc.constantFrom(host, `https://${host}/v1/`, `${host}/a`, "*.example", "__proto__", "constructor", ""),
  fc.string(),
);
const map = fc.oneof(value, fc.dictionary(key, entry));
const file = fc.record(
  { auths: map, credHelpers: map, credsStore: value, HttpHeaders: map, registries: map, insecure: value, mirrors: map },
  { requiredKeys: [] },
);
const text = fc.oneof(
  file.map((object) => JSON.stringify(object)),
  file.chain((object) => fc.nat(JSON.stringify(object).length).map((end) => JSON.stringify(object).slice(0, end))),
  fc.string({ unit: "binary" }),
);

test.each<[string, (text: string) => unknown]>([
  [
    "a file of logins",
    (text) => {
      const config = parseDockerConfig(text, "the file");
      return [findHelper(config, host), findAuth(config, host, "a/b", "the file")];
    },
  ],
  ["~/.dockercfg", (text) => findAuth(parseDockerConfig(text, "the file", "dockercfg"), host, "a/b", "the file")],
  ["a pull secret", (text) => findPullSecret(parseDockerConfig(text, "the file").auths, host, "a/b", "the file")],
  ["registry.json", (text) => parseRegistryJson(text, "the file")],
])("whatever %s says, it is read, or INVALID with its name and without what is in it", (_, read) => {
  fc.assert(
    fc.property(text, (written) => {
      try {
        read(written);
      } catch (error) {
        expect(isRegistryError(error, "INVALID"), String(error)).toBe(true);
        expect((error as Error).message).toMatch(/^the file/);
        expect((error as Error).message).not.toContain(secret);
      }
    }),
    { numRuns: 1000 },
  );
});
